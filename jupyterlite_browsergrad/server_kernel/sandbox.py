"""A Python in a sandbox: the kernel's worker in Deno, which may read its own runtime and nothing else.

::

    with Sandbox(folder) as sandbox:
        result = sandbox.execute("1 + 1")

or, where an event loop runs, whole messages::

    async for message in sandbox.request(sandbox.message("execute_request", {"code": "1 + 1"})):
        ...
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import queue
import subprocess
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from browsergrad._text import visible

from .. import paths
from . import frames
from .checks import checked_message, checked_text
from .deno import ENVIRONMENT, Permissions, SandboxError, command, find_deno, usage
from .folder import Folder
from .outgoing import Outgoing

__all__ = ["Limits", "Result", "Sandbox", "SandboxError", "find_deno"]

Message = dict[str, Any]

#: Of a sandbox's memory what is not Python's: Deno, the engine and compiled code.
OVERHEAD_BYTES = 768 << 20
#: More threads than Deno and the worker need under any load; only a bomb has as many.
MOST_THREADS = 64
#: Seconds from a cell's limit to the end of a process that does not end the cell.
GRACE_S = 10.0
#: Bytes that a request's messages may have beyond the limits of output and of replies, such as for its statuses.
SLACK_BYTES = 4 << 20
#: Seconds in which Deno takes the answer to a file request before it may make another one.
TAKES_S = 10.0
#: Characters of the log that one request may cause.
MOST_LOG = 100_000
#: What the answer says whose interpreter is gone.
LOST = "its variables are lost."


@dataclass(frozen=True)
class Limits:
    """What a sandbox may use; None means no limit."""

    #: Seconds a cell may run.
    cell_s: float | None = None
    #: Bytes of Python's memory; beyond it Python raises MemoryError.
    memory_bytes: int = 2 << 30
    #: Bytes of output one cell may write.
    output_bytes: int = 32 << 20
    #: Bytes the shared folder may grow by.
    disk_bytes: int = 1 << 30
    #: Files that may be added to it.
    files: int = 10_000
    #: Bytes of the longest file there that is read or written.
    file_bytes: int = 1 << 28
    #: Bytes of the longest reply.
    reply_bytes: int = 32 << 20
    #: Seconds Python has to start.
    start_s: float = 60.0


@dataclass
class Result:
    """What became of one cell.

    Attributes
    ----------
    lost
        Whether the interpreter was replaced or has ended: what the cell, and those before it, defined is gone.
    """

    reply: Message
    messages: list[Message] = field(default_factory=list)
    lost: bool = False

    @property
    def content(self) -> dict[str, Any]:
        """The reply's content."""
        content: dict[str, Any] = self.reply["content"]
        return content

    def of(self, msg_type: str) -> list[dict[str, Any]]:
        """Contents of the messages of one type."""
        return [message["content"] for message in self.messages if message["header"]["msg_type"] == msg_type]

    def text(self, name: str = "stdout") -> str:
        """What was written to a stream."""
        return "".join(str(content.get("text", "")) for content in self.of("stream") if content.get("name") == name)


@dataclass
class _Open:
    message: Message
    on_message: Callable[[Message], object] | None
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


