"""A student's work in JupyterLite: history, drafts, and what happens when storage or pages are lost."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import Lab, build_site, open_lab, opened, served, wait_for_app
from playwright.sync_api import Browser, Error, Page, Route, expect
from test_labs import MANIFEST, lab_files, notebook

OPEN = """async path => {
  await jupyterapp.restored;
  const panel = await jupyterapp.commands.execute('docmanager:open', { path, factory: 'Notebook', kernel: { shouldStart: false } });
  await panel.context.ready;
  window.panel = panel;
}"""
EDIT = """async ([index, text]) => {
  const cell = panel.content.model.cells.get(index);
  cell.sharedModel.setSource(text);
}"""
SOURCES = "() => panel.content.model.toJSON().cells.map(cell => cell.source)"
#: The files of the second store, by path.
STORE = """async folder => {
  const found = [];
  const walk = async (handle, path) => {
    for await (const [name, child] of handle.entries()) {
      if (child.kind === 'directory') await walk(child, `${path}${name}/`);
      else if (!name.endsWith('.crswap')) found.push(`${path}${name}`);
    }
  };
  const root = await navigator.storage.getDirectory();
  await walk(await root.getDirectoryHandle('browsergrad', { create: true }), '');
  return found.filter(path => path.startsWith(folder));
}"""
CLEAR = """async () => {
  for (const { name } of await indexedDB.databases()) {
    await new Promise((resolve, reject) => {
      const request = indexedDB.deleteDatabase(name);
      request.onsuccess = resolve;
      request.onblocked = resolve;
      request.onerror = reject;
    });
  }
}"""


#: Resolves when the second store has so many files whose paths begin like that. Its files cannot be watched.
STORED = f"""async ([folder, part, count]) => {{
  const store = {STORE};
  while ((await store(folder)).filter(path => path.includes(part)).length < count) await new Promise(r => setTimeout(r, 50));
}}"""


def version_count(lab: Lab, count: int) -> None:
    """Wait until the history has so many versions."""
    lab.js(STORED, ["history", "/versions/", count])


def draft_written(lab: Lab) -> None:
    lab.js(STORED, ["drafts", ".gz", 1])


@pytest.fixture(scope="module")
def work_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {"lab/lab.ipynb": notebook("x = 1", "y = 2"), **lab_files("good")}
    return build_site(tmp_path_factory.mktemp("work"), files)


@pytest.fixture(scope="module")
def work_base(work_site: Path) -> Iterator[str]:
    with served(work_site, isolated=True) as address:
        yield address


@pytest.fixture
def lab(browser: Browser, work_base: str) -> Iterator[Lab]:
    with opened(browser, work_base) as lab:
        yield lab


def again(lab: Lab) -> None:
    lab.page.reload()
    wait_for_app(lab.page)


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
    notice = lab.page.locator(".Toastify__toast", has_text="The notebook is as it was at")
    notice.get_by_role("button", name="Undo").click()
    lab.page.wait_for_function("panel.content.model.cells.get(0).sharedModel.getSource().includes('a + b')")


def test_history_brings_back_what_the_storage_has_lost(lab: Lab) -> None:
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
    lab.js(CLEAR)
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


def kill(page: Page) -> None:
    """End the page's process, as a crash does."""
    with page.expect_event("crash"), suppress(Error):
        page.goto("chrome://crash")  # the page crashes, which is an error


