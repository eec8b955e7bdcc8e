"""Saved notebooks in programs that do not know our MIME types: as nbconvert writes them to HTML."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import nbformat
import pytest
from browsergrad._mime import artifact_bundle, assertions_bundle
from nbconvert import HTMLExporter

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def bundles(name: str = "") -> list[dict[str, Any]]:
    """One MIME bundle of each kind, with `name` in every text."""
    assertions = [
        {"kind": "pass", "name": f"adds{name}"},
        {"kind": "fail", "name": f"zero{name}", "message": f"sign{name}", "expectedRepr": f"0{name}", "actualRepr": f"-1{name}"},
        {"kind": "error", "name": f"breaks{name}", "message": f"x{name}", "traceback": f"Traceback{name}"},
    ]  # fmt: skip
    artifacts: list[dict[str, Any]] = [
        {"kind": "log", "name": f"timing{name}", "level": "warn", "data": {f"seconds{name}": 0.25}},
        {"kind": "json", "name": f"curve{name}", "data": {"x": [0, 1], f"loss{name}": [2, 1.5]}},
        {"kind": "image", "name": f"dot{name}", "mime": "image/png", "dataBase64": PIXEL},
        {"kind": "image", "name": f"drawing{name}", "mime": "image/svg+xml", "dataBase64": PIXEL},
    ]
    counts = {"pass": 1, "fail": 1, "error": 1}
    return [assertions_bundle(assertions, counts), *map(artifact_bundle, artifacts)]


def converted(*outputs: dict[str, Any], theme: str = "light") -> str:
    cells = [nbformat.v4.new_code_cell("1", outputs=[nbformat.v4.new_output("display_data", data)]) for data in outputs]
    exporter = HTMLExporter(theme=theme)
    return exporter.from_notebook_node(nbformat.v4.new_notebook(cells=cells))[0]


class Page(HTMLParser):
    """The names of tags in order, cells of tables, sources of images, and attributes that would run code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []
        self.images: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        if tag in ("td", "th"):
            self.cells.append("")
        elif tag == "img":
            self.images.append(dict(attrs)["src"] or "")

    def handle_data(self, data: str) -> None:
        if self.cells and "table" in self.tags:
            self.cells[-1] += data


@pytest.mark.parametrize("name", ["", HOSTILE], ids=["plain", "hostile"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nbconvert_shows_tables_and_no_script_of_ours(theme: str, name: str) -> None:
    page, empty = Page(converted(*bundles(name), theme=theme)), Page(converted(theme=theme))
    assert page.tags.count("script") == empty.tags.count("script"), "nbconvert's own, and no more"
    assert page.handlers == empty.handlers
    assert page.tags.count("table") == 1
    assert page.cells[:3] == ["Result", "Check", "Detail"]
    assert page.cells[3:5] == ["FAIL", f"zero{name}"]
    assert page.cells[5] == f"sign{name}expected 0{name}got -1{name}"
    assert page.cells[6:8] == ["ERROR", f"breaks{name}"]
    assert [source[:14] for source in page.images] == ["data:image/png", "data:image/svg"]
    text = converted(*bundles(), theme=theme)
    for shown in ("1 passed, 1 failed, 1 error", "<li>adds</li>", "timing (warn)", '"seconds": 0.25', '"loss"'):
        assert shown in text
