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
from webdriver import until
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
        tmp_path_factory.mktemp("touch"),
        lab_files("good")
        | {"good/lab.ipynb": notebook(ASKS, "x = 1", "y = 2"), "plain.ipynb": notebook("print('of no lab')")},
    )
    with served(site, True) as address:
        yield address


SIZES = {"small-phone": (360, 740), "phone": (390, 844), "tablet": (820, 1180)}


@pytest.fixture(params=["phone", "tablet"])
def page(browser: Browser, base: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, height = SIZES[request.param]
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


#: What is seen of the notebook beside a panel, above notices.
UNCOVERED = """panel => {
  const box = document.querySelector('#jp-main-dock-panel').getBoundingClientRect();
  const seen = [0.1, 0.5, 0.9].map(part => document.elementFromPoint(box.left + part * box.width, box.top + 0.7 * box.height));
  return seen.filter(one => !panel.contains(one)).map(one => one?.cloneNode().outerHTML);
}"""


#: Keeps in `clicked` what the user has clicked.
CLICKS = """() => {
  window.clicked = [];
  document.addEventListener('click', ({ isTrusted, target }) => isTrusted && clicked.push(target.cloneNode().outerHTML), true);
}"""
#: What one taps in a lab that is smaller than 24 px, the least that WCAG 2.2 asks for.
SMALL = """() => [...document.querySelectorAll([
    '.jp-NotebookPanel-toolbar', '.jp-Toolbar-responsive-popup', '.bg-panel', '.jp-Dialog', '.Toastify__toast', '.lm-Menu',
  ].map(place => `${place} :is(button, jp-button, summary, input, a, .lm-Menu-item[data-type=command])`).join(', '))]
  .map(node => [node, node.getBoundingClientRect()])
  .filter(([node, { width, height }]) => node.checkVisibility() && width > 0 && (width < 23.9 || height < 23.9))
  .map(([node, { width, height }]) => `${width} × ${height}: ${node.cloneNode().outerHTML}`)"""


def leave(page: Page, panel: Locator) -> None:
    """On a phone, a side panel covers the notebook and has a button back to it."""
    back = panel.get_by_role("button", name="Back to the notebook")
    expect(back).to_be_visible(visible=page.evaluate("innerWidth") < 600)
    if back.is_visible():
        expect(page.locator(".jp-Toolbar-responsive-popup").last).to_be_hidden()
        assert panel.evaluate(UNCOVERED) == []
        tap(back)
        expect(panel).to_be_hidden()


def turn(page: Page) -> None:
    """Hold the phone or tablet the other way."""
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": size["height"], "height": size["width"]})


def test_a_lab_is_done_by_touch(page: Page) -> None:
    Lab(page).js("() => jupyterapp.restored")
    first = page.locator(".jp-Notebook .jp-CodeCell").first
    tap(first.locator(".cm-content"))
    expect(page.locator(".lm-MenuBar-item").last).to_be_in_viewport(ratio=1)
    run = tool(page, "run")
    assert page.evaluate(SMALL) == []
    tap(run)

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
    assert page.evaluate(SMALL) == []
    turn(page)
    expect(panel.get_by_role("status")).to_be_in_viewport(ratio=1)
    assert panel.locator(".bg-panel-list").evaluate("node => node.scrollHeight <= node.clientHeight + 1"), (
        "all is shown"
    )
    panel.get_by_text("double doubles").last.scroll_into_view_if_needed()
    expect(panel.get_by_text("double doubles").last).to_be_in_viewport(ratio=1)
    turn(page)
    leave(page, panel)
    page.evaluate("() => jupyterapp.commands.execute('browsergrad:show-history')")
    history = page.locator("#browsergrad-history")
    expect(history.get_by_text("As it was opened")).to_be_visible()
    leave(page, history)

    tap(page.locator(".bg-LabBadge"))
    results = page.locator(".lm-Menu-item", has_text="Download results")
    expect(results).to_be_visible()
    assert page.evaluate(SMALL) == []
    page.evaluate(CLICKS)
    with page.expect_download() as download:
        tap(results)
    assert download.value.suggested_filename == "adding-results.json"
    assert page.evaluate("clicked") == [], "a tap on a menu clicks nothing below it"

    tap(page.locator(".lm-MenuBar-item").filter(has_text="File"))
    with page.expect_download() as download:
        tap(page.locator(".lm-Menu-item", has_text="Make Hand-In File"))
    assert download.value.suggested_filename.endswith(".bglab")


#: Of the elements that a selector matches and that can be seen, those that the window or their status bar cuts off at a side.
CUT_OFF = """selector => [...document.querySelectorAll(selector)].filter(node => node.checkVisibility()).filter(node => {
  const { left, right } = node.getBoundingClientRect();
  return left < 0 || right > innerWidth;
}).map(node => node.textContent)"""


@pytest.mark.parametrize("page", SIZES, indirect=True)
def test_run_stop_menus_and_status_bar_fit(page: Page) -> None:
    Lab(page).js("() => jupyterapp.restored")
    first = page.locator(".jp-Notebook .jp-CodeCell").first
    tap(first.locator(".cm-content"))
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("import time\nprint('begun')\ntime.sleep(60)")
    toolbar = page.locator(".jp-NotebookPanel-toolbar")
    tap(toolbar.locator("[data-jp-item-name='run'] jp-button"))
    expect(first.locator(".jp-OutputArea-output").last).to_have_text("begun")
    tap(toolbar.locator("[data-jp-item-name='interrupt'] jp-button"))
    expect(first.locator(".jp-OutputArea-output").last).to_contain_text("KeyboardInterrupt")
    tap(toolbar.locator(".bg-LabBadge"))
    page.keyboard.press("Escape")

    menus = page.locator(".lm-MenuBar-item")
    assert page.evaluate(CUT_OFF, ".lm-MenuBar-item") == []
    for name in menus.all_text_contents():
        tap(menus.filter(has_text=name))
        expect(page.locator(".lm-Menu")).to_be_visible()
        assert page.evaluate(CUT_OFF, ".lm-Menu") == []
        page.keyboard.press("Escape")
        expect(page.locator(".lm-Menu")).to_have_count(0)

    expect(page.locator("#jp-main-statusbar")).to_contain_text("Idle")
    assert page.evaluate(CUT_OFF, "#jp-main-statusbar .jp-StatusBar-Item") == []
    fits(page, "#jp-main-statusbar")


#: Names of the first items of the notebook's toolbar.
FIRST_ITEMS = """() => [...document.querySelectorAll('.jp-NotebookPanel-toolbar > [data-jp-item-name]')]
  .slice(0, 4).map(item => item.dataset.jpItemName)"""

#: Whether JupyterLab has noted that the notebook is open in the main area.
IS_IN_WORKSPACE = """async () => {
  const { values } = await jupyterapp.serviceManager.workspaces.list();
  return values.some(({ data }) => data['layout-restorer:data']?.main?.dock?.widgets?.includes('notebook:good/lab.ipynb'));
}"""


def test_run_and_stop_come_first_also_in_a_page_that_is_loaded_again(page: Page) -> None:
    first = ["browsergrad-check", "run", "interrupt", "browsergrad-lab"]
    assert page.evaluate(FIRST_ITEMS) == first
    Lab(page).js("() => jupyterapp.restored")
    until("note that the notebook is open", lambda: page.evaluate(IS_IN_WORKSPACE))
    page.reload()
    wait_for_app(page)
    page.locator(".bg-LabBadge").wait_for()
    assert page.evaluate(FIRST_ITEMS) == first


def test_an_ordinary_notebook_has_the_whole_width_of_a_phone(browser: Browser, base: str) -> None:
    width, height = SIZES["phone"]
    page = new_page(browser, viewport={"width": width, "height": height}, has_touch=True, is_mobile=True)
    page.goto(f"{base}/lab/index.html")
    wait_for_app(page)
    files = page.locator("#filebrowser")
    tap(files.locator(".jp-DirListing-item", has_text="plain.ipynb"))
    page.keyboard.press("Enter")
    expect(files).to_be_hidden()
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    # The notebook may have no kernel yet.
    tap(page.locator(".jp-NotebookPanel-toolbar [data-jp-item-name='run'] jp-button"))
    expect(page.locator(".jp-OutputArea-output").first).to_have_text("of no lab")
    page.context.close()


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
    assert page.evaluate(SMALL) == []
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
    assert page.evaluate(SMALL) == []
    page.evaluate(AXE)
    assert ours(page) == []
    tap(dialog.get_by_role("button", name="Update"))
    expect(page.locator(".Toastify__toast", has_text="The lab is up to date.")).to_be_in_viewport()
