"""Show the assertions in saved notebooks. Exit status: 1 if any failed, 2 if a notebook cannot be read or there is none."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from browsergrad.hosting import ASSERTIONS_MIME, event_line, plain, summary

from ..exit_status import DONE, FAULTS, UNUSABLE
from ..grading.assertions import KINDS, is_content
from ..labs.folders import SKIPPED
from ..terminal import json_shown, say

__all__ = ["configure", "read_notebook", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a saved notebook, or a folder of them")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to write (table)")


def run(options: argparse.Namespace) -> int:
    """Write the report to stdout. Notebooks that cannot be read are reported on stderr too."""
    reports = [report for path in options.paths for report in _reports(path)]
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


def _reports(path: Path) -> list[dict[str, Any]]:
    """Return the reports of a notebook, or of all notebooks in a folder and below it."""
    if not path.is_dir():
        return [_report(path)]
    found = []
    for folder, names, files in os.walk(path):
        names[:] = sorted(name for name in names if name not in SKIPPED and not name.startswith("."))
        found += [Path(folder, name) for name in sorted(files) if name.endswith(".ipynb")]
    return [_report(each) for each in found] or [{"path": str(path), "error": f"{path} holds no notebook"}]


def _report(path: Path) -> dict[str, Any]:
    try:
        cells = read_notebook(path)
    except (OSError, ValueError, RecursionError) as error:
        return {"path": str(path), "error": f"{path} cannot be read: {error}"}
    counts = {kind: sum(cell["counts"][kind] for cell in cells) for kind in KINDS}
    worth = [cell["points"] for cell in cells if "points" in cell]
    sums = {key: plain(sum(each[key] for each in worth)) for key in ("earned", "possible")}
    return {"path": str(path), "counts": counts, **({"points": sums} if worth else {}), "cells": cells}


def read_notebook(path: Path) -> list[dict[str, Any]]:
    """Return one dict for each output with assertions: ``index`` and ``execution_count`` of its cell, and its content.

    Raises
    ------
    OSError, ValueError
        The file is missing, is not a notebook, or has invalid assertions. The message names the cell.
    """
    if path.exists() and not path.is_file():
        raise ValueError("it is not an ordinary file")
    notebook = json.loads(path.read_text("utf-8"))
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
