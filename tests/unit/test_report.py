"""``jupyter browsergrad report``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from browsergrad._mime import ASSERTIONS_MIME, assertions_bundle

from jupyterlite_browsergrad.cli import main

PASS = {"kind": "pass", "name": "adds"}
FAIL = {"kind": "fail", "name": "sub\u202etracts", "message": "wrong sign", "expectedRepr": "1", "actualRepr": "-1"}
ERROR = {"kind": "error", "name": "divides", "message": "ZeroDivisionError: division by zero"}


def write(path: Path, *outputs: Any) -> Path:
    cells: list[Any] = [{"cell_type": "markdown", "source": "text"}]
    cells += [{"cell_type": "code", "execution_count": 3, "outputs": [output]} for output in outputs]
    path.write_text(json.dumps({"nbformat": 4, "cells": cells}), encoding="utf-8")
    return path


def output(*assertions: dict[str, Any]) -> dict[str, Any]:
    counts = {kind: sum(one["kind"] == kind for one in assertions) for kind in ("pass", "fail", "error")}
    return {"output_type": "display_data", "data": assertions_bundle(list(assertions), counts)}


def test_a_notebook_that_passed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(write(tmp_path / "a.ipynb", output(PASS, PASS)))]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("a.ipynb: 2 passed, 0 failed, 0 errors")
    assert second == "  cell 2 [3]: 2 passed, 0 failed, 0 errors"


def test_failures_are_listed_and_told_by_the_exit_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = write(tmp_path / "a.ipynb", output(PASS))
    bad = write(tmp_path / "b.ipynb", output(PASS, FAIL), output(ERROR))
    assert main(["report", str(good), str(bad)]) == 1
    text = capsys.readouterr().out
    assert "b.ipynb: 1 passed, 1 failed, 1 error" in text
    assert "    FAIL sub\\u202etracts: wrong sign (expected 1, got -1)" in text
    assert "    ERROR divides: ZeroDivisionError: division by zero" in text


def test_json_holds_all_detail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = write(tmp_path / "b.ipynb", output(PASS, FAIL))
    assert main(["report", "--format", "json", str(bad)]) == 1
    (report,) = json.loads(capsys.readouterr().out)["notebooks"]
    assert report["counts"] == {"pass": 1, "fail": 1, "error": 0}
    assert report["cells"][0]["assertions"] == [PASS, FAIL]
    assert (report["cells"][0]["index"], report["cells"][0]["execution_count"]) == (1, 3)


def test_counts_are_those_of_the_content_not_of_its_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = {"assertions": [PASS], "counts": {"pass": 10_000, "fail": 0, "error": 0}}
    notebook = write(tmp_path / "a.ipynb", {"data": {ASSERTIONS_MIME: content}})
    assert main(["report", str(notebook)]) == 0
    assert "10,000 passed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read"),
        ("[]", "it is not a notebook of format 4"),
        ("{}", "it is not a notebook of format 4"),
        ("[" * 100_000, "cannot be read"),
        ("\ud800", "cannot be read"),
        (json.dumps({"cells": [{"outputs": [{"data": {ASSERTIONS_MIME: {"assertions": []}}}]}]}), "cell 1 holds"),
        (
            json.dumps(
                {
                    "cells": [
                        {
                            "outputs": [
                                {
                                    "data": {
                                        ASSERTIONS_MIME: {
                                            "assertions": [{"kind": "fail"}],
                                            "counts": {"pass": 0, "fail": 1, "error": 0},
                                        }
                                    }
                                }
                            ]
                        }
                    ]
                }
            ),
            "cell 1 holds",
        ),
    ],
)
def test_what_is_no_notebook_is_told_and_the_others_are_reported(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.ipynb"
    bad.write_bytes(text.encode("utf-8", "surrogatepass"))
    good = write(tmp_path / "good.ipynb", output(FAIL))
    assert main(["report", str(bad), str(good)]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert "bad.ipynb" in captured.err
    assert "good.ipynb: 0 passed, 1 failed" in captured.out


def test_a_missing_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path / "none.ipynb")]) == 2
    assert "none.ipynb" in capsys.readouterr().err


def test_a_notebook_without_assertions_is_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(write(tmp_path / "a.ipynb", {"output_type": "stream", "text": "x"}, None))]) == 0
    assert "0 passed" in capsys.readouterr().out


ESCAPES = "\x1b]0;title\x07\x1b[2J\x9b31m\r\x7f\u202e"


def test_no_field_reaches_the_terminal_raw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fail = {
        "kind": "fail",
        "name": f"n{ESCAPES}\nPASS forged",
        "message": ESCAPES,
        "expectedRepr": ESCAPES,
        "actualRepr": ESCAPES,
    }
    path = write(tmp_path / "a.ipynb", output(fail, {**ERROR, "message": ESCAPES, "traceback": ESCAPES}))
    notebook = json.loads(path.read_text("utf-8"))
    for cell in notebook["cells"]:
        cell["execution_count"] = ESCAPES
    odd = tmp_path / f"b{ESCAPES}\n.ipynb"
    odd.write_text(json.dumps(notebook), "utf-8")
    assert main(["report", str(odd)]) == 1
    assert main(["report", "--format", "json", str(odd)]) == 1
    odd.write_text("{", "utf-8")
    assert main(["report", str(odd), str(tmp_path / f"c{ESCAPES}")]) == 2
    assert main(["validate", str(tmp_path / f"c{ESCAPES}")]) != 0
    assert main(["check", str(tmp_path / f"c{ESCAPES}")]) == 2
    assert main(["serve", str(tmp_path / f"c{ESCAPES}")]) == 2
    captured = capsys.readouterr()
    lines = (captured.out + captured.err).splitlines()
    assert lines and all(line.isprintable() for line in lines), [line for line in lines if not line.isprintable()]
    assert not any(line.startswith("PASS") for line in lines)


def test_what_is_not_a_file_is_not_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe.ipynb")
    assert main(["report", str(tmp_path / "pipe.ipynb")]) == 2
    assert "not an ordinary file" in capsys.readouterr().err


def test_a_folder_stands_for_all_notebooks_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("b", "a/deep", ".ipynb_checkpoints", ".hidden"):
        (tmp_path / name).mkdir(parents=True)
        write(tmp_path / name / "one.ipynb", output(PASS))
    write(tmp_path / "z.ipynb", output(FAIL))
    (tmp_path / "notes.txt").write_text("{", "utf-8")
    assert main(["report", str(tmp_path / "b"), str(tmp_path)]) == 1
    found = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    wanted = ["b/one.ipynb", "z.ipynb", "a/deep/one.ipynb", "b/one.ipynb"]
    assert found == [str(tmp_path / name) for name in wanted]


def test_a_folder_without_notebooks_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--format", "json", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert "holds no notebook" in captured.err
    assert json.loads(captured.out)["notebooks"] == [{"path": str(tmp_path), "error": f"{tmp_path} holds no notebook"}]
