"""voila: a notebook as a page without cells. It runs on the server kernel, and shows outputs in the form that every front end knows."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from conftest import new_page
from playwright.sync_api import Browser, expect
from test_labs import notebook

from .conftest import free_ports, program

pytestmark = pytest.mark.hosts

CHECKS = "import browsergrad as bg\nbg.assert_pass('one')\nbg.assert_fail('two', 'no')\nprint('printed')"
PLATFORM = "import sys\nprint(sys.platform)"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("voila")
    (folder / "page.ipynb").write_bytes(notebook("# A page", "print('first')", CHECKS, PLATFORM))
    (port,) = free_ports(1)
    address = f"http://127.0.0.1:{port}"
    options = [f"--port={port}", "--no-browser", "--Voila.ip=127.0.0.1"]
    with program(
        sys.executable, "-m", "voila", "page.ipynb", *options, url=f"{address}/nothing", status=403, cwd=folder
    ):
        yield address


def test_voila_shows_the_outputs_of_all_cells(browser: Browser, address: str) -> None:
    page = new_page(browser)
    page.goto(address)
    for text in ("A page", "first", "1 passed, 1 failed, 0 errors", "FAIL", "printed", "emscripten"):
        expect(page.get_by_text(text).first).to_be_visible()
    page.close()
