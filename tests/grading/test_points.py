"""Points in the results of ``jupyter browsergrad grade``."""

from __future__ import annotations

import json
from pathlib import Path

from jupyterlite_browsergrad.cli import main

from .labs import GOOD, STARTER, write_lab

RUBRIC = """
import browsergrad as bg

with bg.check("finds the first", points=2, group="find"):
    assert find(["ant", "bee"], "ant") == 0

with bg.check("says -1", points=3, group="find") as part:
    found = find(["ant"], "bee")
    part.earn(1)
    assert found == -1
"""


def test_points_are_summed_in_either_form_also_where_checks_never_ran(tmp_path: Path) -> None:
    lab = write_lab(tmp_path / "lab", rubric=RUBRIC)
    handed = tmp_path / "handed"
    handed.mkdir()
    sources = {"good": GOOD, "part": STARTER, "broken": "def other(): pass", "unreadable": "\udcff"}
    for name, source in sources.items():
        (handed / f"{name}.py").write_bytes(source.encode("utf-8", "surrogateescape"))
    sums = {"good": 5, "part": 1, "broken": 0, "unreadable": 0}
    for form in ("apart", "shared"):
        out = tmp_path / f"{form}.jsonl"
        assert main(["grade", str(lab), str(handed), "--out", str(out), "--jobs", "2", "--rubric", form]) == 0
        results = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
        points = {Path(each["submission"]).stem: each["points"] for each in results}
        assert points == {name: {"earned": earned, "possible": 5} for name, earned in sums.items()}
        assert all(each["rubric"] == form for each in results)
