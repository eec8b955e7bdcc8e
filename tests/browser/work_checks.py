"""Checks of students' work that all engines share: history, drafts, and browsers that refuse to store them."""

from __future__ import annotations

import json
from collections.abc import Callable

from conftest import Lab, wait_for_app
from engine import Tab, framed
from test_labs import notebook
from webdriver import until
from work_pages import ASKS, CLEAR, EDIT, OPEN, SOURCES, STORE, STORED, draft_written

#: Opens JupyterLab in the tab.
Enter = Callable[[], Lab]
#: What a browser does in some private windows and some frames of other sites.
REFUSE_STORE = "navigator.storage.getDirectory = () => Promise.reject(new DOMException('not here', 'SecurityError'));"
MAKE = """async ([path, text]) => {
  const content = JSON.parse(text);
  await jupyterapp.serviceManager.contents.save(path, { type: 'notebook', format: 'json', content });
}"""
IS_FIRST = "text => panel.content.model.cells.get(0)?.sharedModel.getSource() === text"
NOTICE = "text => [...document.querySelectorAll('.Toastify__toast')].some(one => one.textContent.includes(text))"
IN_FRAME = "Your work is in this frame alone: a tab of its own may not find it."
#: Whether the browser lets the page store anything. Chromium refuses it in frames of other sites, as JupyterLite sees in `localStorage`.
STORES = "() => { try { return Boolean(localStorage); } catch { return false; } }"
#: Gives the button of a notice an id. Several notices may have one with this label.
MARK = """([text, label]) => {
  const notice = [...document.querySelectorAll('.Toastify__toast')].find(one => one.textContent.includes(text));
  [...notice.querySelectorAll('button')].find(one => one.textContent === label).id = 'wanted';
}"""


def open_own(lab: Lab, path: str) -> None:
    """Make an ordinary notebook and open it."""
    lab.js(MAKE, [path, notebook("x = 1").decode()])
    lab.js(OPEN, path)


def edit(lab: Lab, text: str) -> None:
    """Change the first cell, and wait until the draft of that is written."""
    lab.js(EDIT, [0, text])
    draft_written(lab, text)


def version_count(lab: Lab) -> int:
    return sum("/versions/" in path for path in lab.js(STORE, "history"))


def wait_for_versions(lab: Lab, count: int) -> None:
    lab.js(STORED, ["history", "/versions/", count])


def check_history(tab: Tab, enter: Enter) -> None:
    """JupyterLite's storage is deleted; the history gives the notebook back."""
    lab = enter()
    path = "single-neuron/single-neuron.ipynb"
    count = version_count(lab)
    lab.js(OPEN, path)
    wait_for_versions(lab, count + 1)
    drafts = len(lab.js(STORE, "drafts"))
    lab.js(EDIT, [0, "answer = 42"])
    lab.js("() => panel.context.save()")
    wait_for_versions(lab, count + 2)
    until("tidy folder of drafts", lambda: len(lab.js(STORE, "drafts")) <= drafts)
    lab.js(CLEAR)
    lab = enter()
    lab.js(OPEN, path)
    assert lab.js(SOURCES)[0] != "answer = 42"
    newer = "the history has a newer state"
    tab.wait_for_function(NOTICE, newer)
    tab.evaluate(MARK, [newer, "Bring back"])
    tab.click("#wanted")
    tab.wait_for_function(IS_FIRST, "answer = 42")


def check_draft(tab: Tab, enter: Enter) -> None:
    """The page is loaded again before anything is saved; what was typed comes back."""
    lab = enter()
    open_own(lab, "typed.ipynb")
    edit(lab, "typed = 1")
    lab = enter()
    lab.js(OPEN, "typed.ipynb")
    tab.wait_for_function(IS_FIRST, "typed = 1")
    tab.wait_for_function(NOTICE, "is back. It was not saved")


