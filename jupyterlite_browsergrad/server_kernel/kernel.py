"""The Jupyter kernel: passes whole messages from the front end to the sandbox, and from the sandbox to the front end."""

from __future__ import annotations

import json
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel
from jupyter_client.jsonutil import json_default
from jupyter_core.paths import jupyter_config_path
from traitlets import Bool, DottedObjectName, Float, Integer, List, Type, Unicode, validate
from zmq.eventloop.zmqstream import ZMQStream

from .._version import __version__
from ..errors import BrowsergradError, ConfigurationError
from ..labs.gate import REFUSAL_NAME, refusal
from .messages import Message
from .sandbox import Limits, Sandbox

__all__ = ["BrowsergradServerKernel", "BrowsergradServerKernelApp"]

MEGABYTE = 1 << 20


class BrowsergradServerKernel(Kernel):
    """Python in a sandbox.

    The sandbox makes the messages, with their ids and parents. Only their session is this kernel's.
    """

    implementation = "browsergrad"
    implementation_version = __version__
    language_info: dict[str, object] = {"name": "python", "mimetype": "text/x-python", "file_extension": ".py"}
    banner = f"Python (BrowserGrad {__version__})"

    cell_timeout = Float(
        0, min=0, help="Seconds a cell may run before it ends with CellTimeoutError. 0: no limit."
    ).tag(config=True)
    memory_mb = Integer(
        2048, min=128, max=4096, help="Megabytes of Python's memory; beyond it Python raises MemoryError."
    ).tag(config=True)
    output_mb = Float(32, min=0.01, help="Megabytes one cell may write before it ends with OutputLimitError.").tag(
        config=True
    )
    disk_mb = Integer(1024, min=0, help="Megabytes by which the notebook's folder may grow.").tag(config=True)
    disk_files = Integer(10_000, min=0, help="How many files may be added to the notebook's folder.").tag(config=True)
    share = Unicode(
        "read-write",
        help="What Python sees of the folder the kernel starts in: 'read-write', 'read-only' or 'none'.",
    ).tag(config=True)
    allow_hidden = Bool(False, help="Whether files whose names begin with a dot exist for Python.").tag(config=True)
    package_folders = List(
        Unicode(),
        help="Folders with wheels and their index (all.json), as `jupyter lite build` makes them, for %pip install.",
    ).tag(config=True)
    pyodide_folder = Unicode("", help="A folder with another Pyodide distribution. '': the embedded one.").tag(
        config=True
    )
    allow_pypi = Bool(
        False, help="Whether %pip install may ask PyPI. Opens the network to PyPI's hosts for all code."
    ).tag(config=True)

    @validate("share")
    def _valid_share(self, proposal: Any) -> str:
        if proposal["value"] not in ("read-write", "read-only", "none"):
            raise ConfigurationError(
                f"BrowsergradServerKernel.share is {proposal['value']!r}; use 'read-write', 'read-only' or 'none'"
            )
        return str(proposal["value"])

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._info: dict[str, Any] = {}
        self._ending = False
        #: Identities of the front end that should answer the open question.
        self._asking = False
        self._sandbox = self._start_sandbox()

    # --- the sandbox

    def _start_sandbox(self) -> Sandbox:
        sandbox = Sandbox(
            None if self.share == "none" else os.getcwd(),
            read_only=self.share == "read-only",
            allow_hidden=self.allow_hidden,
            limits=Limits(
                cell_s=self.cell_timeout or None,
                memory_bytes=self.memory_mb * MEGABYTE,
                output_bytes=int(self.output_mb * MEGABYTE),
                disk_bytes=self.disk_mb * MEGABYTE,
                files=self.disk_files,
            ),
            session_id=self.session.session if self.session else None,
            packages=[Path(folder) for folder in self.package_folders],
            pyodide=Path(self.pyodide_folder) if self.pyodide_folder else None,
            allow_pypi=self.allow_pypi,
            on_message=lambda message: self.io_loop.add_callback(self._to_front_end, [], message),
            on_exit=lambda reason: self.io_loop.add_callback(self._sandbox_ended, reason),
            on_log=lambda level, text: self.log.log({"error": 40, "warning": 30}.get(level, 20), "%s", text),
        )
        return sandbox.start()

    def _sandbox_ended(self, reason: str) -> None:
        self.log.error("The sandbox ended: %s", reason)
        self._replace_sandbox()

    def _replace_sandbox(self) -> None:
        """Replace a sandbox that has ended by a new one. One that could not start stays, and answers with the reason."""
        if self._ending or not self._info or self._sandbox.is_alive:
            return
        self._asking = False
        self._sandbox = self._start_sandbox()
        self._publish_status("restarting", "shell", parent={})

    def start(self) -> None:
        """Start to take messages."""
        super().start()
        signal.signal(signal.SIGINT, lambda *_: self._sandbox.interrupt())
        self._stdin_stream = ZMQStream(self.stdin_socket, self.io_loop)
        self._stdin_stream.on_recv(self._take_input, copy=False)
        self._sandbox.send(self._sandbox.message("kernel_info_request", {}), self._learn)

    def _learn(self, message: Message) -> None:
        if message["header"]["msg_type"] == "kernel_info_reply" and message["content"].get("status") == "ok":
            self._info = message["content"]

    @property
    def kernel_info(self) -> dict[str, Any]:
        """The answer of the control channel while Python is busy."""
        return {**super().kernel_info, "supported_features": [], **self._info}

    # --- from the front end

    async def dispatch_shell(self, msg: list[Any], *args: Any, **kwargs: Any) -> None:
        """Pass a message to the sandbox. This does not wait for the answer."""
        taken = self._read(msg)
        if taken is not None:
            idents, message = taken
            if message["header"]["msg_type"] == "shutdown_request":
                await self._shut_down(idents, message)
            elif message["header"]["msg_type"] == "execute_request" and (why := refusal(Path.cwd(), _notebook())):
                self._refuse(idents, message, why)
            else:
                self._forward("shell", idents, message)

    def _refuse(self, idents: list[bytes], message: Message, why: str) -> None:
        """Answer a cell of a lab that must not run."""
        if self.session is None:
            return
        shown = {"ename": REFUSAL_NAME, "evalue": why, "traceback": [f"{REFUSAL_NAME}: {why}"]}
        reply = {"status": "error", **shown, "execution_count": 0, "user_expressions": {}, "payload": []}
        self._publish_status("busy", "shell", parent=message)
        self.session.send(self.iopub_socket, "error", shown, message, ident=self._topic("error"))
        self.session.send(self.shell_stream, "execute_reply", reply, message, ident=idents)
        self._publish_status("idle", "shell", parent=message)

    async def _shut_down(self, idents: list[bytes], message: Message) -> None:
        """Shut down. Old clients request this on the shell channel."""
        self._publish_status("busy", "shell", parent=message)
        await self.shutdown_request(self.shell_stream, idents, message)
        self._publish_status("idle", "shell", parent=message)

    def _read(self, msg: list[Any]) -> tuple[list[bytes], Message] | None:
        if self.session is None:
            return None
        idents, frames = self.session.feed_identities(msg, copy=False)
        try:
            return idents, self.session.deserialize(frames, content=True, copy=False)
        except Exception:  # a wrong signature, or not a message
            self.log.exception("A message was dropped")
            return None

    def _forward(self, channel: str, idents: list[bytes], message: Message) -> None:
        names = ("header", "parent_header", "metadata", "content")
        plain = json.loads(json.dumps({name: message[name] for name in names}, default=json_default))
        buffers = [bytes(buffer) for buffer in message.get("buffers") or []]
        self._replace_sandbox()  # a front end may react to the last answers before the end of the sandbox is known here
        self._sandbox.send(
            {"channel": channel, **plain, "buffers": buffers},
            lambda answer: self.io_loop.add_callback(self._to_front_end, idents, answer),
        )

    async def interrupt_request(self, stream: Any, ident: Any, parent: Message) -> None:
        """Interrupt the running cell."""
        self._sandbox.interrupt()
        if self.session is not None:
            self.session.send(stream, "interrupt_reply", {"status": "ok"}, parent, ident=ident)

    async def do_shutdown(self, restart: bool) -> dict[str, Any]:
        """End the sandbox with the kernel."""
        self._ending = True
        self._sandbox.kill()
        return {"status": "ok", "restart": restart}

    def _take_input(self, msg: list[Any]) -> None:
        taken = self._read(msg)
        if taken is not None and self._asking:
            self._asking = False
            self._sandbox.input_reply(str(taken[1]["content"].get("value", "")))

    # --- to the front end

    def _to_front_end(self, idents: list[bytes], message: Message) -> None:
        if self.session is None:
            return
        header = {**message["header"], "session": self.session.session, "username": self.session.username}
        whole = {
            **{name: message[name] for name in ("parent_header", "metadata", "content")},
            "header": header,
            "msg_id": header["msg_id"],
            "msg_type": header["msg_type"],
        }
        send = partial(self.session.send, buffers=message["buffers"])
        channel = message["channel"]
        if channel == "iopub":
            send(self.iopub_socket, whole, ident=self._topic(header["msg_type"]))
        elif channel == "stdin":
            self._asking = True
            send(self.stdin_socket, whole, ident=idents)
        else:
            self._asking = False
            send(self.shell_stream, whole, ident=idents)


