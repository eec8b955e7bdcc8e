"""A student's work in JupyterLite: history, and what happens when storage is lost or two tabs are open."""

from __future__ import annotations

import json
import re

import pytest
from conftest import Lab, open_lab, wait_for_app
from playwright.sync_api import Browser, Route, expect
from test_labs import notebook
from work_pages import (
    CLEAR,
    EDIT,
    OPEN,
    SHOW_SETTINGS,
    SOURCES,
    STORED,
    again,
    draft_written,
    publish_newer,
    version_count,
)


@pytest.fixture
def lab(work_lab: Lab) -> Lab:
    return work_lab


def test_versions_are_kept_compared_and_restored(lab: Lab) -> None:
    lab.js(OPEN, "lab/lab.ipynb")
    version_count(lab, 1)
    for number, text in enumerate(["def add(a, b):\n    return a - b", "def add(a, b):\n    return a + b"]):
        lab.js(EDIT, [0, text])
        lab.js("() => panel.context.save()")
        version_count(lab, number + 2)
    lab.js("() => jupyterapp.commands.execute('browsergrad:show-history')")
    panel = lab.page.locator("#browsergrad-history")
    versions = panel.locator(".bg-versions > li")
    expect(versions).to_have_count(3)
    expect(panel.get_by_role("status")).to_contain_text(re.compile(r"apart from the notebooks: \d+ kB\."))
    expect(versions.nth(0)).to_contain_text("Saved (latest)")
    expect(versions.nth(0)).to_contain_text("1 cell changed")
    expect(versions.nth(2)).to_contain_text("As it was opened")
    # By keyboard.
    versions.nth(1).get_by_role("button", name="Compare").focus()
    lab.page.keyboard.press("Enter")
    view = lab.page.locator(".bg-compare")
    expect(view.locator("h3")).to_have_text(["Cell 1: changed"])
    expect(view.locator("del")).to_have_text(["−     return a - b"])
    expect(view.locator("ins")).to_have_text(["+     return a + b"])
    view.get_by_role("button", name="Restore").click()
    lab.page.wait_for_function("panel.content.model.cells.get(0).sharedModel.getSource().includes('a - b')")
    expect(view).to_have_count(0)
    notice = lab.page.locator(".Toastify__toast", has_text="The notebook is as it was at")
    notice.get_by_role("button", name="Undo").click()
    lab.page.wait_for_function("panel.content.model.cells.get(0).sharedModel.getSource().includes('a + b')")


def test_settings_of_servers_are_hidden_on_sites(lab: Lab) -> None:
    lab.js(SHOW_SETTINGS)
    plugins = lab.page.locator(".jp-PluginList")
    expect(plugins.get_by_text("Student's work")).to_be_visible()
    expect(plugins.get_by_text("Updates of labs")).to_have_count(0)
    lab.page.get_by_role("menuitem", name="File", exact=True).click()
    for label in ("Show History", "Download My Work", "Make Hand-In File"):
        expect(lab.page.locator(".lm-Menu-item", has_text=label)).to_be_visible()


def rename_storage(route: Route) -> None:
    """Give JupyterLite's storage another name, as a new version of the site may."""
    config = route.fetch().json()
    config.get("jupyter-config-data", {})["contentsStorageName"] = "another storage"
    route.fulfill(json=config)


