"""The browser's storage is full: the history gives back what the notebook needs, and says so."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conftest import Lab
from playwright.sync_api import expect
from work_pages import OPEN, STORE, version_count

#: Replaces the first cell by so many characters that cannot be compressed, and returns the first line.
FILL = """length => {
  const lines = [];
  for (let at = 0; at < length; at += 64) {
    lines.push('# ' + Array.from(crypto.getRandomValues(new Uint8Array(31)), one => one.toString(16).padStart(2, '0')).join(''));
  }
  panel.content.model.cells.get(0).sharedModel.setSource(lines.join('\\n'));
  return lines[0];
}"""
#: Resolves when the second store has no drafts.
NO_DRAFTS = f"""async () => {{
  const store = {STORE};
  while ((await store('drafts')).some(path => path.endsWith('.gz'))) await new Promise(r => setTimeout(r, 50));
}}"""
#: The names of the empty files among a notebook's versions.
EMPTY = """async () => {
  let folder = await navigator.storage.getDirectory();
  for (const name of ['browsergrad', 'history']) folder = await folder.getDirectoryHandle(name);
  const empty = [];
  for await (const document of folder.values()) {
    const versions = await document.getDirectoryHandle('versions');
    for await (const file of versions.values()) {
      if (!(await file.getFile()).size && !/[.](new|crswap)$/.test(file.name)) empty.push(file.name);
    }
  }
  return empty;
}"""
STORED_SOURCE = """async () => {
  const { content } = await jupyterapp.serviceManager.contents.get(panel.context.path, { content: true });
  return content.cells[0].source;
}"""
SIZE = 400_000


@pytest.fixture
def lab(work_lab: Lab) -> Lab:
    return work_lab


@pytest.fixture
def limit(lab: Lab, work_base: str) -> Callable[[int], None]:
    """A function that lets the site store so many bytes more than it has."""
    session = lab.page.context.new_cdp_session(lab.page)

    def limit(more: int) -> None:
        used = lab.js("async () => (await navigator.storage.estimate()).usage")
        session.send("Storage.overrideQuotaForOrigin", {"origin": work_base, "quotaSize": used + more})

    return limit


def test_old_versions_make_room_for_the_notebook(lab: Lab, limit: Callable[[int], None]) -> None:
    lab.js(OPEN, "lab/lab.ipynb")
    version_count(lab, 1)
    for count in range(2, 6):
        lab.js(FILL, SIZE)
        lab.js("() => panel.context.save()")
        version_count(lab, count)
    lab.js(NO_DRAFTS)  # The last one goes after its version was written, and would leave room for the next version.
    limit(50_000)
    line = lab.js(FILL, SIZE)
    lab.js("() => { void panel.context.save(); }")  # a first try may fail, and is repeated
    said = lab.page.locator(".Toastify__toast", has_text="old versions in the history were deleted")
    said.wait_for()
    version_count(lab, 1)
    lab.page.wait_for_function("!panel.context.model.dirty")
    assert lab.js(STORED_SOURCE).startswith(line)
    left = [path for path in lab.js(STORE, "history") if "/versions/" in path]
    assert 1 <= len(left) < 5
    assert lab.js(EMPTY) == [], "a version that could not be written leaves nothing behind"


def test_a_full_disk_is_told_when_nothing_can_be_given_back(lab: Lab, limit: Callable[[int], None]) -> None:
    lab.js(OPEN, "lab/lab.ipynb")
    version_count(lab, 1)
    limit(20_000)
    line = lab.js(FILL, SIZE)
    said = lab.page.locator(".Toastify__toast", has_text="versions and drafts are no longer kept")
    said.wait_for()
    expect(said).to_contain_text("Download your work")
    limit(50_000_000)
    lab.js("() => panel.context.save()")
    version_count(lab, 2)
    assert lab.js(STORED_SOURCE).startswith(line)
