"""Makes Jupyter messages, and awaits the messages of a request."""

from __future__ import annotations

import asyncio
import queue
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

__all__ = ["Message", "Receiver", "ask", "ask_async", "make_message"]

Message = dict[str, Any]
Receiver = Callable[[Message], object]


def make_message(
    session_id: str, msg_type: str, content: dict[str, Any], buffers: list[bytes] | None = None, channel: str = "shell"
) -> Message:
    """Make a message with a new id and no parent."""
    return {
        "channel": channel,
        "header": {
            "msg_id": uuid.uuid4().hex,
            "msg_type": msg_type,
            "session": session_id,
            "username": "browsergrad",
            "date": datetime.now(UTC).isoformat(),
            "version": "5.4",
        },
        "parent_header": {},
        "metadata": {},
        "content": content,
        "buffers": buffers or [],
    }


def ask(send: Callable[[Message, Receiver], object], message: Message) -> tuple[Message, list[Message]]:
    """Send a request, and wait for its reply and all other messages that belong to it."""
    received: queue.SimpleQueue[Message] = queue.SimpleQueue()
    send(message, received.put)
    messages, reply, idle = [], None, False
    while reply is None or not idle:
        answer = received.get()
        if answer["channel"] in ("shell", "control"):
            reply = answer
        else:
            messages.append(answer)
        idle = idle or answer["content"].get("execution_state") == "idle"
    return reply, messages


async def ask_async(send: Callable[[Message, Receiver], object], message: Message) -> AsyncIterator[Message]:
    """Send a request, and yield all messages that belong to it, until both the reply and the idle status have come."""
    loop = asyncio.get_running_loop()
    received: asyncio.Queue[Message] = asyncio.Queue()
    send(message, lambda answer: loop.call_soon_threadsafe(received.put_nowait, answer))
    replied = not message["header"]["msg_type"].endswith("_request")
    idle = False
    while not (replied and idle):
        answer = await received.get()
        replied = replied or answer["channel"] in ("shell", "control")
        idle = idle or answer["content"].get("execution_state") == "idle"
        yield answer
