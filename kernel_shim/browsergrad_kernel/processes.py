"""Makes calls that need processes, threads or sockets raise an error that names the module and the reason.

Functions of ``os``, ``subprocess``, ``_thread``, ``threading`` and ``socket`` are replaced, in Pyodide only. Pyodide's own versions fail
without a reason, or pretend to work (``os.system`` returns -1 or 0). The replacements raise errors of the same types.
"""

from __future__ import annotations

import errno
import os
import re
import shlex
import sys
from typing import Any

_NONE = "Python in WebAssembly has no processes"
_THREADS = (
    "can't start new thread: Python in WebAssembly has one thread (threading, concurrent.futures). "
    "Call the function itself, or await coroutines (asyncio)"
)
_SOCKETS = "socket: neither a browser page nor the sandbox has sockets; pyodide.http.pyfetch and urllib.request fetch from addresses that allow it"
#: Functions of `os` that replace this program by another one, or create a process.
_OS = ("fork", "forkpty", "execv", "execve", "posix_spawn", "posix_spawnp", "vfork")


def install() -> None:
    """Replace the calls."""
    import _thread
    import socket
    import subprocess
    import threading

    for name in _OS:
        if hasattr(os, name):
            setattr(os, name, _refusing(name))
    os.system = system
    subprocess.Popen.__init__ = _popen  # type: ignore[method-assign]
    _thread.start_new_thread = _thread.start_new = _no_thread
    for name in ("_start_new_thread", "_start_joinable_thread"):
        if hasattr(threading, name):
            setattr(threading, name, _no_thread)
    for name in ("connect", "listen", "accept"):
        setattr(socket.socket, name, _explained(getattr(socket.socket, name)))


def _refusing(name: str) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        raise OSError(errno.ENOTSUP, f"os.{name}: {_NONE}")

    call.__name__ = call.__qualname__ = name
    return call


def advice(command: list[str]) -> str:
    """Says in words what to do instead of running a program."""
    from .pip_lines import pip_words

    words = pip_words(command)
    if words is not None:
        return f"write `%pip {shlex.join(words)}` in a cell"
    return "use Python instead (os, pathlib, shutil)"


def _words(args: Any) -> list[str]:
    if isinstance(args, (list, tuple)):
        return [os.fsdecode(word) for word in args]
    try:
        return shlex.split(os.fsdecode(args))
    except ValueError:
        return [os.fsdecode(args)]


def _popen(self: Any, args: Any = (), *others: Any, **options: Any) -> None:
    words = _words(args)
    program = words[0] if words else ""
    raise OSError(errno.ENOTSUP, f"subprocess cannot run {program!r}: {_NONE}; {advice(words)}")


def system(command: Any) -> int:
    """Run ``clear``, ``cls`` and pip. For other commands, return the status with which a shell says that it did not find the program."""
    text = os.fsdecode(command)
    names = set(re.findall(r"\w+", text))
    if names and names <= {"clear", "cls"}:
        from IPython.display import clear_output

        clear_output()
        return 0
    words = _words(command)
    from .pip_lines import pip_words

    if pip_words(words) is not None:
        from IPython.core.getipython import get_ipython

        get_ipython().system(text)
        return 0
    print(f"os.system cannot run {(words or [''])[0]!r}: {_NONE}; {advice(words)}", file=sys.stderr)
    return 127 << 8


def _no_thread(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError(_THREADS)


def _explained(method: Any) -> Any:
    """`method`, with a note in its errors that says that there are no sockets."""

    def call(self: Any, *args: Any) -> Any:
        try:
            return method(self, *args)
        except OSError as error:
            error.add_note(_SOCKETS)
            raise

    call.__name__, call.__qualname__, call.__doc__ = method.__name__, method.__qualname__, method.__doc__
    return call
