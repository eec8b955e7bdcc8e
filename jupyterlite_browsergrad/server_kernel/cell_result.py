"""The result of one cell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .messages import Message

__all__ = ["Result"]


@dataclass
class Result:
    """The result of one cell.

    Attributes
    ----------
    lost
        Whether the interpreter was replaced or has ended, so that everything that cells have defined is lost.
    """

    reply: Message
    messages: list[Message] = field(default_factory=list)
    lost: bool = False

    @property
    def content(self) -> dict[str, Any]:
        """The content of the reply."""
        content: dict[str, Any] = self.reply["content"]
        return content

    def of(self, msg_type: str) -> list[dict[str, Any]]:
        """The contents of all messages of one type."""
        return [message["content"] for message in self.messages if message["header"]["msg_type"] == msg_type]

    def text(self, name: str = "stdout") -> str:
        """The text that was written to a stream."""
        return "".join(str(content.get("text", "")) for content in self.of("stream") if content.get("name") == name)
