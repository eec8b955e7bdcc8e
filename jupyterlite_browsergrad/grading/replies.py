"""Read what a sandbox answers to the grader, without trust: student code can write any reply.

A text comes back in letters, digits and a few signs, so that one look tells whether it is one: its repr is itself between quotes,
and nothing has to evaluate it. JSON travels in base64.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

from .assertions import is_content

__all__ = ["MOST_REPLY", "content_of", "read_text", "text_of"]

#: Longest text that is looked at, in characters. Results are cut well below it, by `signed_verdict.MOST_ASSERTIONS`.
MOST_REPLY = 8 << 20
_TEXT = re.compile(r"'([A-Za-z0-9+/=._-]*)'")


def text_of(reply: dict[str, Any]) -> str | None:
    """Return the text that an expression named ``result`` gave; None when the reply's content holds none."""
    found: Any = reply
    for name in ("user_expressions", "result", "data", "text/plain"):
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, str) or len(found) > MOST_REPLY:
        return None
    text = _TEXT.fullmatch(found)
    return text and text[1]


def content_of(text: str) -> dict[str, Any] | None:
    """Return the assertions that `text` holds, base64 of their JSON; None when it holds nothing that follows the schema."""
    try:
        content = json.loads(base64.b64decode(text, validate=True), parse_constant=_refuse)
    except (binascii.Error, ValueError, RecursionError):
        return None
    return content if is_content(content) else None


def _refuse(name: str) -> None:
    raise ValueError(f"JSON has no {name}")


def read_text(reply: dict[str, Any], name: str, otherwise: str) -> str:
    """Return a field of a reply as text that can be written anywhere; `otherwise` when it is not text."""
    value = reply.get(name)
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else otherwise
