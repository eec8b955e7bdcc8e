"""Make a lab from one source, a notebook or a Python file in percent format, with marked solutions and tests.

Markers are those of nbgrader and otter. Run it again after each edit of the source.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from ..errors import AuthoringError
from ..terminal import say

__all__ = ["configure", "run"]

#: Seconds between two checks whether a watched source has changed.
LOOK = 0.5


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "source", metavar="SOURCE", type=Path, help="a notebook (.ipynb), or a Python file with # %%%% cells (.py)"
    )
    parser.add_argument(
        "--out",
        metavar="LAB",
        type=Path,
        help="the lab's folder (default: LAB for a source in the folder LAB.hidden, else one beside the source with its name)",
    )
    parser.add_argument(
        "--force", action="store_true", help="overwrite files that were edited, or that this command did not make"
    )
    parser.add_argument(
        "--no-test-cells",
        action="store_true",
        help="leave the tests out of the students' notebook; *Check my work* runs them all the same",
    )
    parser.add_argument(
        "--watch", action="store_true", help="stay, and make the lab again at each change, until Ctrl-C"
    )


def run(options: argparse.Namespace) -> int:
    """Make the lab, and say what was made. With ``--watch``, do it again after each change."""
    if not options.watch:
        _make(options)
        return 0
    seen: object = None
    while True:
        now = _state(options.source)
        if now != seen:
            seen = now
            try:
                _make(options)
            except AuthoringError as error:
                say(f"jupyter browsergrad assign: {error}", sys.stderr)
        time.sleep(LOOK)


def _state(path: Path) -> object:
    try:
        found = path.stat()
    except OSError as error:
        return error.errno
    return found.st_mtime_ns, found.st_size


def _make(options: argparse.Namespace) -> None:
    from browsergrad.hosting import plain

    from ..authoring.assignment import assign

    made = assign(options.source, options.out, force=options.force, test_cells=not options.no_test_cells)
    for path in made.written:
        say(path, keep="")
    for note in made.plan.notes:
        say(f"note: {note}", sys.stderr, keep="")
    hidden = sum(not test.shown for test in made.plan.tests)
    said = f"{made.folder}: {len(made.plan.tests)} tests, {hidden} of them hidden, {plain(made.points)} points"
    if made.plan.manual:
        said += f"; {len(made.plan.manual)} questions to grade by hand, {plain(made.manual_points)} points"
    say(said if made.written else f"{said}; nothing changed", keep="")
