"""Recursion that is too deep, in Deno: an error like any other, after which the next cell still finds the variables."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path

import deno
import pytest

from .table import HERE, PROGRAMS, on_3_12, on_one_stack, problem, short

STATIC = HERE.parents[1] / "jupyterlite_browsergrad" / "labextension" / "static"
#: Number of programs of the storm. `STORM=500` tries more, before a release.
STORM = int(os.environ.get("STORM", "100"))


#: Code that a worker runs first, to behave as another engine: one without further stacks, or one for Pyodide 0.27, which takes
#: a scope for a browser's worker only if it has this function.
ONE_STACK = "delete WebAssembly.promising; delete WebAssembly.Suspending;"
OLD_WORKER = "globalThis.importScripts = () => { throw new TypeError('this is a module'); };"


def run(programs: list[dict], start: str, folder: Path, pyodide: Path | None = None, before: str = "") -> list[dict]:
    """The end of each program. They run one after another in one kernel, as long as that lives."""
    path = folder / "programs.json"
    path.write_text(json.dumps(programs), encoding="utf-8")
    pyodide = pyodide or STATIC / "pyodide"
    (folder / "before.js").write_text(before, encoding="utf-8")
    worker = folder / "worker.js"
    worker.write_text(f"import './before.js'; import '{STATIC.as_uri()}/runtime/worker.js';\n", encoding="utf-8")
    command = [
        deno.find_deno_bin(),
        *("run", "--quiet", "--no-prompt", "--no-remote", "--no-config"),
        f"--allow-read={STATIC},{HERE},{folder},{pyodide}",
        *(str(HERE / "deno_host.js"), f"{STATIC.as_uri()}/", str(path), start, f"{pyodide.as_uri()}/", worker.as_uri()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1500)
    way = "started from its memory snapshot" if start == "snapshot" else "started from its files"
    assert done.returncode == 0 and way in done.stderr, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def problems(programs: list[dict], rows: list[dict]) -> list[str]:
    """Return what is wrong with how the programs ended."""
    ends = zip(programs, rows, strict=True)
    found = [problem(program, row.get("ename"), row.get("result"), row.get("after")) for program, row in ends]
    return [text for text in found if text] + [row["died"] for row in rows if row.get("died")]


@pytest.fixture(scope="module", params=["snapshot", "files"] if os.environ.get("ALL_STARTS") else ["snapshot"])
def rows(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    return {row["name"]: row for row in run(PROGRAMS, request.param, tmp_path_factory.mktemp("recursion"))}


@pytest.mark.timeout(1600)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program["name"])
def test_the_recursion_is_an_error_and_the_variables_stay(rows: dict[str, dict], program: dict) -> None:
    row = rows[program["name"]]
    assert row.get("died") is None
    assert problem(program, row.get("ename"), row.get("result"), row.get("after")) is None, row


def test_the_traceback_names_the_function_of_the_user(rows: dict[str, dict]) -> None:
    for name, function in (
        ("memoised Fibonacci", "fib"),
        ("__eq__", "__eq__"),
        ("sorted with a key", "f"),
        ("a long sum", "eval"),
    ):
        assert function in rows[name]["traceback"] and "browsergrad_kernel" not in rows[name]["traceback"], rows[name][
            "traceback"
        ]


@pytest.mark.timeout(1600)
def test_a_storm_of_recursions_leaves_the_kernel_alive(tmp_path: Path) -> None:
    seed = int(os.environ.get("STORM_SEED") or random.randrange(2**31))
    pick = random.Random(seed)
    # The way back through JavaScript takes long.
    programs = [program for program in PROGRAMS if not program.get("slow")]
    storm = [pick.choice(programs) for _ in range(STORM)]
    assert problems(storm, run(storm, "snapshot", tmp_path)) == [], f"seed {seed}"


def tried(programs: list[dict]) -> list[dict]:
    """All programs before a release, otherwise some."""
    return programs if os.environ.get("ALL_STARTS") else short(programs)


@pytest.mark.timeout(1600)
def test_an_engine_of_one_stack_ends_them_all(tmp_path: Path) -> None:
    programs = tried(on_one_stack())
    assert problems(programs, run(programs, "snapshot", tmp_path, before=ONE_STACK)) == []


@pytest.mark.timeout(1600)
@pytest.mark.parametrize("stacks", ["further stacks", "one stack"])
def test_pyodide_0_27_ends_them_all(tmp_path: Path, full_pyodide: Path, stacks: str) -> None:
    before, programs = OLD_WORKER, tried(on_3_12())
    if stacks == "one stack":
        before, programs = OLD_WORKER + ONE_STACK, on_one_stack(programs)
    assert problems(programs, run(programs, "old", tmp_path, full_pyodide, before)) == []
