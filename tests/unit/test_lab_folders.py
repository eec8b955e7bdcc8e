"""Labs on disk, and the command that checks them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from lab_manifest import MANIFEST

from jupyterlite_browsergrad.cli import main
from jupyterlite_browsergrad.labs.folders import examine, find_manifests

DATA = b"1,2\n"
HASH = "sha256:" + hashlib.sha256(DATA).hexdigest()


def make_lab(folder: Path, **changes: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("rubric.py", "starter.py", "reference.py"):
        (folder / name).write_text(f"# {name}\n", "utf-8")
    (folder / "data.csv").write_bytes(DATA)
    (folder / "manifest.json").write_text(json.dumps(MANIFEST | changes), "utf-8")
    return folder / "manifest.json"


def make_notebook(path: Path, **metadata: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": []}), "utf-8")
    return path


def found(file: Path) -> list[tuple[str, str, str]]:
    return [(finding.severity, finding.path, finding.code) for finding in examine(file).findings]


def test_a_whole_lab_has_nothing_to_find(tmp_path: Path) -> None:
    file = make_lab(tmp_path, datasets=[{"name": "d", "url": "data.csv", "hash": HASH}])
    assert found(file) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"rubric_path": "gone.py"}, [("warning", "/rubric_path", "missing-file")]),
        ({"requires_browsergrad": "^0.9.0"}, [("warning", "/requires_browsergrad", "incompatible")]),
        (
            {"datasets": [{"name": "d", "url": "https://example.org/d.csv"}]},
            [("warning", "/datasets/0/url", "off-site")],
        ),
        ({"datasets": [{"name": "d", "url": "gone.csv"}]}, [("warning", "/datasets/0/url", "missing-file")]),
        (
            {"datasets": [{"name": "d", "url": "d%61ta.csv", "hash": "sha256:" + "0" * 64}]},
            [("warning", "/datasets/0/hash", "wrong-hash")],
        ),
        ({"reference_path": "starter.py"}, [("error", "/reference_path", "same-file")]),
        ({"id": "One", "extra": 1}, [("error", "/id", "kebab-case"), ("error", "/extra", "unknown")]),
        ({"rubric_path": "../rubric.py"}, [("error", "/rubric_path", "path")]),
        ({"rubric_path": "/rubric.py"}, [("error", "/rubric_path", "path")]),
        ({"rubric_path": "file:///rubric.py"}, [("error", "/rubric_path", "path")]),
    ],
)
def test_what_is_wrong_is_found_in_its_place(
    tmp_path: Path, changes: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    assert found(make_lab(tmp_path, **changes)) == expected


@pytest.mark.parametrize("name", ["rubric.py", "starter.py", "reference.py", "data.csv"])
def test_links_out_of_the_lab_are_errors(tmp_path: Path, name: str) -> None:
    file = make_lab(tmp_path / "lab", datasets=[{"name": "d", "url": "data.csv"}])
    (tmp_path / "secret").write_text("s", "utf-8")
    (tmp_path / "lab" / name).unlink()
    (tmp_path / "lab" / name).symlink_to(tmp_path / "secret")
    ((severity, path, code),) = found(file)
    assert (severity, code) == ("error", "outside")
    assert path.split("/")[1].split("_")[0] in (name.split(".")[0], "datasets")


def test_links_of_folders_and_loops_are_errors_too(tmp_path: Path) -> None:
    file = make_lab(tmp_path / "lab", rubric_path="deep/rubric.py", starter_path="loop/a")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "rubric.py").write_text("r", "utf-8")
    (tmp_path / "lab" / "deep").symlink_to(tmp_path / "other")
    (tmp_path / "lab" / "loop").symlink_to(tmp_path / "lab" / "loop")
    findings = found(file)
    assert ("error", "/rubric_path", "outside") in findings
    assert [path for _, path, _ in findings] == ["/rubric_path", "/starter_path"]


def test_a_manifest_that_is_a_link_out_of_the_lab_is_an_error(tmp_path: Path) -> None:
    make_lab(tmp_path / "other")
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "manifest.json").symlink_to(tmp_path / "other" / "manifest.json")
    assert found(tmp_path / "lab" / "manifest.json") == [("error", "", "outside")]


def test_links_inside_the_lab_are_fine(tmp_path: Path) -> None:
    file = make_lab(tmp_path)
    (tmp_path / "rubric.py").unlink()
    (tmp_path / "rubric.py").symlink_to("starter.py")
    assert found(file) == []


def test_manifests_are_found_beside_notebooks_and_by_their_metadata(tmp_path: Path) -> None:
    one = make_lab(tmp_path / "one")
    two = make_lab(tmp_path / "two/deep").rename(tmp_path / "two/deep/two.json")
    make_notebook(tmp_path / "two/lab.ipynb", browsergrad={"manifest": "deep/two.json"})
    make_lab(tmp_path / "node_modules/x")
    assert find_manifests(tmp_path) == ([one, two], [])
    assert find_manifests(tmp_path, ["^/one/"]) == ([two], [])


@pytest.mark.parametrize(
    ("named", "code"),
    [("gone.json", "missing-file"), ("../manifest.json", "path"), ("/manifest.json", "path"), (1, "path")],
)
def test_a_notebook_that_names_no_manifest_of_its_folder_is_found(tmp_path: Path, named: Any, code: str) -> None:
    make_lab(tmp_path)
    notebook = make_notebook(tmp_path / "sub/lab.ipynb", browsergrad={"manifest": named})
    _, (finding,) = find_manifests(tmp_path)
    assert (finding.file, finding.path, finding.code) == (notebook, "/metadata/browsergrad/manifest", code)


# --- the command


def test_validate_says_ok_for_folders_manifests_and_notebooks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = make_lab(tmp_path / "one")
    notebook = make_notebook(tmp_path / "one/lab.ipynb")
    assert main(["validate", str(tmp_path), str(file), str(notebook)]) == 0
    assert capsys.readouterr().out == f"ok: {file}: one 1.0.0\n"


def test_validate_warns_and_still_says_ok(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = make_lab(tmp_path, rubric_path="gone.py")
    assert main(["validate", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines()[0] == f"warning: {file}: /rubric_path: there is no file gone.py"


def test_validate_says_which_packages_a_lab_imports_and_which_nobody_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = make_lab(tmp_path)
    (tmp_path / "starter.py").write_text("import json\nimport numpy, seaborn\nfrom PIL import Image\n", "utf-8")
    (tmp_path / "reference.py").write_text("import IPython, browsergrad, starter\n", "utf-8")
    assert main(["validate", str(tmp_path)]) == 0
    warning, ok = capsys.readouterr().out.splitlines()
    assert warning.startswith(
        f"warning: {file}: (document): seaborn, imported in starter.py, line 2, is neither the kernel's"
    )
    assert ok == f"ok: {file}: one 1.0.0, with numpy, pillow"


def test_validate_fails_and_names_file_and_field(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_lab(tmp_path / "good")
    bad = make_lab(tmp_path / "bad", id="Bad")
    assert main(["validate", str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"error: {bad}: /id: must be kebab-case")
    assert lines[1].startswith("ok: ")


def test_validate_gives_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = make_lab(tmp_path, version="1")
    assert main(["validate", "--format", "json", str(tmp_path)]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["labs"] == [{"file": str(file), "id": None, "version": None, "ok": False, "packages": []}]
    assert (report["errors"], report["warnings"]) == (1, 0)
    (finding,) = report["findings"]
    assert finding | {"message": ""} == {
        "file": str(file), "path": "/version", "code": "semver", "message": "", "severity": "error",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text"),
    [("gone", "there is no file or folder"), ("empty", "holds no lab"), ("empty/nb.ipynb", "belongs to no lab")],
)
def test_validate_says_when_there_is_nothing_to_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str
) -> None:
    make_notebook(tmp_path / "empty/nb.ipynb")
    assert main(["validate", str(tmp_path / name)]) == 2
    assert text in capsys.readouterr().err


def test_validate_without_a_path_is_a_wrong_use() -> None:
    with pytest.raises(SystemExit) as caught:
        main(["validate"])
    assert caught.value.code == 2
