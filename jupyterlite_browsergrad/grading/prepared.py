"""The grader's own code for a sandbox. The first sandbox of a run compiles it; all others get the result.

Compiling it, and reading the code of `browsergrad` from the runtime's files, takes longer than everything else in an ordinary submission.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from . import programs
from .site_python import SitePython

__all__ = ["PACKAGE", "RUBRIC", "STUDENT", "install_code", "prepare"]

#: Modules for each kind of sandbox, in the order in which they are made. `signed_verdict` is a single module; the others are a package.
_LINE = ("apart.values", "apart.protocols", "apart.mirrors", "apart.answers", "apart.raised", "apart.link")
STUDENT = (*_LINE, "apart.student_side", "signed_verdict")
SHARED = ("signed_verdict",)
RUBRIC = (*_LINE, "apart.clean", "apart.rubric_side")
#: Name of the package in the sandbox.
PACKAGE = "_browsergrad_apart"

_made: dict[bytes, str] = {}
_lock = threading.Lock()


def prepare(python: SitePython, evaluate: Callable[[str, str], str]) -> str:
    """Return the argument of `install_code`. It is made once for each Python.

    Parameters
    ----------
    evaluate
        Runs code in a sandbox where no student code has run, and returns the text of an expression.
    """
    with _lock:
        made = _made.get(python.identity)
    if made is None:
        from .signed_verdict import FRESH

        folder = Path(__file__).parent
        names = dict.fromkeys((*STUDENT, *RUBRIC))
        sources = [(name, (folder / f"{name.replace('.', '/')}.py").read_text("utf-8")) for name in names]
        made = evaluate(programs.source_of(programs.make_code), f"make_code({sources!r}, {FRESH!r})")
        with _lock:
            _made[python.identity] = made
    return made


def install_code(made: str, names: tuple[str, ...]) -> str:
    """Python code that makes the modules with these names."""
    return programs.call(programs.make_modules, made, names, PACKAGE)
