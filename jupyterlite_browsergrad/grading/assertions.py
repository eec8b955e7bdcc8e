"""Checks contents of ``application/vnd.browsergrad.assertions.v1+json`` that others have made.

The rules are those of ``browsergrad/schemas/assertions.v1.schema.json``. They are written out here because a content may hold
tens of thousands of assertions, which a general validator takes seconds for; a test compares both.
"""

from __future__ import annotations

import math
from typing import Any

__all__ = ["KINDS", "is_content"]

KINDS = ("pass", "fail", "error")
#: For each kind of assertion, the texts beside its kind and name, and whether they are required.
_TEXTS: dict[str, dict[str, bool]] = {
    "pass": {},
    "fail": {"message": True, "expectedRepr": False, "actualRepr": False},
    "error": {"message": True, "traceback": False},
}
_NUMBERS = ("durationMs", "points", "earned")
#: Texts that each may have, and that are not empty then.
_FILLED = ("group", "feedback")
_ALWAYS = frozenset({"kind", "name", *_FILLED, *_NUMBERS})


def is_content(content: Any) -> bool:
    """Tell whether `content`, read from JSON, follows the schema."""
    if not (isinstance(content, dict) and content.keys() - {"points"} == {"assertions", "counts"}):
        return False
    counts, assertions = content["counts"], content["assertions"]
    return (
        isinstance(counts, dict)
        and counts.keys() == set(KINDS)
        and all(map(_is_count, counts.values()))
        and isinstance(assertions, list)
        and all(map(_is_assertion, assertions))
        and ("points" not in content or _is_sum(content["points"]))
    )


def _is_count(value: Any) -> bool:
    # In JSON Schema, 1.0 is an integer. Nobody writes that, and readers expect an int.
    return type(value) is int and value >= 0


def _is_assertion(assertion: Any) -> bool:
    if not (isinstance(assertion, dict) and isinstance(kind := assertion.get("kind"), str) and kind in _TEXTS):
        return False
    texts = _TEXTS[kind]
    name = assertion.get("name")
    return (
        isinstance(name, str)
        and name != ""
        and all(key in _ALWAYS or key in texts for key in assertion)
        and all(isinstance(assertion[key], str) if key in assertion else not needed for key, needed in texts.items())
        and all(_is_number(assertion[key]) for key in _NUMBERS if key in assertion)
        and all(isinstance(assertion[key], str) and assertion[key] != "" for key in _FILLED if key in assertion)
    )


def _is_sum(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"earned", "possible"} and all(map(_is_number, value.values()))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf
