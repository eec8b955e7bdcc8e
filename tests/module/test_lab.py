"""Rubrics, and the lab that ordinary Python finds in its working folder."""

from __future__ import annotations

import hashlib
import json
import linecache
import sys
from pathlib import Path
from typing import Any

import browsergrad as bg
import pytest
from browsergrad import _lab
from browsergrad._lab import run_rubric

Events = list[dict[str, Any]]

SOURCE = """
import browsergrad as bg

with bg.check("adds"):
    assert add(1, 2) == 3

with bg.check("has a greeting"):
    assert greeting == "hello", "set greeting to 'hello'"
"""


def kinds(content: dict[str, Any]) -> list[str]:
    return [event["kind"] for event in content["assertions"]]


def test_a_rubric_sees_the_students_names_and_reports_what_it_finds(events: Events) -> None:
    content = run_rubric(SOURCE, {"add": lambda a, b: a + b, "greeting": "hi"})
    assert content["counts"] == {"pass": 1, "fail": 1, "error": 0}
    failure = content["assertions"][1]
    assert failure["message"] == "set greeting to 'hello'"
    assert (failure["expectedRepr"], failure["actualRepr"]) == ("'hello'", "'hi'")
    assert events == [], "a rubric's events are no events of the session"
    assert bg.results() == []


def test_the_sessions_own_events_go_on_after_a_rubric(events: Events) -> None:
    bg.assert_pass("before")
    run_rubric("import browsergrad as bg; bg.assert_pass('inside'); bg.log('x', 1)", {})
    bg.assert_pass("after")
    assert [event["event"]["name"] for event in events] == ["before", "after"]
    assert [event["name"] for event in bg.results()] == ["before", "after"]


def test_a_missing_name_is_an_error_that_names_it() -> None:
    content = run_rubric(SOURCE, {})
    assert kinds(content) == ["error", "error"]
    assert content["assertions"][0]["message"] == "NameError: name 'add' is not defined"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def (", "the rubric broke: SyntaxError"),
        ("1 / 0", "the rubric broke: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "the rubric broke: SystemExit: 3"),
        ("x = 'a\0b'", "the rubric broke: SyntaxError"),
        ("", "the rubric reports nothing"),
        ("class E(BaseException):\n def __str__(self): 1 / 0\nraise E", "the rubric broke: E"),
        ("def f(): f()\nf()", "the rubric broke: RecursionError"),
    ],
)
def test_a_rubric_that_breaks_is_one_error(source: str, message: str, events: Events) -> None:
    content = run_rubric(source, {}, "labs/one/rubric.py")
    (error,) = content["assertions"]
    assert error["kind"] == "error"
    assert error["name"] == "labs/one/rubric.py"
    assert error["message"].startswith(message)
    assert content["counts"] == {"pass": 0, "fail": 0, "error": 1}
    bg.assert_pass("still works")
    assert len(events) == 1


def test_what_a_rubric_found_before_it_broke_is_kept() -> None:
    content = run_rubric("import browsergrad as bg\nbg.assert_pass('a')\nraise ValueError('b')", {})
    assert kinds(content) == ["pass", "error"]
    assert "raise ValueError('b')" in content["assertions"][1]["traceback"]
    assert "_lab.py" not in content["assertions"][1]["traceback"]


def test_an_interrupt_ends_a_rubric_and_nothing_of_it_stays(events: Events) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_rubric("raise KeyboardInterrupt", {})
    bg.assert_pass("after")
    assert len(events) == 1
    assert "rubric.py" not in linecache.cache


def test_a_rubric_changes_no_name_of_the_student() -> None:
    namespace = {"x": 1, "__name__": "__main__"}
    run_rubric("x = 2\ny = 3\nimport browsergrad as bg\nbg.assert_pass(__name__)", namespace)
    assert namespace == {"x": 1, "__name__": "__main__"}


def test_a_student_who_hides_built_ins_does_not_break_the_rubric() -> None:
    source = (
        "import browsergrad as bg\nwith bg.check('s'):\n    assert sum([1, 2]) == 3\n    assert student['sum'] == 0"
    )
    assert kinds(run_rubric(source, {"sum": 0, "list": None, "bg": "mine"})) == ["pass"]


def test_of_many_passes_the_first_are_kept_and_all_are_counted() -> None:
    source = "import browsergrad as bg\nfor n in range(3000): bg.assert_pass('p')\nbg.assert_fail('f', 'm')"
    content = run_rubric(source, {})
    assert content["counts"] == {"pass": 3000, "fail": 1, "error": 0}
    assert len(content["assertions"]) == 1001


# --- the lab of the working folder

