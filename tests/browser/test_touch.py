"""A lab on a phone and on a tablet, by touch alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Lab, build_site, new_page, served, wait_for_app
from playwright.sync_api import Browser, Locator, Page, expect
from test_accessibility import RULES
from test_labs import lab_files, notebook
from test_results import AXE
from work_pages import publish_newer, version_count

#: Whether a text is in the first cell, and saved.
IS_SAVED = """text => {
  const { context } = jupyterapp.shell.widgets('main').next().value;
  return context && !context.model.dirty && context.model.cells.get(0).sharedModel.getSource() === text;
}"""
ASKS = "name = input('Your name? ')\nprint('Hello', name)"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    site = build_site(
        tmp_path_factory.mktemp("touch"), lab_files("good") | {"good/lab.ipynb": notebook(ASKS, "x = 1", "y = 2")}
    )
    with served(site, True) as address:
        yield address


@pytest.fixture(params=[(390, 844), (820, 1180)], ids=["phone", "tablet"])
def page(browser: Browser, base: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, height = request.param
    page = new_page(browser, viewport={"width": width, "height": height}, has_touch=True, is_mobile=True)
    page.goto(f"{base}/lab/index.html?path=good/lab.ipynb")
    wait_for_app(page)
    page.locator(".bg-LabBadge").wait_for()
    yield page
    page.context.close()


def tap(element: Locator) -> None:
    """Tap an element that can be seen whole."""
    expect(element).to_be_in_viewport(ratio=1)
    element.tap()


def tool(page: Page, name: str) -> Locator:
    """A button of the notebook's toolbar, which may be in the toolbar's own menu."""
    button = page.locator(f"[data-jp-item-name='{name}'] jp-button").last
    if not button.is_visible():
        tap(page.locator(".jp-NotebookPanel-toolbar .jp-Toolbar-responsive-opener jp-button"))
    return button


#: What is seen of the notebook beside a panel, below the toolbar's menu and above notices.
UNCOVERED = """panel => {
  const box = document.querySelector('#jp-main-dock-panel').getBoundingClientRect();
  const seen = [0.1, 0.5, 0.9].map(part => document.elementFromPoint(box.left + part * box.width, box.top + 0.7 * box.height));
  return seen.filter(one => !panel.contains(one)).map(one => one?.cloneNode().outerHTML);
}"""


def leave(page: Page, panel: Locator) -> None:
    """On a phone, a side panel covers the notebook and has a button back to it."""
    back = panel.get_by_role("button", name="Back to the notebook")
    expect(back).to_be_visible(visible=page.evaluate("innerWidth") < 600)
    if back.is_visible():
        assert panel.evaluate(UNCOVERED) == []
        tap(back)
        expect(panel).to_be_hidden()


def test_a_lab_is_done_by_touch(page: Page) -> None:
    Lab(page).js("() => jupyterapp.restored")
    first = page.locator(".jp-Notebook .jp-CodeCell").first
    tap(first.locator(".cm-content"))
    tap(tool(page, "run"))

    field = page.locator(".jp-Stdin-input")
    expect(field).to_have_accessible_name("Your name?")
    expect(page.locator(".bg-prompt-status")).to_have_text("Python asks: Your name?")
    tap(field)
    page.keyboard.insert_text("Ada")
    page.keyboard.press("Enter")
    expect(first.locator(".jp-OutputArea-output").last).to_have_text("Hello Ada")

    tap(page.locator(".bg-CheckButton"))
    panel = page.locator("#browsergrad-lab-results")
    expect(panel.get_by_role("status")).to_have_text("0 passed, 0 failed, 2 errors")
    expect(panel.get_by_role("status")).to_be_in_viewport(ratio=1)
    leave(page, panel)
    page.evaluate("() => jupyterapp.commands.execute('browsergrad:show-history')")
    history = page.locator("#browsergrad-history")
    expect(history.get_by_text("As it was opened")).to_be_visible()
    leave(page, history)

    tap(page.locator(".bg-LabBadge"))
    with page.expect_download() as download:
        tap(page.locator(".lm-Menu-item", has_text="Download results"))
    assert download.value.suggested_filename == "adding-results.json"

    tap(page.locator(".lm-MenuBar-item").filter(has_text="File"))
    with page.expect_download() as download:
        tap(page.locator(".lm-Menu-item", has_text="Make Hand-In File"))
    assert download.value.suggested_filename.endswith(".bglab")


def type_into(page: Page, text: str) -> None:
    """Replace the first cell's text, and save."""
    tap(page.locator(".jp-Notebook .jp-CodeCell .cm-content").first)
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)
    tap(tool(page, "save"))


def fits(page: Page, selector: str) -> None:
    """Nothing is cut off at the sides, and the page does not scroll to a side."""
    page.wait_for_function(
        """selector => {
          const node = document.querySelector(selector);
          const { left, right, width } = node.getBoundingClientRect();
          return width > 0 && left >= -1 && right <= innerWidth + 1 && node.scrollWidth <= node.clientWidth + 1
            && document.documentElement.scrollWidth <= innerWidth;
        }""",
        arg=selector,
    )


def ours(page: Page) -> list[dict[str, Any]]:
    """What axe finds in our parts of the page."""
    return [one for one in page.evaluate(RULES) if one["ours"]]


def test_earlier_states_and_a_new_version_are_used_by_touch(page: Page) -> None:
    lab = Lab(page)
    lab.js("() => jupyterapp.restored")
    version_count(lab, 1)
    long_line = "answer = " + " + ".join(str(number) for number in range(60))
    type_into(page, long_line)
    version_count(lab, 2)
    place = page.locator(".bg-LabPlace")
    expect(place).to_have_accessible_name("Only in this browser: download my work")
    with page.expect_download():
        tap(place)
    expect(place).to_have_accessible_name(re.compile("^On disk since"))

    tap(page.locator(".bg-LabBadge"))
    tap(page.locator(".lm-Menu-item", has_text="Show History"))
    history = page.locator("#browsergrad-history")
    expect(history.locator(".bg-versions > li")).to_have_count(2)
    fits(page, "#browsergrad-history")
    page.evaluate(AXE)
    assert ours(page) == []
    tap(history.get_by_role("button", name="Compare").last)
    compare = page.locator(".bg-compare")
    expect(compare.get_by_role("heading", level=3)).to_have_text("Cell 1: changed")
    fits(page, ".bg-compare")
    assert ours(page) == []
    expect(compare.locator("ins")).to_be_in_viewport()
    tap(compare.get_by_role("button", name="Restore"))
    expect(compare).to_have_count(0)
    notice = page.locator(".Toastify__toast", has_text="The notebook is as it was at")
    tap(notice.get_by_role("button", name="Undo"))
    page.wait_for_function(IS_SAVED, arg=long_line)

    publish_newer(page, ASKS.replace("Hello", "Good day"), "x = 1", "y = 3")
    page.reload()
    wait_for_app(page)
    tap(page.locator(".Toastify__toast", has_text="version 1.1.0 is here").get_by_role("button", name="Update"))
    dialog = page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("1 cell was changed by you and by the lab.")
    fits(page, ".jp-Dialog-content")
    page.evaluate(AXE)
    assert ours(page) == []
    tap(dialog.get_by_role("button", name="Update"))
    expect(page.locator(".Toastify__toast", has_text="The lab is up to date.")).to_be_in_viewport()
