"""Start the kernel: what the worker imports."""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

from . import blocking, comms, interrupts, packages, stand_ins, streams


def start(config: dict[str, Any]) -> Any:
    """Make the shell and the kernel.

    Parameters
    ----------
    config
        ``session_id``: id for messages without a request; ``cwd``: folder to start in, or None;
        ``piplite_urls``, ``disable_pypi``: for ``%pip``; ``vendored``: names in the site's lock.

    Returns
    -------
    BrowsergradKernel
        Its `dispatch` takes messages from now on.
    """
    if hasattr(config, "to_py"):
        config = config.to_py()
    stand_ins.install()
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    os.environ.setdefault("IPYTHONDIR", "/tmp/ipython")
    # Text in colour, as a terminal that notebooks can show.
    os.environ.setdefault("TERM", "xterm-color")
    if "" not in sys.path:
        sys.path.insert(0, "")  # modules beside the notebook
    from IPython.core.events import EventManager
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.core.magic import MagicsManager

    from . import messages
    from .kernel import BrowsergradKernel
    from .shell import ZMQInteractiveShell

    session = str(config.get("session_id") or "")
    comms.install(session)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shell = ZMQInteractiveShell.instance(session_id=session, user_ns={})
    # Of no use in a notebook: sys.exit() ends the cell.
    warnings.filterwarnings("ignore", message="To exit: use")
    interrupts.RUN_CODE_FUNCTIONS.add(InteractiveShell.run_code.__code__)
    # Ended half-way, loading a class of magics would leave them missing for good.
    interrupts.protect(EventManager.register, MagicsManager.load_lazy)
    streams.install()
    interrupts.install()
    blocking.install()
    shell.install_input()
    packages.configure(
        list(config.get("piplite_urls") or []),
        bool(config.get("disable_pypi", True)),
        list(config.get("vendored") or []),
    )
    if sys.version_info < (3, 13):
        _restore_names()
    kernel = BrowsergradKernel(shell, session)
    _enter(config.get("cwd"))
    messages.send("iopub", "status", {"execution_state": "starting"}, {}, session)
    return kernel


def _restore_names() -> None:
    """Matplotlib before 3.9, the last for Python 3.12, imports a name IPython has dropped."""
    from IPython.core import pylabtools

    if not hasattr(pylabtools, "backend2gui"):
        pylabtools.backend2gui = pylabtools._deprecated_backend2gui


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
        print(f"the notebook's folder {folder} can't be the working directory: {error}", file=sys.__stderr__)
