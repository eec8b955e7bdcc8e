"""Imports modules before a cell imports them, so that no code can tell.

`fill` imports them in a spare Python, and then hides them: they leave ``sys.modules`` and their parents' attributes, and what they have
changed elsewhere is undone (`import_effects`). Each module has a record of what happened while its code ran (`import_records`): imports of
other modules, and changes. When a cell imports a hidden module, the finder returns it in place of a new one, and `_put_out` does again what its record says.
So a cell that imports one library sees nothing of another one that is hidden as well.

Only libraries in `_TARGETS` are imported ahead: those whose import was compared with that of a cell.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import sys
from collections.abc import Iterator
from copy import copy
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from typing import Any

from . import amended, import_effects, import_records, interrupts, on_demand
from .import_effects import Effects
from .import_records import Item, Recording

#: Library -> modules to import for it.
_TARGETS = {
    "numpy": ("numpy",),
    "pandas": ("pandas",),
    "matplotlib": ("matplotlib.pyplot", "matplotlib.backends.backend_agg"),
}
#: Beginnings of names of environment variables that matplotlib reads when it is imported.
_MATPLOTLIB_READS = ("MPL", "MATPLOTLIB", "XDG_", "HOME")


#: The hidden modules by their names.
_items: dict[str, Item] = {}
#: The variables that matplotlib has read.
_environment: dict[str, str] = {}


def targets(modules: str) -> str:
    """Those of the top-level modules that may be imported ahead now. Both lists are JSON."""
    may_fill = not _items and import_records.is_possible()
    return json.dumps([module for module in json.loads(modules) if may_fill and module in _TARGETS])


# --- import


def fill(kernel: Any, modules: str) -> str:
    """Import these libraries and hide them.

    Parameters
    ----------
    kernel
        The kernel that has just started.
    modules
        Top-level modules, as JSON.

    Returns
    -------
    str
        Why this Python cannot be used any more, since user code could tell; or the empty string.
    """
    before = import_effects.seen()
    on_demand.files_were_added()
    effects = Effects(kernel.shell)
    wanted = [target for module in json.loads(modules) for target in _TARGETS.get(module, ())]
    try:
        with _written() as texts, Recording(effects) as recording:
            for name in wanted:
                exec(compile(f"import {name}", "<ahead>", "exec"), {"__name__": "__main__"})
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    _hide(recording.items)
    amended.first = FINDER
    on_demand.files_were_added()  # the folders are not there until a cell imports the packages
    effects.undo()
    _environment.clear()
    _environment.update(_matplotlibs_environment())
    after = import_effects.seen()
    _leave_sys_modules()
    changed = [name for name in before if before[name] != after[name]]
    # Searching these objects for garbage would make cells wait that use none of them.
    gc.collect()
    gc.freeze()
    return "".join(texts) or (f"it changes {', '.join(changed)}" if changed else "")


@contextlib.contextmanager
def _written() -> Iterator[list[str]]:
    """Collect what is written in this block. The streams stay the same objects, since modules keep them (``def f(file=sys.stdout)``)."""
    texts: list[str] = []

    def write(text: str) -> int:
        texts.append(text)
        return len(text)

    streams: list[Any] = [sys.stdout, sys.stderr]
    try:
        for stream in streams:
            stream.write = write
        yield texts
    finally:
        for stream in streams:
            vars(stream).pop("write", None)


def _leave_sys_modules() -> None:
    """Let no code see that this module and its parts were imported, which other kernels do not import."""
    for module in (__name__, import_effects.__name__, import_records.__name__):
        package, _, name = module.rpartition(".")
        sys.modules.pop(module, None)
        vars(sys.modules[package]).pop(name, None)


def _hide(items: dict[str, Item]) -> None:
    _items.update(items)
    for name, item in items.items():
        parent, _, child = name.rpartition(".")
        names = getattr(sys.modules.get(parent) or getattr(items.get(parent), "module", None), "__dict__", {})
        item.is_attribute = names.get(child) is item.module and item.attribute_before is not item.module
        if item.is_attribute:
            del names[child]
    for name in items:
        sys.modules.pop(name, None)


# --- use


class _Finder(MetaPathFinder):
    """Finds the hidden modules. The first finder on the meta path asks it before all others."""

    def __init__(self) -> None:
        self._is_looking = False

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname not in _items or self._is_looking:
            return None
        self._is_looking = True
        try:
            spec = self._find_elsewhere(fullname, path)
        finally:
            self._is_looking = False
        _drop_what_does_not_fit(fullname)
        item = _items.get(fullname)
        if item is None or spec is None or spec.origin != getattr(item.spec, "origin", None):
            return None  # a user's file, or a package that has not been loaded
        return _with_module(spec, item)

    def _find_elsewhere(self, name: str, path: Any) -> ModuleSpec | None:
        """What the import would find if nothing were hidden. Finders before ours have been asked already."""
        places = [place for place, finder in enumerate(sys.meta_path) if amended.is_ours(finder) or finder is self]
        for finder in sys.meta_path[min(places, default=0) :]:
            if hasattr(finder, "find_spec") and (spec := finder.find_spec(name, path)) is not None:
                return spec
        return None


FINDER = _Finder()


def _with_module(spec: ModuleSpec, item: Item) -> ModuleSpec:
    """Let the spec's loader return the hidden module. It is the loader that there would be, except for two methods."""
    loader: Any = spec.loader
    if loader is None or isinstance(loader, type):
        loader = spec.loader = _Loader()
    else:
        loader = spec.loader = copy(loader)  # all modules of a zip file have the same one
    loader.create_module = lambda spec: item.module
    loader.exec_module = lambda module: _execute(spec.name, item)
    return spec


