"""Start the kernel: what the worker imports."""

from __future__ import annotations

import os
import warnings
from typing import Any

from . import blocking, comms, interrupts, packages, stand_ins, streams


def start(config: dict[str, Any]) -> Any:
    """Make the shell and the kernel.

    Parameters
    ----------
    config
        ``session_id``: id for messages without a request; ``cwd``: folder to start in, or None;
        ``piplite_urls``, ``disable_pypi``: for ``%pip``.

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
    from IPython.core.events import EventManager
    from IPython.core.interactiveshell import InteractiveShell

    from . import messages
    from .kernel import BrowsergradKernel
    from .shell import KernelShell

    session = str(config.get("session_id", ""))
    comms.install(session)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shell = KernelShell.instance(session_id=session, user_ns={})
    interrupts.RUN_CODE_FUNCTIONS.add(InteractiveShell.run_code.__code__)
    interrupts.protect(EventManager.register)
    streams.install()
    interrupts.install()
    blocking.install()
    shell.install_input()
    packages.configure(config.get("piplite_urls") or [], bool(config.get("disable_pypi", True)))
    kernel = BrowsergradKernel(shell, session)
    cwd = config.get("cwd")
    if cwd:
        try:
            os.chdir(cwd)
        except OSError as error:
            print(f"the notebook's folder {cwd} can't be the working directory: {error}")
    messages.send("iopub", "status", {"execution_state": "starting"}, {}, session)
    return kernel
