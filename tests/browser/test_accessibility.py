"""A whole lab page as WCAG 2.1 AA asks: by axe, in live regions, at 200 %, in forced colours, and with reduced motion."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from conftest import Lab, build_site, opened, served
from hangs import HANG_MS
from playwright.sync_api import Browser, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError
from test_labs import CONTENTS, OPEN
from test_results import AXE
from work_pages import again, publish_newer, version_count

#: Rules that JupyterLab and JupyterLite break themselves, in parts of the page that are not ours.
OF_JUPYTERLAB = {"aria-allowed-attr", "aria-input-field-name", "aria-required-children"}
RULES = """async () => {
  const { violations } = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] });
  const ours = node => node.closest('#browsergrad-lab-results, #browsergrad-history, .bg-panel, .jp-Dialog, .Toastify, #jp-browsergrad-work, .bg-output, .bg-CheckButton, .bg-LabBadge, .bg-LabToolbar [class*=bg-], #jp-browsergrad-stop-mode');
  return violations.flatMap(one => one.nodes.map(node => {
    const element = document.querySelector(node.target[0]);
    return { rule: one.id, ours: Boolean(element && ours(element)), html: node.html.slice(0, 200), why: node.failureSummary.slice(0, 300) };
  }));
}"""


@pytest.fixture(scope="module")
def labs_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(tmp_path_factory.mktemp("labs"), CONTENTS)


@pytest.fixture
def page(browser: Browser, labs_site: Path) -> Iterator[Lab]:
    """A lab that is open."""
    with served(labs_site, True) as address, opened(browser, address) as lab:
        lab.page.set_viewport_size({"width": 1400, "height": 1000})
        lab.js(OPEN, "good/lab.ipynb")
        expect(lab.page.locator(".bg-LabBadge")).to_be_visible()
        yield lab


def check(page: Lab) -> None:
    """Show the results of *Check my work*."""
    page.run("def add(a, b): return a + b\ndef double(a): return a")
    page.page.locator(".bg-CheckButton").click()
    expect(page.page.locator("#browsergrad-lab-results [role=status]")).to_have_text("1 passed, 1 failed, 0 errors")


def test_axe_finds_nothing_in_our_parts_of_the_page(page: Lab) -> None:
    check(page)
    page.page.evaluate(AXE)
    found_by_axe(page, "results")


def found_by_axe(page: Lab, where: str) -> None:
    """Nothing in our parts of the page. The rest of JupyterLab's is known."""
    found: list[dict[str, Any]] = page.js(RULES)
    assert [one for one in found if one["ours"]] == [], where
    assert {one["rule"] for one in found} <= OF_JUPYTERLAB, where


def test_axe_finds_nothing_in_history_comparison_dialogs_and_notices(page: Lab) -> None:
    page.page.evaluate(AXE)
    version_count(page, 1)
    for number, text in enumerate(["mine = 1", "mine = 2"]):
        page.js("text => panel.content.model.cells.get(0).sharedModel.setSource(text)", text)
        page.js("() => panel.context.save()")
        version_count(page, number + 2)
    expect(page.page.locator(".bg-LabPlace")).to_be_visible()
    page.js("() => jupyterapp.commands.execute('browsergrad:show-history')")
    history = page.page.locator("#browsergrad-history")
    expect(history.locator(".bg-versions > li")).to_have_count(3)
    found_by_axe(page, "history")
    history.get_by_role("button", name="Compare").nth(1).click()
    compare = page.page.locator(".bg-compare")
    expect(compare.locator("del")).to_be_visible()
    found_by_axe(page, "comparison")
    compare.get_by_role("button", name="Restore").click()
    notice = page.page.locator(".Toastify__toast", has_text="The notebook is as it was at")
    expect(notice).to_be_visible()
    found_by_axe(page, "notice")
    with page.page.expect_download() as waiting:
        history.get_by_role("button", name="Download my work").click()
    page.js("() => panel.content.model.cells.get(0).sharedModel.setSource('mine = 3')")
    page.js("() => panel.context.save()")
    with page.page.expect_file_chooser() as chooser:
        history.get_by_role("button", name="Open my work…").click()
    chooser.value.set_files(waiting.value.path())
    dialog = page.page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("Different from what is here")
    found_by_axe(page, "dialog of Open my work")
    dialog.get_by_role("button", name="Cancel").click()

    publish_newer(page.page, "x = 6 * 7")
    again(page)
    page.page.evaluate(AXE)
    page.js(OPEN, "good/lab.ipynb")
    update = page.page.locator(".Toastify__toast", has_text="version 1.1.0 is here")
    update.get_by_role("button", name="Update").click()
    expect(dialog).to_contain_text("1 cell was changed by you and by the lab.")
    found_by_axe(page, "dialog of an update")


def test_screen_readers_hear_results_and_the_state_of_a_check(page: Lab) -> None:
    """The regions are there before their text changes, else it would not be read."""
    live = page.page.locator(".bg-LabToolbar [role=status]")
    expect(live).to_have_count(1)
    expect(live).to_have_text("")
    check(page)
    expect(live).to_have_text("Your work was checked: 1 passed, 1 failed, 0 errors")