MANIFEST: dict[str, Any] = {
    "id": "counting",
    "version": "1.2.0",
    "requires_browsergrad": "^0.8.0",
    "required_ops": ["count"],
    "rubric_path": "rubric.py",
    "starter_path": "starter.py",
    "reference_path": "reference.py",
    "datasets": [
        {"name": "words", "url": "my%20words.txt", "hash": "sha256:" + hashlib.sha256(b"a b").hexdigest()},
        {"name": "wrong", "url": "my%20words.txt", "hash": "sha256:" + "0" * 64},
        {"name": "gone", "url": "gone.txt"},
        {"name": "far", "url": "https://example.org/far.csv"},
        {"name": "leak", "url": "link.txt"},
    ],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    lab = tmp_path / "lab"
    lab.mkdir()
    (lab / "manifest.json").write_text(json.dumps(MANIFEST), encoding="utf-8")
    (lab / "my words.txt").write_bytes(b"a b")
    (tmp_path / "secret.txt").write_text("s", encoding="utf-8")
    (lab / "link.txt").symlink_to(tmp_path / "secret.txt")
    monkeypatch.chdir(lab)
    return lab


def test_the_lab_is_that_of_the_working_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (bg.lab.id, bg.lab.version, bg.lab.required_ops) == ("counting", "1.2.0", ["count"])
    assert bg.lab.requires_browsergrad == "^0.8.0"
    assert bg.lab.datasets[:2] == ["words", "wrong"]
    assert bg.lab.manifest["rubric_path"] == "rubric.py"
    assert repr(bg.lab) == "<lab counting 1.2.0>"
    (folder / "deep").mkdir()
    monkeypatch.chdir(folder / "deep")
    assert bg.lab.folder == folder
    assert bg.dataset("words").read_text() == "a b"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wrong", r"dataset 'wrong' is not the file the lab was made with: the manifest says sha256:0{64}"),
        ("gone", r"dataset 'gone': there is no file .*gone\.txt"),
        ("far", r"dataset 'far' lies at https://example\.org/far\.csv, which only the browser kernel fetches"),
        ("leak", r"dataset 'leak': .* leads out of the lab's folder"),
        ("none", r"the lab counting has no dataset 'none': it has 'words', 'wrong'"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_dataset_that_cannot_be_had_is_refused_by_name(name: str, message: str) -> None:
    with pytest.raises(bg.LabError, match=message):
        bg.dataset(name)


def test_without_a_lab_the_error_says_where_was_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(bg.LabError, match=r"manifest\.json was not found in .* or above it"):
        bg.lab.id  # noqa: B018  # reading it is what is tested
    assert repr(bg.lab) == "<no lab>"


def test_a_manifest_that_breaks_the_rules_is_not_used(folder: Path) -> None:
    (folder / "manifest.json").write_text(json.dumps(MANIFEST | {"id": "No", "extra": 1}), encoding="utf-8")
    with pytest.raises(bg.LabError, match=r"(?s)manifest\.json: invalid lab manifest.*/id: .*/extra: "):
        bg.dataset("words")
    (folder / "manifest.json").write_text(json.dumps(MANIFEST | {"requires_browsergrad": "^0.9.0"}), encoding="utf-8")
    with pytest.raises(bg.LabError, match=r"lab requires \^0\.9\.0, runtime is 0\.8"):
        bg.dataset("words")


def test_without_the_rules_the_error_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jupyterlite_browsergrad.manifest", None)
    with pytest.raises(bg.LabError, match="install jupyterlite-browsergrad"):
        bg.dataset("words")


def test_in_the_browser_the_page_says_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handed = tmp_path / "lab.json"
    monkeypatch.setattr(_lab, "_in_browser", lambda: True)
    monkeypatch.setattr(_lab, "HANDED", handed)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(bg.LabError, match="belongs to no lab"):
        bg.dataset("words")
    told = {"words": {"path": "/tmp/words.txt"}, "wrong": {"error": "has another hash"}}
    handed.write_text(json.dumps({"manifest": MANIFEST, "folder": "/drive/lab", "datasets": told}), encoding="utf-8")
    assert bg.dataset("words") == Path("/tmp/words.txt")
    assert bg.lab.folder == Path("/drive/lab")
    with pytest.raises(bg.LabError, match="dataset 'wrong': has another hash"):
        bg.dataset("wrong")
    with pytest.raises(bg.LabError, match="dataset 'gone': it was not loaded"):
        bg.dataset("gone")
    handed.write_text('{"manifest": null}', encoding="utf-8")
    with pytest.raises(bg.LabError, match="belongs to no lab"):
        bg.lab.id  # noqa: B018  # reading it is what is tested


def test_a_sandbox_without_a_page_reads_the_working_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lab, "_in_browser", lambda: True)
    monkeypatch.setattr(_lab, "HANDED", folder / "nothing.json")
    assert bg.lab.id == "counting"
    assert bg.dataset("words").read_text() == "a b"
    with pytest.raises(bg.LabError, match="dataset 'wrong' is not the file"):
        bg.dataset("wrong")
