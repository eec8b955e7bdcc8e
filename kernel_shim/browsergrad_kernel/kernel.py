"""The kernel: handles Jupyter messages, one after the other.

Source: "Messaging in Jupyter" 5.4, section "Messages on the shell (ROUTER/DEALER) channel".
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import platform
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any

from . import comms, completion, execution, history, interrupts, messages, reserve, shadowing, streams, warm_up
from ._host import host
from .request_context import parent_header, parent_message, set_parent
from .shell import KernelShell, safe_str
from .validation import BadRequest, check

IMPLEMENTATION = "browsergrad"
COMM_TYPES = ("comm_open", "comm_msg", "comm_close")
_BUSY, _IDLE = {"execution_state": "busy"}, {"execution_state": "idle"}


class BrowsergradKernel:
    """Handles Jupyter messages with an IPython shell.

    Parameters
    ----------
    shell
        The shell in which cells run.
    session
        Id of messages that belong to no request.
    """

    #: Libraries written for ipykernel pass this to `send_response`.
    iopub_socket = "iopub"

    def __init__(self, shell: KernelShell, session: str) -> None:
        self.shell = shell
        self.session = session
        self.comm_manager = comms.manager()
        self._handlers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "kernel_info_request": self._kernel_info,
            "complete_request": lambda content: completion.complete(shell, content),
            "inspect_request": lambda content: completion.inspect(shell, content),
            "is_complete_request": lambda content: completion.is_complete(shell, content),
            "history_request": lambda content: history.answer(shell.history_manager, content),
            "comm_info_request": lambda content: comms.info(content.get("target_name")),
            # The host has already delivered the interrupt. It ends the worker after a shutdown.
            "interrupt_request": lambda content: {},
            "shutdown_request": lambda content: {"restart": content.get("restart", False)},
        }
        shell.kernel = self

    # --- attributes and methods that libraries expect of a kernel

    def get_parent(self, channel: str | None = None) -> dict[str, Any]:
        """The whole message of the current request."""
        return parent_message()

    @property
    def _parent_header(self) -> dict[str, Any]:
        return parent_message()

    def send_response(
        self,
        stream: Any,
        msg_or_type: str,
        content: dict[str, Any] | None = None,
        ident: Any = None,
        buffers: list[Any] | None = None,
        track: bool = False,
        header: Any = None,
        metadata: dict[str, Any] | None = None,
        channel: str | None = None,
    ) -> None:
        """Publish a message, with ipykernel's signature. Everything goes to IOPub."""
        messages.send("iopub", msg_or_type, content or {}, parent_header(), self.session, metadata, buffers)

    # --- dispatch

    def send(
        self,
        channel: str,
        msg_type: str,
        content: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        ahead: bool = False,
    ) -> None:
        """Publish a message that belongs to the current request; see `messages.send`."""
        messages.send(channel, msg_type, content, parent_header(), self.session, metadata, ahead=ahead)

    def receive(self, message_json: str, buffers: list[Any] | None, epoch: int) -> asyncio.Task[None] | None:
        """Start `dispatch` at once. The worker calls this.

        Returns
        -------
        asyncio.Task or None
            The task that does the rest, if `dispatch` has to wait for something.
        """
        interrupts.enter_loop()
        task = interrupts.eager_task(self.dispatch(message_json, buffers, epoch))
        return task.result() if task.done() else task

    def get_ahead(self, epoch: int, jedi: bool = True) -> bool:
        """Prepare something that the next request may need. The worker calls this while the kernel is idle.

        Parameters
        ----------
        jedi
            Whether jedi's files are there.

        Returns
        -------
        bool
            Whether there is more to prepare.
        """
        interrupts.enter_loop()
        with _interruptible(epoch, request=False):
            try:
                if not warm_up.is_done():
                    return warm_up.go_on(self.shell) or jedi
                return completion.get_ready()
            except KeyboardInterrupt:
                return True

    async def dispatch(self, message_json: str, buffers: list[Any] | None, epoch: int) -> None:
        """Handle one message: send status busy, carry out the request, send status idle. Never raises.

        Parameters
        ----------
        message_json
            The whole message: channel, header, parent_header, metadata, content.
        buffers
            The message's binary buffers.
        epoch
            Number of the request; interrupts for it have the same number.
        """
        message, problem = _read(message_json)
        message["buffers"] = list(buffers or ())
        header = message["header"]
        set_parent(message)
        streams.set_parent(header)
        channel, msg_type = message["channel"], header["msg_type"]
        # The status may wait for the cell's `execute_input`, which follows at once. Silent cells have none.
        content = message.get("content")
        self.send(
            "iopub",
            "status",
            _BUSY,
            ahead=msg_type == "execute_request" and isinstance(content, dict) and not content.get("silent"),
        )
        try:
            if problem is not None:
                raise problem
            await self._answer(channel, msg_type, message, epoch)
        except BaseException as error:
            reserve.release(error)
            self._failed(channel, msg_type, error)
        finally:
            # The cell may have assigned this task's output to another request.
            set_parent(message)
            streams.set_parent(header)
            if not messages.waiting():  # a waiting reply means that the output was already sent
                self._flush()
            self.send("iopub", "status", _IDLE)

    async def _answer(self, channel: str, msg_type: str, message: dict[str, Any], epoch: int) -> None:
        content = check(message)
        handler = self._handlers.get(msg_type)
        if msg_type == "execute_request":
            started = messages.now()
            reply = await execution.execute(self, message, content, epoch)
            self._flush()
            self.send(channel, "execute_reply", reply, {"started": started, "status": reply["status"]}, ahead=True)
        elif handler is not None:
            with _interruptible(epoch, request=True):
                # Completion handles interrupts itself: its reply has the matches found so far.
                reply = handler(content) if msg_type == "complete_request" else interrupts.call(handler, content)
            self.send(channel, _reply_type(msg_type), {"status": "ok", **reply})
        elif msg_type in COMM_TYPES:
            await self._comm(msg_type, message, epoch)
        elif msg_type.endswith("_request"):
            raise BadRequest("header.msg_type", f"{msg_type} is not a message that this kernel knows")

    async def _comm(self, msg_type: str, message: dict[str, Any], epoch: int) -> None:
        message["content"].setdefault("data", {})

        async def deliver() -> None:
            interrupts.call(getattr(self.comm_manager, msg_type), None, None, message)

        interrupts.begin(epoch)
        try:
            await interrupts.run_cell(deliver())
        finally:
            interrupts.end(epoch)

    def _failed(self, channel: str, msg_type: str, error: BaseException) -> None:
        """Send the reply to a request that failed."""
        content: dict[str, Any] = {
            "status": "error",
            "ename": type(error).__name__,
            "evalue": safe_str(error),
            "traceback": [f"{type(error).__name__}: {error}"] if isinstance(error, BadRequest) else _lines(error),
        }
        if msg_type == "is_complete_request":
            content = {"status": "unknown"}
        elif msg_type == "execute_request":
            self.send("iopub", "error", {key: content[key] for key in ("ename", "evalue", "traceback")})
            content |= {"execution_count": self.shell.execution_count, "user_expressions": {}, "payload": []}
        elif not msg_type.endswith("_request"):
            host.log("\n".join(content["traceback"]))
            return
        self.send(channel, _reply_type(msg_type), content)

    def _flush(self) -> None:
        for name in ("stdout", "stderr"):
            try:
                getattr(sys, name).flush()
            except Exception:  # user code may have replaced the stream by anything; status idle must still be sent
                setattr(sys, name, streams.OutStream(name))
        streams.end_request()

    def _kernel_info(self, content: dict[str, Any]) -> dict[str, Any]:
        from browsergrad import __version__

        version = platform.python_version()
        return {
            "protocol_version": messages.PROTOCOL_VERSION,
            "implementation": IMPLEMENTATION,
            "implementation_version": __version__,
            "language_info": {
                "name": "python",
                "version": version,
                "mimetype": "text/x-python",
                "file_extension": ".py",
                "pygments_lexer": "ipython3",
                "codemirror_mode": {"name": "ipython", "version": sys.version_info.major},
                "nbconvert_exporter": "python",
            },
            "banner": f"Python {version} (BrowserGrad {__version__}, {platform.machine()})\n"
            "Type '?' for help, '%pip install' for packages.",
            "help_links": [
                {
                    "text": "Python Reference",
                    "url": f"https://docs.python.org/{sys.version_info.major}.{sys.version_info.minor}",
                },
                {"text": "IPython Reference", "url": "https://ipython.readthedocs.io/en/stable/"},
                {"text": "Pyodide Reference", "url": "https://pyodide.org/en/stable/"},
            ],
            "debugger": False,
            "supported_features": [],
        }


