"""The student's end of the line: serves the names of a notebook to the rubric's interpreter.

Nothing here is trusted, since student code can change all of it. Anything that it sends comes from the submission.
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

#: Characters of output that are held back.
HELD = 30_000
#: Characters of one global list, dict or set that is kept in step.
IN_STEP = 20_000


class _Out:
    """Output of a student's call, which goes to whatever the rubric's ``sys.stdout`` is."""

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
    def __init__(self, link: Link, tracked: dict[str, Any]) -> None:
        self.link = link
        self.held: list[list[str]] = []
        self.size = 0
        self.tracked = tracked
        self.sent = {name: self.text_of(value) for name, value in tracked.items()}
        #: What patches of the rubric have replaced here: (module, name) to value.
        self.replaced: dict[tuple[str, str], Any] = {}

    def write(self, name: str, text: str) -> None:
        self.held.append([name, str.__str__(text)])
        self.size += len(text)
        if self.size > HELD:
            self.link.ask("output", None)

    def text_of(self, value: Any) -> Any:
        try:
            return repr(Encoder(self.link)(value))
        except TooLarge:
            return None

    def outgoing(self, message: dict[str, Any]) -> None:
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
        """Give a name of a module what the rubric has put there; without a node: what it was."""
        module = importlib.import_module(place)
        if node is None:
            if (place, name) in self.replaced:
                setattr(module, name, self.replaced.pop((place, name)))
            return
        self.replaced.setdefault((place, name), getattr(module, name))
        setattr(module, name, Decoder(self.link)(node[0]))


def _refill(kept: Any, value: Any) -> None:
    kept.clear()
    kept.extend(value) if hasattr(kept, "extend") else kept.update(value)


def serve(exchange: Callable[[str], str], names: Mapping[str, Any], wanted: list[str] | None, proof: str) -> None:
    """Answer the rubric's questions until it ends.

    Parameters
    ----------
    exchange
        Sends a text and waits for the one that comes back.
    names
        The student's names.
    wanted
        Those that the rubric may use; None: all.
    proof
        Shows that this was asked for by the grader.
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
    """Run a coroutine to its end."""
    import asyncio

    return asyncio.get_event_loop().run_until_complete(coroutine)
