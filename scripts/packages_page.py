"""Makes `docs/reference/packages.md` from what `scripts/package_table.py` has found, in `docs/packages.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "reference" / "packages.md"
RESULTS = DOCS / "packages.json"
HEAD = """# Packages that were tried

`scripts/package_table.py` vendors each of these packages into a site, imports it in a new page of Chromium, and calls it once. This page is made from its results
by `scripts/packages_page.py`. The packages of Pyodide's release are those of a distribution of 0.27.7; other releases have other versions. Packages of PyPI are tried
on the embedded Pyodide. [Give students packages](../howto/packages.md) says how a site gets packages, and what plotting libraries show.
"""

#: A table: `run` says when and in what it was filled, `rows` have the fields `package`, `version`, `code`, `value` and `problem`.
Table = dict[str, Any]


def load() -> dict[str, Table]:
    """The stored tables by their titles."""
    return json.loads(RESULTS.read_text("utf-8")) if RESULTS.is_file() else {}


def store(title: str, run: str, rows: list[dict[str, str]]) -> None:
    """Write a table into the stored ones, and make the page."""
    tables = {**load(), title: {"run": run, "rows": rows}}
    tables = {title: tables[title] for title in sorted(tables, reverse=True)}
    RESULTS.write_text(json.dumps(tables, indent=1, ensure_ascii=False) + "\n", "utf-8")
    PAGE.write_text(page(tables), "utf-8")


def page(tables: dict[str, Table]) -> str:
    lines = [HEAD]
    for title, table in tables.items():
        lines += [f"## {title}", "", f"Last run: {table['run']}.", ""]
        lines += [
            "| entry of `packages` | version | code | value |",
            "|---|---|---|---|",
            *map(_row, table["rows"]),
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def _row(row: dict[str, str]) -> str:
    value = f"does not work: {row['problem']}" if row["problem"] else f"`{row['value']}`"
    cells = [f"`{row['package']}`", row["version"], f"`{row['code']}`", value]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(page(load()), "utf-8")
