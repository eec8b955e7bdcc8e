"""The manifest of a small lab, for tests that make labs."""

from __future__ import annotations

from typing import Any

MANIFEST: dict[str, Any] = {
    "id": "one",
    "version": "1.0.0",
    "requires_browsergrad": "^0.8.0",
    "required_ops": [],
    "rubric_path": "rubric.py",
    "starter_path": "starter.py",
    "reference_path": "reference.py",
}
