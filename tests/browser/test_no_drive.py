"""A page with neither shared memory nor a service worker: Python cannot reach its files, and the page says so."""

from __future__ import annotations

import zipfile
from pathlib import Path

from conftest import Lab, new_page, served, wait_for_app
from playwright.sync_api import Browser, Page, expect

NEW_NOTEBOOK = (
    "() => jupyterapp.restored.then(() => "
    "jupyterapp.commands.execute('notebook:create-new', { kernelName: 'browsergrad' }))"
)
WRITE = "from pathlib import Path\nPath('one.txt').write_text('eins')\nopen('one.txt').read()"
WRITE_MORE = "Path('déjà/vu').mkdir(parents=True)\nPath('déjà/vu/two.bin').write_bytes(bytes(range(256)))"


def run(page: Page, code: str) -> None:
    cell = page.locator(".jp-Notebook .jp-CodeCell .cm-content").last
    cell.click()
    page.keyboard.insert_text(code)
    page.keyboard.press("Shift+Enter")


def test_files_that_are_not_kept_are_told_and_can_be_downloaded(site: Path, browser: Browser) -> None:
    with served(site, isolated=False) as address:
        page = new_page(browser, service_workers="block")
        page.goto(f"{address}/lab/index.html")
        wait_for_app(page)
        lab = Lab(page, [])
        lab.js(NEW_NOTEBOOK)
        notice = page.locator(".Toastify__toast", has_text="Python cannot reach the files of this page")
        expect(notice).to_be_visible()
        item = page.locator("#jp-browsergrad-no-drive")
        expect(item).to_have_text("Files are not kept")

        run(page, WRITE)
        expect(page.locator(".jp-OutputArea-executeResult", has_text="'eins'")).to_be_visible()
        with page.expect_download() as one:
            notice.get_by_role("button", name="Download files").click()
        assert one.value.suggested_filename == "one.txt"
        assert Path(one.value.path()).read_text("utf-8") == "eins"

        run(page, WRITE_MORE)
        expect(page.locator(".jp-OutputArea-executeResult", has_text="256")).to_be_visible()
        with page.expect_download() as several:
            item.click()
        with zipfile.ZipFile(several.value.path()) as archive:
            assert archive.testzip() is None
            files = {name: archive.read(name) for name in archive.namelist()}
        assert files == {"one.txt": b"eins", "déjà/vu/two.bin": bytes(range(256))}

        # A second kernel does not say it again.
        lab.js(NEW_NOTEBOOK)
        expect(item).to_have_text("Files are not kept")
        expect(notice).to_have_count(0)
        page.close()
