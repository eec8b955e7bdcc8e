"""Reads the source of a lab: a notebook, or a Python file in percent format (``# %%`` begins a cell)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import AuthoringError
from ..exit_status import FAULTS

__all__ = ["Problems", "SourceCell", "read_source"]

_CELL = re.compile(r"#\s*%%(?P<rest>.*)")
_KIND = re.compile(r"\[(markdown|md|raw|code)\]")
_KINDS = {"md": "markdown"}


@dataclass(frozen=True)
class SourceCell:
    """One cell.

    Attributes
    ----------
    number
        Number of the cell, from 1.
    line
        Number of the file's line before the cell. 0 in a notebook, where lines are counted in each cell.
    shown
        Text of its saved output. Otter compares tests with it.
    """

    file: Path
    kind: str
    source: str
    number: int
    line: int = 0
    metadata: dict[str, Any] = field(default_factory=dict)
    shown: str = ""

    @property
    def lines(self) -> list[str]:
        return self.source.splitlines()

    def at(self, line: int = 1) -> str:
        """The place of a line of the cell, for messages. Lines are counted from 1."""
        return f"{self.file}: cell {self.number}, line {self.line + line}"


class Problems:
    """Collects the problems of a source, so that all are reported together."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, cell: SourceCell, line: int, text: str) -> None:
        """Note a problem at a line of a cell. Lines are counted from 1."""
        self.found.append(f"{cell.at(line)}: {text}")

    def check(self) -> None:
        """Raise `AuthoringError` if there are any problems. The message has all of them."""
        if self.found:
            lines = "\n".join(f"- {each}" for each in self.found)
            raise AuthoringError(f"nothing was written:\n{lines}", exit_status=FAULTS)


def read_source(path: Path) -> list[SourceCell]:
    """Read the cells of a notebook or a Python file.

    Raises
    ------
    AuthoringError
        The file does not exist, or is neither.
    """
    if path.suffix not in (".ipynb", ".py"):
        raise AuthoringError(f"{path}: a source is a notebook (.ipynb) or a Python file in percent format (.py)")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise AuthoringError(
            f"{path} cannot be read: {error.strerror or error}: give a notebook (.ipynb) or a Python file (.py)"
        ) from error
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise AuthoringError(f"{path}: line {line}: it is not UTF-8 text ({error.reason}): save it as UTF-8") from error
    return _script(path, text) if path.suffix == ".py" else _notebook(path, text)


def _notebook(path: Path, text: str) -> list[SourceCell]:
    try:
        cells = json.loads(text)["cells"]
        found = [
            SourceCell(
                path,
                str(each["cell_type"]),
                _joined(each["source"]),
                number,
                0,
                dict(each.get("metadata", {})),
                _shown(each),
            )
            for number, each in enumerate(cells, 1)
        ]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        said = f"{type(error).__name__}: {error}"
        raise AuthoringError(
            f"{path}: it is not a notebook of format 4 ({said}): save it with a current Jupyter"
        ) from error
    return found


def _joined(text: Any) -> str:
    return text if isinstance(text, str) else "".join(text)


def _shown(cell: dict[str, Any]) -> str:
    texts = []
    for output in cell.get("outputs", []):
        texts.append(_joined(output.get("text", "")))
        texts.append(_joined(output.get("data", {}).get("text/plain", "")))
    return "".join(texts)


def _script(path: Path, text: str) -> list[SourceCell]:
    cells: list[SourceCell] = []
    kind, start = "code", 0
    lines: list[str] = []

    def end() -> None:
        body = [re.sub(r"^# ?", "", line) for line in lines] if kind != "code" else list(lines)
        first = next((index for index, line in enumerate(body) if line.strip()), None)
        if first is not None:
            source = "\n".join(body[first:]).rstrip()
            cells.append(SourceCell(path, kind, source, len(cells) + 1, start + first))

    for number, line in enumerate(text.splitlines(), 1):
        begin = _CELL.fullmatch(line)
        if begin:
            end()
            found = _KIND.search(begin["rest"])
            kind = _KINDS.get(found[1], found[1]) if found else "code"
            start = number
            lines.clear()
        else:
            lines.append(line)
    end()
    return cells
