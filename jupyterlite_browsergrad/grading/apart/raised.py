"""Converts exceptions for the other side."""

from __future__ import annotations

import traceback
from typing import Any

from .mirrors import ENDING, Mirror
from .protocols import ID
from .values import MAX_TEXT, Decoder, Encoder, ProtocolError, TooLarge

#: Frames of a traceback that are shown, at each of its ends.
SHOWN = 10


def exception(link: Any, error: BaseException, encode: Encoder, depth: int, hidden: frozenset[str]) -> dict[str, Any]:
    """The parts of an exception that are sent.

    Parameters
    ----------
    hidden
        Files whose frames are left out at the beginning of its traceback.
    """
    try:
        text = str(error)
        text = text if type(text) is str else str.__str__(text)
    except BaseException as broken:
        text = f"<str failed: {type(broken).__name__}>"
    arguments: list[Any] = []
    parts = error.args[:20] if type(error.args) is tuple else ()
    if isinstance(error, OSError) and len(parts) == 2 and error.filename is not None:
        parts = (*parts, error.filename)
    for part in parts:
        alone = Encoder(link)
        try:
            node = alone(part, depth)
        except TooLarge:
            node = _short(part)
        # Numbers of containers would be those of another message.
        arguments.append(_short(part) if alone.containers else node)
    kind = type(error)
    return {
        "class": encode(kind, depth),
        "args": arguments,
        "text": text[:MAX_TEXT],
        "traceback": _traceback(error, hidden),
        "id": link.export(error),
    }


def adopt_exception(link: Any, entry: dict[str, Any], decode: Decoder, depth: int) -> BaseException:
    number, text, shown = entry["id"], entry["text"], entry["traceback"]
    kind = decode(entry["class"], depth)
    arguments = tuple(decode(each, depth) for each in entry["args"])
    if type(number) is not int or type(text) is not str or type(shown) is not str:
        raise ProtocolError("an exception that cannot be read")
    found = link.stand_ins.get(number)
    if found is not None:
        return found
    if not (isinstance(kind, type) and issubclass(kind, BaseException)):
        raise ProtocolError("an exception of no such class")
    if isinstance(kind, Mirror):
        made: Any = kind.__new__(kind, *arguments)  # type: ignore[arg-type]
        BaseException.__init__(made, *arguments)
        object.__setattr__(made, ID, number)
        object.__setattr__(made, "_browsergrad_text", text)
    else:
        made = _genuine_exception(kind, arguments, text)
    link.stand_ins[number] = made
    if shown:
        made.add_note(f"In the submission:\n{shown.rstrip()}")
    return made


def _genuine_exception(kind: type[BaseException], arguments: tuple[Any, ...], text: str) -> BaseException:
    if kind.__name__ in ENDING:
        kind = type(kind.__name__, (Exception,), {"__module__": "builtins"})
    try:
        return kind(*arguments)
    except Exception:  # such as a UnicodeDecodeError without its parts
        return type(kind.__name__, (Exception,), {"__module__": "builtins"})(text)


def _short(value: Any) -> str:
    try:
        return repr(value)[:MAX_TEXT]
    except BaseException as error:
        return f"<repr failed: {type(error).__name__}>"


def _traceback(error: BaseException, hidden: frozenset[str]) -> str:
    """The traceback from the first frame that is not of a hidden file."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename in hidden:
        frames = frames.tb_next
    entries = []
    while frames is not None:
        entries.append(frames)
        frames = frames.tb_next
    try:
        # Only the two ends of a deep recursion, since formatting all of it would take seconds.
        lines = [line for entry in entries[:SHOWN] for line in traceback.format_tb(entry, 1)]
        if len(entries) > 2 * SHOWN:
            lines.append("…\n")
        lines += [line for entry in entries[SHOWN:][-SHOWN:] for line in traceback.format_tb(entry, 1)]
    except BaseException:
        return ""
    return "".join(lines)[:MAX_TEXT]
