"""Start the kernel: what the worker imports."""

from __future__ import annotations

import gc
import os
import sys
import warnings
from typing import Any

from . import (
    _host,
    amended,
    blocking,
    comms,
    interrupts,
    messages,
    micropip_watch,
    on_demand,
    packages,
    processes,
    shadowing,
    stack,
    stand_ins,
    streams,
)

#: What `prepare` has made and `start` has not taken yet.
_prepared: Any = None


def prepare() -> Any:
    """Make the shell and the kernel as far as that needs no host: what a memory snapshot holds."""
    global _prepared
    shadowing.install()
    stand_ins.install()
    amended.install()
    if _host.IN_PYODIDE:
        processes.install()
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    os.environ.setdefault("IPYTHONDIR", "/tmp/ipython")
    # Text in colour, as a terminal that notebooks can show.
    os.environ.setdefault("TERM", "xterm-color")
    if "" not in sys.path:
        sys.path.insert(0, "")  # modules beside the notebook
    from IPython.core.events import EventManager
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.core.magic import MagicsManager

    from .kernel import BrowsergradKernel
    from .shell import ZMQInteractiveShell

    comms.install("")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shell = ZMQInteractiveShell.instance(session_id="")
    # Of no use in a notebook: sys.exit() ends the cell.
    warnings.filterwarnings("ignore", message="To exit: use")
    interrupts.RUN_CODE_FUNCTIONS.add(InteractiveShell.run_code.__code__)
    # Ended half-way, loading a class of magics would leave them missing for good.
    interrupts.protect(EventManager.register, MagicsManager.load_lazy)
    _prepared = BrowsergradKernel(shell, "")
    return _prepared


def forget() -> None:
    """Let the next `start` make a kernel of its own."""
    global _prepared
    _prepared = None


def start(config: dict[str, Any]) -> Any:
    """Start the kernel, or take the one that a snapshot holds, and connect it to the host.

    Parameters
    ----------
    config
        ``session_id``: id for messages without a request; ``cwd``: folder to start in, or None;
        ``piplite_urls``, ``disable_pypi``: for ``%pip``; ``vendored``: names in the site's lock;
        ``host``: ``browser`` or ``server``.

    Returns
    -------
    BrowsergradKernel
        Its `dispatch` takes messages from now on.
    """
    if hasattr(config, "to_py"):
        config = config.to_py()
    _host.connect()
    kernel = _prepared or prepare()
    forget()
    shell = kernel.shell
    sys.modules["__main__"] = shell.user_module
    streams.install()
    interrupts.install()
    blocking.install()
    stack.install()
    shell.install_input()
    micropip_watch.watch()
    on_demand.install()
    packages.configure(
        list(config.get("piplite_urls") or []),
        bool(config.get("disable_pypi", True)),
        list(config.get("vendored") or []),
        config.get("host") == "server",
    )
    if sys.version_info < (3, 13):
        _restore_names()
    adopt(kernel, str(config.get("session_id") or ""), config.get("cwd"))
    messages.send("iopub", "status", {"execution_state": "starting"}, {}, kernel.session)
    # What exists now stays. Looking through it for garbage holds Python up for 50 ms and more, and nobody can stop that.
    gc.freeze()
    return kernel


def _restore_names() -> None:
    """Matplotlib before 3.9, the last for Python 3.12, imports a name IPython has dropped."""
    from IPython.core import pylabtools

    if not hasattr(pylabtools, "backend2gui"):
        pylabtools.backend2gui = pylabtools._deprecated_backend2gui  # type: ignore[attr-defined]


def adopt(kernel: Any, session: str, cwd: str | None) -> None:
    """Make a kernel that was started in reserve somebody's.

    Parameters
    ----------
    kernel
        What `start` returned.
    session
        Id for messages that belong to no request.
    cwd
        Folder to start in, or None.
    """
    comms.install(session)
    kernel.session = kernel.shell.session_id = session
    _enter(cwd)


def _enter(folder: str | None) -> None:
    if not folder:
        return
    try:
        os.chdir(folder)
    except OSError as error:
        _host.host.log(f"the notebook's folder {folder} can't be the working directory: {error}")
