"""Magics that differ in a browser, where there are no processes and no editor to open."""

from __future__ import annotations

import math
import re
from typing import Any

from IPython.core import page
from IPython.core.error import UsageError
from IPython.core.getipython import get_ipython

from . import interrupts, pip_lines
from .no_processes import NoProcessesError

#: Cell magics that pass the cell to a program.
SCRIPTS = ("script", "sh", "bash", "perl", "ruby", "python", "python2", "python3", "pypy", "system", "sx", "!")


#: The first line of a cell with a time limit of its own.
_LIMIT = re.compile(r"\A\s*%%timeout\b(.*)\n?")


def take_limit(code: str) -> str:
    """Set the time limit, if the first line of the code is ``%%timeout SECONDS``. Returns the code without that line.

    Raises
    ------
    UsageError
        SECONDS is not a number above 0.
    """
    found = _LIMIT.match(code)
    if found is None:
        return code
    try:
        seconds = float(found[1])
        if not 0 < seconds < math.inf:
            raise ValueError
    except ValueError:
        raise UsageError(
            f"%%timeout needs a number of seconds above 0, as in %%timeout 10; not {found[1].strip()!r}"
        ) from None
    interrupts.limit(seconds)
    return "\n" * found[0].count("\n") + code[found.end() :]


def timeout(line: str, cell: str) -> None:
    """End the cell with CellTimeoutError if it runs longer: %%timeout SECONDS.

    The limit counts from the start of the cell. A lower limit of the site or the notebook stays.
    """
    raise UsageError("%%timeout must be the first line of its cell, before other cell magics")


def register(shell: Any) -> None:
    """Replace IPython's magics by these."""
    for name in SCRIPTS:
        shell.register_magic_function(_no_script(name), "cell", name)
    for name in ("system", "sx", "man", "uv"):
        shell.register_magic_function(_no_line(name), "line", name)
    for name in ("less", "more"):
        shell.register_magic_function(less, "line", name)
    for name in ("edit", "ed"):
        shell.register_magic_function(edit, "line", name)
    for function in (autosave, connect_info, pip, qtconsole):
        shell.register_magic_function(function, "line", function.__name__)
    shell.register_magic_function(timeout, "cell", "timeout")
    shell.magics_manager.register_lazy("store", "browsergrad_kernel.store")


def _no_script(name: str) -> Any:
    def magic(line: str, cell: str = "") -> None:
        if name in pip_lines.SHELLS and not line.strip() and pip_lines.mentions_pip(cell):
            get_ipython().system(cell)
            return
        program = line if name in ("script", "system", "sx", "!") and line.strip() else name
        if program in ("system", "sx", "!"):
            program = cell
        raise NoProcessesError(program)

    magic.__doc__ = f"%%{name} needs a process, which a browser does not have."
    return magic


def _no_line(name: str) -> Any:
    def magic(line: str) -> Any:
        if name in pip_lines.SHELLS and pip_lines.mentions_pip(line):
            return get_ipython().getoutput(line)
        raise NoProcessesError(line if name in ("system", "sx") else name)

    magic.__doc__ = f"%{name} needs a process, which a browser does not have."
    return magic


def pip(line: str) -> None:
    """Install packages: %pip install NAME…

    `%pip help` shows what it can do. At the top level of a cell, it becomes an await. Elsewhere, it waits by suspending
    Python, in browsers that can do that.
    """
    command = f"pip {line}"
    pip_lines.run_now(lambda: pip_lines.run(command), f"%{command}", pip_lines.waits(command))


def autosave(line: str) -> None:
    """Say who saves notebooks. %autosave SECONDS changes nothing here."""
    try:
        int(line)
    except ValueError:
        raise UsageError(f"%autosave needs a number of seconds, as in %autosave 60; not {line.strip()!r}") from None
    print(
        "Nothing has changed: the front end decides how often it saves. "
        "In JupyterLab: Settings → Settings Editor → Document Manager → Autosave Interval."
    )


def connect_info(line: str) -> None:
    """Say why nothing else can connect to this kernel."""
    print(
        "This kernel has no connection file: it lives inside a browser page or a sandbox, "
        "which no other program can reach. Open a console of JupyterLab for this notebook instead."
    )


def qtconsole(line: str) -> None:
    """Raise an error: consoles of other programs cannot connect."""
    raise UsageError("%qtconsole cannot connect to a kernel inside a browser: open a console of JupyterLab instead")


def less(line: str) -> None:
    """Show a file in the pager."""
    if not line.strip():
        raise UsageError("%less and %more need the name of a file")
    with open(line.strip(), encoding="utf-8", errors="replace") as file:
        page.page(file.read())


def edit(line: str) -> None:
    """Raise an error: files are edited in JupyterLab's own editor."""
    raise UsageError("%edit has no editor to open: open the file from the file browser, or use %load")
