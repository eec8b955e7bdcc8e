"""A small lab for the tests."""

from __future__ import annotations

import json
import sys
from pathlib import Path

#: The command, in a process of its own.
GRADE = (sys.executable, "-m", "jupyterlite_browsergrad", "grade")
#: For labs of tests that do not concern the form of the rubric, so that the command need not find out which forms are possible.
APART = ("--rubric", "apart")
GOOD = """
def find(words, wanted):
    for place, word in enumerate(words):
        if word == wanted:
            return place
    return -1
"""
STARTER = "def find(words, wanted):\n    '''Return the place of the word, or -1.'''\n"
NAMES = ["finds the first", "finds the last", "says -1"]
RUBRIC = """
import browsergrad as bg

with bg.check("finds the first"):
    assert find(["ant", "bee"], "ant") == 0

with bg.check("finds the last"):
    assert find(["ant", "bee"], "bee") == 1

with bg.check("says -1"):
    assert find(["ant", "bee"], "cat") == -1
"""
MANIFEST = {
    "id": "search",
    "version": "1.2.3",
    "requires_browsergrad": "^0.8.0",
    "required_ops": [],
    "rubric_path": "rubric.py",
    "starter_path": "starter.py",
    "reference_path": "reference.py",
    "datasets": [{"name": "words", "url": "data/words.txt"}],
}


def write_lab(folder: Path, *, reference: str = GOOD, starter: str = STARTER, rubric: str = RUBRIC) -> Path:
    """Write the lab's folder and return it."""
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "words.txt").write_text("ant\nbee\n", "utf-8")
    for name, content in (("reference", reference), ("starter", starter), ("rubric", rubric)):
        (folder / f"{name}.py").write_text(content, "utf-8")
    (folder / "manifest.json").write_text(json.dumps(MANIFEST), "utf-8")
    return folder
