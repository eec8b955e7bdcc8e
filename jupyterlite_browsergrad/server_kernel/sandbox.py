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
import fcntl
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import paths
from ..errors import BrowsergradError
from . import frames
from .folder import Folder

__all__ = ["Limits", "Result", "Sandbox", "SandboxError", "find_deno"]

Message = dict[str, Any]

#: Of a sandbox's memory what is not Python's: Deno, the engine and compiled code.
OVERHEAD_BYTES = 768 << 20
#: More threads than Deno and the worker need under any load; only a bomb has as many.
MOST_THREADS = 64
#: How the names of scratch folders begin.
SCRATCH = "browsergrad-sandbox-"
#: Seconds after which a scratch folder without a lock is one of a process that was killed.
STALE_S = 60.0
#: Seconds from a cell's limit to the end of a process that does not end the cell.
GRACE_S = 10.0
#: Where PyPI and its files are.
PYPI_HOSTS = ("pypi.org", "files.pythonhosted.org")
#: Node's modules that a browser has not: to the worker they do not exist. A list, since an import map knows no wildcard.
_NODE = """assert assert/strict async_hooks buffer child_process cluster console constants crypto dgram
diagnostics_channel dns dns/promises domain events fs fs/promises http http2 https inspector inspector/promises module
net os path path/posix path/win32 perf_hooks process punycode querystring readline readline/promises repl sea sqlite
stream stream/consumers stream/promises stream/web string_decoder sys test test/reporters timers timers/promises tls
trace_events tty url util util/types v8 vm wasi worker_threads zlib""".split()  # noqa: SIM905 - one name a line would hide the rest
_REFUSED = "data:text/javascript,throw new Error('the sandbox has no modules of Node')"

_finding = threading.Lock()


class SandboxError(BrowsergradError, RuntimeError):
    """A sandbox could not be started, or ended."""


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
    #: Seconds Python has to start.
    start_s: float = 60.0


@dataclass
class Result:
    """What became of one cell."""

    reply: Message
    messages: list[Message] = field(default_factory=list)

    @property
    def content(self) -> dict[str, Any]:
        """The reply's content."""
        return self.reply["content"]

    def of(self, msg_type: str) -> list[dict[str, Any]]:
        """Contents of the messages of one type."""
        return [message["content"] for message in self.messages if message["header"]["msg_type"] == msg_type]

    def text(self, name: str = "stdout") -> str:
        """What was written to a stream."""
        return "".join(content["text"] for content in self.of("stream") if content["name"] == name)


@dataclass
class _Open:
    message: Message
    on_message: Callable[[Message], None] | None
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


