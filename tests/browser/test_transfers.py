"""Uploads and downloads of long files in JupyterLite's file browser."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from conftest import Lab
from playwright.sync_api import expect

MB = 1 << 20
#: Holds the browser's storage until ``letReading`` is called.
HOLD_READING = """() => {
  const { contents } = jupyterapp.serviceManager;
  const get = contents.get.bind(contents);
  const held = new Promise(resolve => { window.letReading = resolve; });
  contents.get = async (path, options) => {
    if (options?.content) await held;
    return get(path, options);
  };
}"""


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def upload(lab: Lab, path: Path) -> None:
    """Upload a file by the file browser's button. JupyterLab asks before it uploads more than 15 MB."""
    with lab.page.expect_file_chooser() as chooser:
        lab.page.locator(".jp-FileBrowser-toolbar [data-jp-item-name='uploader'] jp-button").click()
    chooser.value.set_files(path)
    if path.stat().st_size > 15 * MB:
        lab.page.locator(".jp-Dialog").get_by_role("button", name="Upload").click()


def download(lab: Lab, name: str, target: Path) -> Path:
    lab.page.locator(".jp-DirListing-item", has_text=name).click()
    with lab.page.expect_download() as downloaded:
        lab.js("() => jupyterapp.commands.execute('filebrowser:download')")
    downloaded.value.save_as(target)
    return target


def test_a_file_that_is_uploaded_in_chunks_arrives_whole(view: Lab, tmp_path: Path) -> None:
    path = tmp_path / "chunks.bin"
    path.write_bytes(os.urandom(5 * MB + 17))
    upload(view, path)
    expect(view.page.locator(".jp-DirListing-item", has_text="chunks.bin")).to_be_visible()
    assert digest(download(view, "chunks.bin", tmp_path / "back.bin")) == digest(path)
    view.start()
    code = "import hashlib; hashlib.sha256(open('chunks.bin', 'rb').read()).hexdigest()"
    assert view.run(code).result == repr(digest(path))


@pytest.mark.release
def test_long_transfers_say_how_far_they_are(view: Lab, tmp_path: Path) -> None:
    path = tmp_path / "long.bin"
    path.write_bytes(os.urandom(90 * MB))  # not much more fits into the browser's storage)
    upload(view, path)
    toasts = view.page.locator(".Toastify__toast")
    expect(toasts.filter(has_text="Uploading long.bin: ").first).to_contain_text("%")
    expect(view.page.locator(".jp-DirListing-item", has_text="long.bin")).to_be_visible()
    expect(toasts.filter(has_text="Uploading long.bin")).to_have_count(0)
    target = tmp_path / "back.bin"
    view.page.locator(".jp-DirListing-item", has_text="long.bin").click()
    view.js(HOLD_READING)  # a quick machine prepares the file before the notice is due
    with view.page.expect_download() as downloaded:
        view.js("() => { void jupyterapp.commands.execute('filebrowser:download'); }")
        expect(toasts.filter(has_text="Preparing long.bin for download: ").first).to_contain_text("%")
        view.js("() => window.letReading()")
    expect(toasts.filter(has_text="Preparing long.bin")).to_have_count(0)
    downloaded.value.save_as(target)
    assert digest(target) == digest(path)
