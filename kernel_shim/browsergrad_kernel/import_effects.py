"""What an import changes beside ``sys.modules``, in a form that can be undone and done again.

`Effects` compares the state of Python before and after a piece of a module's code. `seen` returns what must not change at all.
"""

from __future__ import annotations

import builtins
import contextlib
import copyreg
import gc
import logging
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

#: Does a change again.
Redo = Callable[[], object]


class Effects:
    """Records changes of tables and lists that several modules share.

    Parameters
    ----------
    shell
        IPython's shell, whose callbacks libraries add to.
    """

    def __init__(self, shell: Any) -> None:
        events = getattr(shell, "events", None)
        self._tables: list[Any] = [os.environ, copyreg.dispatch_table, sys.path_importer_cache]
        self._lists: list[list[Any]] = [sys.meta_path, sys.path_hooks, *(events.callbacks.values() if events else ())]
        self._begin = self._last = self._read()

    def _read(self) -> tuple[Any, ...]:
        return (
            [dict(table) for table in self._tables],
            [list(items) for items in self._lists],
            list(warnings.filters),
            dict(logging.root.manager.loggerDict),
            sorted(_folders()),
        )

    def since_last(self) -> Iterator[Redo]:
        """Yield what does again what has changed since the last call."""
        old, new = self._last, self._read()
        if old == new:
            return
        self._last = new
        for table, before, after in zip(self._tables, old[0], new[0], strict=True):
            yield from _of_table(table, before, after)
        for items, before, after in zip(self._lists, old[1], new[1], strict=True):
            for item in after:
                if item not in before:
                    yield partial(_append, items, item)
        inserted = [item for item in new[2] if item not in old[2]]
        if inserted:
            yield partial(_filter, inserted)
        for name in [name for name in new[3] if new[3][name] is not old[3].get(name)]:
            if isinstance(logger := new[3][name], logging.Logger):
                yield partial(_add_logger, name, logger)
        for folder in new[4]:
            if folder not in old[4]:
                yield partial(os.makedirs, folder, exist_ok=True)

    def undo(self) -> None:
        """Restore the state in which this object was created."""
        tables, lists, filters, loggers, folders = self._begin
        for table, before in zip(self._tables, tables, strict=True):
            for key in [key for key in table if key not in before]:
                del table[key]
            table.update({key: value for key, value in before.items() if table.get(key) is not value})
        for items, before in zip(self._lists, lists, strict=True):
            items[:] = before
        _set_filters(filters)
        logging.root.manager.loggerDict.clear()
        logging.root.manager.loggerDict.update(loggers)
        for folder in sorted(_folders(), reverse=True):
            if folder not in folders:
                os.rmdir(folder)


def _of_table(table: Any, before: dict[Any, Any], after: dict[Any, Any]) -> Iterator[Redo]:
    for key, value in after.items():
        if key not in before or before[key] != value:
            yield partial(table.__setitem__, key, value)
    for key in before.keys() - after.keys():
        yield partial(table.pop, key, None)


def _append(items: list[Any], item: Any) -> None:
    if item not in items:
        items.append(item)


def _set_filters(wanted: list[Any]) -> None:
    filters: Any = warnings.filters
    filters[:] = wanted
    with warnings.catch_warnings():  # whose end makes the change of the list known
        pass


def _filter(inserted: list[Any]) -> None:
    _set_filters([*inserted, *(item for item in warnings.filters if item not in inserted)])


def _add_logger(name: str, logger: logging.Logger) -> None:
    """Enter a logger that was made before. If user code has made one of that name meanwhile, both are then the same in all but identity."""
    manager = logging.root.manager
    there = manager.loggerDict.get(name)
    if isinstance(there, logging.Logger):
        logger.__dict__ = there.__dict__
        return
    manager.loggerDict[name] = logger
    if there is not None:
        manager._fixupChildren(there, logger)  # type: ignore[attr-defined]
    manager._fixupParents(logger)  # type: ignore[attr-defined]
    manager._clear_cache()  # type: ignore[attr-defined]


def _home() -> Iterator[tuple[str, list[str], list[str]]]:
    """Walk through the user's home folder, where matplotlib makes folders."""
    return os.walk(os.path.expanduser("~")) if sys.platform == "emscripten" else iter(())


def _folders() -> list[str]:
    return [folder for folder, _, _ in _home()]


def _files() -> list[str]:
    return [os.path.join(folder, name) for folder, _, names in _home() for name in names]


def _next_descriptor() -> int:
    with contextlib.ExitStack() as stack:
        descriptor = os.open(os.devnull, os.O_RDONLY)
        stack.callback(os.close, descriptor)
        return descriptor


def seen() -> dict[str, Any]:
    """What user code may look at, and what an import that is hidden must have left as it was. The keys name it."""
    return {
        "sys.modules": set(sys.modules),
        "os.environ": dict(os.environ),
        "warnings.filters": list(warnings.filters),
        "random": random.getstate(),
        "loggers": dict(logging.root.manager.loggerDict),
        "logging handlers": (list(logging.root.handlers), logging.root.level),
        "builtins": (set(dir(builtins)), builtins.__import__),
        "threads": threading.enumerate(),
        "descriptors": _next_descriptor(),
        "cwd": os.getcwd(),
        "sys.path": list(sys.path),
        "sys.meta_path": list(sys.meta_path),
        "files": (_files(), _folders()),
        "hooks": (sys.excepthook, sys.displayhook, sys.stdout, sys.stderr, sys.gettrace(), sys.getprofile()),
        "limits": (sys.getrecursionlimit(), sys.getswitchinterval(), signal.getsignal(signal.SIGINT)),
        "garbage collection": (gc.isenabled(), gc.get_threshold(), list(gc.callbacks)),
        "locale": locale.setlocale(locale.LC_ALL) if (locale := sys.modules.get("locale")) else None,
    }
