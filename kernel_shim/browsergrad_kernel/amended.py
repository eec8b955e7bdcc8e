"""Modules of the standard library that promise what a browser has not, or need another way to do it.

Each is changed when it is first imported, by a module of ours that is imported with it: what no cell uses costs
nothing. A file of the user's with the same name is left alone.
"""

from __future__ import annotations

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from ._host import IN_PYODIDE

#: Which module of this package changes which; its `amend` takes the module.
_BY = {
    "http.client": "web",
    "locale": "locales",
    "mmap": "mappings",
    "urllib.request": "web",
    "webbrowser": "tabs",
}


class _Finder(MetaPathFinder):
    """Asked first; what it finds is what the others find, loaded by `_Loader`."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname not in _BY:
            return None
        for finder in sys.meta_path:
            if finder is not self and hasattr(finder, "find_spec"):
                spec = finder.find_spec(fullname, path, target)
                if spec is not None:
                    if spec.loader is not None and _is_standard(spec):
                        spec.loader = _Loader(spec.loader)
                    return spec
        return None


class _Loader(Loader):
    """Loads as `loader` does, and changes what it has loaded."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        created: ModuleType | None = self._loader.create_module(spec)
        return created

    def exec_module(self, module: ModuleType) -> None:
        # What looks for the module's source finds it as ever.
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


def install() -> None:
    """Put the finder first, and change what is there already. Does nothing on CPython."""
    if not IN_PYODIDE or any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, _Finder())
    for name in _BY:
        if name in sys.modules:
            _amend(sys.modules[name])
