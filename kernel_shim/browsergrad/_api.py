"""The functions of the package."""

from __future__ import annotations

import base64
import binascii
import functools
import inspect
import math
import re
import time
import traceback
from types import TracebackType
from typing import Any

from . import _sink

#: Characters of a repr that are kept.
REPR_LIMIT = 10_000
#: Levels of nesting `emit_json` takes.
DEPTH_LIMIT = 200

_MIME = re.compile(r"image/[a-z0-9][a-z0-9.+-]*\Z")
_LEVELS = ("info", "warn", "error")


class _Missing:
    """The default of ``expected`` and ``actual``: None is a value."""

    def __repr__(self) -> str:
        return "<not given>"


_MISSING: Any = _Missing()


def _name(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise ValueError(f"name must be a string that is not empty, not {_repr(name)}")
    return name


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a string, not {type(value).__name__}")
    return value


def _repr(value: object) -> str:
    """``repr(value)``, whatever it does, cut at REPR_LIMIT characters."""
    try:
        text = repr(value)
    except Exception as error:  # a user's __repr__ may raise anything
        return f"<repr failed: {type(error).__name__}>"
    if len(text) > REPR_LIMIT:
        text = f"{text[:REPR_LIMIT]}… ({len(text)} characters)"
    return text


def _timed(event: dict[str, Any], duration_ms: float | None) -> dict[str, Any]:
    if duration_ms is not None:
        if not isinstance(duration_ms, (int, float)) or not math.isfinite(duration_ms) or duration_ms < 0:
            raise ValueError(f"duration_ms must be a number of milliseconds, not {_repr(duration_ms)}")
        event["durationMs"] = float(duration_ms)
    return event


def assert_pass(name: str, duration_ms: float | None = None) -> None:
    """Report that a check passed.

    Parameters
    ----------
    name
        What was checked; not empty.
    duration_ms
        How long it took, in milliseconds.
    """
    _sink.emit("assertion", _timed({"kind": "pass", "name": _name(name)}, duration_ms))


def assert_fail(
    name: str,
    message: str,
    expected: Any = _MISSING,
    actual: Any = _MISSING,
    duration_ms: float | None = None,
) -> None:
    """Report that a check failed.

    Parameters
    ----------
    expected, actual
        Shown by their ``repr``, cut at 10,000 characters. None is a value like any other.
    """
    event = {"kind": "fail", "name": _name(name), "message": _text(message, "message")}
    if expected is not _MISSING:
        event["expectedRepr"] = _repr(expected)
    if actual is not _MISSING:
        event["actualRepr"] = _repr(actual)
    _sink.emit("assertion", _timed(event, duration_ms))


def assert_error(
    name: str, message: str, exc: BaseException | None = None, duration_ms: float | None = None
) -> None:
    """Report that a check could not be made.

    Parameters
    ----------
    exc
        The exception that came in the way; its traceback is kept.
    """
    event = {"kind": "error", "name": _name(name), "message": _text(message, "message")}
    if exc is not None:
        try:
            event["traceback"] = "".join(traceback.format_exception(exc))
        except Exception:  # a user's __str__ may raise anything
            event["traceback"] = type(exc).__name__
    _sink.emit("assertion", _timed(event, duration_ms))


def log(name: str, data: Any, level: str = "info") -> None:
    """Report a value along the way.

    Parameters
    ----------
    data
        JSON-able data; anything else is kept as its ``repr``.
    level
        ``info``, ``warn`` or ``error``.
    """
    if level not in _LEVELS:
        raise ValueError(f"level must be one of {', '.join(_LEVELS)}, not {_repr(level)}")
    try:
        data = _json(data, "$", [])
    except (TypeError, ValueError):
        data = _repr(data)
    _sink.emit("artifact", {"kind": "log", "name": _name(name), "level": level, "data": data})


def emit_json(name: str, data: Any) -> None:
    """Show data as JSON.

    Raises
    ------
    TypeError
        Naming the path of what JSON can't hold, such as ``$.points[3]``.
    ValueError
        The same for NaN, infinities, data that holds itself or is nested too deeply.
    """
    _sink.emit("artifact", {"kind": "json", "name": _name(name), "data": _json(data, "$", [])})


def emit_image(name: str, mime: str, data_base64: str) -> None:
    """Show an image.

    Parameters
    ----------
    mime
        Such as ``image/png``.
    data_base64
        The file, in base64 of the standard alphabet.
    """
    if not isinstance(mime, str) or not _MIME.match(mime):
        raise ValueError(f"mime must be an image type such as image/png, not {_repr(mime)}")
    _text(data_base64, "data_base64")
    compact = "".join(data_base64.split())
    try:
        valid = bool(base64.b64decode(compact, validate=True))
    except (binascii.Error, ValueError):
        valid = False
    if not valid:
        raise ValueError("data_base64 is empty or not base64: encode with base64.b64encode(data).decode()")
    _sink.emit("artifact", {"kind": "image", "name": _name(name), "mime": mime, "dataBase64": compact})


def results() -> list[dict[str, Any]]:
    """This session's assertions, in order: dicts of the shape front ends get."""
    return [dict(event) for event in _sink.assertions]


def _json(value: Any, path: str, parents: list[int]) -> Any:
    """A copy of `value` made of JSON's own types."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{path} is {value!r}, which JSON can't hold; use None or a string")
        return float(value)
    if isinstance(value, (dict, list, tuple)):
        if id(value) in parents:
            raise ValueError(f"{path} holds itself: JSON can't")
        if len(parents) >= DEPTH_LIMIT:
            raise ValueError(f"{path} is nested deeper than {DEPTH_LIMIT} levels")
        inner = [*parents, id(value)]
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str):
                    raise TypeError(f"{path} has the key {_repr(key)}: JSON's keys are strings")
            return {key: _json(item, f"{path}.{key}", inner) for key, item in value.items()}
        return [_json(item, f"{path}[{index}]", inner) for index, item in enumerate(value)]
    raise TypeError(f"{path} is a {type(value).__name__}, which JSON can't hold")


class check:
    """``with check(name):`` or ``@check(name)``: report what became of a block, timed.

    An ``AssertionError`` is a fail, any other exception an error, the end of the block a pass. The
    exception goes no further, but for KeyboardInterrupt and SystemExit.
    """

    def __init__(self, name: str) -> None:
        self.name = _name(name)

    def __enter__(self) -> check:
        self._start = time.perf_counter()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        frames: TracebackType | None,
    ) -> bool:
        duration_ms = (time.perf_counter() - self._start) * 1000
        if exc is None:
            assert_pass(self.name, duration_ms)
        elif isinstance(exc, AssertionError):
            message = str(exc) or "assertion failed"
            assert_fail(self.name, message, duration_ms=duration_ms, **_compared(frames))
        elif isinstance(exc, Exception):
            assert_error(self.name, f"{type(exc).__name__}: {exc}", exc, duration_ms)
        else:
            return False
        return True

    def __call__(self, function: Any) -> Any:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def run_async(*args: Any, **kwargs: Any) -> Any:
                with check(self.name):
                    return await function(*args, **kwargs)

            return run_async

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with check(self.name):
                return function(*args, **kwargs)

        return run


def _compared(frames: TracebackType | None) -> dict[str, Any]:
    """Both sides of ``assert a == b``, where they are plain names or constants of the failing line."""
    import ast
    import linecache

    if frames is None:
        return {}
    while frames.tb_next is not None:
        frames = frames.tb_next
    frame = frames.tb_frame
    line = linecache.getline(frame.f_code.co_filename, frames.tb_lineno).strip()
    try:
        statement = ast.parse(line).body[0]
    except (SyntaxError, IndexError, ValueError):
        return {}
    if not (
        isinstance(statement, ast.Assert)
        and isinstance(statement.test, ast.Compare)
        and len(statement.test.ops) == 1
        and isinstance(statement.test.ops[0], ast.Eq)
    ):
        return {}
    sides = {}
    for key, node in (("actual", statement.test.left), ("expected", statement.test.comparators[0])):
        if isinstance(node, ast.Constant):
            sides[key] = node.value
        elif isinstance(node, ast.Name):
            for scope in (frame.f_locals, frame.f_globals):
                if node.id in scope:
                    sides[key] = scope[node.id]
                    break
    return sides
