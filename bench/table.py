"""Writes rows of results as JSON, and as a table in the documentation."""

from __future__ import annotations

import json
import os
import platform
import statistics
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .sites import VERSIONS

BEGIN, END = "<!-- results: written by `make bench` -->", "<!-- end of results -->"


@dataclass
class Row:
    """One measurement.

    Attributes
    ----------
    ours, stock
        Medians of the samples of our kernel and of the stock kernel.
    ratio
        `ours` divided by `stock`.
    limit
        Greatest ratio that the project accepts.
    """

    name: str
    unit: str
    ours: float
    stock: float | None
    ratio: float | None
    samples: dict[str, list[float]]
    isolated: bool = False
    limit: float | None = None
    #: Greatest value of `ours` that the project accepts, in `unit`, if there is no `limit`.
    bound: float | None = None
    #: Whether the stock kernel was measured in pages that are not isolated, although ours are isolated.
    stock_plain: bool = False

    def __str__(self) -> str:
        return f"{self.name}: " + ", ".join(cell for cell in cells(asdict(self))[1:] if cell)


#: Between a suite's name and the version of the stock kernel, if it is not the installed one.
_VARIANT = ", stock kernel "


def table_of(suite: str, stock: str | None) -> str:
    """Return the name of the table for a suite's rows."""
    return suite if stock is None else f"{suite}{_VARIANT}{stock}"


def machine(browser_version: str, stock: str | None = None) -> dict[str, Any]:
    """Return the machine, system and versions on which the figures depend."""
    model = [
        line.split(":")[1].strip()
        for line in (Path("/proc/cpuinfo").read_text("utf-8") if Path("/proc/cpuinfo").exists() else "").splitlines()
        if line.startswith("model name")
    ]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": f"{os.cpu_count()} × {model[0] if model else platform.processor()}",
        "system": platform.platform(),
        "chromium": browser_version,
        "jupyterlite-browsergrad": VERSIONS["__version__"],
        "jupyterlite-pyodide-kernel": stock or version("jupyterlite-pyodide-kernel"),
        "jupyterlite-core": version("jupyterlite-core"),
        "pyodide": VERSIONS["PYODIDE_VERSION"],
    }


def number(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}"


def wanted(row: dict[str, Any]) -> str:
    """Return the text of the column *wanted*: the greatest ratio or value that the project accepts."""
    if row["limit"] is not None:
        return f"≤ {row['limit']}"
    bound = row.get("bound")
    return "" if bound is None else f"≤ {bound:g} {row['unit']}".rstrip()


def cells(row: dict[str, Any]) -> list[str]:
    ratio = row["ratio"]
    return [
        row["name"]
        + (" (isolated; stock not)" if row.get("stock_plain") else " (isolated)" if row["isolated"] else ""),
        number(row["ours"], row["unit"]),
        number(row["stock"], row["unit"]),
        "" if ratio is None else f"{ratio:.3f}" if ratio < 0.1 else f"{ratio:.2f}",
        wanted(row),
    ]


def stored(row: Row) -> dict[str, Any]:
    """Return a row in the form for the JSON file, with the number and the quartiles of each side's samples instead of all of them."""
    kept = asdict(row)
    kept["spread"] = {
        side: {
            "count": len(values),
            "quartiles": statistics.quantiles(values, method="inclusive")[::2] if len(values) > 1 else values * 2,
        }
        for side, values in kept.pop("samples").items()
    }
    return kept


def write_json(path: Path, about: dict[str, Any], rows: dict[str, list[Row]], order: list[str]) -> dict[str, Any]:
    """Write the suites that ran into the file. All other suites keep their rows and their machine."""
    suites = json.loads(path.read_text("utf-8"))["suites"] if path.is_file() else {}
    for name, measured in rows.items():
        suites[name] = {"machine": about, "rows": [stored(row) for row in measured]}
    ordered = [name for suite in order for name in sorted(suites) if name.partition(_VARIANT)[0] == suite]
    content = {"suites": {name: suites[name] for name in ordered}}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return content


def write_markdown(path: Path, content: dict[str, Any]) -> None:
    """Write the tables between the two marks in a page."""
    text = path.read_text("utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    lines = [BEGIN, ""]
    for name, suite in content["suites"].items():
        about = suite["machine"]
        lines += [f"### {name.capitalize()}", "", "| | ours | stock | ratio | wanted |", "|---|--:|--:|--:|--:|"]
        lines += ["| " + " | ".join(cells(row)) + " |" for row in suite["rows"]]
        lines += ["", ", ".join(f"{key} {value}" for key, value in about.items()) + ".", ""]
    path.write_text(before + "\n".join(lines) + END + after, "utf-8")
