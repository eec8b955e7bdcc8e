"""Makes the notebooks of labs, in format 4.5."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..errors import AuthoringError

__all__ = ["cell", "kebab_case", "lab_id", "notebook", "notebook_text"]

#: The kernel with which a lab's notebook starts in JupyterLite.
KERNEL = {"display_name": "Python (BrowserGrad)", "language": "python", "name": "browsergrad"}


def cell(kind: str, source: str, number: int, metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a cell without outputs. Its id depends only on its number: a notebook that is made again differs only in changed cells."""
    made: dict[str, Any] = {"cell_type": kind, "id": f"cell-{number:02}", "metadata": metadata or {}}
    if kind == "code":
        made |= {"execution_count": None, "outputs": []}
    made["source"] = source.splitlines(keepends=True)
    return made


def notebook(cells: Iterable[dict[str, Any]], manifest: str | None = None) -> dict[str, Any]:
    """Return a notebook. `manifest` is the path of the lab's manifest if that is not beside the notebook."""
    metadata: dict[str, Any] = {"kernelspec": dict(KERNEL), "language_info": {"name": "python"}}
    if manifest is not None:
        metadata["browsergrad"] = {"manifest": manifest}
    return {"cells": list(cells), "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def notebook_text(content: dict[str, Any]) -> str:
    """Return a notebook's text, in the form in which Jupyter writes it to a file."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def kebab_case(name: str) -> str:
    """Return `name` as the id of a manifest, such as ``week-1-sorting``. It is empty if the name has no ASCII letter or digit."""
    words = re.findall("[a-z0-9]+", re.sub("(?<=[a-z0-9])(?=[A-Z])", " ", name).lower())
    return "-".join(words)


def lab_id(folder: Path) -> str:
    """Return the id of the lab in a folder: its name in kebab case. Raises `AuthoringError` if the name has no ASCII letter or digit."""
    name = kebab_case(folder.absolute().name)
    if not name:
        raise AuthoringError(f"{folder}: a lab's name needs letters or digits of ASCII, such as linear-search")
    return name
