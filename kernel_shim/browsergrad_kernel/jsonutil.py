"""JSON that front ends accept: no NaN, binary values as base64."""

from __future__ import annotations

import base64
import json
import numbers
from collections.abc import Iterable
from datetime import date, datetime
from math import isfinite
from typing import Any

#: First bytes of the binary formats that notebooks show. Older formatters return these as bytes.
_IMAGE_STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"%PDF", b"GIF8", b"RIFF")

# Encodes as ASCII, so that a lone surrogate reaches JavaScript as an escape.
_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def dumps(value: Any) -> str:
    """`value` as JSON. It is cleaned only if the plain encoder refuses it.

    Raises
    ------
    TypeError
        It contains a value that JSON cannot hold.
    ValueError
        It contains itself, or is nested too deeply.
    """
    try:
        return _encode(value)
    except (TypeError, ValueError, RecursionError):
        pass
    try:
        return _encode(json_clean(value))
    except RecursionError:
        raise ValueError("this value can't become JSON: it is nested too deeply, or holds itself") from None


def json_clean(value: Any) -> Any:
    """A copy of `value` that JSON can hold.

    NaN and infinities become their ``repr``, bytes become base64, dates become ISO 8601, other iterables
    become lists, and numbers of other libraries become plain numbers.
    """
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        number = float(value)
        return number if isfinite(number) else repr(number)
    if isinstance(value, dict):
        return {_key(key): json_clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_clean(item) for item in value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Iterable):
        return [json_clean(item) for item in value]
    raise TypeError(f"{value!r} of type {type(value).__name__} has no form in JSON")


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, bool):
        return _encode(key)
    return str(key)


def encode_images(data: dict[str, Any]) -> dict[str, Any]:
    """A MIME bundle with its binary images as base64."""
    return {
        mime: base64.b64encode(value).decode("ascii")
        if isinstance(value, bytes) and value.startswith(_IMAGE_STARTS)
        else value
        for mime, value in data.items()
    }