class BrowsergradServerKernelApp(IPKernelApp):
    """The kernel process. Its settings come from Jupyter's configuration folders."""

    name = "browsergrad-kernel"
    description = "A Python kernel in a sandbox."
    kernel_class = Type(BrowsergradServerKernel, klass="ipykernel.kernelbase.Kernel")  # type: ignore[assignment]  # a trait
    #: The classes whose settings ``--help-all`` lists.
    classes: ClassVar[list[type]] = [BrowsergradServerKernel, *IPKernelApp.classes]  # type: ignore[misc,assignment]
    # Users' output comes from the sandbox as messages. Flushing a stream whose thread has ended would delay the end of the process.
    outstream_class = DottedObjectName(None, allow_none=True, help="This process has no output for front ends.")

    def init_control(self, context: Any) -> None:
        """Start no thread for subshells: the sandbox has only one Python."""
        super().init_control(context)
        self.shell_channel_thread = None

    def init_config_files(self) -> None:
        """Read ``browsergrad_kernel_config.py`` and ``.json`` beside the server's own configuration."""
        super().init_config_files()
        self.config_file_paths = [*jupyter_config_path(), *self.config_file_paths]

    def init_profile_dir(self) -> None:
        """Do nothing: without IPython there is no profile."""
        self._trait_values["profile_dir"] = None  # the default would ask for a profile at each use

    def init_pdb(self) -> None:
        """Do nothing: there is no debugger here."""

    def init_crash_handler(self) -> None:
        """Do nothing: Jupyter shows a failure to start in one line."""


def _notebook() -> Path | None:
    """The notebook for which Jupyter Server has started the kernel."""
    path = Path(os.environ.get("JPY_SESSION_NAME", ""))
    return path if path.is_absolute() and path.suffix == ".ipynb" else None


def main() -> None:
    """Run the kernel that ``kernel.json`` names."""
    try:
        BrowsergradServerKernelApp.launch_instance()
    except BrowsergradError as error:
        sys.exit(f"browsergrad kernel: {error}")
