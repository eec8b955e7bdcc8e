"""Starts the kernel. The worker imports this module."""

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
    libraries,
    messages,
    micropip_watch,
    missing_glyphs,
    on_demand,
    packages,
    processes,
    shadowing,
    stack,
    stand_ins,
    streams,
)

#: The kernel that `prepare` has made, until `start` takes it.
_prepared: Any = None


def prepare() -> Any:
    """Make the shell and the kernel, as far as this needs no host. A memory snapshot holds the result."""
    global _prepared
    shadowing.install()
    stand_ins.install()
    amended.install()
    if _host.IN_PYODIDE:
        processes.install()
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    os.environ.setdefault("IPYTHONDIR", "/tmp/ipython")
    libraries.choose_resources()
    # Lets programs write colours, which notebooks can show.
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
    missing_glyphs.install(shell)
    # This warning does not help in a notebook, where sys.exit() ends the cell.
    warnings.filterwarnings("ignore", message="To exit: use")
    interrupts.mark_runs_cells(InteractiveShell.run_code)
    # If an interrupt ended these half-way, a class of magics would be missing until the kernel ends.
    interrupts.protect(EventManager.register, MagicsManager.load_lazy)
    _prepared = BrowsergradKernel(shell, "")
    return _prepared


def forget() -> None:
    """Forget the prepared kernel, so that the next `start` makes a new one."""
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
        The kernel, whose `dispatch` now accepts messages.
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
    # These objects live as long as the kernel. Searching them for garbage would block Python for 50 ms or more, and nothing can
    # interrupt that.
    gc.freeze()
    return kernel


def _restore_names() -> None:
    """Restore a name that IPython has removed. Matplotlib before 3.9 imports it, the last version for Python 3.12."""
    from IPython.core import pylabtools

    if not hasattr(pylabtools, "backend2gui"):
        pylabtools.backend2gui = pylabtools._deprecated_backend2gui  # type: ignore[attr-defined]


def adopt(kernel: Any, session: str, cwd: str | None) -> None:
    """Assign a spare kernel to a session and a folder.

    Parameters
    ----------
    kernel
        What `start` returned.
    session
        Id of messages that belong to no request.
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
