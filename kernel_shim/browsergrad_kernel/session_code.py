"""Runs code for ``Session.exec``: one persistent namespace, top-level await, no IPython.

The result is passed to JavaScript as JSON: ``{"error": {"kind", "message", "traceback"?} | null}``.
Text goes through the streams, assertions and artifacts through the sink of the module `browsergrad`.
"""

from __future__ import annotations

import ast
import gc
import inspect
import json
import linecache
import sys
import textwrap
import traceback
from types import CodeType
from typing import Any

import __main__

from . import amended, blocking, interrupts, micropip_watch, stack, streams, tracebacks
from ._host import host

_count = 0
_namespace: dict[str, Any] = __main__.__dict__
#: Content of the namespace before any code has run.
_kept: dict[str, Any] = {}


class _Lines(streams.OutStream):
    """Sends each line at once. Used where code can only be stopped by ending its worker, since held text would be lost then.

    After `AT_ONCE` lines of one `execute`, text is held as in other streams.
    """

    AT_ONCE = 1000
    sent = 0

    def write(self, text: str) -> int:
        length = super().write(text)
        if "\n" in text and _Lines.sent < self.AT_ONCE:
            _Lines.sent += 1
            self.flush()
        return length


def start(interruptible: bool = True) -> None:
    """Install streams, blocking calls and the handler of SIGINT. Call this before `execute`."""
    streams.install(streams.OutStream if interruptible else _Lines)
    interrupts.install()
    blocking.install()
    stack.install()
    micropip_watch.watch()
    amended.install()
    interrupts.mark_runs_cells(_run_code)
    blocking.set_input(_no_input)
    _namespace.pop("_pyodide_core", None)  # a remainder of Pyodide's start
    _kept.update(_namespace)
    from browsergrad.hosting import install_sink

    install_sink(_event)
    gc.freeze()  # as `startup.start` does


def _event(event: dict[str, Any]) -> None:
    host.publish(json.dumps({"msg_type": "event", "content": event}), None)


def _no_input(prompt: object = "") -> str:
    raise EOFError("input() is not available here: exec() has no one to ask; use a notebook kernel")


def clear_namespace() -> None:
    """Forget the user's names. Imported modules and loaded packages stay."""
    _namespace.clear()
    _namespace.update(_kept)


def dedent(code: str) -> str:
    """Remove the common leading white space, and the blank first line of a JavaScript template literal."""
    return textwrap.dedent(code).lstrip("\n") if code[:1] in " \t\n" else code


def _compile(code: str) -> tuple[CodeType, str]:
    global _count
    _count += 1
    filename = f"<exec-{_count}>"
    interrupts.register_cell_file(filename)
    linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    return compile(code, filename, "exec", flags=flags, dont_inherit=True), filename


async def _run_code(code: CodeType) -> BaseException | None:
    """Run the user's code.

    Returns
    -------
    BaseException | None
        An interrupt or an exit. It is returned and not raised, since a task that raises one also passes it to the event loop, which prints it.
    """
    interrupts.cell_starts_now()
    try:
        result = eval(code, _namespace)
        if code.co_flags & inspect.CO_COROUTINE:
            await result
    except (KeyboardInterrupt, SystemExit) as ended:
        return ended
    return None


def _failure(kind: str, error: BaseException, missing: str | None = None) -> dict[str, Any]:
    tracebacks.hide_ours(error)
    try:
        text = str(error)
    except Exception as broken:  # a user's __str__ may raise anything
        text = f"<str() of the exception raised {type(broken).__name__}>"
    name = type(error).__name__
    if missing and isinstance(error, ModuleNotFoundError):
        text = f"{text}; {missing}"
        error.add_note(missing)
    try:
        lines = traceback.format_exception(type(error), error, tracebacks.only_users(error.__traceback__))
    except Exception:  # the same for a __repr__ or __notes__
        lines = [f"{name}: {text}\n"]
    return {
        "kind": kind,
        "message": f"{name}: {text}" if text else name,
        "traceback": "".join(lines),
    }


async def execute(code: str, epoch: int, load_imports: bool) -> str:
    """Run `code` in the session's namespace.

    Returns
    -------
    str
        JSON, as in the module's docstring. Errors of the user's code are never raised.
    """
    streams.set_parent({})
    error: dict[str, Any] | None = None
    _Lines.sent = 0
    interrupts.begin(epoch)
    try:
        try:
            code_object, _ = _compile(dedent(code))
        except (SyntaxError, ValueError, MemoryError, RecursionError, OverflowError) as failure:
            error = _failure("syntax" if isinstance(failure, (SyntaxError, ValueError)) else "runtime", failure)
        else:
            missing = None
            try:
                if load_imports:
                    missing = await interrupts.run_cell(_load_imports(dedent(code)))
                ended = await interrupts.run_cell(_run_code(code_object))
                if ended is not None:
                    raise ended
            except BaseException as raised:
                cause = interrupts.itself(raised)
                kind = "interrupted" if isinstance(cause, KeyboardInterrupt) else "runtime"
                error = _failure(kind, cause, missing)
    finally:
        interrupts.end(epoch)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        streams.end_request()
    return json.dumps({"error": error})


async def _load_imports(code: str) -> str | None:
    """Load the packages that `code` imports. Returns a text about packages that could not be loaded, or None."""
    missing: str | None = await host.packages_from_imports(code)
    return missing
