"""The student's end of the line: serves the names of a notebook to the rubric's interpreter.

Student code can change everything here. So the other end trusts nothing that this end sends.
"""

from __future__ import annotations

import builtins
import importlib
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

from .link import Link, Rules
from .values import MUTABLE, Decoder, Encoder, TooLarge

#: Output goes with the next message. From this many characters on, it is sent at once.
HELD = 30_000
#: A global list, dict or set is kept in step if it has at most this many characters when it is sent.
IN_STEP = 20_000


class _Out:
    """Stands for ``sys.stdout`` or ``sys.stderr``: sends output of student code to the rubric's stream of the same name."""

    encoding, errors, newlines, closed = "utf-8", "strict", None, False

    def __init__(self, serving: _Serving, name: str) -> None:
        self._serving = serving
        self.name = name

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._serving.write(self.name, text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        return

    def isatty(self) -> bool:
        return False

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True


class _Serving:
    """The state that both interpreters keep in step, at the student's side.

    Parameters
    ----------
    tracked
        The global containers that are kept in step.
    """

    def __init__(self, link: Link, tracked: dict[str, Any]) -> None:
        self.link = link
        #: Output that waits for the next message, as pairs of stream and text, and its characters.
        self.held: list[list[str]] = []
        self.size = 0
        self.tracked = tracked
        #: The form in which each container was last sent or received.
        self.sent = {name: self.text_of(value) for name, value in tracked.items()}
        #: Values of this interpreter that the rubric has replaced: (module, name) to value.
        self.replaced: dict[tuple[str, str], Any] = {}

    def write(self, name: str, text: str) -> None:
        """Keep output for the next message; send it now if there is much of it."""
        self.held.append([name, str.__str__(text)])
        self.size += len(text)
        if self.size > HELD:
            self.link.ask("output", None)

    def text_of(self, value: Any) -> Any:
        """Return a container's encoded form as text, to tell whether it has changed; None if it is too large to be sent."""
        try:
            return repr(Encoder(self.link)(value))
        except TooLarge:
            return None

    def outgoing(self, message: dict[str, Any]) -> None:
        """Add output, and the containers that have changed here, to a message."""
        if self.held:
            message["out"], self.held, self.size = self.held, [], 0
        changed = {}
        for name, value in self.tracked.items():
            text = self.text_of(value)
            if text is not None and text != self.sent[name]:
                self.sent[name] = text
                changed[name] = Encoder(self.link)(value)
        if changed:
            message["names"] = changed

    def incoming(self, message: dict[str, Any]) -> None:
        """Take over what has changed on the rubric's side: containers, replaced names of modules, and random numbers."""
        for name, node in message.get("names", {}).items():
            decode = Decoder(self.link)
            value = decode(node)
            kept = self.tracked[name]
            if type(kept) is type(value):
                _refill(kept, value)
            self.sent[name] = self.text_of(kept)
        for place, name, node in message.get("patch", ()):
            self.patch(place, name, node)
        if "random" in message:
            import random

            random.setstate(Decoder(self.link)(message["random"]))

    def patch(self, place: str, name: str, node: Any) -> None:
        """Replace a name of a module as the rubric has done. Without a node, restore the former value."""
        module = importlib.import_module(place)
        if node is None:
            if (place, name) in self.replaced:
                setattr(module, name, self.replaced.pop((place, name)))
            return
        self.replaced.setdefault((place, name), getattr(module, name))
        setattr(module, name, Decoder(self.link)(node[0]))


def _refill(kept: Any, value: Any) -> None:
    """Replace the content of a container, which stays the same object."""
    kept.clear()
    kept.extend(value) if hasattr(kept, "extend") else kept.update(value)


def serve(exchange: Callable[[str], str], names: Mapping[str, Any], wanted: list[str] | None, proof: str) -> None:
    """Answer the rubric's questions until it ends.

    Parameters
    ----------
    exchange
        Sends a text and returns the text that comes back.
    names
        The student's names.
    wanted
        The names that the rubric may use; None for all.
    proof
        The signature which shows that the grader has asked for this.
    """
    link = Link(exchange, Rules())
    link.is_shared = lambda module: isinstance(module, types.ModuleType) and not _is_own(module)
    link.services["finish"] = _finish
    own = {name: value for name, value in names.items() if type(name) is str and (wanted is None or name in wanted)}
    told: dict[str, Any] = {}
    tracked: dict[str, Any] = {}
    for name, value in own.items():
        try:
            told[name] = Encoder(link)(value)
        except TooLarge:
            told[name] = ["h", link.export(value), link.export_class(type(value))]
            continue
        if type(value) in MUTABLE and len(repr(told[name])) < IN_STEP:
            tracked[name] = value
    serving = _Serving(link, tracked)
    link.outgoing, link.incoming = serving.outgoing, serving.incoming
    before = sys.stdout, sys.stderr, builtins.input
    sys.stdout, sys.stderr = _Out(serving, "stdout"), _Out(serving, "stderr")
    builtins.input = lambda prompt="", /: link.ask("input", None, None, (str(prompt),))
    try:
        link.serve({"hello": proof, "given": told, "steady": sorted(tracked)})
    finally:
        sys.stdout, sys.stderr, builtins.input = before


def _is_own(module: types.ModuleType) -> bool:
    """Whether a module is one of the student's files."""
    place = getattr(module, "__file__", None)
    return isinstance(place, str) and not place.startswith(("/lib/", sys.prefix + "/lib"))


def _finish(coroutine: Any) -> Any:
    """Run a coroutine to its end and return its result."""
    import asyncio

    return asyncio.get_event_loop().run_until_complete(coroutine)
