"""The requests that a sandbox has not finished. Each gets a reply and an idle status, whatever happens."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from .messages import Message, Receiver, make_message
from .request_log import RequestLog

__all__ = ["LOST", "OpenRequest", "Pending"]

#: Seconds after a cell's time limit when the process is ended, if it has not ended the cell.
GRACE_S = 10.0
#: Answer to a request whose interpreter has ended.
LOST = "its variables are lost."


@dataclass
class OpenRequest:
    """A message that was sent, and the parts of its answer that have come."""

    message: Message
    on_message: Receiver | None
    #: `time.monotonic()` at which the sandbox is ended because of this request; None before its time has begun.
    deadline: float | None = None
    busy: bool = False
    replied: bool = False
    idle: bool = False

    @property
    def needs_reply(self) -> bool:
        return bool(self.message["header"]["msg_type"].endswith("_request"))

    @property
    def is_over(self) -> bool:
        return self.idle and (self.replied or not self.needs_reply)

    def note(self, message: Message) -> None:
        """Note a message that has come for the request."""
        if message["header"]["msg_type"] == "status":
            state = message["content"].get("execution_state")
            self.busy |= state == "busy"
            self.idle |= state == "idle"
        elif message["channel"] in ("shell", "control"):
            self.replied = True


class Pending:
    """Open requests, in the order in which they were sent. Several threads use this.

    Parameters
    ----------
    session_id
        The session of messages that are made here.
    on_message
        Called with each message that belongs to no open request.
    log
        Gets a line about each message that was dropped. Its count starts again with each request.
    cell_s
        Seconds that a cell may run, or None.
    """

    def __init__(self, session_id: str, on_message: Receiver | None, log: RequestLog, cell_s: float | None) -> None:
        self.cell_s = cell_s
        #: Bytes of messages since the last request began.
        self.received_bytes = 0
        self._session_id = session_id
        self._on_message = on_message
        self._log = log
        self._open: dict[str, OpenRequest] = {}
        self._is_timed = False
        self._lock = threading.Lock()

    def add(self, message: Message, on_message: Receiver | None) -> OpenRequest:
        """Add a request before it is sent."""
        entry = OpenRequest(message, on_message)
        with self._lock:
            first = not self._open
            self._open[message["header"]["msg_id"]] = entry
            if first:
                self._begin()
        return entry

    def begin_time(self) -> None:
        """Python has started: the time of requests counts from now on. The start has a limit of its own."""
        with self._lock:
            self._is_timed = True
            self._begin_time()

    def is_late(self) -> bool:
        """Tell whether a request is past its deadline."""
        now = time.monotonic()
        with self._lock:
            return any(entry.deadline is not None and entry.deadline < now for entry in self._open.values())

    def relay(self, message: Message) -> None:
        """Pass a message to the request that it belongs to. The message may complete the request."""
        with self._lock:
            entry = self._open.get(message["parent_header"].get("msg_id", ""))
        if entry is not None:
            entry.note(message)
            if entry.is_over:
                with self._lock:
                    self._open.pop(entry.message["header"]["msg_id"], None)
                    self._begin()
        self._deliver(entry, message)

    def fail(self, reason: str) -> None:
        """Answer all open requests with an error, since a front end must never wait for ever."""
        with self._lock:
            entries = list(self._open.values())
            self._open.clear()
        for entry in entries:
            self._fail(entry, reason)

    def _begin(self) -> None:
        """Start to count for the request that is now the first."""
        self.received_bytes = 0
        self._log.begin()
        self._begin_time()

    def _begin_time(self) -> None:
        first = next(iter(self._open.values()), None)
        if self.cell_s and first is not None and self._is_timed:
            first.deadline = time.monotonic() + self.cell_s + GRACE_S

    def _deliver(self, entry: OpenRequest | None, message: Message) -> None:
        receiver = (entry.on_message if entry else None) or self._on_message
        if receiver is not None:
            try:
                receiver(message)
            except (
                Exception
            ) as error:  # for example because an event loop was closed: other requests must still get their messages
                self._log("error", f"a message was not taken: {type(error).__name__}: {error}")

    def _fail(self, entry: OpenRequest, reason: str) -> None:
        msg_type = entry.message["header"]["msg_type"]
        ename, evalue = "KernelDied", f"The Python kernel stopped; {LOST} Cause: {reason}"
        error = {"ename": ename, "evalue": evalue, "traceback": [f"{ename}: {evalue}"]}
        if not entry.busy:
            self._make_up(entry, "iopub", "status", {"execution_state": "busy"})
        if not entry.replied and msg_type == "execute_request":
            self._make_up(entry, "iopub", "error", error)
        if not entry.replied and entry.needs_reply:
            reply = {"status": "error", **error, "execution_count": 0, "user_expressions": {}, "payload": []}
            channel = entry.message.get("channel", "shell")
            self._make_up(entry, channel, msg_type.replace("_request", "_reply"), reply)
        if not entry.idle:
            self._make_up(entry, "iopub", "status", {"execution_state": "idle"})

    def _make_up(self, entry: OpenRequest, channel: str, msg_type: str, content: dict[str, Any]) -> None:
        message = make_message(self._session_id, msg_type, content, channel=channel)
        message["parent_header"] = entry.message["header"]
        self._deliver(entry, message)
