"""Which request the running code belongs to, per asyncio task."""

from __future__ import annotations

import contextvars
from typing import Any

_parent: contextvars.ContextVar[dict[str, Any] | None] = contextvars.ContextVar("browsergrad_parent", default=None)
#: The newest request, for callbacks from JavaScript, which no task has created.
_newest: dict[str, Any] = {}


def set_parent(message: dict[str, Any]) -> None:
    """Messages of this task, and of tasks it creates, belong to the request `message`."""
    global _newest
    _newest = message
    _parent.set(message)


def parent_message() -> dict[str, Any]:
    """The whole request; ``{}`` before the first one."""
    message = _parent.get()
    return _newest if message is None else message


def parent_header() -> dict[str, Any]:
    """Its header; ``{}`` before the first request."""
    header: dict[str, Any] = parent_message().get("header") or _NONE
    return header


_NONE: dict[str, Any] = {}
