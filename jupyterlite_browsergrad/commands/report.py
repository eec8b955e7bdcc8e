"""Show the assertions in saved notebooks. Exit status: 1 if any failed, 2 if a notebook cannot be read or there is none."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from browsergrad.hosting import ASSERTIONS_MIME, event_line, plain, summary

from ..exit_status import DONE, FAULTS, UNUSABLE
from ..grading.assertions import KINDS, is_content
from ..grading.hand_in_file import MAX_BYTES, SUFFIX, read_hand_in
from ..grading.submissions import NOTEBOOKS
from ..labs.folders import SKIPPED
from ..terminal import json_shown, say
from .grading_options import add_key, keys_of

__all__ = ["configure", "read_notebook", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="a saved notebook, a hand-in file (.bglab), or a folder of them",
    )
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to write (table)")
    add_key(parser)


def run(options: argparse.Namespace) -> int:
    """Write the report to stdout. Notebooks that cannot be read are reported on stderr too."""
    keys = keys_of(options)
    reports = [report for path in options.paths for report in _reports(path, keys)]
    if options.format == "json":
        print(json_shown({"notebooks": reports}, indent=2))
    else:
        for report in reports:
            for line in _table(report):
                say(line, keep="")
    for report in reports:
        if "error" in report:
            say(f"jupyter browsergrad report: {report['error']}", sys.stderr, keep="")
    if any("error" in report for report in reports):
        return UNUSABLE
    return FAULTS if any(report["counts"]["fail"] or report["counts"]["error"] for report in reports) else DONE


def _reports(path: Path, keys: list[Any]) -> list[dict[str, Any]]:
    """Return the reports of a notebook, or of all notebooks in a folder and below it."""
    if not path.is_dir():
        return [_report(path, keys)]
    found = []
    for folder, names, files in os.walk(path):
        names[:] = sorted(name for name in names if name not in SKIPPED and not name.startswith("."))
        found += [Path(folder, name) for name in sorted(files) if name.endswith(NOTEBOOKS)]
    return [_report(each, keys) for each in found] or [{"path": str(path), "error": f"{path} holds no notebook"}]


def _report(path: Path, keys: list[Any]) -> dict[str, Any]:
    try:
        cells = read_notebook(path, keys)
    except (OSError, ValueError, RecursionError) as error:
        return {"path": str(path), "error": f"{path} cannot be read: {error}"}
    counts = {kind: sum(cell["counts"][kind] for cell in cells) for kind in KINDS}
    worth = [cell["points"] for cell in cells if "points" in cell]
    sums = {key: plain(sum(each[key] for each in worth)) for key in ("earned", "possible")}
    return {"path": str(path), "counts": counts, **({"points": sums} if worth else {}), "cells": cells}


def read_notebook(path: Path, keys: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Return one dict for each output with assertions: ``index`` and ``execution_count`` of its cell, and its content.

    Parameters
    ----------
    path
        A notebook, or a hand-in file.
    keys
        Private keys for encrypted hand-in files.

    Raises
    ------
    OSError, ValueError
        The file is missing, is not a notebook, or has invalid assertions. The message names the cell.
    """
    if path.exists() and not path.is_file():
        raise ValueError("it is not an ordinary file")
    content = path.read_bytes()
    if path.suffix == SUFFIX:
        content = read_hand_in(content, keys, MAX_BYTES).notebook
    notebook = json.loads(content.decode("utf-8"))
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise ValueError("it is not a notebook of format 4: it has no list of cells")
    return [found for index, cell in enumerate(cells) for found in _outputs(index, cell)]


def _outputs(index: int, cell: Any) -> Iterator[dict[str, Any]]:
    outputs = cell.get("outputs") if isinstance(cell, dict) else None
    for output in outputs if isinstance(outputs, list) else []:
        data = output.get("data") if isinstance(output, dict) else None
        if isinstance(data, dict) and ASSERTIONS_MIME in data:
            content = data[ASSERTIONS_MIME]
            if not is_content(content):
                raise ValueError(f"cell {index + 1} holds {ASSERTIONS_MIME} that does not follow its schema")
            yield {
                "index": index,
                "execution_count": count if isinstance(count := cell.get("execution_count"), int) else None,
                "counts": {kind: content["counts"][kind] for kind in KINDS},
                **({"points": content["points"]} if "points" in content else {}),
                "assertions": content["assertions"],
            }


def _table(report: dict[str, Any]) -> Iterator[str]:
    if "error" in report:
        yield f"{report['path']}: unreadable"
        return
    yield f"{report['path']}: {summary(report['counts'], report.get('points'))}"
    for cell in report["cells"]:
        count = cell["execution_count"]
        yield f"  cell {cell['index'] + 1} [{' ' if count is None else count}]: {summary(cell['counts'], cell.get('points'))}"
        failures = [one for one in cell["assertions"] if one["kind"] != "pass"]
        yield from (f"    {event_line('assertion', one)}" for one in failures)
