"""Shows events in a notebook: a display for each artifact, one that updates for a cell's assertions."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

from IPython import display

from . import _sink
from ._mime import artifact_bundle, assertions_bundle

#: Passes of one cell whose detail is kept; that of failures always is, and counts are exact.
PASSES_KEPT = 1000
#: Seconds between two updates of a cell's display.
UPDATE_INTERVAL = 0.1
#: Large displays update more rarely: this many times the time that an update takes.
UPDATE_COST = 10

_publish: Callable[..., None] = display.publish_display_data


class _Cell:
    """The assertions of one cell."""

    def __init__(self) -> None:
        self.display_id = uuid.uuid4().hex
        self.kept: list[dict[str, Any]] = []
        self.counts = {"pass": 0, "fail": 0, "error": 0}
        self.shown_count = 0
        self.next_update = 0.0
        self.publisher: object = None

    @property
    def count(self) -> int:
        return sum(self.counts.values())

    def add(self, event: dict[str, Any]) -> None:
        self.counts[event["kind"]] += 1
        if event["kind"] != "pass" or self.counts["pass"] <= PASSES_KEPT:
            self.kept.append(event)


class NotebookSink:
    """A sink for an IPython shell that a front end listens to.

    Parameters
    ----------
    shell
        Its ``pre_execute`` and ``post_execute`` events, which come for every cell, also when it
        fails or is interrupted, begin and end a cell's display.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._cell = _Cell()
        shell.events.register("pre_execute", self._start_cell)
        shell.events.register("post_execute", self._end_cell)

    def close(self) -> None:
        """Stop following the shell's cells."""
        self._shell.events.unregister("pre_execute", self._start_cell)
        self._shell.events.unregister("post_execute", self._end_cell)

    def __call__(self, message: dict[str, Any]) -> None:
        if message["type"] == "artifact":
            _publish(artifact_bundle(message["event"]))
            return
        self._cell.add(message["event"])
        if time.monotonic() >= self._cell.next_update:
            self._show()

    def _start_cell(self) -> None:
        with _sink.lock:
            self._cell = _Cell()

    def _end_cell(self) -> None:
        with _sink.lock:
            if self._cell.shown_count != self._cell.count:
                self._show()

    def _show(self) -> None:
        cell = self._cell
        count = cell.count
        publisher = self._shell.display_pub
        started = time.monotonic()
        _publish(
            assertions_bundle(cell.kept, cell.counts),
            transient={"display_id": cell.display_id},
            # What %%capture has taken is not on the page: there it is displayed, not updated.
            update=cell.publisher is publisher,
        )
        # After publishing, so that one that was interrupted is made up for at the cell's end.
        cell.publisher = publisher
        cell.shown_count = count
        now = time.monotonic()
        cell.next_update = now + max(UPDATE_INTERVAL, UPDATE_COST * (now - started))
