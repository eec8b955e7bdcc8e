"""The kinds of code that Stop must end, in Deno: the runtime's worker without a page."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

import deno
import pytest
from hangs import HANG_S

HERE = Path(__file__).parent
STATIC = HERE.parent.parent / "jupyterlite_browsergrad" / "labextension" / "static"
CASES = HERE / "cases.json"
TRIES, STORM = 2, 60


@pytest.fixture(scope="module")
def result() -> dict:
    """The results of the table and of the storm, as the driver reports them."""
    seed = random.randrange(2**31)
    command = [
        deno.find_deno_bin(),
        *("run", "--quiet", "--no-prompt", "--no-remote", "--no-config"),
        f"--allow-read={STATIC},{HERE}",
        str(HERE / "deno_host.js"),
        *(f"{STATIC.as_uri()}/", str(CASES), str(TRIES), str(STORM), str(seed)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANG_S * 3)
    assert done.returncode == 0, f"seed {seed}\n{done.stderr}"
    return {**json.loads(done.stdout), "log": done.stderr}


def in_deno() -> list[str]:
    cases = json.loads(CASES.read_text(encoding="utf-8"))
    return [case["name"] for case in cases if case.get("needs") not in ("page", "drive")]


def test_deno_shares_memory_with_the_worker(result: dict) -> None:
    assert result["info"]["interruptMode"] == "shared-memory"


@pytest.mark.parametrize("name", in_deno())
def test_stop_ends_the_cell_and_keeps_the_variables(result: dict, name: str) -> None:
    (row,) = [row for row in result["rows"] if row["name"] == name]
    assert row["bad"] == [], result["log"]
    assert len(row["ms"]) == TRIES


def test_a_storm_of_interrupts_loses_none(result: dict) -> None:
    assert result["storm"]["bad"] == [], result["log"]
    assert result["storm"]["sent"] >= STORM