def type_and_kill(lab: Lab, base: str, number: int) -> None:
    """Type for a while, kill the page, and compare what comes back with what was typed."""
    lab.js(OPEN, "lab/lab.ipynb")
    cell = lab.page.locator(".jp-Notebook .jp-CodeCell .cm-content").first
    cell.click()
    lab.page.keyboard.press("Control+A")
    lab.page.keyboard.insert_text(f"run {number}:")
    # Each word is a time at which it was typed.
    typed = [lab.js("() => Date.now()")]
    while typed[-1] - typed[0] < 2500:
        lab.page.keyboard.insert_text(f" {typed[-1]}")
        typed.append(lab.js("() => Date.now()"))
    kill(lab.page)
    fresh = lab.page.context.new_page()
    lab.page.close()
    lab.page = fresh
    fresh.goto(f"{base}/lab/index.html")
    wait_for_app(fresh)
    lab.js(OPEN, "lab/lab.ipynb")
    fresh.locator(".Toastify__toast", has_text="is back. It was not saved").first.wait_for()
    text = lab.js(SOURCES)[0]
    head, *words = text.split()
    assert f"{head} {words[0]}" == f"run {number}:", text
    assert [int(word) for word in words[1:]] == typed[: len(words) - 1]
    assert typed[-1] - typed[len(words) - 2] <= 2000, "what was typed until two seconds before is there"


@pytest.mark.release
def test_what_was_typed_comes_back_after_a_crash_and_can_be_undone(lab: Lab, work_base: str) -> None:
    type_and_kill(lab, work_base, 1)
    notice = lab.page.locator(".Toastify__toast", has_text="is back. It was not saved")
    notice.get_by_role("button", name="Undo").click()
    lab.page.wait_for_function("panel.content.model.cells.get(0).sharedModel.getSource() === 'x = 1'")


@pytest.mark.release
@pytest.mark.timeout(3600)
def test_fifty_crashes_lose_nothing_older_than_two_seconds(lab: Lab, work_base: str) -> None:
    for number in range(50):
        type_and_kill(lab, work_base, number)


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
    draft_written(lab)
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

    def newer(route: Route) -> None:
        is_manifest = "manifest.json" in route.request.url
        route.fulfill(body=json.dumps(MANIFEST | {"version": "1.1.0"}) if is_manifest else notebook("x = 2", "z = 3"))

    lab.page.context.route("**/files/good/manifest.json*", newer)
    lab.page.context.route("**/files/good/lab.ipynb*", newer)
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


def open_archive(lab: Lab, file: Path) -> None:
    with lab.page.expect_file_chooser() as chooser:
        lab.js("() => { void jupyterapp.commands.execute('browsergrad:open-work'); }")
    chooser.value.set_files(file)


@pytest.mark.release
def test_work_is_downloaded_told_and_opened_again(lab: Lab, tmp_path: Path) -> None:
    lab.js(OPEN, "good/lab.ipynb")
    version_count(lab, 1)
    lab.js(EDIT, [0, "mine = 'ü'"])
    status = lab.page.locator("#jp-browsergrad-work")
    expect(status).to_have_text("Only in this browser")
    lab.js("() => panel.context.save()")
    version_count(lab, 2)
    with lab.page.expect_download() as download:
        status.click()
    expect(status).to_contain_text("Copied")
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        listed = json.loads(archive.read("browsergrad-work.json"))
        assert listed["lab"] == {"id": "adding", "version": "1.0.0"}
        for entry in listed["files"]:
            assert hashlib.sha256(archive.read("files/" + entry["path"])).hexdigest() == entry["sha256"]
        names = {entry["path"] for entry in listed["files"]}
        assert {"lab.ipynb", "manifest.json", "rubric.py"} <= names
        assert json.loads(archive.read("files/lab.ipynb"))["cells"][0]["source"] == "mine = 'ü'"

    lab.js(EDIT, [0, "mine = 'other'"])
    expect(status).to_contain_text("Changed since copy of")
    lab.js("() => panel.context.save()")
    dialog = lab.page.locator(".jp-Dialog")
    damaged = tmp_path / "damaged.zip"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    damaged.write_bytes(data)
    open_archive(lab, damaged)
    expect(dialog).to_contain_text("Nothing was opened")
    dialog.locator(".jp-mod-accept").click()
    assert lab.js(SOURCES) == ["mine = 'other'"]

    open_archive(lab, file)
    expect(dialog).to_contain_text("good/lab.ipynb")
    dialog.get_by_role("button", name="Replace mine").click()
    lab.page.wait_for_function("panel.content.model.cells.get(0).sharedModel.getSource() === \"mine = 'ü'\"")
    version_count(lab, 3)