def check_refused(tab: Tab, enter: Enter, reason: str) -> None:
    """The panel says that no history is kept, a lab is not left without a question before it was downloaded, and a cell runs."""
    lab = enter()
    open_own(lab, "refused.ipynb")
    says_no_history(tab, lab, reason)
    lab.js(OPEN, "single-neuron/single-neuron.ipynb")
    assert not lab.js(ASKS)
    lab.js(EDIT, [0, "answer = 42"])
    lab.js("() => panel.context.save()")
    status = "document.querySelector('#jp-browsergrad-work')"
    tab.wait_for_function(f"{status}?.textContent === 'Only in this browser'")
    assert reason in tab.evaluate(f"{status}.title")
    assert lab.js(ASKS)
    lab.js("() => jupyterapp.commands.execute('browsergrad:download-work')")
    tab.wait_for_function(f"{status}?.textContent.startsWith('On disk since')")
    assert not lab.js(ASKS)
    lab.start("sub")
    assert lab.run("6 * 7").result == "42"


def check_private(tab: Tab, enter: Enter, keeps_history: bool) -> None:
    """The status bar and the panel say what becomes of the work, and a cell runs."""
    lab = enter()
    open_own(lab, "private.ipynb")
    lab.js(EDIT, [0, "private = 1"])
    tooltip = "document.querySelector('#jp-browsergrad-work')?.title"
    tab.wait_for_function(f"{tooltip}?.includes('rivate window')")
    if keeps_history:
        wait_for_versions(lab, 1)
    else:
        says_no_history(tab, lab, "as in some private windows")
    lab.start("sub")
    assert lab.run("6 * 7").result == "42"


def check_frame(tab: Tab, base: str) -> None:
    """A page in a frame of another site says what becomes of the work there, and runs cells."""
    with framed(f"{base}/lab/index.html?reset") as other:
        lab = enter_frame(tab, other)
        stores = tab.evaluate(STORES)
        if stores:
            check_stored_in_frame(tab, lab, lambda: enter_frame(tab, other))
        else:
            tab.wait_for_function(NOTICE, "This browser lets the site store nothing")
        lab.start("sub")
        assert lab.run("6 * 7").result == "42"
        assert not (stores and tab.evaluate(NOTICE, IN_FRAME)), "it is said once"


def enter_frame(tab: Tab, other: str) -> Lab:
    tab.goto(other)
    tab.enter_frame()
    wait_for_app(tab)  # type: ignore[arg-type]
    lab = Lab(tab)  # type: ignore[arg-type]
    lab.js("() => jupyterapp.restored")
    return lab


def check_stored_in_frame(tab: Tab, lab: Lab, enter: Enter) -> None:
    """The status bar says that the work is in this frame alone, a notice says it once, and a notebook is stored."""
    has_store = lab.js("() => Boolean(navigator.storage?.getDirectory)")
    open_own(lab, "framed.ipynb")
    for is_first in (True, False):
        if not is_first:
            lab = enter()
            lab.js(OPEN, "framed.ipynb")
            assert lab.js(SOURCES)[0] == "framed = True"
        if has_store:
            wait_for_versions(lab, 1 if is_first else 2)
        lab.js(EDIT, [0, f"framed = {is_first}"])
        lab.js("() => panel.context.save()")
        if has_store:
            wait_for_versions(lab, 2 if is_first else 3)
        title = "document.querySelector('#jp-browsergrad-work')?.title"
        tab.wait_for_function(f"{title}?.includes('in a frame of another site')")
        if is_first:
            tab.wait_for_function(NOTICE, IN_FRAME)


def says_no_history(tab: Tab, lab: Lab, reason: str) -> None:
    lab.js("() => jupyterapp.commands.execute('browsergrad:show-history')")
    status = "document.querySelector('#browsergrad-history [role=status]')?.textContent"
    tab.wait_for_function(f"{status}?.includes('No history is kept')")
    text = tab.evaluate(status)
    assert reason in text and "Download your work" in text, json.dumps(text)
