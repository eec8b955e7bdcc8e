"""Converts exceptions to the form that is sent, and back."""

from __future__ import annotations

import traceback
from typing import Any

from .mirrors import ENDING, Mirror
from .protocols import ID
from .values import MAX_TEXT, Decoder, Encoder, ProtocolError, TooLarge

#: Most frames shown at each end of a traceback.
SHOWN = 10


def exception(link: Any, error: BaseException, encode: Encoder, depth: int, hidden: frozenset[str]) -> dict[str, Any]:
    """Return the parts of an exception that are sent.

    Parameters
    ----------
    hidden
        Files whose frames are left out at the start of the traceback.

    Returns
    -------
    dict
        ``class``, ``args``, ``text``, ``traceback`` and ``id``, the exception's number.
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
        # A container's number would belong to the encoder made here, and not to the message.
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
    """Return the exception that stands for one of the other side. The traceback there becomes a note.

    Raises
    ------
    ProtocolError
        The parts are not those of an exception.
    """
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
    """Make an exception of a built-in class; one of the same name where the class does not take these arguments or is in `ENDING`."""
    if kind.__name__ in ENDING:
        kind = type(kind.__name__, (Exception,), {"__module__": "builtins"})
    try:
        return kind(*arguments)
    except Exception:  # for example, UnicodeDecodeError needs exactly five arguments
        return type(kind.__name__, (Exception,), {"__module__": "builtins"})(text)


def _short(value: Any) -> str:
    """The first characters of a value's ``repr``, for a value that cannot be sent itself."""
    try:
        return repr(value)[:MAX_TEXT]
    except BaseException as error:
        return f"<repr failed: {type(error).__name__}>"


def _traceback(error: BaseException, hidden: frozenset[str]) -> str:
    """The traceback as text, from the first frame that is not in a hidden file."""
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
