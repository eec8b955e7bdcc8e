"""The example labs: the solution passes its rubric, the starter code does not, and the notebook contains the starter code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from browsergrad._lab import run_rubric

from jupyterlite_browsergrad.labs.folders import examine

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
labs = pytest.mark.parametrize(
    "lab", sorted(path.parent for path in EXAMPLES.glob("labs*/*/manifest.json")), ids=lambda lab: lab.name
)


def checked(lab: Path, name: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {}
    exec(compile((lab / name).read_text("utf-8"), name, "exec"), namespace)
    return run_rubric((lab / "rubric.py").read_text("utf-8"), namespace)


@labs
def test_nothing_is_wrong_with_its_manifest(lab: Path) -> None:
    assert examine(lab / "manifest.json").findings == []


@labs
def test_the_solution_passes(lab: Path) -> None:
    content = checked(lab, "reference.py")
    assert [item for item in content["assertions"] if item["kind"] != "pass"] == []
    assert content["counts"]["pass"] >= 6


@labs
def test_the_starter_code_fails_and_is_told_what_to_do(lab: Path) -> None:
    content = checked(lab, "starter.py")
    assert content["counts"]["fail"] >= 6
    assert content["counts"]["error"] == 0, "what is not done yet is no error"
    assert all(len(item["message"]) > 20 for item in content["assertions"] if item["kind"] == "fail")
    names = [item["name"] for item in content["assertions"]]
    assert len(names) == len(set(names))


@labs
def test_nothing_done_at_all_is_told_too(lab: Path) -> None:
    content = run_rubric((lab / "rubric.py").read_text("utf-8"), {})
    assert content["counts"]["pass"] == 0
    assert not [item for item in content["assertions"] if "the rubric broke" in item["message"]]


@labs
def test_the_notebook_has_the_exercises_of_the_starter_code(lab: Path) -> None:
    notebook = json.loads((lab / f"{lab.name}.ipynb").read_text("utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    parts = (lab / "starter.py").read_text("utf-8").split("# %%\n")[1:]
    assert [part.strip() for part in parts if part.strip() not in cells] == []
    assert all(cell["outputs"] == [] for cell in notebook["cells"] if cell["cell_type"] == "code")
