"""IPython's shell, speaking to a notebook through the host."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from IPython.core.error import StdinNotImplementedError
from IPython.core.history import HistoryManager
from IPython.core.interactiveshell import InteractiveShell, InteractiveShellABC
from traitlets import Bool, Type, Unicode

from . import blocking, interrupts, messages, packages
from .display import KernelDisplayHook, KernelDisplayPublisher
from .parent import parent_header, parent_message


class MemoryHistoryManager(HistoryManager):
    """History of this session only: a browser kernel has no file to keep it in."""

    def __init__(self, shell: Any = None, config: Any = None, **traits: Any) -> None:
        self.enabled = False
        super().__init__(shell=shell, config=config, **traits)


class KernelShell(InteractiveShell):
    """The shell of the kernel.

    Attributes
    ----------
    kernel
        What widgets and libraries reach as ``get_ipython().kernel``.
    failure
        ``ename``, ``evalue`` and ``traceback`` of the cell that runs now, once it failed.
    """

    displayhook_class = Type(KernelDisplayHook)
    display_pub_class = Type(KernelDisplayPublisher)
    session_id = Unicode()
    autoindent = Bool(False)
    kernel: Any = None
    failure: dict[str, Any] | None = None
    exit_requested = False

    def init_history(self) -> None:
        self.history_manager = MemoryHistoryManager(shell=self, parent=self)
        self.configurables.append(self.history_manager)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._watch_compiler()

    def _watch_compiler(self) -> None:
        """Learn the names of the files that cells are compiled to."""
        cache = self.compile.cache

        def remember(*args: Any, **kwargs: Any) -> str:
            name = cache(*args, **kwargs)
            interrupts.register_cell_file(name)
            return name

        self.compile.cache = remember

    async def run_code(self, code_obj: Any, result: Any = None, *, async_: bool = False) -> bool:
        interrupts.cell_starts_now()
        return await super().run_code(code_obj, result, async_=async_)

    def enable_gui(self, gui: Any = None) -> None:
        """There is no GUI event loop in a browser; inline figures need none."""

    def system(self, cmd: str) -> None:
        raise OSError(
            f"cannot run {cmd.split()[0] if cmd.split() else cmd!r}: a browser has no processes. "
            "Use Python (os, pathlib, shutil) instead; packages install with %pip install"
        )

    system_piped = system_raw = getoutput = system

    def ask_exit(self) -> None:
        self.exit_requested = True
        self.payload_manager.write_payload({"source": "ask_exit", "keepkernel": False})

    def set_next_input(self, s: str, replace: bool = False) -> None:
        self.payload_manager.write_payload({"source": "set_next_input", "text": s, "replace": replace})

    def _get_exc_info(self, exc_tuple: Any = None) -> Any:
        etype, value, traceback = super()._get_exc_info(exc_tuple)
        packages.explain_missing(value)
        if isinstance(value, KeyboardInterrupt):
            traceback = interrupts.strip_traceback(traceback)
        return etype, value, traceback

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException, stb: list[str]) -> None:
        self.fail(etype.__name__, safe_str(evalue), list(stb))

    def fail(self, ename: str, evalue: str, traceback: list[str]) -> None:
        """Publish an error and remember it for the reply."""
        sys.stdout.flush()
        sys.stderr.flush()
        self.failure = {"ename": ename, "evalue": evalue, "traceback": traceback}
        messages.send("iopub", "error", self.failure, parent_header(), self.session_id)

    # --- questions to the user

    def ask(self, prompt: str, password: bool) -> str:
        """Ask through an ``input_request`` and wait for the answer."""
        if not parent_message().get("content", {}).get("allow_stdin", False):
            raise StdinNotImplementedError(
                "input() was called, but this front end does not support input requests"
            )
        sys.stdout.flush()
        sys.stderr.flush()
        return blocking.read_line(prompt, password, self._request_input)

    def _request_input(self, prompt: str, password: bool) -> None:
        content = {"prompt": prompt, "password": password}
        messages.send("stdin", "input_request", content, parent_header(), self.session_id)

    def install_input(self) -> None:
        """Make ``input`` and ``getpass.getpass`` ask the notebook."""
        blocking.set_input(lambda prompt="", /: self.ask(str(prompt), False))
        getpass.getpass = lambda prompt="Password: ", stream=None, **kwargs: self.ask(prompt, True)  # type: ignore[assignment]  # same signature, plus echo_char of 3.14

    # --- pages: front ends show them as payloads

    def page(self, data: Any, start: int = 0, screen_lines: int = 0, pager_cmd: Any = None) -> None:
        bundle = data if isinstance(data, dict) else {"text/plain": data}
        bundle = bundle.get("data", bundle) if "text/plain" not in bundle else bundle
        self.payload_manager.write_payload({"source": "page", "data": bundle, "start": start})


def safe_str(error: BaseException) -> str:
    """``str(error)``, whatever its ``__str__`` does."""
    try:
        return str(error)
    except KeyboardInterrupt:
        raise
    except BaseException as broken:  # a user's __str__ may raise anything
        return f"<str() of the exception raised {type(broken).__name__}>"


InteractiveShellABC.register(KernelShell)
