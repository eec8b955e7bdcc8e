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

Last run: {run}.
"""

#: Title of a table -> its rows, each with the fields `package`, `version`, `code`, `value` and `problem`.
Tables = dict[str, list[dict[str, Any]]]


def load() -> dict[str, Any]:
    """The stored results: `run`, which says when and in what they were found, and `tables`."""
    results: dict[str, Any] = json.loads(RESULTS.read_text("utf-8"))
    return results


def store(run: str, tables: Tables) -> None:
    """Write the results, and the page."""
    results = {"run": run, "tables": tables}
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
    PAGE.write_text(page(results), "utf-8")


def page(results: dict[str, Any]) -> str:
    lines = [HEAD.format(run=results["run"])]
    for title, rows in results["tables"].items():
        lines += [f"## {title}", "", "| entry of `packages` | version | code | value |", "|---|---|---|---|"]
        lines += [_row(row) for row in rows]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _row(row: dict[str, Any]) -> str:
    value = f"does not work: {row['problem']}" if row["problem"] else f"`{row['value']}`"
    cells = [f"`{row['package']}`", row["version"], f"`{row['code']}`", value]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(page(load()), "utf-8")
