"""Reads which lab a notebook's metadata names."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .manifest_rules import path_problem

__all__ = ["NamedManifest", "marks_of_cell", "named_manifest"]


@dataclass(frozen=True)
class NamedManifest:
    """The manifest that ``browsergrad.manifest`` in a notebook's metadata names.

    Attributes
    ----------
    name
        The name as it is written there.
    file
        Its path, even if it does not exist; None if the name cannot be used.
    problem
        Why the name cannot be used, as the rest of a sentence about it; else None.
    """

    name: object
    file: Path | None
    problem: str | None = None


def named_manifest(notebook: Path) -> NamedManifest | None:
    """Read which manifest a notebook names. None if it names none, or has not been saved yet.

    Raises
    ------
    OSError, ValueError, RecursionError
        The notebook cannot be read.
    """
    try:
        content = json.loads(notebook.read_bytes() or b"{}")
    except FileNotFoundError:
        return None
    metadata = content.get("metadata") if isinstance(content, dict) else None
    ours = metadata.get("browsergrad") if isinstance(metadata, dict) else None
    if not isinstance(ours, dict) or "manifest" not in ours:
        return None
    named = ours["manifest"]
    problem = path_problem(named) if isinstance(named, str) else "must be a string"
    return NamedManifest(named, None if problem else notebook.parent / os.path.normpath(named), problem)


def marks_of_cell(cell: dict[str, Any], tool: str) -> dict[str, Any]:
    """Return what a tool wrote into a cell's metadata, under its name; empty where there is nothing of that form."""
    metadata = cell.get("metadata")
    marks = metadata.get(tool) if isinstance(metadata, dict) else None
    return marks if isinstance(marks, dict) else {}
