"""Modules that Python in a browser lacks: complete substitutes where that is possible, else errors with the reason.

A module that exists can do what it promises. A module that could not is absent, and the error says why. Libraries test for these
modules with ``try: import … except ImportError``, as they do on Windows.
"""

from __future__ import annotations

import os
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

#: Modules in `_FOLDER`, used if there is no real one: Pyodide 0.27 has none of them, 314 lacks `resource`.
_SUBSTITUTES = frozenset({"fcntl", "resource", "termios"})
_FOLDER = os.path.join(os.path.dirname(__file__), "substitutes")

_TERMINAL = "it works with a terminal, which a notebook does not have"
_DESKTOP = (
    "it opens windows on a desktop, which a browser page cannot; ipywidgets and matplotlib show things in the notebook"
)
_PROCESSES = "it starts processes, and Python in WebAssembly has none"
_USERS = "it asks an operating system about its users, and there is none here"
_WINDOWS = "it exists on Windows alone"
_ALARMS = "there are no alarms here: %%timeout SECONDS in the first line of a cell ends it, asyncio.timeout a coroutine"
_LEFT_OUT = "it is not part of this distribution of Python"

#: Why modules are absent, and what to use instead.
REASONS = {
    "_multiprocessing": f"multiprocessing is no use here: {_PROCESSES}. Call the functions one after the other, or use asyncio",
    "_posixshmem": f"multiprocessing is no use here: {_PROCESSES}. Call the functions one after the other, or use asyncio",
    "crypt": _USERS,
    "curses": f"{_TERMINAL}: use print, clear_output or ipywidgets",
    "dbm": f"{_LEFT_OUT}: use sqlite3 or json",
    "ensurepip": "a notebook has `%pip`",
    "grp": _USERS,
    "idlelib": _DESKTOP,
    "msvcrt": _WINDOWS,
    "pexpect": f"{_PROCESSES} to control",
    "pip": "its commands are written in a cell, as in `%pip install NAME`",
    "ptyprocess": _PROCESSES,
    "pwd": _USERS,
    "readline": f"{_TERMINAL}: the notebook edits and completes lines by itself",
    "spwd": _USERS,
    "syslog": "there is no log of an operating system here: use logging",
    "tkinter": _DESKTOP,
    "tornado": "it serves a network, which a browser page and the sandbox cannot; asyncio works, and pyodide.http fetches",
    "turtle": _DESKTOP,
    "venv": "each kernel has an environment of its own: use `%pip`",
    "winreg": _WINDOWS,
    "winsound": _WINDOWS,
}

#: Functions that this Python's modules lack, and what to use instead.
_MISSING_FUNCTIONS = {
    ("os", "forkpty"): _PROCESSES,
    ("os", "openpty"): _TERMINAL,
    ("os", "posix_spawn"): _PROCESSES,
    ("os", "posix_spawnp"): _PROCESSES,
    ("os", "startfile"): _WINDOWS,
    ("signal", "alarm"): _ALARMS,
    ("signal", "setitimer"): _ALARMS,
}


class _Finder(MetaPathFinder):
    """Finds substitutes. It comes after the real finders, so that a real module is preferred."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return PathFinder.find_spec(fullname, [_FOLDER]) if fullname in _SUBSTITUTES else None


def install() -> None:
    """Install the finder after the one for files, and before Pyodide's own, which raises."""
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    at = sys.meta_path.index(PathFinder) + 1 if PathFinder in sys.meta_path else len(sys.meta_path)
    sys.meta_path.insert(at, _Finder())
    if sys.platform == "emscripten":
        _check_locks()


def _check_locks() -> None:
    """Make ``fcntl.flock`` raise an error for files that are not open and for invalid operations. Emscripten's accepts anything."""
    import fcntl

    from .substitutes.fcntl import flock

    fcntl.flock = flock


def explain(error: BaseException) -> bool:
    """Add a note to an error that is caused by an absent module or function. The note says why it is absent.

    Returns
    -------
    bool
        Whether the error has such a cause.
    """
    reason = None
    if isinstance(error, ModuleNotFoundError) and error.name:
        name = error.name.partition(".")[0]
        reason = None if name in sys.modules else REASONS.get(name)
    elif isinstance(error, AttributeError) and error.name:
        module = getattr(error, "obj", None)
        if isinstance(module, ModuleType):
            name = f"{module.__name__}.{error.name}"
            reason = _MISSING_FUNCTIONS.get((module.__name__, error.name))
    elif isinstance(error, OSError) and error.args == ("out of pty devices",):
        name, reason = "pty", f"{_TERMINAL}, and programs, which Python in WebAssembly cannot start"
    if reason is None or getattr(error, "__notes__", None):
        return reason is not None
    error.add_note(reason if reason.startswith(name.strip("_")) else f"{name} is not here: {reason}")
    return True
