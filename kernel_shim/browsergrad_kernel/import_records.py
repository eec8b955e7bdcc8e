"""Records what happens while modules are imported: which modules each of them imports, and what it changes elsewhere.

To keep the record, `Recording` replaces three functions in its block: ``builtins.__import__``, and ``_load_unlocked`` and ``_gcd_import`` of
`importlib`, which every import of a new module and ``importlib.import_module`` go through (CPython 3.11 to 3.14).
"""

from __future__ import annotations

import builtins
import importlib._bootstrap as bootstrap
import sys
from importlib.machinery import ModuleSpec
from typing import Any

from .import_effects import Effects, Redo


def is_possible() -> bool:
    """Whether this Python has the functions that `Recording` replaces and uses."""
    return all(hasattr(bootstrap, name) for name in ("_load_unlocked", "_gcd_import", "_resolve_name"))


class Item:
    """A module that was imported."""

    def __init__(self) -> None:
        self.module: Any = None
        #: The module's own spec.
        self.spec: Any = None
        #: What happened while its code ran, in order: names of modules that it imported, and changes.
        self.record: list[str | Redo] = []
        #: What the attribute of its parent was before the import, which sets it.
        self.attribute_before: Any = None
        #: Whether the import has made it an attribute of its parent.
        self.is_attribute = False


class Recording:
    """Keeps the records of modules that are imported in its block."""

    def __init__(self, effects: Effects) -> None:
        self.items: dict[str, Item] = {}
        self._effects = effects
        #: The modules whose code runs, the innermost one last. The first item stands for code outside of modules.
        self._running = [Item()]
        self._known = set(sys.modules)
        self._real = (builtins.__import__, bootstrap._load_unlocked, bootstrap._gcd_import)  # type: ignore[attr-defined]

    def __enter__(self) -> Recording:
        builtins.__import__ = self._import  # type: ignore[assignment]
        bootstrap._load_unlocked, bootstrap._gcd_import = self._load, self._import_by_name  # type: ignore[attr-defined]
        return self

    def __exit__(self, *_: object) -> None:
        builtins.__import__, bootstrap._load_unlocked, bootstrap._gcd_import = self._real  # type: ignore[attr-defined]

    def _import(self, name: str, names: Any = None, local: Any = None, members: Any = (), level: int = 0) -> Any:
        module = self._real[0](name, names, local, members, level)
        full = bootstrap._resolve_name(name, bootstrap._calc___package__(names), level) if level else name  # type: ignore[attr-defined]
        self._note(full, *(f"{full}.{member}" for member in members or ()))
        return module

    def _import_by_name(self, name: str, package: Any = None, level: int = 0) -> Any:
        module = self._real[2](name, package, level)
        self._note(bootstrap._resolve_name(name, package, level) if level else name)  # type: ignore[attr-defined]
        return module

    def _note(self, *names: str) -> None:
        record = self._running[-1].record
        for name in names:
            parts = name.split(".")
            for i in range(1, len(parts) + 1):
                if (part := ".".join(parts[:i])) in self.items:
                    record.append(part)

    def _load(self, spec: ModuleSpec) -> Any:
        outer, item = self._running[-1], Item()
        self._note_changes(outer)
        self._running.append(item)
        parent, _, child = spec.name.rpartition(".")
        item.attribute_before = getattr(sys.modules.get(parent), "__dict__", {}).get(child)
        is_known = spec.name in self._known  # it may be in `sys.modules` already
        self._known.add(spec.name)
        try:
            module = self._real[1](spec)
        except BaseException:
            self._note_changes(item)
            outer.record += item.record
            if not is_known:
                self._known.discard(spec.name)
            raise
        finally:
            self._running.pop()
        self._note_changes(item)
        self._add(spec.name, item, module)
        outer.record.append(spec.name)
        return module

    def _add(self, name: str, item: Item, module: Any) -> None:
        item.module, item.spec = module, getattr(module, "__spec__", None)
        self.items[name] = item
        self._known.add(name)

    def _note_changes(self, item: Item) -> None:
        """Add to a record what has changed since the last call, and modules that code has put into ``sys.modules`` itself."""
        item.record += self._effects.since_last()
        for name in sys.modules.keys() - self._known:
            added = Item()
            added.attribute_before = sys.modules[name]  # if it is an attribute, that code has set it itself
            self._add(name, added, sys.modules[name])
            item.record.append(name)
