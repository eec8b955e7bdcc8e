"""Where the copies of a student's work are, and what is said and asked before it is lost with the browser's storage."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress

import pytest
from conftest import Lab, new_page, open_lab, wait_for_app
from playwright.sync_api import Browser, Dialog, Error, expect
from test_labs import PALETTE
from work_pages import ASKS, EDIT, OPEN, again, version_count

#: Counts how often the page has asked the browser to keep its storage.
COUNT_PERSIST = """
const persist = navigator.storage.persist.bind(navigator.storage);
window.persistAsked = 0;
navigator.storage.persist = () => { window.persistAsked += 1; return persist(); };
"""
#: Chooses a folder of the browser's own storage where a user would choose one of the computer.
CHOOSE = """
window.showDirectoryPicker = async () => (await navigator.storage.getDirectory()).getDirectoryHandle('my course', { create: true });
"""
CHOICE = """choice => jupyterapp.serviceManager.settings.save('jupyterlite-browsergrad:work', JSON.stringify({ askBeforeLeaving: choice }))"""
IN_FOLDER = """async () => {
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('my course');
  const file = await (await (await folder.getDirectoryHandle('good')).getFileHandle('lab.ipynb')).getFile();
  return JSON.parse(await file.text()).cells[0].source;
}"""
SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/27.0 Safari/605.1.15"


@pytest.fixture
def lab(browser: Browser, work_base: str) -> Iterator[Lab]:
    lab = open_lab(browser, work_base, COUNT_PERSIST + CHOOSE)
    yield lab
    assert lab.foreign == []
    lab.page.context.close()


def work(lab: Lab, path: str, text: str) -> None:
    """Change a notebook and save it."""
    lab.js(OPEN, path)
    version_count(lab, 1)
    lab.js(EDIT, [0, text])
    lab.js("() => panel.context.save()")
    version_count(lab, 2)


def test_status_bar_toolbar_and_panel_say_where_the_copies_are(lab: Lab) -> None:
    status, tool = lab.page.locator("#jp-browsergrad-work"), lab.page.locator(".bg-LabPlace")
    lab.page.set_viewport_size({"width": 1400, "height": 900})
    lab.js(OPEN, "good/lab.ipynb")
    version_count(lab, 1)
    expect(lab.page.locator(".bg-LabBadge")).to_be_visible()
    expect(tool).to_be_hidden()
    assert lab.js("() => persistAsked") == 0, "there is nothing to lose yet"
    lab.js(EDIT, [0, "mine = 1"])
    expect(status).to_have_text("Only in this browser")
    expect(tool).to_have_accessible_name("Only in this browser: download my work")
    lab.page.wait_for_function("persistAsked === 1")
    with lab.page.expect_download():
        tool.click()
    expect(status).to_contain_text("On disk since")
    expect(tool).to_have_accessible_name(re.compile("^On disk since"))
    lab.js("() => jupyterapp.commands.execute('browsergrad:show-history')")
    outside = lab.page.get_by_role("region", name="Copies outside this browser")
    expect(outside).to_contain_text("The last copy outside this browser was downloaded at")
    lab.js(EDIT, [0, "mine = 2"])
    for item in (status, outside):
        expect(item).to_contain_text("Changed since copy of")
    expect(tool).to_have_accessible_name(re.compile("^Changed since copy of"))
    with lab.page.expect_download():
        outside.get_by_role("button", name="Download my work").click()
    expect(outside).to_contain_text("On disk since")
    assert lab.js("() => persistAsked") == 1


def test_a_kept_folder_gets_each_save_and_is_named(lab: Lab) -> None:
    lab.js(OPEN, "good/lab.ipynb")
    version_count(lab, 1)
    lab.page.locator(".bg-LabBadge").click()
    lab.page.locator(".lm-Menu-item", has_text="Keep a Folder in Step").click()
    lab.page.locator(".Toastify__toast", has_text="goes into the folder “my course” as well").wait_for()
    status = lab.page.locator("#jp-browsergrad-work")
    for text in ("mine = 1", "mine = 2"):
        expect(status).to_contain_text("In folder “my course” since")
        lab.js(EDIT, [0, text])
        expect(status).to_contain_text("Changed since copy of")
        lab.js("() => panel.context.save()")
        expect(status).to_contain_text("In folder “my course” since")
        assert lab.js(IN_FOLDER) == text


LABELS = {"Show History", "Download My Work", "Open My Work…", "Keep a Folder in Step", "Make Hand-In File"}


def test_what_is_about_copies_is_in_the_lab_s_menu_the_file_menu_and_the_palette(lab: Lab) -> None:
    lab.js(OPEN, "good/lab.ipynb")
    for opener in (lab.page.locator(".bg-LabBadge"), lab.page.locator(".lm-MenuBar-item").filter(has_text="File")):
        opener.click()
        for label in LABELS:
            expect(lab.page.locator(".lm-Menu-item", has_text=label)).to_be_visible()
        lab.page.keyboard.press("Escape")
    assert set(lab.js(PALETTE)) >= LABELS


def leave(lab: Lab) -> bool:
    """Close the page as its user would, and say whether the browser asks. It stays if so."""
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    lab.page.on("dialog", stay)
    lab.page.close(run_before_unload=True)
    with suppress(Error):  # the page is closed
        while not asked:
            lab.page.wait_for_timeout(50)
    return asked == ["beforeunload"]


def touch(lab: Lab) -> None:
    """Browsers ask for pages alone that somebody has used."""
    lab.page.locator(".jp-Notebook .cm-content").first.click()


def test_the_browser_asks_before_a_lab_is_left_whose_work_is_in_no_copy(lab: Lab) -> None:
    work(lab, "good/lab.ipynb", "mine = 1")
    status = lab.page.locator("#jp-browsergrad-work")
    expect(status).to_have_text("Only in this browser")
    touch(lab)
    assert leave(lab)
    with lab.page.expect_download():
        status.click()
    expect(status).to_contain_text("On disk since")
    assert lab.js(ASKS) is False
    lab.js(EDIT, [0, "mine = 2"])
    lab.js("() => panel.context.save()")
    expect(status).to_contain_text("Changed since copy of")
    assert lab.js(ASKS) is True
    lab.js("() => panel.dispose()")
    lab.page.wait_for_function(f"!({ASKS})()")


def test_ordinary_notebooks_are_left_without_a_question_unless_it_is_wanted(lab: Lab) -> None:
    work(lab, "lab/lab.ipynb", "mine = 1")
    expect(lab.page.locator("#jp-browsergrad-work")).to_have_text("Only in this browser")
    assert lab.js(ASKS) is False
    for choice, asks in {"always": True, "never": False, "labs": False}.items():
        lab.js(CHOICE, choice)
        again(lab)
        lab.js(OPEN, "lab/lab.ipynb")
        lab.page.wait_for_function(f"({ASKS})() === {json.dumps(asks)}")
        expect(lab.page.locator("#jp-browsergrad-work")).to_have_text("Only in this browser")
        assert lab.js(ASKS) is asks
    touch(lab)
    assert not leave(lab)


@pytest.mark.release
def test_safari_s_seven_days_are_said_once_with_a_date(browser: Browser, work_base: str) -> None:
    page = new_page(browser, user_agent=SAFARI)
    page.goto(f"{work_base}/lab/index.html")
    wait_for_app(page)
    lab = Lab(page)
    lab.js(OPEN, "lab/lab.ipynb")
    version_count(lab, 1)
    lab.js(EDIT, [0, "mine = 1"])
    date = lab.js("() => new Date(Date.now() + 7 * 24 * 60 * 60 * 1000).toLocaleDateString()")
    said = page.locator(".Toastify__toast", has_text="Safari deletes your work if you do not come back before")
    expect(said).to_contain_text(date)
    lab.js("() => panel.context.save()")
    version_count(lab, 2)
    again(lab)
    lab.js(OPEN, "lab/lab.ipynb")
    status = page.locator("#jp-browsergrad-work")
    expect(status).to_have_text("Only in this browser")
    assert date in str(status.get_attribute("title"))
    expect(said).to_have_count(0)
    page.context.close()
