"""Changes modules of the standard library, and of some libraries, that cannot work in a browser as they are.

Each is changed when it is first imported, by a module of ours. So a module that no cell imports costs
nothing. A user's file with the same name is not changed.
"""

from __future__ import annotations

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from ._host import IN_PYODIDE
from .libraries import LIBRARIES

#: Module -> the module of this package that changes it: `amend` gets the module.
_BY = {
    "http.client": "web",
    "locale": "locales",
    "mmap": "mappings",
    "urllib.request": "web",
    "webbrowser": "tabs",
    **dict.fromkeys(LIBRARIES, "libraries"),
}
#: A finder that is asked before all others, if the kernel has one (`shelf`). It does not stand on the meta path, which code can read.
first: MetaPathFinder | None = None


class _Finder(MetaPathFinder):
    """The first finder on the meta path. It returns what the other finders find, with a `_Loader`."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if first is not None and (spec := first.find_spec(fullname, path, target)) is not None:
            return spec
        if fullname not in _BY:
            return None
        for finder in sys.meta_path:
            if finder is not self and hasattr(finder, "find_spec"):
                spec = finder.find_spec(fullname, path, target)
                if spec is not None:
                    if spec.loader is not None and (fullname in LIBRARIES or _is_standard(spec)):
                        spec.loader = _Loader(spec.loader)
                    return spec
        return None


class _Loader(Loader):
    """Loads a module with `loader` and then changes it."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        created: ModuleType | None = self._loader.create_module(spec)
        return created

    def exec_module(self, module: ModuleType) -> None:
        # Restored, so that tools that look for the module's source find it.
        module.__loader__ = module.__spec__.loader = self._loader  # type: ignore[union-attr]
        self._loader.exec_module(module)
        _amend(module)


def _is_standard(spec: ModuleSpec) -> bool:
    origin, library = spec.origin or "", getattr(sys, "_stdlib_dir", None)
    return origin in ("built-in", "frozen") or bool(
        library and origin.startswith(library) and "site-packages" not in origin
    )


def _amend(module: ModuleType) -> None:
    importlib.import_module(f".{_BY[module.__name__]}", __package__).amend(module)


def is_ours(finder: Any) -> bool:
    """Whether this is the finder of this module."""
    return isinstance(finder, _Finder)


def install() -> None:
    """Install the finder, and change modules that are imported already. Does nothing on CPython."""
    if not IN_PYODIDE or any(map(is_ours, sys.meta_path)):
        return
    sys.meta_path.insert(0, _Finder())
    for name in _BY:
        if name in sys.modules:
            _amend(sys.modules[name])
