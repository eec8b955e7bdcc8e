"""Copies user data into JSON's own types, or raises an error that names the path of the offending value."""

from __future__ import annotations

import json
import math
from typing import Any

from ._text import limited_repr

#: Greatest nesting depth. It is limited because front ends walk the data recursively.
MAX_DEPTH = 100


def json_copy(value: Any) -> Any:
    """A deep copy of `value` made of dict, list, str, int, float, bool and None.

    Raises
    ------
    TypeError
        A value or key is of a type that JSON does not have. The message names its path, such as ``$.a[3]``.
    ValueError
        NaN, an infinity, an integer beyond the range of a double, a lone surrogate, data that
        contains itself, or nesting deeper than `MAX_DEPTH`. The message names the path.
    """
    return _copy(value, "$", [])


def _copy(value: Any, path: str, parents: list[int]) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _string(value, path)
    if isinstance(value, int):
        return _integer(value, path)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{path} is {float(value)!r}, which JSON can't hold: use None or a string")
        return float(value)
    if isinstance(value, (dict, list, tuple)):
        return _container(value, path, parents)
    kind = type(value)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    raise TypeError(
        f"{path} is of type {name}, which JSON can't hold: convert it to dict, list, str, int, float, bool or None"
    )


def _string(value: str, path: str) -> str:
    text = str.__str__(value)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(f"{path} holds a lone surrogate, which JSON in UTF-8 can't") from None
    return text


def _integer(value: int, path: str) -> int:
    try:
        float(value)
    except OverflowError:
        raise ValueError(f"{path} is an integer larger than readers of JSON can hold: use a string") from None
    return int(value)


def _container(value: Any, path: str, parents: list[int]) -> Any:
    if id(value) in parents:
        raise ValueError(f"{path} holds itself, which JSON can't")
    if len(parents) >= MAX_DEPTH:
        raise ValueError(f"{path} is nested deeper than {MAX_DEPTH} levels")
    inner = [*parents, id(value)]
    if not isinstance(value, dict):
        return [_copy(item, f"{path}[{index}]", inner) for index, item in enumerate(value)]
    copy = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise TypeError(f"{path} has the key {limited_repr(key, 100)}: keys of JSON are strings")
        text = _string(key, path)
        copy[text] = _copy(item, path + _step(text), inner)
    return copy


def _step(key: str) -> str:
    return f".{key}" if key.isidentifier() else f"[{json.dumps(key[:100])}]"
