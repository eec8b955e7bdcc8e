"""IPython's shell for the kernel. It sends messages to the notebook through the host."""

from __future__ import annotations

import contextlib
import functools
import getpass
import io
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from IPython.core import page
from IPython.core.autocall import ZMQExitAutocall
from IPython.core.compilerop import CachingCompiler
from IPython.core.error import StdinNotImplementedError, UsageError
from IPython.core.events import EventManager, available_events
from IPython.core.interactiveshell import InteractiveShell, InteractiveShellABC
from IPython.utils.text import SList
from traitlets import Bool, Instance, Type, Unicode, default

from . import (
    blocking,
    interrupts,
    magics,
    messages,
    notebooks,
    packages,
    pip_lines,
    reserve,
    shadowing,
    stand_ins,
    streams,
    tracebacks,
)
from .display import KernelDisplayHook, KernelDisplayPublisher
from .formatter import KernelDisplayFormatter, find_numpys_floats_by_name
from .history import MemoryHistory
from .no_processes import NoProcessesError
from .request_context import parent_header, parent_message, set_parent

#: Folder of the variables that ``%store`` keeps. It is not hidden, since some drives do not show hidden folders.
STORE = Path("/drive/ipython-store")

#: Pyodide 314 opens this as file descriptor 2 while it gets an exception's text. At other times it does not exist.
_CAPTURED_STDERR = "/dev/capture_stderr"
#: Number of frames, the innermost ones, in the text of an exception that passes into JavaScript.
_MAX_FRAMES = 10


class KernelEvents(EventManager):
    """Callbacks around cells. They are user code, so an interrupt may end them, and the cell with them.

    IPython's own manager reports an interrupt as an error of the callback, and continues with the cell.
    """

    def trigger(self, event: str, *args: Any, **kwargs: Any) -> None:
        for function in self.callbacks[event][:]:
            try:
                interrupts.call(functools.partial(function, *args, **kwargs))
            except KeyboardInterrupt:
                raise
            except Exception:  # an error in a callback must not end the cell
                if self.print_on_error:
                    print(f"Error in callback {function} (for {event}), with arguments {args}, {kwargs}:")
                self.shell.showtraceback()


