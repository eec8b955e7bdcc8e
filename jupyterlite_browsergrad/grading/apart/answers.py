"""Does the operations that the other side asks for, with objects of this side."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from typing import Any

from .protocols import FLAVOUR_NAMES, SPECIAL
from .values import GENUINE, MAX_TEXT, ProtocolError, base_of, copy_of, mutable_base_of


def do(
    services: dict[str, Callable[..., Any]], op: str, target: Any, name: Any, args: list[Any], kwargs: dict[str, Any]
) -> Any:
    """Do a requested operation and return its result.

    Parameters
    ----------
    services
        Further operations, which take no object.
    op
        The operation.
    target
        The object of this side; None for a service.
    name
        Name of the attribute or special method.

    Raises
    ------
    ProtocolError
        There is no such operation. Anything that the operation itself raises is its answer.
    """
    match op:
        case "call":
            return target(*args, **kwargs)
        case "get":
            return getattr(target, name)
        case "set":
            return setattr(target, name, *args)
        case "delete":
            return delattr(target, name)
        case "special":
            return _special(target, name, args)
        case "item":
            return target[args[0]]
        case "content":
            return copy_of(target)
        case "vars":
            return dict(vars(target))
        case "copy" | "deepcopy":
            import copy

            return getattr(copy, op)(target)
        case "describe":
            return _describe(target)
        case "signature":
            return _signature(target)
        case "finish":
            return services["finish"](target)
    if op in services:
        return services[op](*args)
    raise ProtocolError("a question of no such kind")


def _special(target: Any, name: str | None, args: list[Any]) -> Any:
    """Call a special method, which Python looks up in the object's class."""
    if name not in SPECIAL and name != "__hash__":
        raise ProtocolError("no such special method")
    match name:  # these built-in functions have fallbacks for classes without the method
        case "__repr__":
            return repr(target)
        case "__str__":
            return str(target)
        case "__iter__":
            return iter(target)
        case "__hash__":
            return hash(target)
    return getattr(type(target), name)(target, *args)


def _describe(kind: Any) -> list[Any]:
    """Describe a class, so that the other side can make a stand-in for it with `make_mirror`.

    Returns
    -------
    list
        Name, qualified name, module, docstring, base classes, names of special methods, the immutable and the mutable built-in type that
        it derives from, its name in `FLAVOURS`, and the built-in exception that it derives from. None where there is none.
    """
    if not isinstance(kind, type):
        raise ProtocolError("no class")
    root = kind.__mro__
    special = [
        name
        for name in SPECIAL
        if (found := _of_class(root, name)) is not None and found is not getattr(object, name, None)
    ]
    hashed = _of_class(root, "__hash__")
    if hashed is None:
        special.append("unhashable")
    elif hashed is not object.__hash__:
        special.append("__hash__")
    if issubclass(kind, types.CoroutineType):
        special.append("awaitable")
    plain, mutable = base_of(kind), mutable_base_of(kind)
    genuine = next(
        (each.__name__ for each in root if GENUINE.get(each.__name__) is each and issubclass(each, BaseException)),
        None,
    )
    named = [_text(getattr(kind, each, ""), 200) for each in ("__name__", "__qualname__", "__module__")]
    doc = getattr(kind, "__doc__", None)
    bases = tuple(base for base in kind.__bases__ if base.__module__ != "builtins")
    return [
        *named,
        _text(doc, MAX_TEXT) if isinstance(doc, str) else None,
        bases,
        special,
        plain and plain.__name__,
        mutable and mutable.__name__,
        FLAVOUR_NAMES.get(kind),
        genuine,
    ]


def _of_class(classes: tuple[type, ...], name: str) -> Any:
    """The attribute that the first of some classes has of its own; None: no class has it. Calls no code of the classes."""
    for each in classes:
        if name in each.__dict__:
            return each.__dict__[name]
    return None


def _text(value: Any, limit: int) -> str:
    """A plain and short text; empty for anything that is not a text."""
    return str.__str__(value)[:limit].replace("\0", "") if isinstance(value, str) else ""


def _signature(target: Any) -> Any:
    """Describe a function's signature: parameters and return annotation. A value that may be missing is in a list of at most one."""
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        return None
    empty = inspect.Parameter.empty

    def boxed(value: Any) -> Any:
        return [] if value is empty else [value]

    parameters = [
        [each.name, int(each.kind), boxed(each.default), boxed(each.annotation)]
        for each in signature.parameters.values()
    ]
    return [parameters, boxed(signature.return_annotation)]
