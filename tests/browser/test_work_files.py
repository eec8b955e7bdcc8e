"""Files that leave the browser and come back: downloads, hand-in files, and bad archives."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zipfile
from pathlib import Path

import pytest
from conftest import Lab
from playwright.sync_api import expect
from test_labs import OPEN as START
from work_pages import EDIT, OPEN, SOURCES, WorkSite, version_count

from jupyterlite_browsergrad.grading.hand_in_file import BadHandIn, read_hand_in
from jupyterlite_browsergrad.grading.hand_in_keys import read_keys
from tests.hand_in import NOTEBOOK, WORK_FORMAT, bad_files, hand_in


@pytest.fixture
def lab(work_lab: Lab) -> Lab:
    return work_lab


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
    expect(status).to_contain_text("On disk since")
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
        info = archive.getinfo("files/lab.ipynb")
        in_notebook = info.header_offset + 30 + len(info.filename) + info.compress_size // 2

    lab.js(EDIT, [0, "mine = 'other'"])
    expect(status).to_contain_text("Changed since copy of")
    lab.js("() => panel.context.save()")
    dialog = lab.page.locator(".jp-Dialog")
    damaged = tmp_path / "damaged.zip"
    data = bytearray(file.read_bytes())
    data[in_notebook] ^= 0xFF  # another byte, such as one of the time, may do no harm
    damaged.write_bytes(data)
    open_archive(lab, damaged)
    expect(dialog).to_contain_text("Nothing was opened")
    dialog.get_by_role("button").click()
    assert lab.js(SOURCES) == ["mine = 'other'"]

    open_archive(lab, file)
    expect(dialog).to_contain_text("good/lab.ipynb")
    dialog.get_by_role("button", name="Replace mine").click()
    lab.page.wait_for_function("panel.content.model.cells.get(0).sharedModel.getSource() === \"mine = 'ü'\"")
    version_count(lab, 3)


def test_a_hand_in_file_is_made_that_only_the_teacher_can_read(lab: Lab, work_site: WorkSite, tmp_path: Path) -> None:
    lab.js(OPEN, "good/lab.ipynb")
    version_count(lab, 1)
    lab.js(EDIT, [0, "mine = 'ü'"])
    lab.js(
        "async () => { await jupyterapp.serviceManager.contents.save('good/own.txt', { type: 'file', format: 'text', content: 'mine' }); }"
    )
    with lab.page.expect_download() as download:
        lab.page.get_by_role("button", name="adding 1.0.0, menu of the lab").click()
        lab.page.locator(".lm-Menu-item", has_text="Make Hand-In File").click()
    toast = lab.page.locator(".Toastify__toast", has_text="is in your downloads")
    expect(toast).to_contain_text("Only your teacher can read it.")
    file = tmp_path / download.value.suggested_filename
    assert file.name.startswith("adding-") and file.suffix == ".bglab"
    download.value.save_as(file)
    content = file.read_bytes()
    with pytest.raises(BadHandIn, match="it is encrypted"):
        read_hand_in(content, [], 1 << 24)
    found = read_hand_in(content, read_keys([work_site.key]), 1 << 24)
    assert json.loads(found.notebook)["cells"][0]["source"] == "mine = 'ü'"
    about = found.about
    assert (about["notebook"], about["lab"]) == ("lab.ipynb", {"id": "adding", "version": "1.0.0"})
    assert found.paths == ("lab.ipynb", "own.txt")


def test_a_hand_in_file_of_a_lab_in_the_root_folder_has_its_results(
    lab: Lab, work_site: WorkSite, tmp_path: Path
) -> None:
    lab.js(START, "in-root.ipynb")
    code = "import pathlib\ndef add(a, b): return a + b\npathlib.Path('out').mkdir()\nfor name in ('own.txt', 'out/own.txt'): pathlib.Path(name).write_text('mine')"
    assert lab.run(code).content["status"] == "ok"
    lab.js("() => jupyterapp.commands.execute('browsergrad:check-my-work')")
    with lab.page.expect_download() as download:
        lab.js("() => { void jupyterapp.commands.execute('browsergrad:make-hand-in'); }")
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    found = read_hand_in(file.read_bytes(), read_keys([work_site.key]), 1 << 24)
    assert found.about["lab"] == {"id": "in-root", "version": "1.0.0"}
    assert found.about["results"] == {"in-root.ipynb": {"pass": 1, "fail": 0, "error": 1}}
    assert [check["pass"] for check in found.about["checks"]] == [1]
    assert found.paths == ("in-root.ipynb", "out/own.txt", "own.txt")
    lab.js("() => jupyterapp.commands.execute('browsergrad:show-history')")
    latest = lab.page.locator(".bg-versions > li").first
    expect(latest).to_contain_text("1 passed, 0 failed, 1 error")
    expect(latest.locator("time")).to_have_attribute("datetime", re.compile(r"^\d{4}-\d\d-\d\dT"))


#: Kinds of bad files that only hand-in files know: a download has no notebook of its own.
HAND_IN_ONLY = {"no_notebook_named", "other_notebook", "long_notebook"}
#: Drops a file on the panel, as a file browser does.
DROP = """([name, content]) => {
  const bytes = Uint8Array.from(atob(content), sign => sign.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name));
  const panel = document.querySelector('#browsergrad-history');
  for (const type of ['dragover', 'drop']) {
    panel.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
  }
}"""
#: Everything in JupyterLite's storage, by path.
CONTENTS = """async () => {
  const found = {};
  const walk = async path => {
    const { content } = await jupyterapp.serviceManager.contents.get(path, { content: true });
    for (const entry of content) {
      if (entry.type === 'directory') await walk(entry.path);
      else found[entry.path] = entry.last_modified;
    }
  };
  await walk('');
  return found;
}"""


def test_bad_archives_that_are_dropped_change_nothing_and_say_why(lab: Lab) -> None:
    lab.js(OPEN, "good/lab.ipynb")
    version_count(lab, 1)
    lab.js("() => jupyterapp.commands.execute('browsergrad:show-history')")
    lab.page.locator("#browsergrad-history").wait_for()
    before, sources = lab.js(CONTENTS), lab.js(SOURCES)
    good = {NOTEBOOK: json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}).encode()}
    cases = {name: content for name, (content, _) in bad_files(good, WORK_FORMAT).items() if name not in HAND_IN_ONLY}
    dialog = lab.page.locator(".jp-Dialog")
    reasons = {}
    for name, content in cases.items():
        lab.js(DROP, [f"{name}.zip", base64.b64encode(content).decode()])
        text = dialog.locator(".jp-Dialog-body")
        expect(text).to_contain_text("Nothing was opened: ")
        reasons[name] = str(text.text_content()).removeprefix("Nothing was opened: ")
        dialog.get_by_role("button").click()
        expect(dialog).to_have_count(0)
    assert [name for name, reason in reasons.items() if len(reason) < 10] == []
    assert "is a link" in reasons["link"] and "an empty step, . or .." in reasons["up"]
    assert "more than once" in reasons["twice_by_case"] and "longer than" in reasons["bomb"]
    assert "its hash is not that" in reasons["wrong_hash"]
    assert (lab.js(CONTENTS), lab.js(SOURCES)) == (before, sources)
    # A sound one is opened in the same way.
    lab.js(DROP, ["work.zip", base64.b64encode(hand_in(good, form=WORK_FORMAT)).decode()])
    dialog.get_by_role("button", name="Open").click()
    lab.page.locator(".Toastify__toast", has_text="1 file was opened.").wait_for()
    assert f"search/{NOTEBOOK}" in lab.js(CONTENTS)
