"""Shows events in a notebook: a display for each artifact, and one for a cell's assertions.

Not every client follows updates of a display: `jupyter run` and `jupyter console` print what comes first. So a cell's
assertions are displayed when the cell ends. A cell that takes longer shows before that how far it is, in a display that
updates; at the cell's end that display is emptied, and the last one comes as in any other cell.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from IPython import display
from IPython.core.displaypub import CapturingDisplayPublisher

from ._mime import artifact_bundle, assertions_bundle
from ._points import Tally

#: Passes of one cell that are kept in detail. All failures are kept, and the counts include everything.
PASSES_KEPT = 1000
#: Characters of one cell's assertions that are kept. The texts of later assertions are cut at `BRIEF` characters.
DETAIL_KEPT = 500_000
BRIEF = 30
#: Seconds from a cell's first assertion until it shows how far it is.
FIRST_UPDATE = 2.0
#: Seconds between two updates of a cell's display.
UPDATE_INTERVAL = 0.1
#: Large displays update less often: the pause is at least this many times as long as an update.
UPDATE_COST = 10

_publish: Callable[..., None] = display.publish_display_data


class _Cell:
    """The assertions of one cell."""

    def __init__(self) -> None:
        self.display_id = uuid.uuid4().hex
        self.kept: list[dict[str, Any]] = []
        self.counts = {"pass": 0, "fail": 0, "error": 0}
        self.worth = Tally()
        self.characters = 0
        self.shown_count = 0
        self.next_update = 0.0
        #: What the display was sent through; None: there is no display yet.
        self.publisher: object = None
        self.has_ended = False
        self.timer: asyncio.TimerHandle | None = None

    @property
    def count(self) -> int:
        return sum(self.counts.values())

    def add(self, event: dict[str, Any]) -> None:
        self.counts[event["kind"]] += 1
        self.worth.add(event)
        if event["kind"] != "pass" or self.counts["pass"] <= PASSES_KEPT:
            self.characters += sum(len(value) for value in event.values() if isinstance(value, str))
            self.kept.append(event if self.characters <= DETAIL_KEPT else _brief(event))


def _brief(event: dict[str, Any]) -> dict[str, Any]:
    return {
        key: f"{value[:BRIEF]}…" if isinstance(value, str) and len(value) > BRIEF else value
        for key, value in event.items()
    }


class NotebookSink:
    """A sink for an IPython shell with a front end.

    Parameters
    ----------
    shell
        Its events ``pre_execute`` and ``post_execute`` begin and end a cell's display. They happen for every cell, even if the
        cell fails or is interrupted.
    lock
        Held while the sink is called, and while it shows events.
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
        now = time.monotonic()
        if not cell.count and not cell.has_ended:
            cell.next_update = now + FIRST_UPDATE
        cell.add(message["event"])
        delay = cell.next_update - now
        # What `%%capture` takes has to be there when its block ends.
        if delay <= 0 or isinstance(self._shell.display_pub, CapturingDisplayPublisher):
            self._show(cell)
        else:
            self._show_later(cell, delay)

    def _start_cell(self) -> None:
        """Begin a cell, which may be inside another: code can call the shell's `run_cell`."""
        self._end_cell()
        with self._lock:
            self._cell = _Cell()

    def _end_cell(self) -> None:
        cell = self._cell
        with self._lock:
            if not cell.has_ended:
                cell.has_ended = True
                if cell.publisher is not None:
                    self._leave_display(cell)
        self._show_rest(cell)

    def _leave_display(self, cell: _Cell) -> None:
        """Empty the display that has shown how far the cell is. The next display is another one."""
        if cell.publisher is self._shell.display_pub:
            _publish({"text/plain": ""}, transient={"display_id": cell.display_id}, update=True)
        cell.display_id = uuid.uuid4().hex
        cell.publisher = None
        cell.shown_count = 0

    def _show_later(self, cell: _Cell, delay: float) -> None:
        """Show the last events before a long await, and those of a task that outlives its cell."""
        if cell.timer is None:
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:  # in a thread: the next assertion, or the cell's end, shows them
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
            assertions_bundle(cell.kept, cell.counts, cell.worth.points, so_far=not cell.has_ended),
            transient={"display_id": cell.display_id},
            # A display that %%capture has taken is not on the page, so it is shown anew there, not updated.
            update=cell.publisher is publisher,
        )
        # Set after publishing: if that was interrupted, the cell's end repeats it.
        cell.publisher = publisher
        cell.shown_count = count
        now = time.monotonic()
        cell.next_update = now + max(UPDATE_INTERVAL, UPDATE_COST * (now - started))
