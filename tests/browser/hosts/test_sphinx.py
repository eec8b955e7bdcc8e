"""A book built by Sphinx with jupyterlite-sphinx, as the guide describes it: each directive's frame runs cells and has Stop."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, new_page, served, write_files
from playwright.sync_api import Browser, FrameLocator, Page, expect
from test_labs import lab_files

pytestmark = pytest.mark.hosts

GUIDE = (ROOT / "docs/howto/books.md").read_text("utf-8")
DIRECTIVES = ("replite", "notebooklite", "jupyterlite", "try_examples")
SITE = {
    "jupyter-lite-schema-version": 0,
    # This extension is installed for comparisons.
    "jupyter-config-data": {"disabledExtensions": ["@jupyterlite/pyodide-kernel-extension"]},
}


def blocks(language: str) -> list[str]:
    """The guide's examples in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guide's book, in which each directive has a page of its own."""
    folder = tmp_path_factory.mktemp("book")
    files = {
        # A theme that leaves a frame the page's whole width, so that all buttons fit.
        "conf.py": "".join(blocks("python")) + 'html_theme = "basic"\n',
        "jupyter_lite_config.json": json.dumps({"BrowsergradAddon": {"packages": []}}),
        "jupyter-lite.json": json.dumps(SITE),
        "index.rst": "Book\n====\n\n.. toctree::\n\n" + "".join(f"   {name}\n" for name in DIRECTIVES),
    }
    page = blocks("rst")[0]
    for name in DIRECTIVES:
        (directive,) = re.findall(rf"^\.\. {name}::.*\n(?:\n| .*\n)*", page, re.MULTILINE)
        files[f"{name}.rst"] = f"{name}\n{'=' * len(name)}\n\n{directive}"
    write_files(folder, {name: text.encode() for name, text in files.items()} | lab_files("labs/adding"))
    command = [sys.executable, "-m", "sphinx", "-W", "-b", "html", folder, folder / "_build"]
    done = subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not list((folder / "_build").rglob("solution.py")), "the reference stays at home"
    return folder / "_build"


@pytest.fixture(scope="module", params=["isolated", "plain"])
def address(request: pytest.FixtureRequest, book: Path) -> Iterator[str]:
    with served(book, request.param == "isolated") as address:
        yield address


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = new_page(browser, viewport={"width": 2000, "height": 1000})
    with page.context:
        # The extension's style sheet asks for a font.
        page.route(lambda url: not url.startswith((address, "data:", "blob:")), lambda route: route.abort())
        yield page


def stop(frame: FrameLocator) -> None:
    frame.locator('[data-jp-item-name="interrupt"]').locator("jp-button, button").first.click()
    expect(frame.locator(".jp-OutputArea-output", has_text="KeyboardInterrupt")).to_be_visible()


def write(page: Page, frame: FrameLocator, code: str) -> None:
    """Replace the first code cell's text and run it by its keys."""
    editor = frame.locator(".jp-CodeCell .cm-content").first
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(code)
    page.keyboard.press("Shift+Enter")


LOOP = "print('begins')\nwhile True: pass"


def test_replite(page: Page, address: str) -> None:
    page.goto(f"{address}/replite.html")
    frame = page.frame_locator("iframe")
    expect(frame.locator(".jp-OutputArea-output", has_text="hello")).to_be_visible()
    frame.locator(".jp-CodeConsole-promptCell .cm-content").click()
    page.keyboard.insert_text(LOOP)
    page.keyboard.press("Shift+Enter")
    expect(frame.locator(".jp-OutputArea-output", has_text="begins")).to_be_visible()
    stop(frame)


@pytest.mark.parametrize("name", ["notebooklite", "jupyterlite"])
def test_a_lab_in_a_frame(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/{name}.html")
    frame = page.frame_locator("iframe")
    expect(frame.locator(".bg-LabBadge")).to_have_text("adding 1.0.0")
    write(page, frame, LOOP)
    expect(frame.locator(".jp-OutputArea-output", has_text="begins")).to_be_visible()
    stop(frame)
    write(page, frame, "def add(a, b): return a + b\ndef double(a): return a\nprint('again')")
    expect(frame.locator(".jp-OutputArea-output", has_text="again")).to_be_visible()
    frame.get_by_role("button", name="Check my work").first.click()
    expect(frame.locator("#browsergrad-lab-results > .bg-counts")).to_have_text("1 passed, 1 failed, 0 errors")


def test_try_examples(page: Page, address: str) -> None:
    page.goto(f"{address}/try_examples.html")
    page.get_by_role("button", name="Try it with JupyterLite!").click()
    frame = page.frame_locator("iframe")
    expect(frame.locator(".jp-Notebook")).to_be_visible()
    write(page, frame, LOOP)
    expect(frame.locator(".jp-OutputArea-output", has_text="begins")).to_be_visible()
    stop(frame)
