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


IN_PLACE = """
import browsergrad as bg

@bg.check("uses place", points=1, feedback_pass="So it does.")
@bg.in_place
def _test():
    global place
    kept = place
    del place
    try:
        find(["ant"], "ant")
    except NameError:
        pass
    else:
        raise AssertionError("place is not used")

_test()
"""
USES = "def place(words, word):\n    return words.index(word)\n\ndef find(words, wanted):\n    return place(words, wanted)\n"
OTHER = "def place(words, word):\n    return words.index(word)\n\ndef find(words, wanted):\n    return words.index(wanted)\n"


def test_a_test_in_place_changes_the_students_own_names_where_they_share_an_interpreter(tmp_path: Path) -> None:
    lab = write_lab(tmp_path / "lab", rubric=IN_PLACE, reference=USES)
    for name, source in (("uses", USES), ("other", OTHER)):
        (tmp_path / f"{name}.py").write_text(source, "utf-8")
    out = tmp_path / "out.jsonl"
    handed = [str(tmp_path / f"{name}.py") for name in ("uses", "other")]
    assert main(["grade", str(lab), *handed, "--out", str(out), "--jobs", "2", "--rubric", "shared"]) == 0
    found = {}
    for line in out.read_text("utf-8").splitlines():
        result = json.loads(line)
        (found[Path(result["submission"]).stem],) = result["assertions"]
    assert (found["uses"]["kind"], found["uses"]["feedback"]) == ("pass", "So it does.")
    assert (found["other"]["kind"], found["other"]["message"]) == ("fail", "place is not used")
