"""A Python in a sandbox: the kernel's worker in Deno, which may read only its own runtime.

::

    with Sandbox(folder) as sandbox:
        result = sandbox.execute("1 + 1")

or, in an event loop, with whole messages::

    async for message in sandbox.request(sandbox.message("execute_request", {"code": "1 + 1"})):
        ...
"""

from __future__ import annotations

import contextlib
import os
import threading
import uuid
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

from .. import paths
from . import frames
from .cell_result import Result
from .checks import checked_message, checked_text
from .deno import SandboxError, command, find_deno
from .deno_process import DenoProcess
from .ending import Ending
from .file_requests import FileRequests
from .launch import Launch
from .limits import Limits
from .messages import Message, Receiver, ask, ask_async, make_message
from .pending import LOST, Pending
from .request_log import RequestLog
from .watch import Watch

__all__ = ["Limits", "Result", "Sandbox", "SandboxError", "find_deno"]

#: Bytes that a request's messages may have in addition to the limits of output and replies, for example for its statuses.
SLACK_BYTES = 4 << 20


class Sandbox:
    """One Python in one Deno process.

    Parameters
    ----------
    folder
        Python's working directory, which it may read and write. If None, Python has no folder of this machine.
    read_only
        Whether Python may only read there.
    allow_hidden
        Whether Python sees names that begin with a dot.
    limits
        What the sandbox may use.
    session_id
        Id for messages that belong to no request.
    packages
        Folders with piplite indexes (``all.json``) that ``%pip install`` finds; readable for the sandbox.
    pyodide
        Folder of another Pyodide distribution; readable for the sandbox.
    kernel
        Folder of the files from which that distribution starts, as `jupyter lite build` makes it for a site; readable for the sandbox.
    allow_pypi
        Whether ``%pip install`` may ask PyPI. This opens the network to PyPI's hosts, for all code.
    from_files
        Whether Python starts from its files even if there is a memory snapshot.
    brief
        Whether it is used only for seconds. Then it spends less time on optimising code.
    on_message
        Called in a thread of the sandbox with each message that no `request` waits for.
    on_exit
        Called in a thread of the sandbox, with the reason, when the process ends by itself.
    on_log
        Called with level and text of each entry in the runtime's log.
    """

    def __init__(
        self,
        folder: Path | str | None = None,
        *,
        read_only: bool = False,
        allow_hidden: bool = False,
        limits: Limits | None = None,
        session_id: str | None = None,
        packages: list[Path] | None = None,
        pyodide: Path | None = None,
        kernel: Path | None = None,
        allow_pypi: bool = False,
        from_files: bool = False,
        brief: bool = False,
        on_message: Receiver | None = None,
        on_exit: Callable[[str], None] | None = None,
        on_log: Callable[[str, str], None] | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.session_id = session_id or uuid.uuid4().hex
        #: How Python was started, ``snapshot`` or ``files``; None before it has started.
        self.started_from: str | None = None
        #: How often the interpreter was replaced inside the sandbox.
        self.restarts = 0
        self._launch = Launch(
            folder,
            {"read_only": read_only, "allow_hidden": allow_hidden},
            [Path(path).resolve() for path in packages or []],
            Path(pyodide).resolve() if pyodide else None,
            Path(kernel).resolve() if kernel else None,
            allow_pypi,
            from_files,
            brief,
        )
        self._on_exit = on_exit
        self._log = RequestLog(on_log)
        self._pending = Pending(self.session_id, on_message, self._log, self.limits.cell_s)
        self._process = DenoProcess(partial(self._log, "error"))
        self._files: FileRequests | None = None
        self._ready = threading.Event()
        self._ending = Ending()

    # --- life

    def start(self) -> Sandbox:
        """Start Deno. This does not wait for Python; requests wait until Python has started.

        Raises
        ------
        SandboxError
            Deno is not installed, or cannot be started.
        """
        program = find_deno()
        static = Path(os.path.realpath(paths.static()))
        allowed = self._launch.permissions(static, self.limits)
        folder = self._launch.open_folder(self.limits)
        self._files = None if folder is None else FileRequests(folder, self._process.send)
        try:
            self._process.start(command(program, allowed))
        except SandboxError:
            if folder is not None:
                folder.close()
            raise
        self._process.send(self._launch.frame(static, self.limits, self.session_id, self._pending.cell_s))
        try:
            for work in (self._process.write, self._process.read_errors, self._read, self._watch):
                threading.Thread(target=work, name=f"sandbox_{work.__name__.lstrip('_')}", daemon=True).start()
        except RuntimeError as error:
            self.kill(f"no thread could be started: {error}")
            raise SandboxError(f"the sandbox could not be started: {error}") from error
        return self

    @property
    def pid(self) -> int | None:
        """Id of the Deno process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process has been started and has not ended."""
        return self._process.pid is not None and not self._ending.reached.is_set()

    @property
    def cause(self) -> str | None:
        """Why it ended: ``asked``, ``start``, ``time``, ``memory``, ``output``, ``threads`` or ``crash``; None before it has ended."""
        return self._ending.cause

    def wait_ready(self, timeout_s: float | None = None) -> None:
        """Wait until Python has started.

        Raises
        ------
        SandboxError
            It did not start.
        """
        if not self._ready.wait(self.limits.start_s if timeout_s is None else timeout_s):
            self.kill("Python did not start in time", "start")
        if self._ending.reached.is_set():
            raise SandboxError(self._ending.reason or "the sandbox has ended")

    def kill(self, reason: str = "the sandbox was ended", cause: str = "asked") -> None:
        """End the process. Open requests are answered with an error. A second call does nothing.

        This does not wait for anything that the sandbox could delay, such as the thread that reads from it, or a file request.
        """
        self._ending.note(reason, cause)
        self._finish()

    def limit_cells(self, seconds: float | None) -> None:
        """Set another time limit for the cells that are sent from now on."""
        self._pending.cell_s = seconds
        self._process.send({"type": "limit", "cell_ms": seconds and round(seconds * 1000)})

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.kill()

    # --- messages

    def message(
        self, msg_type: str, content: dict[str, Any], buffers: list[bytes] | None = None, channel: str = "shell"
    ) -> Message:
        """Make a message for `request` or `send`."""
        return make_message(self.session_id, msg_type, content, buffers, channel)

    def send(self, message: Message, on_message: Receiver | None = None) -> None:
        """Send a message. Answers go to `on_message`, by default to that of the sandbox.

        Whatever happens, a request is answered by a reply and an idle status.
        """
        if message["header"]["msg_type"] == "input_reply":
            self._post(message)
            return
        self._pending.add(message, on_message)
        if self.is_alive:
            self._post(message)
        else:
            self._pending.fail(self._ending.reason or "the sandbox has not been started")

    def request(self, message: Message) -> AsyncIterator[Message]:
        """Send a request, and yield all messages that belong to it, until both the reply and the idle status have come.

        These may include input requests. Answer them with `input_reply`.
        """
        return ask_async(self.send, message)

    def execute(self, code: str, **content: Any) -> Result:
        """Run a cell and wait for its end. For programs without an event loop.

        Parameters
        ----------
        code
            The cell.
        content
            Further fields of the ``execute_request``'s content.
        """
        restarts = self.restarts
        request = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
            **content,
        }
        reply, messages = ask(self.send, self.message("execute_request", request))
        lost = self._ending.reached.is_set()
        if not lost and LOST in str(reply["content"].get("evalue", "")):
            # User code can write this too. But that the interpreter was replaced is reported after the reply, and before the reply to another
            # request.
            ask(self.send, self.message("interrupt_request", {}, channel="control"))
            lost = self._ending.reached.is_set() or self.restarts != restarts
        return Result(reply, messages, lost)

    def interrupt(self) -> None:
        """Interrupt the running cell and drop those that wait. Does nothing when idle."""
        self._process.send({"type": "interrupt"})

    def input_reply(self, value: str) -> None:
        """Answer an ``input_request``."""
        self.send(self.message("input_reply", {"value": value}, channel="stdin"))

    def _post(self, message: Message) -> None:
        rest = {key: message[key] for key in ("channel", "header", "parent_header", "metadata", "content")}
        buffers = [bytes(buffer) for buffer in message.get("buffers") or []]
        self._process.send({"type": "message", "message": rest}, buffers)

    # --- the threads

    def _read(self) -> None:
        """Read frames until the pipe ends. Any error in this ends the sandbox, and nothing else."""
        limits, ended = self.limits, self._ending.reached
        most_text = max(limits.output_bytes, limits.reply_bytes) + SLACK_BYTES
        most_bytes = max(limits.output_bytes, limits.file_bytes) + SLACK_BYTES
        try:
            with self._process.output as pipe:
                while (received := frames.read(pipe, most_text, most_bytes)) is not None and not ended.is_set():
                    self._receive(*received)
                    del received
        except Exception as error:
            self._ending.note(f"the sandbox sent an invalid message ({error or type(error).__name__})", "crash")
        self._finish()

    def _watch(self) -> None:
        """End a process that uses too much, or that does not end a cell whose time is over."""
        watch = Watch(self.limits, self._process, self._pending)
        while not self._ending.reached.wait(0.1):
            try:
                found = watch.excess(self._ready.is_set())
            except Exception as error:  # without this thread, the sandbox would have no limits
                found = f"the sandbox could not be watched: {error}", "crash"
            if found:
                self.kill(*found)
                return

    def _receive(self, frame: dict[str, Any], buffers: list[bytes]) -> None:
        kind = frame["type"]
        if kind == "drive" and self._files is not None:
            self._files.answer(frame, buffers)
            return
        self._pending.received_bytes += frame["size"]
        if self._pending.received_bytes > self.limits.output_bytes + self.limits.reply_bytes + SLACK_BYTES:
            self._ending.note(f"the cell wrote more than its limit of {self.limits.output_bytes} bytes", "output")
            raise frames.FrameError("too much output")
        if kind == "message":
            self._pending.relay(checked_message(frame.get("message"), buffers))
        elif kind == "ready":
            self.started_from = checked_text(frame, "from", 100)
            if not self._ready.is_set():
                self._pending.begin_time()
                self._ready.set()
        elif kind == "failed":
            self._ending.note(f"Python did not start: {checked_text(frame, 'message')}", "start")
            raise frames.FrameError("Python did not start")
        elif kind == "restarted":
            self.restarts += 1
            self._log("warning", f"restarted: {checked_text(frame, 'reason')}")
        elif kind == "log":
            self._log(checked_text(frame, "level", 100), checked_text(frame, "text"))
        else:
            raise frames.FrameError(f"a frame of the unknown type {kind[:100]!r}")

    def _finish(self) -> None:
        """End the process. The first thread that gets here also answers open requests and releases resources."""
        if self._process.pid is None:
            return
        told = self._process.end(lambda: self._ending.reason is not None)
        if told is not None:
            self._ending.note(*told)
        if not self._ending.take():
            return
        self._ending.note("the sandbox ended", "crash")
        self._ending.reached.set()
        self._ready.set()
        self._process.close()
        if self._files is not None:
            self._files.close()
        self._pending.fail(self._ending.reason or "")
        if self._on_exit is not None and self.cause != "asked":
            with contextlib.suppress(Exception):  # it belongs to the caller, and may have been closed before
                self._on_exit(self._ending.reason or "")
