"""Copy labs for students, without reference solutions and rubrics for grading: for a shared folder, or for nbgitpuller."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..exit_status import DONE
from ..terminal import say

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "labs",
        nargs="+",
        metavar="LAB",
        type=Path,
        help="a lab's folder, which becomes a folder in DIR; or a folder of labs, whose contents go into DIR",
    )
    parser.add_argument(
        "--to",
        metavar="DIR",
        type=Path,
        required=True,
        help="where to; files there that belong to no lab stay, solutions from earlier copies are removed",
    )
    parser.add_argument("--keep-references", action="store_true", help="copy the reference solutions too")


def run(options: argparse.Namespace) -> int:
    """Copy, and say what was copied and what was left out."""
    from ..site.student_copy import copy_for_students

    done = copy_for_students(options.labs, options.to, keep_references=options.keep_references)
    for warning in done.warnings:
        say(f"warning: {warning}", sys.stderr, keep="")
    for path in done.left_out:
        say(f"left out: {path}", keep="")
    for path in done.removed:
        say(f"removed: {path}", keep="")
    labs = f"{done.labs} {'lab' if done.labs == 1 else 'labs'}"
    say(f"{options.to}: {labs}, {len(done.files)} files, {len(done.changed)} of them new or changed", keep="")
    return DONE