class KernelCompiler(CachingCompiler):
    """Raises SyntaxError for incomplete code. Python 3.13 and later raise an internal class, whose name does not help students."""

    def ast_parse(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().ast_parse(*args, **kwargs)
        except SyntaxError as error:
            if type(error).__name__ != "_IncompleteInputError":
                raise
            raise SyntaxError(*error.args) from None


class KernelShell(InteractiveShell):
    """The shell of the kernel.

    Attributes
    ----------
    kernel
        The kernel. Widgets and libraries use it as ``get_ipython().kernel``.
    shown
        ``ename``, ``evalue`` and ``traceback`` of the last error shown; None if the running cell
        has shown no error.
    result_failed
        Whether that error came from showing the cell's result.
    """

    compiler_class = Type(KernelCompiler)
    displayhook_class = Type(KernelDisplayHook)
    display_pub_class = Type(KernelDisplayPublisher)
    exiter = Instance(ZMQExitAutocall)
    session_id = Unicode()
    autoindent = Bool(False)
    kernel: Any = None
    keepkernel_on_exit: bool | None = None
    shown: dict[str, Any] | None = None
    result_failed = False
    #: Whether errors of cells are shown. False while `%run` runs the cells of a notebook.
    errors_shown = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # tqdm uses this to find out whether it runs in a notebook.
        self.config.IPKernelApp.kernel = "browsergrad"
        self._watch_compiler()

    @default("exiter")
    def _default_exiter(self) -> ZMQExitAutocall:
        return ZMQExitAutocall(self)

    def init_history(self) -> None:
        self.history_manager = MemoryHistory(shell=self, parent=self)
        self.configurables.append(self.history_manager)

    def init_display_formatter(self) -> None:
        self.display_formatter = KernelDisplayFormatter(parent=self)
        find_numpys_floats_by_name(self.display_formatter.formatters["text/plain"])
        self.configurables.append(self.display_formatter)  # type: ignore[arg-type]  # any configurable

    def init_events(self) -> None:
        self.events = KernelEvents(self, available_events)
        self.events.register("pre_execute", self._clear_warning_registry)

    def init_magics(self) -> None:
        super().init_magics()
        magics.register(self)

    def init_hooks(self) -> None:
        super().init_hooks()
        self.set_hook("show_in_pager", page.as_hook(self._page), 99)

    @InteractiveShell.db.getter
    def db(self) -> Any:
        """Storage of ``%store`` and ``%bookmark``. It is on the drive, if that can be written to, so that it outlives the kernel."""
        if self._db is None and os.path.isdir(STORE.parent):
            from IPython.external.pickleshare import PickleShareDB

            with contextlib.suppress(OSError):  # a read-only drive: `store` reports it
                self._db = PickleShareDB(STORE)
        return super().db

    def init_virtualenv(self) -> None:
        """Do nothing."""

    def _watch_compiler(self) -> None:
        """Register the file names with which cells are compiled."""
        cache = self.compile.cache

        def remember(*args: Any, **kwargs: Any) -> str:
            name: str = cache(*args, **kwargs)
            interrupts.register_cell_file(name)
            return name

        self.compile.cache = remember

    async def run_code(self, code_obj: Any, result: Any = None, *, async_: bool = False) -> bool:
        interrupts.cell_starts_now()
        failed: bool = await super().run_code(code_obj, result, async_=async_)
        return failed

    def enable_gui(self, gui: Any = None) -> None:
        """Do nothing: a browser has no GUI event loop, and inline figures need none."""

    # --- the current request; libraries use ipykernel's names

    @property
    def parent_header(self) -> dict[str, Any]:
        """The whole message of the current request. The name is ipykernel's."""
        return parent_message()

    def get_parent(self) -> dict[str, Any]:
        """The whole message of the current request."""
        return parent_message()

    def set_parent(self, parent: dict[str, Any]) -> None:
        """Assign the further output of this task to the request `parent`."""
        set_parent(parent)
        streams.set_parent(parent.get("header", {}))

    # --- commands of an operating system, which a browser does not have

    def system(self, cmd: str) -> None:
        """Run pip. Raise an error for other commands."""
        cmd = self.var_expand(cmd, depth=1)
        pip_lines.run_now(lambda: self._shell_pip(cmd), cmd, pip_lines.waits(cmd))

    system_piped = system_raw = system

    def getoutput(self, cmd: str, split: bool = True, depth: int = 0) -> Any:
        """Run pip and return its output. Raise an error for other commands."""
        cmd, said = self.var_expand(cmd, depth=depth + 1), io.StringIO()
        pip_lines.run_now(lambda: self._shell_pip(cmd, said), cmd, pip_lines.waits(cmd))
        return SList(said.getvalue().splitlines()) if split else said.getvalue()

    async def pip(self, arguments: str) -> None:
        """Run ``%pip``. `pip_lines.await_pip` makes cells call this."""
        await pip_lines.run(f"pip {self.var_expand(arguments, depth=1)}")

    async def shell_pip(self, cmd: str, returned: bool = False) -> Any:
        """Run ``!pip``. With `returned`, return its output as lines."""
        cmd, said = self.var_expand(cmd, depth=1), io.StringIO()
        await self._shell_pip(cmd, said if returned else None)
        return SList(said.getvalue().splitlines()) if returned else None

    async def _shell_pip(self, cmd: str, out: Any = None) -> None:
        if not await pip_lines.run(cmd, out):
            raise NoProcessesError(cmd)

    async def run_awaiting(self, arguments: str) -> None:
        """Run ``%run``. `notebooks.await_run` makes cells call this."""
        arguments = self.var_expand(arguments, depth=1)
        path = notebooks.named(self, arguments)
        if path is None:
            self.run_line_magic("run", arguments)
        else:
            await notebooks.run(self, path)

    def safe_execfile_ipy(self, fname: Any, shell_futures: bool = False, raise_exceptions: bool = False) -> None:
        """Run an ``.ipy`` file like IPython, or a notebook without nbformat."""
        if raise_exceptions and str(fname).lower().endswith(".ipynb"):
            notebooks.run_now(self, Path(fname).expanduser().resolve())
        else:
            super().safe_execfile_ipy(fname, shell_futures, raise_exceptions)

    @contextlib.contextmanager
    def errors_raised(self) -> Iterator[None]:
        """Do not show errors of cells in this block: the caller raises them."""
        kept, self.errors_shown = self.errors_shown, False
        try:
            yield
        finally:
            self.errors_shown = kept

    # --- payloads of the reply

    def ask_exit(self) -> None:
        """Handle ``exit`` and ``quit``: the front end decides what to do."""
        self.payload_manager.write_payload({"source": "ask_exit", "keepkernel": bool(self.keepkernel_on_exit)})

    def set_next_input(self, s: str, replace: bool = False) -> None:
        """Offer `s` as the next cell."""
        self.payload_manager.write_payload({"source": "set_next_input", "text": s, "replace": replace})

    def _page(self, data: Any, start: int = 0, screen_lines: int = 0, pager_cmd: Any = None) -> None:
        bundle = data if isinstance(data, dict) else {"text/plain": data}
        self.payload_manager.write_payload({"source": "page", "data": bundle, "start": max(0, start)})

    # --- errors

    def _get_exc_info(self, exc_tuple: Any = None) -> Any:
        etype, value, frames = super()._get_exc_info(exc_tuple)
        value = interrupts.itself(value)
        etype = type(value)
        if not stand_ins.explain(value):
            packages.explain_missing(value)
            shadowing.explain(value)
        tracebacks.hide_ours(value)
        return etype, value, tracebacks.without_ours(frames)

    def showtraceback(self, exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        """Show an error as one ``error`` message. (IPython prints exception groups to stderr.)"""
        value = (exc_tuple or sys.exc_info())[1]
        reserve.release(value)
        if value is not None and _holds_group(value) and not hasattr(value, "_render_traceback_"):
            etype, value, frames = self._get_exc_info(exc_tuple)
            self._showtraceback(etype, value, _plain(value, _below_run_code(frames)))
            return
        with shadowing.hidden(), tracebacks.quickly("lines" if self.InteractiveTB.mode == "Context" else "variables"):
            super().showtraceback(exc_tuple, *args, **kwargs)

    #: The exception that last passed into JavaScript, and its text.
    _passing: tuple[BaseException, str] | None = None

    def excepthook(self, etype: type[BaseException], value: BaseException, tb: Any) -> None:
        """``sys.excepthook`` of cells.

        Pyodide calls it for each exception that passes into JavaScript, and takes what comes out of the process's stderr
        for its text. Code there may catch it, so it is not shown in the notebook.
        """
        if not os.path.exists(_CAPTURED_STDERR):
            super().excepthook(etype, value, tb)
            return
        # An exception that passes again, further out, keeps its text.
        if self._passing is None or self._passing[0] is not value:
            self._passing = value, "".join(traceback.format_exception(value, limit=-_MAX_FRAMES))
        os.write(2, self._passing[1].encode("utf-8", "backslashreplace"))

    def _format_exception_for_storage(self, exception: BaseException, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Store the error that was shown. (IPython formats it a second time.)"""
        return self.shown or super()._format_exception_for_storage(exception, *args, **kwargs)

    def show_usage_error(self, exc: BaseException) -> None:
        """Show a wrong use of a magic like other errors, in one line."""
        self._showtraceback(UsageError, exc, [f"UsageError: {safe_str(exc)}"])

    def _showtraceback(self, etype: type[BaseException], evalue: BaseException, stb: list[str]) -> None:
        if not self.errors_shown:
            return
        if self.displayhook.is_active:
            self.result_failed = True
        self.fail(etype.__name__, safe_str(evalue), [str(line) for line in stb])

    def show_plainly(self, error: BaseException) -> None:
        """Show an error that IPython has not shown."""
        tracebacks.hide_ours(error)
        frames = _below_run_code(error.__traceback__)
        if isinstance(error, KeyboardInterrupt):
            frames = _from_cell(frames)  # raised while the kernel prepared or finished the cell
        self.fail(type(error).__name__, safe_str(error), _plain(error, frames))

    def leave_to_handler(self, error: BaseException) -> None:
        """Keep an error for the reply, after a user's handler (`set_custom_exc`) has handled it."""
        self.shown = {"ename": type(error).__name__, "evalue": safe_str(error), "traceback": []}

    def fail(self, ename: str, evalue: str, traceback: list[str]) -> None:
        """Publish an error and keep it for the reply."""
        self.shown = {"ename": ename, "evalue": evalue, "traceback": traceback}
        messages.send("iopub", "error", self.shown, parent_header(), self.session_id)

    # --- questions to the user

    def ask(self, prompt: str, password: bool) -> str:
        """Ask through an ``input_request`` and wait for the answer.

        Raises
        ------
        StdinNotImplementedError
            The current request does not allow input.
        """
        __tracebackhide__ = True
        if not parent_message().get("content", {}).get("allow_stdin", False):
            raise StdinNotImplementedError(
                f"{'getpass' if password else 'input'}() was called, but this front end does not support input requests here"
            )
        sys.stdout.flush()
        sys.stderr.flush()
        return blocking.read_line(prompt, password, self._request_input)

    def _request_input(self, prompt: str, password: bool) -> None:
        content = {"prompt": prompt, "password": password}
        messages.send("stdin", "input_request", content, parent_header(), self.session_id)

    def install_input(self) -> None:
        """Make ``input`` and ``getpass.getpass`` ask the notebook."""

        def input(prompt: object = "", /) -> str:
            """Ask the user for a line of text."""
            __tracebackhide__ = True
            return self.ask(str(prompt), False)

        def ask_password(prompt: str = "Password: ", stream: Any = None, *, echo_char: str | None = None) -> str:
            """Ask the user for a password, without showing it."""
            __tracebackhide__ = True
            return self.ask(str(prompt), True)

        blocking.set_input(input)
        getpass.getpass = ask_password


class ZMQInteractiveShell(KernelShell):
    """The same shell. rich, pandas and others recognize a notebook by the name of this class."""


def safe_str(error: BaseException) -> str:
    """``str(error)``. Exceptions in its ``__str__`` are caught."""
    try:
        return str(error)
    except KeyboardInterrupt:
        raise
    except BaseException as broken:  # a user's __str__ may raise anything
        return f"<str() of the exception raised {type(broken).__name__}>"


def _holds_group(error: BaseException | None) -> bool:
    seen = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, BaseExceptionGroup):
            return True
        seen.add(id(error))
        error = error.__context__
    return False


def _below_run_code(frames: Any) -> Any:
    """The user's part of a traceback."""
    entry = frames
    while entry is not None:
        if entry.tb_frame.f_code is InteractiveShell.run_code.__code__:
            return entry.tb_next
        entry = entry.tb_next
    return frames


def _from_cell(frames: Any) -> Any:
    """`frames` from the first frame of a cell's code on; None if there is none."""
    while frames is not None and not interrupts.is_cell_file(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    return frames


def _plain(error: BaseException, frames: Any) -> list[str]:
    try:
        lines = traceback.format_exception(type(error), error, frames)
    except Exception:  # a user's __notes__ or __cause__ may be anything
        lines = [f"{type(error).__name__}: {safe_str(error)}"]
    return "".join(lines).splitlines()


InteractiveShellABC.register(KernelShell)
