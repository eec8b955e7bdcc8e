"""Reads the replies of a sandbox to the grader. They cannot be trusted, since student code can write any reply.

A text in a reply consists of letters, digits and a few signs. So its repr is the text between quotes, and need not be evaluated. JSON is
encoded in base64.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

from .assertions import is_content

__all__ = ["MAX_REPLY", "content_of", "read_text", "text_of"]

#: Longest text that is read, in characters. Results are much shorter, since they are cut by `signed_verdict.MAX_ASSERTIONS`.
MAX_REPLY = 8 << 20
_TEXT = re.compile(r"'([A-Za-z0-9+/=._-]*)'")


def text_of(reply: dict[str, Any]) -> str | None:
    """Return the text of the expression named ``result``; None if the reply's content has none."""
    found: Any = reply
    for name in ("user_expressions", "result", "data", "text/plain"):
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, str) or len(found) > MAX_REPLY:
        return None
    text = _TEXT.fullmatch(found)
    return text and text[1]


def content_of(text: str) -> dict[str, Any] | None:
    """Return the assertions in `text`, which is base64 of their JSON; None if they do not follow the schema."""
    try:
        content = json.loads(base64.b64decode(text, validate=True), parse_constant=_refuse)
    except (binascii.Error, ValueError, RecursionError):
        return None
    return content if is_content(content) else None


def _refuse(name: str) -> None:
    raise ValueError(f"JSON has no {name}")


def read_text(reply: dict[str, Any], name: str, otherwise: str) -> str:
    """Return a field of a reply, as text that can be written anywhere; `otherwise` if it is not text."""
    value = reply.get(name)
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else otherwise
