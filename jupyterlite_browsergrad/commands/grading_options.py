"""Options that `check` and `grade` share."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

from ..errors import GradingError
from ..grading.hand_in_keys import is_readable_by_others, read_keys
from ..grading.run import MEGABYTE, JobLimits
from ..terminal import say

__all__ = ["add_key", "add_limits", "add_rubric", "keys_of", "limits_of", "require_sandbox", "warn_of_readers"]

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
    """Add the option that chooses a rubric."""
    parser.add_argument(
        "--rubric-file",
        metavar="FILE",
        type=Path,
        help="use this rubric instead of the lab's own, for example one that is not published "
        "(default: rubric.py in the folder LAB.hidden beside the lab, if there is one)",
    )


def add_key(parser: argparse.ArgumentParser) -> None:
    """Add the option that names private keys."""
    parser.add_argument(
        "--key",
        metavar="FILE",
        type=Path,
        action="append",
        default=[],
        help="private key of encrypted hand-in files, which `keys` has written; give the option again for further keys",
    )


def keys_of(options: argparse.Namespace) -> list[Any]:
    """Read the keys of the option of `add_key`, and warn if others can read their files."""
    keys = read_keys(options.key)
    for path in options.key:
        warn_of_readers(path)
    return keys


def warn_of_readers(path: Path) -> None:
    """Warn if other users of this machine can read a private key."""
    if is_readable_by_others(path):
        say(f"{path}: other users of this machine can read this private key: chmod 600 {path}", sys.stderr)


def add_limits(parser: argparse.ArgumentParser) -> None:
    """Add the options for the number of sandboxes and their limits."""
    cores = os.cpu_count() or 1
    add = parser.add_argument
    add("--jobs", metavar="N", type=_int, default=cores, help="number of sandboxes at a time (default: one per core)")
    add(
        "--site",
        metavar="DIR",
        type=Path,
        help="a built site; the sandboxes get its Pyodide and packages (default: the embedded Pyodide, no packages)",
    )
    add(
        "--timeout",
        metavar="SECONDS",
        type=_float,
        default=DEFAULT.total_s,
        help="time limit of one submission, without the start of interpreters (default: %(default)g)",
    )
    add(
        "--cell-timeout",
        metavar="SECONDS",
        type=_float,
        default=DEFAULT.cell_s,
        help="time limit of one cell, and of the submission's code that the rubric calls; if both share an interpreter, of the whole rubric. "
        "Names defined before a cell that is too slow still count (default: %(default)g)",
    )
    for option, limit, text in (
        ("--memory", DEFAULT.memory_bytes, "limit of Python's memory in one sandbox"),
        ("--output", DEFAULT.output_bytes, "limit of what one cell may write"),
        ("--submission-size", DEFAULT.submission_bytes, "largest file of a submission that is read"),
    ):
        add(option, metavar="MB", type=_int, default=limit // MEGABYTE, help=f"{text} (default: %(default)s)")


def limits_of(options: argparse.Namespace) -> JobLimits:
    """Return the values of the options of `add_limits`."""
    return JobLimits(
        total_s=options.timeout,
        cell_s=options.cell_timeout,
        memory_bytes=options.memory * MEGABYTE,
        output_bytes=options.output * MEGABYTE,
        submission_bytes=options.submission_size * MEGABYTE,
    )


def require_sandbox() -> None:
    """Raise an error at once if no sandbox can be started.

    Raises
    ------
    GradingError
        A package is missing. The message says what to install.
    SandboxError
        Deno is missing.
    """
    from ..server_kernel.sandbox import find_deno

    find_deno()
    if importlib.util.find_spec("tqdm") is None:
        raise GradingError('tqdm is not installed: pip install "jupyterlite-browsergrad[server]"')
