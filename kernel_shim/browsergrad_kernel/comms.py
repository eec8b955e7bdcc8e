"""Comms: classes of the ``comm`` package that publish through the host.

Source: "Messaging in Jupyter", section "Custom Messages".
"""

from __future__ import annotations

from typing import Any

import comm
from comm.base_comm import BaseComm, CommManager

from . import messages
from .parent import parent_header

_manager: CommManager | None = None
_session = ""


class Comm(BaseComm):
    """A comm whose messages go to the front end."""

    @property
    def kernel(self) -> Any:
        """The kernel. Widgets treat a comm without a kernel as closed."""
        from IPython import get_ipython

        return getattr(get_ipython(), "kernel", None)

    def publish_msg(
        self,
        msg_type: str,
        data: Any = None,
        metadata: Any = None,
        buffers: Any = None,
        **keys: Any,
    ) -> None:
        content = {"data": {} if data is None else data, "comm_id": self.comm_id, **keys}
        messages.send("iopub", msg_type, content, parent_header(), _session, metadata, buffers)


def manager() -> CommManager:
    """The kernel's comm manager."""
    global _manager
    if _manager is None:
        _manager = CommManager()
    return _manager


def create_comm(*args: Any, **kwargs: Any) -> Comm:
    """A new comm. Replaces ``comm.create_comm``."""
    return Comm(*args, **kwargs)


def install(session: str) -> None:
    """Make the ``comm`` package use this kernel."""
    global _session
    _session = session
    comm.create_comm = create_comm
    comm.get_comm_manager = manager


def info(target: str | None) -> dict[str, Any]:
    """The reply to a ``comm_info_request``: the comms of one target, or all comms."""
    return {
        "comms": {
            comm_id: {"target_name": item.target_name}
            for comm_id, item in manager().comms.items()
            if not target or item.target_name == target
        }
    }
