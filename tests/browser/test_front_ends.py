"""Saved notebooks in JupyterLab and Notebook 7, on a server and in JupyterLite. Each shows our renderers and the panel *Lab results*."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Lab, jupyterlab, new_page
from playwright.sync_api import Browser, Page, expect
from test_results import EXAMPLES, notebook

PATH = "saved.ipynb"


def saved(kernel: str) -> dict[str, Any]:
    content = notebook(*EXAMPLES)
    content["metadata"]["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
    return content


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("server")
    (root / PATH).write_text(json.dumps(saved("python3")), encoding="utf-8")
    with jupyterlab(root, tmp_path_factory.mktemp("home")) as (address, _):
        yield address


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = new_page(browser, viewport={"width": 1400, "height": 1000})
    with page.context:
        yield page


def has_our_outputs(page: Page) -> None:
    """Whether our renderer shows each of `EXAMPLES`, and never its HTML."""
    outputs = page.locator(".bg-output")
    expect(outputs).to_have_count(len(EXAMPLES))
    expect(outputs.locator(".bg-table > tbody > tr")).to_have_count(5)
    expect(outputs.locator("[role=tree]").first).to_be_visible()
    expect(outputs.locator(".bg-plot canvas")).to_be_visible()
    page.wait_for_function("document.querySelector('.bg-output img.bg-image').naturalWidth === 1")
    expect(
        page.locator(".jp-OutputArea-output.jp-RenderedHTMLCommon, .jp-OutputArea-output.jp-RenderedText")
    ).to_have_count(0)


def has_the_panel(page: Page) -> None:
    """Whether the menu *View* has *Lab results*, and what the panel shows."""
    page.get_by_role("menuitem", name="View", exact=True).click()
    page.locator(".lm-Menu-item", has_text="Right Sidebar").click()
    page.locator(".lm-Menu-item", has_text="Lab results").click()
    panel = page.locator("#browsergrad-lab-results")
    expect(panel).to_be_visible()
    expect(panel.locator("> .bg-counts")).to_have_text("1 passed, 4 failed, 1 error")
    panel.get_by_role("button", name="number").click()
    expect(page.locator(".jp-Cell").first).to_have_class(re.compile("jp-mod-active"))


def test_notebook_7_on_a_server(page: Page, server: str) -> None:
    page.goto(f"{server}/notebooks/{PATH}")
    has_our_outputs(page)
    has_the_panel(page)


def test_jupyterlab_on_a_server(page: Page, server: str) -> None:
    page.goto(f"{server}/lab/tree/{PATH}?reset")
    has_our_outputs(page)
    page.evaluate("() => jupyterapp.commands.execute('browsergrad:show-results')")
    expect(page.locator("#browsergrad-lab-results > .bg-counts")).to_have_text("1 passed, 4 failed, 1 error")


def test_notebook_7_in_jupyterlite(view: Lab) -> None:
    page = view.page
    address = page.url.split("/lab/")[0]
    save = "([path, content]) => jupyterapp.serviceManager.contents.save(path, { type: 'notebook', format: 'json', content })"
    view.js(save, [PATH, saved("browsergrad")])
    page.goto(f"{address}/notebooks/index.html?path={PATH}")
    has_our_outputs(page)
    has_the_panel(page)
