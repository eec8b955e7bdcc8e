"""What code can reach in a page and what it cannot, as `docs/explanation/security.md` says."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Lab, open_lab, served
from playwright.sync_api import Browser

pytestmark = pytest.mark.pages("plain")

#: Sets a mark in the page, if it can run.
SCRIPT = '<img src="data:," onerror="window.wasHere = (window.wasHere ?? 0) + 1"><b>shown</b>'


def notebook(trusted: bool) -> dict[str, Any]:
    output = {"output_type": "display_data", "data": {"text/html": SCRIPT}, "metadata": {}}
    cell = {
        "cell_type": "code", "id": "a", "source": "", "execution_count": None, "outputs": [output],
        "metadata": {"trusted": True} if trusted else {},
    }  # fmt: skip
    kernel = {"kernelspec": {"name": "browsergrad", "display_name": "Python (BrowserGrad)"}}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": [cell]}


def test_a_cell_reaches_other_notebooks_and_the_origins_storage(lab: Lab) -> None:
    save = "content => jupyterapp.serviceManager.contents.save('private.ipynb', { type: 'notebook', format: 'json', content })"
    lab.js(f"async content => {{ await ({save})(content); }}", notebook(False))
    assert "text/html" in lab.run("open('/drive/private.ipynb').read()").result
    found = lab.run("from js import indexedDB\n[d.name for d in await indexedDB.databases()]").result
    assert "JupyterLite Storage" in found


def test_a_cell_does_not_reach_the_page_but_by_what_it_shows(lab: Lab) -> None:
    assert lab.run("import js\nhasattr(js, 'document'), hasattr(js, 'window')").result == "(False, False)"


def test_a_cell_reaches_the_origin(lab: Lab) -> None:
    assert lab.run("from js import fetch\n(await fetch('/lab/index.html')).status").result == "200"


@pytest.mark.parametrize("trusted", [True, False])
def test_scripts_run_in_an_opened_notebook_that_declares_itself_trusted(
    browser: Browser, site: Any, trusted: bool
) -> None:
    with served(site, True) as address:
        lab = open_lab(browser, address)
        lab.js(
            """async content => {
            await jupyterapp.serviceManager.contents.save('given.ipynb', { type: 'notebook', format: 'json', content });
            await jupyterapp.restored;
            await jupyterapp.commands.execute("docmanager:open", { path: "given.ipynb" }); }""",
            notebook(trusted),
        )
        lab.page.locator(".jp-OutputArea-output b", has_text="shown").wait_for()
        if trusted:
            lab.page.wait_for_function("window.wasHere === 1")
        else:
            assert (
                lab.js("() => document.querySelector('.jp-OutputArea-output img')?.hasAttribute('onerror') ?? false")
                is False
            )
            assert lab.js("() => window.wasHere === undefined")
        lab.page.context.close()
