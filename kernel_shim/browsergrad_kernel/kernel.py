"""Every Jupyter message the kernel answers.

Source: "Messaging in Jupyter" 5.4, section "Messages on the shell (ROUTER/DEALER) channel".
"""

from __future__ import annotations

import json
import platform
import sys
import traceback
from collections.abc import Callable
from typing import Any

from . import comms, interrupts, messages, packages, streams
from ._host import host
from .parent import parent_header, set_parent
from .shell import KernelShell, safe_str

IMPLEMENTATION = "browsergrad"

#: Fields a request must have, and their types.
REQUIRED: dict[str, dict[str, tuple[type, ...]]] = {
    "execute_request": {"code": (str,)},
    "complete_request": {"code": (str,)},
    "inspect_request": {"code": (str,)},
    "is_complete_request": {"code": (str,)},
    "comm_open": {"comm_id": (str,), "target_name": (str,)},
    "comm_msg": {"comm_id": (str,)},
    "comm_close": {"comm_id": (str,)},
}
OPTIONAL: dict[str, tuple[type, ...]] = {
    "silent": (bool,),
    "store_history": (bool,),
    "user_expressions": (dict, type(None)),
    "allow_stdin": (bool,),
    "stop_on_error": (bool,),
    "cursor_pos": (int, type(None)),
    "detail_level": (int,),
    "hist_access_type": (str,),
    "target_name": (str, type(None)),
}


class BadRequest(ValueError):
    """A message's content does not fit its type; says which field."""


