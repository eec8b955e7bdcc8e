"""Make a new lab from a template: small, complete, with comments that say what each part is for.

The lab passes `check` and `validate` as it is.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..terminal import say

__all__ = ["configure", "run"]

TEMPLATES = ("script", "notebook", "data")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "folder",
        metavar="NAME",
        type=Path,
        help="the lab's folder, such as course/linear-search; it must be new or empty",
    )
    parser.add_argument(
        "--template",
        choices=TEMPLATES,
        default="script",
        help="script: starter and reference are Python files; notebook: they are notebooks; "
        "data: as script, with a dataset (default: script)",
    )


def run(options: argparse.Namespace) -> int:
    """Write the lab, and say what to do next."""
    from ..authoring.new_lab import create_lab

    for path in create_lab(options.folder, options.template):
        say(path, keep="")
    say(f"Edit these files, then run: jupyter browsergrad check {options.folder}", keep="")
    return 0