@contextlib.contextmanager
def _interruptible(epoch: int, *, request: bool) -> Iterator[None]:
    """Let interrupts of `epoch` end calls of `interrupts.call` in this block."""
    interrupts.begin(epoch, request)
    try:
        with shadowing.hidden():
            yield
    finally:
        interrupts.end(epoch)


def _read(message_json: str) -> tuple[dict[str, Any], BadRequest | None]:
    """Parse a message.

    Returns
    -------
    tuple
        The message, which always has a channel and a header, and what is wrong with it, or None.
    """
    try:
        message = json.loads(message_json)
    except (ValueError, TypeError, RecursionError) as error:
        return _unreadable(BadRequest("message", f"is not JSON: {error}"))
    if not isinstance(message, dict):
        return _unreadable(BadRequest("message", "must be an object"))
    header = message.get("header")
    if not isinstance(header, dict):
        return _unreadable(BadRequest("header", "must be an object"))
    problem = None
    if not isinstance(header.get("msg_type"), str):
        header["msg_type"] = ""
        problem = BadRequest("header.msg_type", "must be a string")
    if message.get("channel") not in ("shell", "control"):
        message["channel"] = "shell"
    return message, problem


def _unreadable(problem: BadRequest) -> tuple[dict[str, Any], BadRequest]:
    return {"channel": "shell", "header": {"msg_type": ""}, "metadata": {}, "content": {}}, problem


def _reply_type(msg_type: str) -> str:
    return msg_type.removesuffix("_request") + "_reply"


def _lines(error: BaseException) -> list[str]:
    try:
        return "".join(traceback.format_exception(error)).splitlines()
    except Exception:  # a user's exception may break its own formatting
        return [type(error).__name__]
