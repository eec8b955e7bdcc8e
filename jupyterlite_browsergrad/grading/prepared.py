"""The grader's own code for a sandbox, compiled by the first one of a run: each further one is only given what that made.

Compiling it, and reading the code of `browsergrad` from the runtime's files, takes longer than all the rest of an ordinary submission.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from . import programs
from .site_python import SitePython

__all__ = ["PACKAGE", "RUBRIC", "STUDENT", "install_code", "prepare"]

#: Modules of each kind of sandbox, in the order in which they are made; `inside` is alone, the others make a package.
_LINE = ("apart.values", "apart.protocols", "apart.mirrors", "apart.answers", "apart.raised", "apart.link")
STUDENT = (*_LINE, "apart.student_side", "inside")
SHARED = ("inside",)
RUBRIC = (*_LINE, "apart.clean", "apart.rubric_side")
#: Name of the package in the sandbox.
PACKAGE = "_browsergrad_apart"

_made: dict[bytes, str] = {}
_lock = threading.Lock()


def prepare(python: SitePython, evaluate: Callable[[str, str], str]) -> str:
    """What `install_code` takes: made once for each Python.

    Parameters
    ----------
    evaluate
        Runs code and gives the text of an expression, in a sandbox where no student code has run.
    """
    with _lock:
        made = _made.get(python.identity)
    if made is None:
        from .inside import FRESH

        folder = Path(__file__).parent
        names = dict.fromkeys((*STUDENT, *RUBRIC))
        sources = [(name, (folder / f"{name.replace('.', '/')}.py").read_text("utf-8")) for name in names]
        made = evaluate(programs.source_of(programs.make_code), f"make_code({sources!r}, {FRESH!r})")
        with _lock:
            _made[python.identity] = made
    return made


def install_code(made: str, names: tuple[str, ...]) -> str:
    """Python code that makes the modules of these names."""
    return programs.call(programs.make_modules, made, names, PACKAGE)
