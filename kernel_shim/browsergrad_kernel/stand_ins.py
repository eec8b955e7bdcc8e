"""Modules a browser lacks but libraries import: empty ones, where no real one is found."""

from __future__ import annotations

import sys
import types
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any


def _same(function: Any = None, *args: Any, **kwargs: Any) -> Any:
    return function


#: What the modules must offer to be imported.
_ATTRIBUTES: dict[str, dict[str, Any]] = {
    "termios": {"TCSAFLUSH": 2, "error": OSError},
    "fcntl": {},
    "resource": {},
    "pexpect": {},
    # plotly reaches it through tenacity, ipympl and matplotlib's webagg directly.
    "tornado": {"__path__": []},
    "tornado.gen": {
        "coroutine": _same,
        "sleep": lambda *args, **kwargs: None,
        "is_coroutine_function": lambda function: False,
    },
}


class _Finder(MetaPathFinder, Loader):
    """Asked after the real finders, so that a package installed later wins."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname in _ATTRIBUTES:
            return ModuleSpec(fullname, self, is_package="__path__" in _ATTRIBUTES[fullname])
        return None

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        return types.ModuleType(spec.name, "Stand-in: this module does not exist in a browser.")

    def exec_module(self, module: types.ModuleType) -> None:
        module.__dict__.update(_ATTRIBUTES[module.__name__])


def install() -> None:
    """Put the finder behind the one for files; Pyodide's own, further behind, raises."""
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    at = sys.meta_path.index(PathFinder) + 1 if PathFinder in sys.meta_path else len(sys.meta_path)
    sys.meta_path.insert(at, _Finder())
