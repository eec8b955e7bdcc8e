"""A lab on a phone and on a tablet, by touch alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import Lab, build_site, new_page, served, wait_for_app
from playwright.sync_api import Browser, Locator, Page, expect
from test_labs import lab_files, notebook

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


def leave(page: Page, panel: Locator) -> None:
    """On a phone, a side panel covers the notebook and has a button back to it."""
    back = panel.get_by_role("button", name="Back to the notebook")
    expect(back).to_be_visible(visible=page.evaluate("innerWidth") < 600)
    if back.is_visible():
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