class _Loader(Loader):
    """Stands for loaders that are classes: those of built-in and frozen modules."""


def _execute(name: str, item: Item) -> None:
    item.module.__spec__ = item.spec  # importlib has set it to the one that was found now
    with interrupts.uninterruptible():
        _items.setdefault(name, item)
        _put_out(name)


def _put_out(name: str) -> None:
    """Do what an import of a hidden module does."""
    item = _items.pop(name, None)
    if item is None:
        return
    module = sys.modules.setdefault(name, item.module)
    if module is not item.module:
        return  # user code has put something else in its place
    for entry in item.record:
        if isinstance(entry, str):
            _put_out(entry)
        else:
            entry()
    sys.modules[name] = sys.modules.pop(name)
    parent, _, child = name.rpartition(".")
    if item.is_attribute and parent in sys.modules:
        setattr(sys.modules[parent], child, module)


def _matplotlibs_environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key.startswith(_MATPLOTLIB_READS)}


def _drop_what_does_not_fit(name: str) -> None:
    """Let matplotlib be imported from its files if its import would now do something else: read other settings, or write to the log."""
    if name.partition(".")[0] != "matplotlib" or "matplotlib" in sys.modules:
        return
    home = os.path.expanduser("~")
    if (
        _environment == _matplotlibs_environment()
        and not any(
            os.path.exists(path) for path in ("matplotlibrc", f"{home}/.matplotlib", f"{home}/.config/matplotlib")
        )
        and not any(logging.getLogger(logger).isEnabledFor(logging.DEBUG) for logger in _matplotlibs_loggers())
    ):
        return
    for each in [each for each in _items if each.partition(".")[0] in ("matplotlib", "mpl_toolkits")]:
        # Compiled modules read no settings, and some cannot be initialised twice.
        if not isinstance(getattr(_items[each].spec, "loader", None), ExtensionFileLoader):
            del _items[each]


def _matplotlibs_loggers() -> Iterator[str]:
    yield ""
    yield from (name for name in list(logging.root.manager.loggerDict) if name.partition(".")[0] == "matplotlib")
