"""What `check` and `grade` have in common on the command line."""

from __future__ import annotations

import argparse
import importlib.util
import os
from pathlib import Path

from ..errors import GradingError
from ..grading.run import MEGABYTE, JobLimits

__all__ = ["add_limits", "add_rubric", "limits_of", "require_sandbox"]

DEFAULT = JobLimits()


def _positive(kind: type[int] | type[float], text: str) -> int | float:
    value = kind(text)
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text} must be above 0")
    return value


def _int(text: str) -> int:
    return int(_positive(int, text))


def _float(text: str) -> float:
    return float(_positive(float, text))


def add_rubric(parser: argparse.ArgumentParser) -> None:
    """Add which rubric is used."""
    parser.add_argument(
        "--rubric-file",
        metavar="FILE",
        type=Path,
        help="a rubric in the place of the lab's own, such as one that is not published "
        "(default: rubric.py in the folder LAB.hidden beside the lab, where there is one)",
    )


def add_limits(parser: argparse.ArgumentParser) -> None:
    """Add how many sandboxes there are, and what each may use."""
    cores = os.cpu_count() or 1
    add = parser.add_argument
    add("--jobs", metavar="N", type=_int, default=cores, help="sandboxes at a time (default: one a core)")
    add(
        "--site",
        metavar="DIR",
        type=Path,
        help="a built site, whose Pyodide and packages the sandboxes get (default: the embedded Pyodide, no packages)",
    )
    add(
        "--timeout",
        metavar="SECONDS",
        type=_float,
        default=DEFAULT.total_s,
        help="for one submission, the start of interpreters not counted (default: %(default)g)",
    )
    add(
        "--cell-timeout",
        metavar="SECONDS",
        type=_float,
        default=DEFAULT.cell_s,
        help="for one cell, and for what the rubric calls of the submission's, or where both share an interpreter for the rubric; "
        "what was defined before a cell that is too slow still counts (default: %(default)g)",
    )
    add(
        "--memory",
        metavar="MB",
        type=_int,
        default=DEFAULT.memory_bytes // MEGABYTE,
        help="of Python's memory in one sandbox (default: %(default)s)",
    )
    add(
        "--output",
        metavar="MB",
        type=_int,
        default=DEFAULT.output_bytes // MEGABYTE,
        help="that one cell may write (default: %(default)s)",
    )
    add(
        "--submission-size",
        metavar="MB",
        type=_int,
        default=DEFAULT.submission_bytes // MEGABYTE,
        help="of one submission's file; a larger one is not read (default: %(default)s)",
    )


def limits_of(options: argparse.Namespace) -> JobLimits:
    """What `add_limits` read."""
    return JobLimits(
        total_s=options.timeout,
        cell_s=options.cell_timeout,
        memory_bytes=options.memory * MEGABYTE,
        output_bytes=options.output * MEGABYTE,
        submission_bytes=options.submission_size * MEGABYTE,
    )


def require_sandbox() -> None:
    """Fail early where no sandbox can be started.

    Raises
    ------
    GradingError
        Says what to install.
    SandboxError
        The same, of Deno.
    """
    from ..server_kernel.sandbox import find_deno

    find_deno()
    if importlib.util.find_spec("tqdm") is None:
        raise GradingError('tqdm is not installed: pip install "jupyterlite-browsergrad[server]"')