class BrowsergradKernel:
    """The kernel.

    Parameters
    ----------
    shell
        Where cells run.
    session
        Id used for messages that belong to no request.
    """

    def __init__(self, shell: KernelShell, session: str) -> None:
        self.shell = shell
        self.session = session
        self.comm_manager = comms.manager()
        shell.kernel = self

    # --- what libraries expect of a kernel

    def get_parent(self, channel: str | None = None) -> dict[str, Any]:
        """The request that runs now, whole."""
        from .parent import parent_message

        return parent_message()

    @property
    def _parent_header(self) -> dict[str, Any]:
        return self.get_parent()

    # --- dispatch

    def send(self, channel: str, msg_type: str, content: dict[str, Any]) -> None:
        """Publish a message that belongs to the request that runs now."""
        messages.send(channel, msg_type, content, parent_header(), self.session)

    async def dispatch(self, message_json: str, buffers: list[Any], epoch: int) -> None:
        """Handle one message: busy, whatever it asks for, idle. Never raises.

        Parameters
        ----------
        message_json
            A whole message: channel, header, parent_header, metadata, content.
        buffers
            Its binary buffers.
        epoch
            Number interrupts for it are addressed to.
        """
        try:
            message = json.loads(message_json)
            header = message["header"]
            msg_type = str(header["msg_type"])
        except (ValueError, KeyError, TypeError) as error:
            print(f"a message could not be read and was dropped: {error!r}", file=sys.stderr)
            return
        message["buffers"] = buffers
        set_parent(message)
        streams.set_parent(header)
        channel = message.get("channel") or "shell"
        self.send("iopub", "status", {"execution_state": "busy"})
        try:
            await self._answer(channel, msg_type, message, epoch)
        except BaseException as error:
            self._failed(channel, msg_type, error)
        finally:
            self._flush()
            self.send("iopub", "status", {"execution_state": "idle"})

    async def _answer(self, channel: str, msg_type: str, message: dict[str, Any], epoch: int) -> None:
        content = message.get("content")
        if not isinstance(content, dict):
            content = {}
        self._check(msg_type, content)
        if msg_type == "execute_request":
            await self._execute(channel, content, epoch)
            return
        handler: Callable[[dict[str, Any]], dict[str, Any]] | None = getattr(self, f"do_{msg_type}", None)
        if handler is not None:
            interrupts.begin(epoch, True)
            try:
                reply = interrupts.call(handler, content)
            finally:
                interrupts.end(epoch)
            self.send(channel, msg_type.removesuffix("_request") + "_reply", {"status": "ok", **reply})
        elif msg_type in ("comm_open", "comm_msg", "comm_close"):
            await self._comm(msg_type, message, epoch)
        elif msg_type.endswith("_request"):
            raise BadRequest(f"this kernel does not know messages of type {msg_type}")

    def _check(self, msg_type: str, content: dict[str, Any]) -> None:
        for field, types in REQUIRED.get(msg_type, {}).items():
            if field not in content:
                raise BadRequest(f"{msg_type}: content.{field} is missing")
            if not isinstance(content[field], types):
                raise BadRequest(f"{msg_type}: content.{field} must be {types[0].__name__}")
        for field, types in OPTIONAL.items():
            if field in content and not isinstance(content[field], types):
                raise BadRequest(f"{msg_type}: content.{field} must be {types[0].__name__}")

    def _failed(self, channel: str, msg_type: str, error: BaseException) -> None:
        """The reply to a request that could not be answered."""
        if not msg_type.endswith("_request"):
            print("".join(traceback.format_exception(error)), file=sys.stderr)
            return
        content: dict[str, Any] = {
            "status": "error",
            "ename": type(error).__name__,
            "evalue": safe_str(error),
            "traceback": [],
        }
        if msg_type == "execute_request":
            self.send("iopub", "error", {key: content[key] for key in ("ename", "evalue", "traceback")})
            content["execution_count"] = self.shell.execution_count
        self.send(channel, msg_type.removesuffix("_request") + "_reply", content)

    def _flush(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except Exception:  # the user may have put anything there; idle must follow
                sys.stdout, sys.stderr = streams.OutStream("stdout"), streams.OutStream("stderr")

    # --- execute

    async def _execute(self, channel: str, content: dict[str, Any], epoch: int) -> None:
        shell = self.shell
        code = content["code"]
        silent = content.get("silent", False)
        store_history = content.get("store_history", not silent) and not silent
        shell.failure = None
        if not silent:
            count = shell.execution_count
            self.send("iopub", "execute_input", {"code": code, "execution_count": count})
        interrupts.begin(epoch)
        try:
            try:
                await interrupts.run_cell(self._run(code, silent, store_history))
            except BaseException as error:
                # An interrupt between cell and bookkeeping; what the cell raises is shown by the shell.
                if shell.failure is None:
                    self._show(error)
        finally:
            interrupts.end(epoch)
        reply: dict[str, Any]
        if shell.failure is None:
            reply = {"status": "ok"}
        else:
            reply = {"status": "error", **shell.failure}
        reply["execution_count"] = shell.execution_count - (1 if store_history else 0)
        reply["user_expressions"] = {}
        if shell.failure is None and content.get("user_expressions"):
            reply["user_expressions"] = messages.clean(
                shell.user_expressions(content["user_expressions"])
            )
        reply["payload"] = messages.clean(shell.payload_manager.read_payload())
        shell.payload_manager.clear_payload()
        self._flush()
        self.send(channel, "execute_reply", reply)

    def _show(self, error: BaseException) -> None:
        lines = traceback.format_exception(
            type(error), error, interrupts.strip_traceback(error.__traceback__)
        )
        self.shell.fail(type(error).__name__, safe_str(error), [line.rstrip("\n") for line in lines])

    async def _run(self, code: str, silent: bool, store_history: bool) -> None:
        """Transform, load packages and run one cell, inside the cell's task."""
        shell = self.shell
        code = await packages.transform_pip(code)
        transformed, problem = code, None
        try:
            transformed = shell.transform_cell(code)
        except Exception:  # a transformer of the user may raise anything; run_cell shows it
            problem = sys.exc_info()
        await packages.load_imports(transformed)
        result = await shell.run_cell_async(
            code,
            store_history=store_history,
            silent=silent,
            transformed_cell=transformed,
            preprocessing_exc_tuple=problem,
        )
        error = result.error_before_exec or result.error_in_exec
        if error is not None and shell.failure is None:
            self._show(error)

    # --- other requests; the names are the message types

    def do_kernel_info_request(self, content: dict[str, Any]) -> dict[str, Any]:
        """Answer ``kernel_info_request``."""
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
            "banner": f"Python {version} (BrowserGrad {__version__}, {platform.platform()})",
            "help_links": [{"text": "Python Reference", "url": "https://docs.python.org/3"}],
            "debugger": False,
            "supported_features": [],
        }

    def do_complete_request(self, content: dict[str, Any]) -> dict[str, Any]:
        """Answer ``complete_request``; positions are in Unicode code points."""
        from IPython.core.completer import provisionalcompleter, rectify_completions

        code = content["code"]
        position = self._cursor(content)
        with provisionalcompleter():
            completions = list(
                rectify_completions(code, self.shell.Completer.completions(code, position))
            )
        types = [
            {
                "start": item.start,
                "end": item.end,
                "text": item.text,
                "type": item.type,
                "signature": item.signature,
            }
            for item in completions
        ]
        return {
            "matches": [item.text for item in completions],
            "cursor_start": completions[0].start if completions else position,
            "cursor_end": completions[0].end if completions else position,
            "metadata": {"_jupyter_types_experimental": types},
        }

    def do_inspect_request(self, content: dict[str, Any]) -> dict[str, Any]:
        """Answer ``inspect_request``."""
        from IPython.utils.tokenutil import token_at_cursor

        name = token_at_cursor(content["code"], self._cursor(content))
        try:
            bundle = self.shell.object_inspect_mime(name, detail_level=content.get("detail_level", 0))
        except KeyError:
            return {"found": False, "data": {}, "metadata": {}}
        return {"found": True, "data": messages.clean(bundle), "metadata": {}}

    def do_is_complete_request(self, content: dict[str, Any]) -> dict[str, Any]:
        """Answer ``is_complete_request``."""
        status, indent = self.shell.input_transformer_manager.check_complete(content["code"])
        return {"status": status, **({"indent": " " * (indent or 0)} if status == "incomplete" else {})}

    def do_history_request(self, content: dict[str, Any]) -> dict[str, Any]:
        """Answer ``history_request``: tail, range and search over this session."""
        import fnmatch

        manager = self.shell.history_manager
        raw = content.get("raw", True)
        inputs = manager.input_hist_raw if raw else manager.input_hist_parsed
        entries = [(line, text) for line, text in enumerate(inputs) if line > 0 and text]
        kind = content.get("hist_access_type", "tail")
        if kind == "range":
            start, stop = content.get("start") or 0, content.get("stop")
            entries = [
                entry for entry in entries if entry[0] >= start and (stop is None or entry[0] < stop)
            ]
        elif kind == "search":
            pattern = content.get("pattern") or "*"
            entries = [entry for entry in entries if fnmatch.fnmatch(entry[1], pattern)]
            if content.get("unique"):
                entries = list({text: (line, text) for line, text in entries}.values())
        elif kind != "tail":
            raise BadRequest(f"history_request: content.hist_access_type must be tail, range or search, not {kind}")
        limit = content.get("n")
        if kind != "range" and isinstance(limit, int):
            entries = entries[-limit:] if limit > 0 else []
        outputs = manager.output_hist_reprs if content.get("output") else None
        return {
            "history": [
                [0, line, [text, outputs.get(line)] if outputs is not None else text]
                for line, text in entries
            ]
        }

    def do_comm_info_request(self, content: dict[str, Any]) -> dict[str, Any]:
        """Answer ``comm_info_request``."""
        target = content.get("target_name")
        return {
            "comms": {
                comm_id: {"target_name": comm.target_name}
                for comm_id, comm in self.comm_manager.comms.items()
                if not target or comm.target_name == target
            }
        }

    def do_interrupt_request(self, content: dict[str, Any]) -> dict[str, Any]:
        """Answer ``interrupt_request``; the host has delivered the interrupt before."""
        return {}

    def do_shutdown_request(self, content: dict[str, Any]) -> dict[str, Any]:
        """Answer ``shutdown_request``; the host ends the worker after."""
        return {"restart": bool(content.get("restart", False))}

    def _cursor(self, content: dict[str, Any]) -> int:
        position = content.get("cursor_pos")
        length = len(content["code"])
        return length if position is None else max(0, min(position, length))

    async def _comm(self, msg_type: str, message: dict[str, Any], epoch: int) -> None:
        async def deliver() -> None:
            interrupts.call(getattr(self.comm_manager, msg_type), None, None, message)

        interrupts.begin(epoch)
        try:
            await interrupts.run_cell(deliver())
        finally:
            interrupts.end(epoch)
