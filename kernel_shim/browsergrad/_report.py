"""The functions that report one event each."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Literal

from . import _sink
from ._json import json_copy
from ._points import add_worth
from ._text import MAX_MESSAGE, MAX_NAME, cut, limited_repr, limited_traceback

#: Image types that front ends show in an ``<img>``.
IMAGE_MIMES = frozenset(f"image/{kind}" for kind in ("apng", "avif", "bmp", "gif", "jpeg", "png", "svg+xml", "webp"))
_BASE64 = re.compile("[A-Za-z0-9+/]+={0,2}")
#: Characters of JSON that a log keeps.
_MAX_LOG = 100_000
LEVELS = ("info", "warn", "error")


class _Missing:
    """Default of ``expected`` and ``actual``. None cannot be the default, since it is a possible value."""

    def __repr__(self) -> str:
        return "<not given>"


_MISSING: Any = _Missing()


def checked_name(name: object) -> str:
    """`name`, cut at `MAX_NAME` characters. It must be a string that is not empty.

    Raises
    ------
    TypeError, ValueError
    """
    text = _checked_text(name, "name", MAX_NAME)
    if not text:
        raise ValueError("name must not be empty: it says what was checked or shown")
    return text


def _checked_text(value: object, what: str, limit: int) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a string, not {type(value).__name__}")
    return cut(value, limit)


def add_feedback(event: dict[str, Any], text: object, what: str = "feedback") -> dict[str, Any]:
    """Add ``feedback`` to an assertion where it is given. Raises TypeError or ValueError for what is not a text, or empty."""
    if text is not None:
        event["feedback"] = _checked_text(text, what, MAX_MESSAGE)
        if not event["feedback"]:
            raise ValueError(f"{what} must not be empty: leave it out")
    return event


def _add_duration(event: dict[str, Any], duration_ms: float | None) -> dict[str, Any]:
    if duration_ms is None:
        return event
    if isinstance(duration_ms, (str, bytes)):
        raise TypeError(f"duration_ms must be a number, not {type(duration_ms).__name__}")
    try:
        duration = float(duration_ms)
    except OverflowError:
        duration = math.inf
    if not math.isfinite(duration) or duration < 0:
        raise ValueError(f"duration_ms must be a finite number, 0 or more, not {duration}")
    event["durationMs"] = duration
    return event


def assert_pass(
    name: str,
    duration_ms: float | None = None,
    *,
    points: float | None = None,
    group: str | None = None,
    feedback: str | None = None,
) -> None:
    """Report that a check passed.

    Parameters
    ----------
    name
        What was checked; not empty.
    duration_ms
        How long it took, in milliseconds.
    points
        Points for the pass.
    group
        The exercise that the check belongs to.
    feedback
        A text for the student, shown with the outcome.
    """
    event: dict[str, Any] = {"kind": "pass", "name": checked_name(name)}
    add_feedback(event, feedback)
    _sink.emit("assertion", add_worth(_add_duration(event, duration_ms), points, group))


def assert_fail(
    name: str,
    message: str,
    expected: object = _MISSING,
    actual: object = _MISSING,
    duration_ms: float | None = None,
    *,
    points: float | None = None,
    earned: float | None = None,
    group: str | None = None,
    feedback: str | None = None,
) -> None:
    """Report that a check failed.

    Parameters
    ----------
    name
        What was checked; not empty.
    message
        What is wrong, and ideally how to correct it; cut at 10,000 characters.
    expected, actual
        Values that are shown by their ``repr``, cut at 10,000 characters. None counts as a value.
    duration_ms
        How long it took, in milliseconds.
    points, earned
        Points for a pass, and the points that are given although the check did not pass; by default none.
    group
        The exercise that the check belongs to.
    feedback
        A text for the student, shown with the outcome.
    """
    event: dict[str, Any] = {
        "kind": "fail",
        "name": checked_name(name),
        "message": _checked_text(message, "message", MAX_MESSAGE),
    }
    if expected is not _MISSING:
        event["expectedRepr"] = limited_repr(expected)
    if actual is not _MISSING:
        event["actualRepr"] = limited_repr(actual)
    add_feedback(event, feedback)
    _sink.emit("assertion", add_worth(_add_duration(event, duration_ms), points, group, earned))


def assert_error(
    name: str,
    message: str,
    exc: BaseException | None = None,
    duration_ms: float | None = None,
    *,
    points: float | None = None,
    earned: float | None = None,
    group: str | None = None,
    feedback: str | None = None,
) -> None:
    """Report that a check could not be made.

    Parameters
    ----------
    name
        What should have been checked; not empty.
    message
        Why it could not be checked.
    exc
        The exception that prevented it; its traceback is kept.
    duration_ms
        How long it took, in milliseconds.
    points, earned
        Points for a pass, and the points that are given although the check did not pass; by default none.
    group
        The exercise that the check belongs to.
    feedback
        A text for the student, shown with the outcome.
    """
    event: dict[str, Any] = {
        "kind": "error",
        "name": checked_name(name),
        "message": _checked_text(message, "message", MAX_MESSAGE),
    }
    if exc is not None:
        if not isinstance(exc, BaseException):
            raise TypeError(f"exc must be an exception, not {type(exc).__name__}")
        event["traceback"] = limited_traceback(exc, exc.__traceback__)
    add_feedback(event, feedback)
    _sink.emit("assertion", add_worth(_add_duration(event, duration_ms), points, group, earned))


def log(name: str, data: Any, level: Literal["info", "warn", "error"] = "info") -> None:
    """Report a value along the way.

    Parameters
    ----------
    name
        What the value is; not empty.
    data
        Data that JSON can hold is kept as JSON, up to 100,000 characters; anything else is kept as its ``repr``.
    level
        How serious it is.

    Raises
    ------
    ValueError
        `level` is not one of the three.
    """
    if level not in LEVELS:
        raise ValueError(f"level must be one of {', '.join(LEVELS)}, not {limited_repr(level, 100)}")
    event = {"kind": "log", "name": checked_name(name), "level": level}
    try:
        event["data"] = json_copy(data)
        if len(json.dumps(event["data"])) > _MAX_LOG:
            event["data"] = limited_repr(data)
    except (TypeError, ValueError):
        event["data"] = limited_repr(data)
    _sink.emit("artifact", event)


def emit_json(name: str, data: Any) -> None:
    """Show data as JSON.

    Parameters
    ----------
    name
        What the data is; not empty.
    data
        Data made of dict (with keys of type str), list, tuple, str, int, float, bool and None.

    Raises
    ------
    TypeError
        JSON does not have this type of value or key. The message names the path, such as ``$.points[3]``.
    ValueError
        NaN, an infinity, too large an integer, a lone surrogate, data that contains itself or is
        nested deeper than 100 levels. The message names the path.
    """
    event = {"kind": "json", "name": checked_name(name), "data": json_copy(data)}
    _sink.emit("artifact", event)


def emit_image(name: str, mime: str, data_base64: str) -> None:
    """Show an image.

    Parameters
    ----------
    name
        What the image shows. Screen readers read this aloud.
    mime
        One of `IMAGE_MIMES`, such as ``image/png``.
    data_base64
        The file in base64, in the standard alphabet, padded, without line breaks:
        the result of ``base64.b64encode(data).decode()``.

    Raises
    ------
    ValueError
        `mime` or `data_base64` is not as described.
    """
    event = {"kind": "image", "name": checked_name(name)}
    if not isinstance(mime, str) or mime not in IMAGE_MIMES:
        kinds = ", ".join(sorted(IMAGE_MIMES))
        raise ValueError(f"mime must be one of {kinds}, not {limited_repr(mime, 100)}")
    event["mime"] = mime
    event["dataBase64"] = _checked_base64(data_base64)
    _sink.emit("artifact", event)


def _checked_base64(data: object) -> str:
    advice = "encode the file with base64.b64encode(data).decode()"
    if not isinstance(data, str):
        raise ValueError(f"data_base64 must be a string, not {type(data).__name__}: {advice}")
    if data.startswith("data:"):
        raise ValueError("data_base64 must be the base64 text alone, without 'data:…;base64,'")
    if not data:
        raise ValueError(f"data_base64 is empty: {advice}")
    # Not binascii's strict mode, which accepts superfluous padding in older versions of Python.
    if len(data) % 4 or not _BASE64.fullmatch(data):
        raise ValueError(f"data_base64 is not base64 of the standard alphabet, padded, without line breaks: {advice}")
    return str(data)


def results() -> list[dict[str, Any]]:
    """The assertions of this session in order of arrival, in the form in which front ends get them.

    Returns
    -------
    list of dict
        With ``kind`` (``pass``, ``fail`` or ``error``), ``name`` and, where given, ``message``,
        ``expectedRepr``, ``actualRepr``, ``traceback``, ``durationMs``, ``points``, ``earned``, ``group``, ``feedback``.
    """
    return [dict(event) for event in _sink.assertions]
