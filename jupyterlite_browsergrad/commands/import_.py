"""Make labs from a course of nbgrader or otter, with a report about what was not carried over.

Exit status: 0 if every notebook became a lab, 1 if one did not, 2 if one cannot be read.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..errors import AuthoringError
from ..exit_status import DONE, FAULTS, UNUSABLE
from ..terminal import say

__all__ = ["configure", "run"]

#: Beside the folder of the labs, from which sites are built: what it tells is for teachers.
REPORT = "-import-report.md"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="+",
        type=Path,
        help="nbgrader's folder source, otter's master notebooks or folder dist, or a folder that holds such",
    )
    parser.add_argument(
        "--out", metavar="DIR", type=Path, default=Path("labs"), help="folder for the labs (default: labs)"
    )
    parser.add_argument(
        "--no-test-cells",
        action="store_true",
        help="leave the tests out of the students' notebook; *Check my work* runs them all the same",
    )
    parser.add_argument("--force", action="store_true", help="overwrite what was edited since it was imported")


def run(options: argparse.Namespace) -> int:
    """Import, write the report, print it, and return the exit status."""
    from ..authoring.importing import UNREADABLE, import_course, report_text

    done = import_course(options.paths, options.out, force=options.force, test_cells=not options.no_test_cells)
    text = report_text(done)
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        folder = options.out.absolute()
        folder.with_name(folder.name + REPORT).write_text(text, "utf-8")
    except OSError as error:
        raise AuthoringError(f"{options.out} cannot be written: {error.strerror or error}") from error
    say(text.rstrip())
    for each in done:
        if each.problem:
            said = each.problem if str(each.notebook) in each.problem else f"{each.notebook}: {each.problem}"
            say(f"jupyter browsergrad import: {said}", sys.stderr)
    if any(each.kind == UNREADABLE for each in done):
        return UNUSABLE
    return FAULTS if any(each.problem for each in done) else DONE