class Sandbox:
    """One Python in one Deno process.

    Parameters
    ----------
    folder
        What Python sees as its working directory, read and write; None: it sees no folder of this machine.
    read_only
        Whether it may not write there.
    allow_hidden
        Whether names that begin with a dot exist.
    limits
        What it may use.
    session_id
        Id for messages that belong to no request.
    packages
        Folders with piplite indexes (``all.json``) that ``%pip install`` finds; readable for the sandbox.
    pyodide
        Folder of another Pyodide distribution; readable for the sandbox.
    kernel
        Folder of what that one starts from, as `jupyter lite build` makes it for a site; readable for the sandbox.
    allow_pypi
        Whether ``%pip install`` may ask PyPI. This opens the network to PyPI's hosts, for all code.
    from_files
        Whether Python starts from its files, though there may be a memory snapshot.
    brief
        Whether it is used for seconds: it then spends less on making code fast that does not run for long.
    on_message
        Called with each message that no `request` waits for, in a thread of the sandbox.
    on_exit
        Called with the reason when the process ends by itself, in a thread of the sandbox.
    on_log
        Called with what the runtime has to say: level, text.
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
        on_message: Callable[[Message], object] | None = None,
        on_exit: Callable[[str], None] | None = None,
        on_log: Callable[[str, str], None] | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.session_id = session_id or uuid.uuid4().hex
        self._folder = folder
        self._folder_options = {"read_only": read_only, "allow_hidden": allow_hidden}
        self._packages = [Path(path).resolve() for path in packages or []]
        self._pyodide = Path(pyodide).resolve() if pyodide else None
        self._kernel = Path(kernel).resolve() if kernel else None
        self._allow_pypi = allow_pypi
        self._from_files = from_files
        self._brief = brief
        #: How Python was started, ``snapshot`` or ``files``; None before it was.
        self.started_from: str | None = None
        self._on_message = on_message
        self._on_exit = on_exit
        self._on_log = on_log
        self._drive: Folder | None = None
        #: Set while no answer to a file request is on its way: Deno makes one after the other.
        self._file_taken = threading.Event()
        self._file_taken.set()
        self._process: subprocess.Popen[bytes] | None = None
        self._outgoing = Outgoing()
        self._open: dict[str, _Open] = {}
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._ended = threading.Event()
        #: Whether whatever was open has been answered, which is done once.
        self._finished = False
        self._reason: str | None = None
        #: Why it ended: ``asked``, ``start``, ``time``, ``memory``, ``output``, ``threads`` or ``crash``; None while it has not.
        self.cause: str | None = None
        #: How often the interpreter was replaced inside the sandbox.
        self.restarts = 0
        self._cell_s = self.limits.cell_s
        #: Bytes of messages since the last request began, and characters of its log.
        self._received_bytes = 0
        self._logged = 0
        self._stderr: list[str] = []
        #: Set at the end of what Deno writes about itself.
        self._said = threading.Event()

    # --- life

    def start(self) -> Sandbox:
        """Start Deno and return at once; requests wait until Python has booted.

        Raises
        ------
        SandboxError
            Deno is not installed, or cannot be started.
        """
        program = find_deno()
        static = Path(os.path.realpath(paths.static()))
        allowed = Permissions(
            static / "runtime" / "server.js",
            self.limits.memory_bytes,
            self._readable(static),
            self._allow_pypi,
            self._brief,
        )
        if self._folder is not None:
            self._drive = Folder(
                Path(self._folder),
                quota_bytes=self.limits.disk_bytes,
                quota_files=self.limits.files,
                file_bytes=self.limits.file_bytes,
                **self._folder_options,
            )
        try:
            self._process = subprocess.Popen(
                command(program, allowed),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=ENVIRONMENT,
                cwd="/",
                # Interrupts of the terminal or of Jupyter are meant for us, not for Deno.
                start_new_session=True,
            )
        except OSError as error:
            if self._drive is not None:
                self._drive.close()
            raise SandboxError(f"{program} could not be started: {error}") from error
        pyodide = self._pyodide or static / "pyodide"
        self._send(
            {
                "type": "start",
                "static_url": f"{static.as_uri()}/",
                "pyodide_url": f"{pyodide.as_uri()}/",
                "kernel_url": f"{(self._kernel or static / 'kernel').as_uri()}/",
                "session_id": self.session_id,
                "shares_folder": self._drive is not None,
                "piplite_urls": [f"{folder.as_uri()}/all.json" for folder in self._packages],
                "disable_pypi": not self._allow_pypi,
                "from_files": self._from_files,
                "cell_ms": self._cell_s and round(self._cell_s * 1000),
                "output_bytes": self.limits.output_bytes,
                "reply_bytes": self.limits.reply_bytes,
                "file_bytes": self.limits.file_bytes,
            }
        )
        try:
            for work in (self._write, self._read_errors, self._read, self._watch):
                threading.Thread(target=work, name=f"sandbox{work.__name__}", daemon=True).start()
        except RuntimeError as error:
            self.kill(f"no thread could be started: {error}")
            raise SandboxError(f"the sandbox could not be started: {error}") from error
        return self

    def _readable(self, static: Path) -> list[Path]:
        """What Deno may read."""
        readable = [static, *self._packages, *([self._pyodide] if self._pyodide else [])]
        if self._kernel:
            packs = json.loads((self._kernel / "manifest.json").read_text("utf-8"))["packs"].values()
            readable += [self._kernel, *dict.fromkeys((self._kernel / pack["file"]).resolve() for pack in packs)]
        return readable

    @property
    def pid(self) -> int | None:
        """Id of the Deno process."""
        return self._process.pid if self._process else None

    @property
    def is_alive(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and not self._ended.is_set()

    def wait_ready(self, timeout_s: float | None = None) -> None:
        """Wait until Python has booted.

        Raises
        ------
        SandboxError
            It did not.
        """
        if not self._ready.wait(self.limits.start_s if timeout_s is None else timeout_s):
            self.kill("Python did not start in time", "start")
        if self._ended.is_set():
            raise SandboxError(self._reason or "the sandbox has ended")

    def kill(self, reason: str = "the sandbox was ended", cause: str = "asked") -> None:
        """End the process at once; what is open is answered with an error. Does nothing a second time.

        It waits for nothing that the sandbox could hold up: not for the thread that reads from it, nor for a file request.
        """
        self._why(reason, cause)
        self._end_process()
        self._finish()

    def limit_cells(self, seconds: float | None) -> None:
        """Give the cells that are sent from now on another limit of time."""
        self._cell_s = seconds
        self._send({"type": "limit", "cell_ms": seconds and round(seconds * 1000)})

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.kill()

    # --- messages

    def message(
        self, msg_type: str, content: dict[str, Any], buffers: list[bytes] | None = None, channel: str = "shell"
    ) -> Message:
        """Make a message for `request` or `send`."""
        return {
            "channel": channel,
            "header": {
                "msg_id": uuid.uuid4().hex,
                "msg_type": msg_type,
                "session": self.session_id,
                "username": "browsergrad",
                "date": datetime.now(UTC).isoformat(),
                "version": "5.4",
            },
            "parent_header": {},
            "metadata": {},
            "content": content,
            "buffers": buffers or [],
        }

    def send(self, message: Message, on_message: Callable[[Message], object] | None = None) -> None:
        """Send a message; answers go to `on_message`, else to the sandbox's own.

        Whatever happens, a request is answered by a reply and an idle status.
        """
        header = message["header"]
        if header["msg_type"] == "input_reply":
            self._post(message)
            return
        with self._lock:
            first = not self._open
            self._open[header["msg_id"]] = _Open(message, on_message)
            if first:
                self._received_bytes = self._logged = 0
                self._begin_time()
        if self._ended.is_set() or self._process is None:
            self._fail_open()
        else:
            self._post(message)

    async def request(self, message: Message) -> AsyncIterator[Message]:
        """Send a message and yield all that belongs to it, up to both the reply and the idle status.

        Input requests are among it; answer them by `input_reply`.
        """
        loop = asyncio.get_running_loop()
        received: asyncio.Queue[Message] = asyncio.Queue()
        self.send(message, lambda answer: loop.call_soon_threadsafe(received.put_nowait, answer))
        replied = not message["header"]["msg_type"].endswith("_request")
        idle = False
        while not (replied and idle):
            answer = await received.get()
            replied = replied or answer["channel"] in ("shell", "control")
            idle = idle or answer["content"].get("execution_state") == "idle"
            yield answer

    def execute(self, code: str, **content: Any) -> Result:
        """Run a cell and wait for its end; for programs without an event loop.

        Parameters
        ----------
        code
            The cell.
        content
            More of the ``execute_request``'s content.
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
        reply, messages = self._ask(self.message("execute_request", request))
        lost = self._ended.is_set()
        if not lost and LOST in str(reply["content"].get("evalue", "")):
            # User code can write this too. That the interpreter was replaced is said after the reply, and before that to another request.
            self._ask(self.message("interrupt_request", {}, channel="control"))
            lost = self._ended.is_set() or self.restarts != restarts
        return Result(reply, messages, lost)

    def _ask(self, message: Message) -> tuple[Message, list[Message]]:
        """Send a request and wait for its reply and all else that belongs to it."""
        received: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self.send(message, received.put)
        messages, reply, idle = [], None, False
        while reply is None or not idle:
            answer = received.get()
            if answer["channel"] in ("shell", "control"):
                reply = answer
            else:
                messages.append(answer)
            idle = idle or answer["content"].get("execution_state") == "idle"
        return reply, messages

    def interrupt(self) -> None:
        """Interrupt the running cell and drop those that wait; nothing happens when idle."""
        self._send({"type": "interrupt"})

    def input_reply(self, value: str) -> None:
        """Answer an ``input_request``."""
        self.send(self.message("input_reply", {"value": value}, channel="stdin"))

    def _post(self, message: Message) -> None:
        rest = {key: message[key] for key in ("channel", "header", "parent_header", "metadata", "content")}
        buffers = [bytes(buffer) for buffer in message.get("buffers") or []]
        self._send({"type": "message", "message": rest}, buffers)

    def _send(
        self, frame: dict[str, Any], buffers: list[bytes] | None = None, written: Callable[[], None] | None = None
    ) -> None:
        self._outgoing.put(frames.pieces(frame, buffers), written)

    # --- the threads

    def _write(self) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._outgoing.write_to(self._process.stdin)

    def _read(self) -> None:
        """Take what comes until the pipe's end. Whatever goes wrong with it ends the sandbox, and nothing else."""
        assert self._process is not None and self._process.stdout is not None
        limits = self.limits
        most_text = max(limits.output_bytes, limits.reply_bytes) + SLACK_BYTES
        most_bytes = max(limits.output_bytes, limits.file_bytes) + SLACK_BYTES
        try:
            with self._process.stdout as pipe:
                while (received := frames.read(pipe, most_text, most_bytes)) is not None and not self._ended.is_set():
                    self._receive(*received)
                    del received
        except Exception as error:
            self._why(f"the sandbox sent an invalid message ({error or type(error).__name__})", "crash")
        self._end_process()
        self._finish()

    def _read_errors(self) -> None:
        assert self._process is not None and self._process.stderr is not None
        with contextlib.suppress(OSError, ValueError), self._process.stderr as pipe:
            while line := pipe.readline(4096):
                text = visible(line.decode(errors="replace").rstrip())
                self._stderr = [*self._stderr[-19:], text]
                self._log("error", text)
        self._said.set()

    def _watch(self) -> None:
        """End a process that uses too much, or does not end a cell whose time is over."""
        assert self._process is not None
        started = time.monotonic()
        most, most_threads = self.limits.memory_bytes + OVERHEAD_BYTES, MOST_THREADS
        while not self._ended.wait(0.1):
            try:
                found = self._excess(started, most, most_threads)
            except Exception as error:  # a sandbox that nobody watches has no limits
                found = f"the sandbox could not be watched: {error}", "crash"
            if found:
                self.kill(*found)
                return

    def _excess(self, started: float, most: int, most_threads: int) -> tuple[str, str] | None:
        """What the sandbox has too much of, as `kill` takes it."""
        assert self._process is not None
        memory, threads = usage(self._process.pid)
        with self._lock:
            deadlines = [entry.deadline for entry in self._open.values() if entry.deadline]
        # What it made us hold is its memory too.
        if memory + self._outgoing.held_bytes + self._received_bytes > most:
            return f"the sandbox used more memory than its limit of {most >> 20} MB", "memory"
        if threads > most_threads:
            return f"the sandbox started more than {most_threads} threads", "threads"
        if any(deadline < time.monotonic() for deadline in deadlines):
            return f"the cell ran longer than its limit of {self._cell_s} s and did not end", "time"
        if not self._ready.is_set() and time.monotonic() - started > self.limits.start_s:
            return f"Python did not start within {self.limits.start_s} s", "start"
        return None

    def _receive(self, frame: dict[str, Any], buffers: list[bytes]) -> None:
        kind = frame["type"]
        if kind == "drive" and self._drive is not None:
            self._answer_file(self._drive, frame, buffers)
            return
        self._received_bytes += frame["size"]
        if self._received_bytes > self.limits.output_bytes + self.limits.reply_bytes + SLACK_BYTES:
            self._why(f"the cell wrote more than its limit of {self.limits.output_bytes} bytes", "output")
            raise frames.FrameError("too much output")
        if kind == "message":
            self._relay(checked_message(frame.get("message"), buffers))
        elif kind == "ready":
            self.started_from = checked_text(frame, "from", 100)
            if not self._ready.is_set():
                self._ready.set()
                with self._lock:
                    self._begin_time()
        elif kind == "failed":
            self._why(f"Python did not start: {checked_text(frame, 'message')}", "start")
            raise frames.FrameError("Python did not start")
        elif kind == "restarted":
            self.restarts += 1
            self._log("warning", f"restarted: {checked_text(frame, 'reason')}")
        elif kind == "log":
            self._log(checked_text(frame, "level", 100), checked_text(frame, "text"))
        else:
            raise frames.FrameError(f"a frame of the unknown type {kind[:100]!r}")

    def _answer_file(self, drive: Folder, frame: dict[str, Any], buffers: list[bytes]) -> None:
        """Answer a file request; the next one is read only after Deno has taken the answer."""
        number = frame.get("id")
        if type(number) is not int or not self._file_taken.wait(TAKES_S):
            raise frames.FrameError("a file request before the answer to the last one was taken")
        self._file_taken.clear()
        answer, data = drive.answer(frame, buffers)
        self._send({"type": "drive", "id": number, "answer": answer}, data, self._file_taken.set)

    def _relay(self, message: Message) -> None:
        with self._lock:
            entry = self._open.get(message["parent_header"].get("msg_id", ""))
        if entry is not None:
            if message["header"]["msg_type"] == "status":
                state = message["content"].get("execution_state")
                entry.busy |= state == "busy"
                entry.idle |= state == "idle"
            elif message["channel"] in ("shell", "control"):
                entry.replied = True
            if entry.is_over:
                self._close(entry)
        self._deliver(entry, message)

    def _close(self, entry: _Open) -> None:
        with self._lock:
            self._open.pop(entry.message["header"]["msg_id"], None)
            self._received_bytes = self._logged = 0
            self._begin_time()

    def _begin_time(self) -> None:
        """Begin the time of the request that is the first now, if Python is there: how long that takes has a limit of its own."""
        first = next(iter(self._open.values()), None)
        if self._cell_s and first is not None and self._ready.is_set():
            first.deadline = time.monotonic() + self._cell_s + GRACE_S

    def _deliver(self, entry: _Open | None, message: Message) -> None:
        receiver = (entry.on_message if entry else None) or self._on_message
        if receiver is not None:
            try:
                receiver(message)
            except Exception as error:  # such as an event loop that was closed: others still want their messages
                self._log("error", f"a message was not taken: {type(error).__name__}: {error}")

    def _log(self, level: str, text: str) -> None:
        """Hand on what is to be logged: so much for each request, without control characters."""
        room = MOST_LOG - self._logged
        self._logged += len(text) + 1
        if self._on_log is None or room <= 0:
            return
        with contextlib.suppress(Exception):  # there is nowhere left to say it
            self._on_log(level, visible(text if len(text) <= room else f"{text[:room]}… (the rest is left out)"))

    # --- the end

    def _why(self, reason: str, cause: str) -> None:
        """Note why the sandbox ends; what is said first counts."""
        with self._lock:
            if self._reason is None:
                self._reason, self.cause = visible(reason), cause

    def _end_process(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):  # it hangs in the system, where nothing more can be done
            status = self._process.wait(10)
            if self._reason is None:
                self._said.wait(1)
            lines = self._stderr
            said = next((f": {line}" for line in lines if line.startswith("error")), f": {lines[-1]}" if lines else "")
            if any("out of memory" in line.lower() for line in self._stderr):
                self._why(f"the sandbox ran out of memory{said}", "memory")
            self._why(f"Deno ended with status {status}{said}", "crash")

    def _finish(self) -> None:
        """Answer whatever is open and give back what is held. The first thread to get here does it."""
        if self._process is None:
            return
        with self._lock:
            first, self._finished = not self._finished, True
        if not first:
            return
        self._why("the sandbox ended", "crash")
        self._ended.set()
        self._ready.set()
        self._file_taken.set()
        self._outgoing.close()
        if self._drive is not None:
            self._drive.close()
        self._fail_open()
        if self._on_exit is not None and self.cause != "asked":
            with contextlib.suppress(Exception):  # it is theirs, and may have ended before
                self._on_exit(self._reason or "")

    def _fail_open(self) -> None:
        """Answer whatever has no answer: a front end must never wait for ever."""
        reason = self._reason or "the sandbox has not been started"
        with self._lock:
            entries = list(self._open.values())
            self._open.clear()
        for entry in entries:
            header = entry.message["header"]
            error = {
                "ename": "KernelDied",
                "evalue": f"The Python kernel stopped; {LOST} Cause: {reason}",
            }
            error["traceback"] = [f"{error['ename']}: {error['evalue']}"]  # type: ignore[assignment]
            if not entry.busy:
                self._synthesize(entry, "iopub", "status", {"execution_state": "busy"})
            if not entry.replied and header["msg_type"] == "execute_request":
                self._synthesize(entry, "iopub", "error", error)
            if not entry.replied and entry.needs_reply:
                reply = {"status": "error", **error, "execution_count": 0, "user_expressions": {}, "payload": []}
                channel = entry.message.get("channel", "shell")
                self._synthesize(entry, channel, header["msg_type"].replace("_request", "_reply"), reply)
            if not entry.idle:
                self._synthesize(entry, "iopub", "status", {"execution_state": "idle"})

    def _synthesize(self, entry: _Open, channel: str, msg_type: str, content: dict[str, Any]) -> None:
        message = self.message(msg_type, content, channel=channel)
        message["parent_header"] = entry.message["header"]
        self._deliver(entry, message)
