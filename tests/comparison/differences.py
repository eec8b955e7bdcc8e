"""The differences from ipykernel with their reasons: ``tests/fixtures/comparison.json``, shown in the documentation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs/reference/conformance.md"
FILE = ROOT / "tests/fixtures/comparison.json"
#: The table in the document is between these lines.
BEGIN, END = "<!-- differing cells -->\n", "<!-- end of differing cells -->\n"
#: Which kernel is the reason for a difference, and the document's words for it.
CAUSES = {"python": "Python", "platform": "WebAssembly", "kernel": "this kernel"}
#: Longest code in the table, in characters.
LONGEST = 90


@dataclass(frozen=True)
class Difference:
    """A case whose answers differ."""

    code: str
    cause: str
    reason: str


def load() -> tuple[str, list[Difference]]:
    """The Python version of the ipykernel with which the list was made, and the list."""
    data = json.loads(FILE.read_text("utf-8"))
    found = [
        Difference(code, group["cause"], group["reason"]) for group in data["differences"] for code in group["cells"]
    ]
    return data["python"], found


def _shown(code: str) -> str:
    """Code in one line of a table."""
    line = " ⏎ ".join(part.strip() for part in code.replace("\n---\n", "\n").splitlines() if part.strip())
    line = line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
    line = line.replace("|", "\\|")
    ticks = "``" if "`" in line else "`"
    return f"{ticks}{line}{ticks}"


def table() -> str:
    """The part of the document between its two marks."""
    python, found = load()
    rows = [f"| {_shown(one.code)} | {CAUSES[one.cause]} | {one.reason} |" for one in found]
    heading = f"ipykernel ran on Python {python}, this kernel on the embedded Pyodide.\n\n| cells | by | reason |\n|---|---|---|\n"
    return heading + "\n".join(rows) + "\n"


def documented() -> str:
    """The text that the document shows."""
    text = DOCUMENT.read_text("utf-8")
    return text.partition(BEGIN)[2].partition(END)[0].strip("\n") + "\n"


def write_document() -> None:
    """Write the table into the document. ``python -m tests.comparison.differences`` calls this."""
    text = DOCUMENT.read_text("utf-8")
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    DOCUMENT.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    write_document()
