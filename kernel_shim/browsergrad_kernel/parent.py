"""Which request the running code belongs to, per asyncio task."""

from __future__ import annotations

import contextvars
from typing import Any

_parent: contextvars.ContextVar[dict[str, Any]] = contextvars.ContextVar("browsergrad_parent", default={})


def set_parent(message: dict[str, Any]) -> None:
    """Messages of this task, and of tasks it creates, belong to the request `message`."""
    _parent.set(message)


def parent_message() -> dict[str, Any]:
    """The whole request."""
    return _parent.get()


def parent_header() -> dict[str, Any]:
    """Its header; ``{}`` before the first request."""
    return _parent.get().get("header", {})
