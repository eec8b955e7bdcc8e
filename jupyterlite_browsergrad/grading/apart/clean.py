"""Tells whether an interpreter is unchanged after a rubric has run in it, so that it can run the next rubric.

Student code never runs there: only values and stand-ins come from a submission. But a rubric may leave something behind, such as a patch
that it has not undone. Then the interpreter is not used again.
"""

from __future__ import annotations

import decimal
import gc
import os
import signal
import sys
import threading
import time
import warnings
from types import FunctionType, ModuleType
from typing import Any

__all__ = ["Picture"]

#: Modules that are not compared, since they change with every request or hold only caches.
_MOVING = frozenset(
    {
        "__main__",
        "linecache",
        "re",
        "random",
        "warnings",
        "tokenize",
        "typing",
        "asyncio",
        "contextvars",
        "_io",
        "sys",
        "signal",
    }
)
#: Packages that are not compared, with all their modules, for the same reason.
_MOVING_PACKAGES = frozenset(
    {"IPython", "browsergrad_kernel", "pyodide", "_pyodide", "js", "pyodide_js", "traitlets", "_browsergrad_apart", "_browsergrad_rubric",
     "asyncio", "jedi", "parso", "pygments", "stack_data", "executing", "asttokens", "unittest"}
)  # fmt: skip
#: Names of `sys` that are compared. The module as a whole changes with every request.
_SYS = (
    "argv",
    "path",
    "meta_path",
    "path_hooks",
    "stdin",
    "stdout",
    "stderr",
    "displayhook",
    "excepthook",
    "modules",
    "setrecursionlimit",
)


class Picture:
    """The contents of an interpreter's modules at the time when this object is made."""

    def __init__(self) -> None:
        self._modules = {
            name: (module, module.__dict__, _names(module.__dict__))
            for name, module in list(sys.modules.items())
            if _looked_at(name, module)
        }
        self._inside = {name: _inside(names) for name, (_, _, names) in self._modules.items()}
        self._state = _state()

    def differences(self) -> list[str]:
        """Return descriptions of what has changed since then. A module imported later does not count; it is compared from now on."""
        found = [what for what, value in _state().items() if self._state[what] != value]
        for name, (module, here, before) in self._modules.items():
            if sys.modules.get(name) is not module:
                found.append(name)
                continue
            now = _names(here)
            if now.keys() != before.keys() or any(
                now[each] is not value for each, value in before.items() if value is not None or each[0] != "_"
            ):  # a private name with the value None is often a cache, which the module fills at its first use
                found.append(name)
            elif not _same(self._inside[name], _inside(now)):
                found.append(f"what is in {name}")
        for name, module in list(sys.modules.items()):
            if name not in self._modules and _looked_at(name, module):
                names = _names(module.__dict__)
                self._modules[name], self._inside[name] = (module, module.__dict__, names), _inside(names)
        return found


def _looked_at(name: Any, module: Any) -> bool:
    """Whether a module is compared."""
    return (
        type(name) is str
        and type(module) is ModuleType
        and name not in _MOVING
        and (name.partition(".")[0] not in _MOVING_PACKAGES or name == "unittest.mock")
    )


def _names(names: dict[str, Any]) -> dict[str, Any]:
    """A module's names, without modules, which imports add."""
    return {
        name: value for name, value in names.items() if type(value) is not ModuleType and name != "__warningregistry__"
    }


def _inside(names: dict[str, Any]) -> dict[str, Any]:
    """The contents of a module's own functions, classes and containers, as objects to compare by identity."""
    found: dict[str, Any] = {}
    for name, value in names.items():
        kind = type(value)
        if kind is list:
            found[name] = tuple(value)
        elif kind is dict and len(value) < 500 and name[0] != "_":
            found[name] = (*value, *value.values())
        elif kind is FunctionType:
            found[name] = (value.__code__, value.__defaults__, value.__kwdefaults__)
        elif isinstance(value, type) and value.__flags__ & 1 << 9 and value.__module__ == names.get("__name__"):
            found[name] = tuple(value.__dict__.values())
    return found


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether both hold the same objects under the same names."""
    return one.keys() == other.keys() and all(
        len(before) == len(now) and all(a is b for a, b in zip(before, now, strict=True))
        for before, now in zip(one.values(), other.values(), strict=True)
    )


def _state() -> dict[str, Any]:
    """State of the interpreter beside the names of its modules."""
    context = decimal.getcontext()
    tools = getattr(sys, "monitoring", None)
    return {
        "names of sys": [id(getattr(sys, name)) for name in _SYS],
        "sys.path": (list(sys.path), [id(each) for each in sys.meta_path], list(sys.argv)),
        "recursion limit": sys.getrecursionlimit(),
        "environment": dict(os.environ),
        "working folder": os.getcwd(),
        "tracing": (sys.gettrace(), sys.getprofile(), tools and [tools.get_tool(number) for number in range(6)]),
        "garbage collection": (gc.isenabled(), len(gc.callbacks), gc.get_threshold()),
        "threads": threading.active_count(),
        "signals": [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGALRM)],
        "warnings": [str(each) for each in warnings.filters],
        "decimal": (context.prec, context.rounding, {str(key): value for key, value in context.traps.items()}),
        "time zone": getattr(time, "tzname", None),
    }
