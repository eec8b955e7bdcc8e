"""The request to which the running code belongs, for each asyncio task."""

from __future__ import annotations

import contextvars
from typing import Any

_parent: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar("browsergrad_parent", default=None)
#: The newest request. Used by callbacks from JavaScript, which do not run in a task.
_newest: dict[str, Any] = {}


def set_parent(message: dict[str, Any]) -> None:
    """Assign this task, and tasks that it creates, to the request `message`."""
    global _newest
    _newest = message
    _parent.set(message)


def parent_message() -> dict[str, Any]:
    """The whole message of the request; ``{}`` before the first one."""
    message = _parent.get()
    return _newest if message is None else message


def parent_header() -> dict[str, Any]:
    """The header of the request; ``{}`` before the first one."""
    header: dict[str, Any] = parent_message().get("header") or _NONE
    return header


_NONE: dict[str, Any] = {}