@pytest.mark.parametrize("how", ["cleared", "renamed"])
def test_history_brings_back_what_the_storage_has_lost(lab: Lab, how: str) -> None:
    lab.js(OPEN, "lab/lab.ipynb")
    lab.js(EDIT, [0, "answer = 42"])
    lab.js("() => panel.context.save()")
    version_count(lab, 2)
    lab.js(
        """async content => {
          await jupyterapp.serviceManager.contents.save('own.ipynb', { type: 'notebook', format: 'json', content });
        }""",
        json.loads(notebook("mine = 1")),
    )
    lab.js(OPEN, "own.ipynb")
    version_count(lab, 3)
    if how == "cleared":
        lab.js(CLEAR)
    else:
        lab.page.context.route("**/jupyter-lite.json*", rename_storage)
    again(lab)
    missing = lab.page.locator(".Toastify__toast", has_text="A notebook is no longer in this browser’s storage")
    expect(missing).to_contain_text("own.ipynb")
    missing.get_by_role("button", name="Bring back").click()
    lab.page.locator(".jp-Notebook .cm-content", has_text="mine = 1").wait_for()
    lab.js(OPEN, "lab/lab.ipynb")
    lost = lab.page.locator(".Toastify__toast", has_text="lab.ipynb: the history has a newer state")
    assert lab.js(SOURCES) == ["x = 1", "y = 2"]
    lost.get_by_role("button", name="Bring back").click()
    lab.page.wait_for_function("panel.content.model.cells.get(0).sharedModel.getSource() === 'answer = 42'")


@pytest.mark.release
def test_two_tabs_with_one_notebook_are_told_and_nothing_is_lost(lab: Lab, work_base: str) -> None:
    lab.js(OPEN, "lab/lab.ipynb")
    version_count(lab, 1)
    page = lab.page.context.new_page()
    page.goto(f"{work_base}/lab/index.html")
    wait_for_app(page)
    other = Lab(page)
    other.js(OPEN, "lab/lab.ipynb")
    lab.js(EDIT, [0, "first"])
    draft_written(lab, "first")
    other.js(EDIT, [0, "second"])
    expect(page.locator(".Toastify__toast", has_text="is being changed in another tab")).to_be_visible()
    lab.js("() => panel.context.save()")
    version_count(lab, 2)
    page.evaluate("() => { void panel.context.save(); }")
    page.locator(".jp-Dialog").get_by_role("button", name="Overwrite").click()
    version_count(other, 3)
    other.js("() => jupyterapp.commands.execute('browsergrad:show-history')")
    expect(page.locator(".bg-versions > li")).to_have_count(3)


@pytest.mark.release
def test_without_a_second_store_the_panel_says_so(browser: Browser, work_base: str) -> None:
    refuse = "navigator.storage.getDirectory = () => Promise.reject(new DOMException('not here', 'SecurityError'))"
    lab = open_lab(browser, work_base, refuse)
    lab.js(OPEN, "lab/lab.ipynb")
    lab.js("() => jupyterapp.commands.execute('browsergrad:show-history')")
    status = lab.page.locator("#browsergrad-history [role=status]")
    expect(status).to_contain_text("the browser refuses to store it (not here)")
    expect(status).to_contain_text("Download your work before you leave.")
    lab.page.context.close()


def test_a_newer_lab_comes_into_the_notebook_and_answers_stay(lab: Lab) -> None:
    lab.js(OPEN, "good/lab.ipynb")
    version_count(lab, 1)
    lab.js(STORED, ["bases", ".gz", 1])
    lab.js("() => { panel.content.model.sharedModel.insertCell(1, { cell_type: 'code', source: 'answer = 42' }); }")
    lab.js("() => panel.context.save()")
    version_count(lab, 2)
    publish_newer(lab.page, "x = 2", "z = 3")
    again(lab)
    lab.js(OPEN, "good/lab.ipynb")
    notice = lab.page.locator(".Toastify__toast", has_text="Lab adding: version 1.1.0 is here, you have 1.0.0.")
    notice.get_by_role("button", name="Update").click()
    dialog = lab.page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("1 cell of the lab changes.")
    expect(dialog).to_contain_text("1 cell is new.")
    dialog.get_by_role("button", name="Update").click()
    done = lab.page.locator(".Toastify__toast", has_text="The lab is up to date.")
    done.wait_for()
    assert lab.js(SOURCES) == ["x = 2", "answer = 42", "z = 3"]
    done.get_by_role("button", name="Undo").click()
    lab.page.wait_for_function("panel.content.model.cells.length === 2")
    assert lab.js(SOURCES)[1] == "answer = 42"
