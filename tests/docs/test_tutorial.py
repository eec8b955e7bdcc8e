"""The tutorial's lab, typed as the page says, is a good lab."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jupyterlite_browsergrad.cli import main

TUTORIAL = Path(__file__).resolve().parent.parent.parent / "docs" / "tutorial" / "index.md"


def test_the_lab_of_the_tutorial_is_valid_and_its_check_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = re.findall(
        r"`(course/search/\w+\.(?:py|json))`.*?\n\n```\w+\n(.*?)```", TUTORIAL.read_text("utf-8"), re.DOTALL
    )
    monkeypatch.chdir(tmp_path)
    for name, content in files:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(content, "utf-8")
    assert sorted(Path(name).name for name, _ in files) == ["manifest.json", "reference.py", "rubric.py", "starter.py"]
    assert main(["validate", "course"]) == 0
    assert main(["check", "course/search", "--jobs", "2"]) == 0
    assert "ok" in capsys.readouterr().out
