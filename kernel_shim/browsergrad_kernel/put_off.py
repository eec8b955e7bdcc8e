"""Takes modules out of the memory snapshot that other modules import for functions which few notebooks call.

What such a function needs is imported again when it is called.
"""

from __future__ import annotations

import importlib
import sys
from types import FunctionType, ModuleType
from typing import Any

#: Modules whose classes and functions no other module keeps, except for `_FUNCTIONS`.
MODULES = ("ipaddress", "logging.config", "logging.handlers", "socketserver")
#: Functions of these modules that other modules have imported by name.
_FUNCTIONS = {"logging.config": ("dictConfig",)}


class _Later(ModuleType):
    """Stands for a module until something asks for its contents."""

    def __getattr__(self, name: str) -> Any:
        module = importlib.import_module(self.__name__)
        vars(self).update({key: value for key, value in vars(module).items() if key != "__name__"})
        return getattr(module, name)


def put_off(names: tuple[str, ...] = MODULES) -> None:
    """Forget these modules. Where other modules have imported them, something that imports them later takes their place."""
    for name in names:
        module = sys.modules.pop(name, None)
        if module is None:
            continue
        package, _, last = name.rpartition(".")
        if package:
            vars(sys.modules[package]).pop(last, None)
        places: dict[Any, Any] = {module: _Later(name)}
        for function in _FUNCTIONS.get(name, ()):
            places[getattr(module, function)] = _caller(name, function)
        for other in list(sys.modules.values()):
            if other is not module and isinstance(other, ModuleType):
                _replace(vars(other), places)


def _replace(names: dict[str, Any], places: dict[Any, Any]) -> None:
    for key, value in list(names.items()):
        if isinstance(value, (ModuleType, FunctionType)) and value in places:
            names[key] = places[value]


def _caller(module: str, name: str) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(importlib.import_module(module), name)(*args, **kwargs)

    call.__name__ = call.__qualname__ = name
    call.__module__ = module
    return call