def find_deno() -> str:
    """Return the path of Deno.

    Raises
    ------
    SandboxError
        There is none.
    """
    # One thread at a time: `sysconfig`, which it asks, answers others with None while the first one is reading.
    with _finding, contextlib.suppress(ImportError, OSError):
        import deno  # the PyPI package, which holds the program

        return str(deno.find_deno_bin())
    beside = Path(sys.executable).with_name("deno")
    found = str(beside) if beside.is_file() else shutil.which("deno")
    if found is None:
        raise SandboxError(
            'the sandbox runs in Deno, which is not installed: pip install "jupyterlite-browsergrad[server]"'
        )
    return found


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
        on_message: Callable[[Message], None] | None = None,
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
        #: How Python was started, ``snapshot`` or ``files``; None before it was.
        self.started_from: str | None = None
        self._on_message = on_message
        self._on_exit = on_exit
        self._on_log = on_log
        self._drive: Folder | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch: str | None = None
        self._scratch_lock = -1
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._open: dict[str, _Open] = {}
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._ended = threading.Event()
        self._reason: str | None = None
        self._stderr: list[str] = []

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
        if self._folder is not None:
            self._drive = Folder(
                Path(self._folder),
                quota_bytes=self.limits.disk_bytes,
                quota_files=self.limits.files,
                **self._folder_options,
            )
        self._scratch = tempfile.mkdtemp(prefix=SCRATCH)
        self._scratch_lock = os.open(self._scratch, os.O_RDONLY)
        fcntl.flock(self._scratch_lock, fcntl.LOCK_SH)
        try:
            self._process = subprocess.Popen(
                self._command(program, static),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # Nothing of ours is known inside, whatever becomes of Deno's permissions.
                env={"DENO_DIR": self._scratch, "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"},
                cwd=self._scratch,
                # Interrupts of the terminal or of Jupyter are meant for us, not for Deno.
                start_new_session=True,
            )
        except OSError as error:
            self._clean()
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
                "cell_ms": self.limits.cell_s and round(self.limits.cell_s * 1000),
                "output_bytes": self.limits.output_bytes,
            }
        )
        for work in (self._write, self._read, self._read_errors, self._watch):
            threading.Thread(target=work, name=f"sandbox{work.__name__}", daemon=True).start()
        _remove_stale()
        return self

    def _command(self, program: str, static: Path) -> list[str]:
        readable = [static, *self._packages, *([self._pyodide] if self._pyodide else [])]
        if self._kernel:
            packs = json.loads((self._kernel / "manifest.json").read_text("utf-8"))["packs"].values()
            readable += [self._kernel, *dict.fromkeys((self._kernel / pack["file"]).resolve() for pack in packs)]
        import_map = Path(str(self._scratch), "import_map.json")
        refused = {f"{prefix}{name}": _REFUSED for name in _NODE for prefix in ("node:", "")}
        import_map.write_text(json.dumps({"imports": refused}), encoding="utf-8")
        megabytes = self.limits.memory_bytes >> 20
        engine = [f"--wasm-max-mem-pages={megabytes * 16}", f"--max-old-space-size={max(256, megabytes // 4)}"]
        return [
            program,
            "run",
            "--quiet",
            "--no-prompt",
            "--no-config",
            "--no-lock",
            "--no-npm",
            "--no-remote",
            f"--import-map={import_map}",
            f"--v8-flags={','.join(engine)}",
            f"--allow-read={','.join(str(path) for path in readable)}",
            *([f"--allow-net={','.join(PYPI_HOSTS)}"] if self._allow_pypi else []),
            str(static / "runtime" / "server.js"),
        ]

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
            self.kill("Python did not start in time")
        if self._ended.is_set():
            raise SandboxError(self._reason or "the sandbox has ended")

    def kill(self, reason: str = "the sandbox was ended") -> None:
        """End the process at once; what is open is answered with an error. Does nothing a second time."""
        with self._lock:
            self._reason = self._reason or reason
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._ended.wait(10)

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

    def send(self, message: Message, on_message: Callable[[Message], None] | None = None) -> None:
        """Send a message; answers go to `on_message`, else to the sandbox's own.

        Whatever happens, a request is answered by a reply and an idle status.
        """
        header = message["header"]
        if header["msg_type"] == "input_reply":
            self._post(message)
            return
        limit = self.limits.cell_s
        deadline = time.monotonic() + limit + GRACE_S if limit and not self._open else None
        entry = _Open(message, on_message, deadline)
        with self._lock:
            self._open[header["msg_id"]] = entry
        if self._ended.is_set() or self._process is None:
            self._fail_open(self._reason or "the sandbox has not been started")
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
        received: queue.SimpleQueue[Message] = queue.SimpleQueue()
        request = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
            **content,
        }
        self.send(self.message("execute_request", request), received.put)
        messages, reply, idle = [], None, False
        while reply is None or not idle:
            answer = received.get()
            if answer["channel"] == "shell":
                reply = answer
            else:
                messages.append(answer)
            idle = idle or answer["content"].get("execution_state") == "idle"
        return Result(reply, messages)

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

    def _send(self, frame: dict[str, Any], buffers: list[bytes] | None = None) -> None:
        self._outgoing.put(frames.encode(frame, buffers))

    # --- the threads

    def _write(self) -> None:
        assert self._process is not None and self._process.stdin is not None
        pipe = self._process.stdin
        with contextlib.suppress(OSError, ValueError):
            while (data := self._outgoing.get()) is not None:
                pipe.write(data)
                pipe.flush()
        with contextlib.suppress(OSError):
            pipe.close()

    def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        try:
            while (received := frames.read(self._process.stdout)) is not None:
                self._receive(*received)
        except (frames.FrameError, KeyError, TypeError, AttributeError) as error:
            self._reason = self._reason or f"the sandbox sent what nobody understands ({error})"
        self._process.kill()
        status = self._process.wait()
        self._end(self._reason or self._describe(status))

    def _read_errors(self) -> None:
        assert self._process is not None and self._process.stderr is not None
        with contextlib.suppress(ValueError):
            while line := self._process.stderr.readline(4096):
                text = line.decode(errors="replace").rstrip()
                self._stderr = [*self._stderr[-19:], text]
                self._log("error", text)

    def _watch(self) -> None:
        """End a process that uses too much, or does not end a cell whose time is over."""
        assert self._process is not None
        started = time.monotonic()
        most, most_threads = self.limits.memory_bytes + OVERHEAD_BYTES, MOST_THREADS
        while not self._ended.wait(0.1):
            memory, threads = _usage(self._process.pid)
            late = [
                entry for entry in list(self._open.values()) if entry.deadline and entry.deadline < time.monotonic()
            ]
            reason = None
            if memory > most:
                reason = f"the sandbox used more memory than its limit of {most >> 20} MB"
            elif threads > most_threads:
                reason = f"the sandbox started more than {most_threads} threads"
            elif late:
                reason = f"the cell ran longer than its limit of {self.limits.cell_s} s and did not end"
            elif not self._ready.is_set() and time.monotonic() - started > self.limits.start_s:
                reason = f"Python did not start within {self.limits.start_s} s"
            if reason:
                self._reason = self._reason or reason
                self._process.kill()
                return

    def _receive(self, frame: dict[str, Any], buffers: list[bytes]) -> None:
        kind = frame["type"]
        if kind == "message":
            self._relay({**frame["message"], "buffers": buffers})
        elif kind == "drive" and self._drive is not None:
            answer, data = self._drive.answer(frame, buffers)
            self._send({"type": "drive", "id": frame["id"], "answer": answer}, data)
        elif kind == "ready":
            self.started_from = str(frame["from"])
            self._ready.set()
        elif kind == "failed":
            self._reason = self._reason or f"Python did not start: {frame['message']}"
            raise frames.FrameError(self._reason)
        elif kind == "restarted":
            self._log("warning", f"restarted: {frame['reason']}")
        elif kind == "log":
            self._log(str(frame["level"]), str(frame["text"]))

    def _relay(self, message: Message) -> None:
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
            limit = self.limits.cell_s
            # The next one's time begins.
            following = next(iter(self._open.values()), None)
            if limit and following is not None:
                following.deadline = time.monotonic() + limit + GRACE_S

    def _deliver(self, entry: _Open | None, message: Message) -> None:
        receiver = (entry.on_message if entry else None) or self._on_message
        if receiver is not None:
            receiver(message)

    def _log(self, level: str, text: str) -> None:
        if self._on_log is not None:
            self._on_log(level, text)

    # --- the end

    def _describe(self, status: int) -> str:
        said = f": {self._stderr[-1]}" if self._stderr else ""
        if any("out of memory" in line.lower() for line in self._stderr):
            return f"the sandbox ran out of memory{said}"
        return f"Deno ended with status {status}{said}"

    def _end(self, reason: str) -> None:
        asked = self._reason is not None and self._reason == reason and reason == "the sandbox was ended"
        self._reason = reason
        self._remove_scratch()  # before whoever waits for the end goes on, perhaps to the end of this process
        self._ended.set()
        self._ready.set()
        self._outgoing.put(None)
        self._fail_open(reason)
        self._clean()
        if self._on_exit is not None and not asked:
            self._on_exit(reason)

    def _fail_open(self, reason: str) -> None:
        """Answer whatever has no answer: a front end must never wait for ever."""
        with self._lock:
            entries = list(self._open.values())
            self._open.clear()
        for entry in entries:
            header = entry.message["header"]
            error = {
                "ename": "KernelDied",
                "evalue": f"The Python kernel stopped; its variables are lost. Cause: {reason}",
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

    def _remove_scratch(self) -> None:
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
            os.close(self._scratch_lock)
            self._scratch = None

    def _clean(self) -> None:
        if self._drive is not None:
            self._drive.close()
        self._remove_scratch()
        if self._process is not None:
            for pipe in (self._process.stdout, self._process.stderr):
                if pipe is not None:
                    with contextlib.suppress(OSError, ValueError):
                        pipe.close()


def _remove_stale() -> None:
    """Remove scratch folders of processes that were killed: they hold no lock any more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{SCRATCH}*"):
        with contextlib.suppress(OSError):  # another user's, or just removed
            if time.time() - folder.stat().st_mtime < STALE_S:
                continue
            opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(opened)


def _usage(pid: int) -> tuple[int, int]:
    """Bytes of memory and number of threads of a process; zeros where the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/status").read_text("ascii")
    except OSError:
        return _usage_elsewhere(pid)
    values = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return int(values.get("VmRSS", "0 kB").split()[0]) * 1024, int(values.get("Threads", "0"))


def _usage_elsewhere(pid: int) -> tuple[int, int]:
    try:
        import psutil  # ipykernel brings it

        process = psutil.Process(pid)
        return process.memory_info().rss, process.num_threads()
    except Exception:  # without psutil, or the process has gone
        return 0, 0
