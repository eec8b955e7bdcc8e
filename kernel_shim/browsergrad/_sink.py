"""Where events go: chosen once, at the first event.

A host installs its own sink; else a running IPython shows MIME bundles; else a line is printed.
"""

from __future__ import annotations

import html
import sys
import time
import unicodedata
from collections.abc import Callable
from typing import Any

ASSERTIONS_MIME = "application/vnd.browsergrad.assertions.v1+json"
ARTIFACT_MIME = "application/vnd.browsergrad.artifact.v1+json"

#: Passes of one cell whose detail is kept; failures always are, and counts are exact.
PASSES_KEPT = 1000
#: Seconds between two updates of a cell's display.
UPDATE_INTERVAL = 0.1
_SYMBOLS = {"pass": "✓", "fail": "✗", "error": "!"}

#: Assertions of this session.
assertions: list[dict[str, Any]] = []

Sink = Callable[[dict[str, Any]], None]
_sink: Sink | None = None


def install(sink: Sink | None) -> None:
    """Send events to `sink`, as ``{"type": "assertion" | "artifact", "event": {…}}``.

    None chooses again at the next event.
    """
    global _sink
    _sink = sink


def emit(kind: str, event: dict[str, Any]) -> None:
    """Send one event."""
    global _sink
    if kind == "assertion":
        assertions.append(event)
    if _sink is None:
        _sink = _choose()
    _sink({"type": kind, "event": event})


def _choose() -> Sink:
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive is not None else None
    if shell is not None and hasattr(shell, "kernel"):
        return _NotebookSink(shell)
    return _print


def visible(text: str) -> str:
    """`text` with control and bidirectional characters shown as escapes."""
    return "".join(
        character
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs")
        else f"\\u{ord(character):04x}"
        for character in text
    )


def line(kind: str, event: dict[str, Any]) -> str:
    """One event as one line of text."""
    name = visible(event["name"])
    if kind == "assertion":
        text = f"{_SYMBOLS[event['kind']]} {name}"
        if "message" in event:
            text += f": {visible(event['message'])}"
        sides = [
            f"{side} {visible(event[key])}"
            for side, key in (("expected", "expectedRepr"), ("got", "actualRepr"))
            if key in event
        ]
        return text + (f" ({', '.join(sides)})" if sides else "")
    if event["kind"] == "image":
        return f"{name}: {event['mime']}"
    return f"{name}: {visible(str(event['data']))}"


def _print(message: dict[str, Any]) -> None:
    print(line(message["type"], message["event"]))


class _Assertions:
    """The assertions of one cell: one display that updates."""

    def __init__(self) -> None:
        self.kept: list[dict[str, Any]] = []
        self.counts = {"pass": 0, "fail": 0, "error": 0}
        self.handle: Any = None
        self.shown = 0.0
        self.stale = False

    def add(self, event: dict[str, Any]) -> None:
        self.counts[event["kind"]] += 1
        if event["kind"] != "pass" or self.counts["pass"] <= PASSES_KEPT:
            self.kept.append(event)
        self.stale = True

    def bundle(self) -> dict[str, Any]:
        counts = self.counts
        summary = f"{counts['pass']} passed, {counts['fail']} failed, {counts['error']} errors"
        lines = [line("assertion", event) for event in self.kept]
        rows = "".join(f"<li>{html.escape(text)}</li>" for text in lines)
        return {
            ASSERTIONS_MIME: {"assertions": self.kept, "counts": dict(counts)},
            "text/html": f"<details open><summary>{html.escape(summary)}</summary><ul>{rows}</ul></details>",
            "text/plain": "\n".join([summary, *lines]),
        }


class _NotebookSink:
    """Shows events as MIME bundles in a notebook."""

    def __init__(self, shell: Any) -> None:
        self.cell = _Assertions()
        shell.events.register("pre_run_cell", self._cell_starts)
        shell.events.register("post_run_cell", self._cell_ends)

    def __call__(self, message: dict[str, Any]) -> None:
        if message["type"] == "assertion":
            self.cell.add(message["event"])
            if time.monotonic() - self.cell.shown > UPDATE_INTERVAL:
                self._show()
        else:
            self._show_artifact(message["event"])

    def _cell_starts(self, *args: object) -> None:
        self.cell = _Assertions()

    def _cell_ends(self, *args: object) -> None:
        if self.cell.stale:
            self._show()

    def _show(self) -> None:
        from IPython.display import DisplayHandle

        cell = self.cell
        cell.stale = False
        if cell.handle is None:
            cell.handle = DisplayHandle()
            cell.handle.display(cell.bundle(), raw=True)
        else:
            cell.handle.update(cell.bundle(), raw=True)
        cell.shown = time.monotonic()

    def _show_artifact(self, event: dict[str, Any]) -> None:
        from IPython.display import display

        bundle: dict[str, Any] = {ARTIFACT_MIME: event, "text/plain": line("artifact", event)}
        if event["kind"] == "image":
            bundle[event["mime"]] = event["dataBase64"]
        else:
            bundle["text/html"] = f"<pre>{html.escape(line('artifact', event))}</pre>"
            bundle["application/json"] = event["data"]
        display(bundle, raw=True)
