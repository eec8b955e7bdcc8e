"""Shows events in a notebook: a display for each artifact, one that updates for a cell's assertions."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from IPython import display

from ._mime import artifact_bundle, assertions_bundle

#: Passes of one cell whose detail is kept; that of failures always is, and counts are exact.
PASSES_KEPT = 1000
#: Characters of one cell's assertions that are kept as they are; the texts of later ones are cut at `BRIEF`.
DETAIL_KEPT = 500_000
BRIEF = 30
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
        self.characters = 0
        self.shown_count = 0
        self.next_update = 0.0
        self.publisher: object = None
        self.timer: asyncio.TimerHandle | None = None

    @property
    def count(self) -> int:
        return sum(self.counts.values())

    def add(self, event: dict[str, Any]) -> None:
        self.counts[event["kind"]] += 1
        if event["kind"] != "pass" or self.counts["pass"] <= PASSES_KEPT:
            self.characters += sum(len(value) for value in event.values() if isinstance(value, str))
            self.kept.append(event if self.characters <= DETAIL_KEPT else _brief(event))


def _brief(event: dict[str, Any]) -> dict[str, Any]:
    return {
        key: f"{value[:BRIEF]}…" if isinstance(value, str) and len(value) > BRIEF else value
        for key, value in event.items()
    }


class NotebookSink:
    """A sink for an IPython shell that a front end listens to.

    Parameters
    ----------
    shell
        Its ``pre_execute`` and ``post_execute`` events, which come for every cell, also when it
        fails or is interrupted, begin and end a cell's display.
    lock
        Held while the sink is called, and while it shows what has come.
    """

    def __init__(self, shell: Any, lock: AbstractContextManager[Any]) -> None:
        self._shell = shell
        self._lock = lock
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
        cell = self._cell
        cell.add(message["event"])
        delay = cell.next_update - time.monotonic()
        if delay <= 0:
            self._show(cell)
        else:
            self._show_later(cell, delay)

    def _start_cell(self) -> None:
        with self._lock:
            self._cell = _Cell()

    def _end_cell(self) -> None:
        self._show_rest(self._cell)

    def _show_later(self, cell: _Cell, delay: float) -> None:
        """Show what comes last before a long await, or from a task that outlives its cell."""
        if cell.timer is None:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:  # a thread: the next assertion or the cell's end shows it
                return
            cell.timer = loop.call_later(delay, self._show_rest, cell)

    def _show_rest(self, cell: _Cell) -> None:
        with self._lock:
            if cell.timer is not None:
                cell.timer.cancel()
                cell.timer = None
            if cell.shown_count != cell.count:
                self._show(cell)

    def _show(self, cell: _Cell) -> None:
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