@pytest.mark.parametrize(("width", "height"), [(700, 500), (820, 1180)], ids=["200 %", "tablet"])
def test_nothing_is_cut_off_in_small_pages(page: Lab, width: int, height: int) -> None:
    """At 200 % a page of 1400 × 1000 has the room of 700 × 500."""
    check(page)
    page.page.set_viewport_size({"width": width, "height": height})
    page.page.wait_for_function(
        """() => {
          const inside = one => { const { left, right, width } = one.getBoundingClientRect(); return width > 0 && left >= 0 && right <= innerWidth + 1; };
          const panel = document.getElementById('browsergrad-lab-results');
          const buttons = [...document.querySelectorAll('.bg-CheckButton, .bg-LabBadge')];
          return buttons.length === 2 && buttons.every(inside) && document.documentElement.scrollWidth <= innerWidth
            && (!panel.isConnected || panel.scrollWidth <= panel.clientWidth + 1);
        }"""
    )


def test_forced_colours_and_reduced_motion(page: Lab) -> None:
    page.page.emulate_media(forced_colors="active", reduced_motion="reduce")
    check(page)
    seen = page.js(
        """() => {
          const button = getComputedStyle(document.querySelector('.bg-CheckButton'));
          const rows = [...document.querySelectorAll('#browsergrad-lab-results section li .bg-kind')].map(one => one.textContent.trim());
          const moving = document.getAnimations().filter(one => one.effect?.target?.closest?.('[class*=bg-], #browsergrad-lab-results'));
          return { forced: matchMedia('(forced-colors: active)').matches, border: button.borderStyle, rows, moving: moving.length };
        }"""
    )
    assert seen["forced"] and seen["border"] != "none", "a button is seen by its border"
    assert seen["rows"] and all(seen["rows"]), "pass and fail are told apart by text, not by colour alone"
    assert seen["moving"] == 0


IN_COMMANDS = "() => document.activeElement?.classList.contains('lm-CommandPalette-input')"


def test_the_keyboard_alone_does_a_lab(page: Lab) -> None:
    """Open the lab, answer, run, check and download, without a pointer."""
    keyboard = page.page.keyboard

    def command(text: str) -> None:
        """Choose a command by its name, in JupyterLab's list of commands."""
        field = page.page.locator(".lm-CommandPalette-input")
        # Something that still loads may take the focus, which closes the list. Then one presses the keys again.
        for _ in range(20):
            keyboard.press("Control+Shift+C")
            with suppress(PlaywrightTimeoutError):
                page.page.wait_for_function(IN_COMMANDS, timeout=HANG_MS / 20)
                break
        expect(field).to_be_focused()
        keyboard.insert_text(text)
        expect(page.page.locator(".lm-CommandPalette-item.lm-mod-active")).to_contain_text(text)
        keyboard.press("Enter")
        expect(field).to_be_hidden()

    page.run("1")  # a notebook that still opens would take the focus, which closes the list
    page.page.wait_for_function("() => document.activeElement?.closest('.jp-NotebookPanel')")
    command("Insert Cell Above")
    keyboard.press("Enter")
    keyboard.insert_text("def add(a, b): return a + b\ndef double(a): return a")
    keyboard.press("Control+Enter")
    expect(page.page.locator(".jp-Notebook .jp-mod-active .jp-InputPrompt")).to_have_text("[2]:")
    command("Check my work")
    expect(page.page.locator("#browsergrad-lab-results > [role=status]")).to_have_text("1 passed, 1 failed, 0 errors")
    with page.page.expect_download() as download:
        command("Download results")
    assert download.value.suggested_filename.endswith(".json")


def test_tab_reaches_the_lab_s_button_and_its_menu(page: Lab) -> None:
    keyboard = page.page.keyboard
    page.run("1")

    def tab_to(name: str) -> None:
        reached = f"() => document.activeElement.classList.contains('{name}')"
        for _ in range(60):  # more than the page has places to stop at
            if page.page.evaluate(reached):
                return
            # Something that still loads may give the focus to the cell's editor, where Tab indents. Then one goes back to the notebook.
            if page.page.evaluate("() => Boolean(document.activeElement.closest('.cm-editor'))"):
                keyboard.press("Escape")
            keyboard.press("Tab")
        pytest.fail(f"Tab does not reach {name}, but {page.js('() => document.activeElement.outerHTML.slice(0, 200)')}")

    page.page.wait_for_function("() => document.activeElement?.closest('.jp-NotebookPanel')")
    tab_to("bg-CheckButton")
    keyboard.press("Enter")
    expect(page.page.locator("#browsergrad-lab-results > [role=status]")).to_contain_text("failed")
    tab_to("bg-LabBadge")
    keyboard.press("Enter")
    expect(page.page.locator(".lm-Menu")).to_contain_text("Download results")
    keyboard.press("Escape")
    expect(page.page.locator(".bg-LabBadge")).to_be_focused()
