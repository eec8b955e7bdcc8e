"""Hand-in files among submissions: each bad one gets an error of its own, and the others are graded."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from jupyterlite_browsergrad.grading.hand_in_keys import make_keys
from tests.hand_in import NOTEBOOK, bad_files, encrypted, hand_in, notebook

from .labs import APART, GOOD, GRADE, write_lab


def graded(folder: Path, *options: str) -> tuple[dict[str, dict[str, Any]], str]:
    """The results by name, and what was said."""
    command = [*GRADE, "lab", "work", "--out", "results.jsonl", *APART, *options]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    lines = (folder / "results.jsonl").read_text("utf-8").splitlines()
    return {Path(each["submission"]).stem: each for each in map(json.loads, lines)}, run.stdout + run.stderr


def test_hand_in_files_are_graded_and_bad_ones_are_told(tmp_path: Path) -> None:
    write_lab(tmp_path / "lab")
    public, other = make_keys(tmp_path / "course.key"), make_keys(tmp_path / "other.key")
    files = {NOTEBOOK: notebook(GOOD), "rubric.py": b"raise SystemExit", "data/words.txt": b"changed"}
    work = tmp_path / "work"
    work.mkdir()
    (work / "plain.bglab").write_bytes(hand_in(files))
    (work / "sealed.bglab").write_bytes(encrypted(hand_in(files), public))
    (work / "stranger.bglab").write_bytes(encrypted(hand_in(files), other))
    (work / "usual.py").write_text(GOOD, "utf-8")
    bad = bad_files(files)
    for name, (content, _) in bad.items():
        (work / f"{name}.bglab").write_bytes(content)

    results, _ = graded(tmp_path)
    assert [results[name]["passed"] for name in ("plain", "usual")] == [True, True]
    for name in ("sealed", "stranger"):
        assert "give the private key with --key" in results[name]["error"]["evalue"]
    for name, (_, reason) in bad.items():
        assert results[name]["error"]["kind"] == "unreadable"
        assert reason in results[name]["error"]["evalue"]

    # What could not be read is tried again, and graded once it can be.
    results, said = graded(tmp_path, "--key", "course.key")
    assert results["sealed"]["passed"]
    assert results["sealed"]["sha256"] == results["plain"]["sha256"]
    assert "encrypted to another key" in results["stranger"]["error"]["evalue"]
    assert f"{len(bad) + 2} were there already" in said
    _, said = graded(tmp_path, "--key", "course.key")
    assert "nothing new" in said
