"""Files on a site's drive behave as on Linux: the same programs print the same texts, however Python reaches the page."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import STACK_SWITCHING, open_lab, opened, serve, without
from playwright.sync_api import Browser

from tests.drive_programs import PROGRAMS, cell, different, on_linux

#: Bytes of a long file. The page answers for a moment from what it knows of files that are longer than a MB.
LONG = 8_000_000
#: Writes a file whose bytes are not text, as the file browser does.
UPLOAD = """async length => {
  const bytes = new Uint8Array(length).map((_, at) => at * 31);
  const content = bytes.toBase64();
  await jupyterapp.serviceManager.contents.save('sub/long.bin', { type: 'file', format: 'base64', content });
}"""
#: Counts what it takes to read a long file: reads of the browser's storage, questions of workers, base64 that is decoded, files made for a download, and
#: the longest message to the service worker.
COUNT = """() => {
  window.cost = { reads: 0, asked: [], decoded: 0, slow: 0, blobs: 0, longest: 0 };
  const watch = (owner, name, seen) => {
    const own = owner[name];
    owner[name] = function (...args) {
      seen(...args);
      return own.apply(this, args);
    };
  };
  const isLong = text => text.length > 1_000_000;
  watch(IDBObjectStore.prototype, 'get', key => { cost.reads += String(key).endsWith('long.bin'); });
  watch(Uint8Array, 'fromBase64', text => { cost.decoded += isLong(text); });
  watch(window, 'atob', text => { cost.slow += isLong(text); });
  watch(URL, 'createObjectURL', blob => { cost.blobs += blob.size > 1_000_000; });
  watch(BroadcastChannel.prototype, 'postMessage', message => {
    cost.longest = Math.max(cost.longest, JSON.stringify(message).length);
  });
}"""
#: Notes the questions of all workers that share memory with the page; the service worker passes on those of others.
LISTEN = """
window.Worker = class extends Worker {
  constructor(...args) {
    super(...args);
    this.addEventListener('message', ({ data }) => {
      if (data?.type === 'call' && data.call.kind === 'drive') window.cost?.asked.push(data.call.request.method);
    });
  }
};
new BroadcastChannel('/sw-api.v1').addEventListener('message', ({ data }) => {
  if (data?.data?.kind === 'drive') window.cost?.asked.push(data.data.request.method);
});
"""


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return on_linux(tmp_path_factory.mktemp("linux"))


@pytest.fixture(scope="module", params=["isolated", "stack switching", "service worker"])
def address(
    request: pytest.FixtureRequest, site: Path, static: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder = site
    if request.param == "service worker":  # This browser cannot switch stacks either.
        folder = without(site, static, tmp_path_factory.mktemp("no-jspi"), STACK_SWITCHING)
    server, address = serve(folder, isolated=request.param == "isolated")
    yield address
    server.shutdown()
    server.server_close()


@pytest.mark.thinned(2)
def test_programs_print_what_they_print_on_linux(
    request: pytest.FixtureRequest, browser: Browser, address: str, expected: dict[str, str]
) -> None:
    """All programs where memory is shared; in the other ways every third, and all where a release is tested."""
    some = list(PROGRAMS)
    if "isolated" not in request.node.name and not os.environ.get("ALL_STARTS"):
        some = some[::3]
    with opened(browser, address) as lab:
        lab.start("sub")
        shown = {}
        for name in some:
            run = lab.run(cell(name))
            shown[name] = run.text() + "".join(f"{e['ename']}: {e['evalue']}\n" for e in run.of("error"))
        assert different(shown, {name: expected[name] for name in some}) == {}


def test_what_an_open_file_holds_is_saved_at_the_end_of_the_cell(browser: Browser, address: str) -> None:
    with opened(browser, address) as lab:
        lab.start("sub")
        lab.run("f = open('log.txt', 'w')\nf.write('kept')\nf.flush()")
        content = "async () => (await jupyterapp.serviceManager.contents.get('sub/log.txt', {content: true})).content"
        assert lab.js(content) == "kept"
        lab.run("f.write(' and lost by nobody')\nf.flush()\n1 / 0")
        assert lab.js(content) == "kept and lost by nobody"


def test_a_long_file_is_read_and_decoded_once(request: pytest.FixtureRequest, browser: Browser, address: str) -> None:
    """That a cell has 50 MB within a second depends on it."""
    lab = open_lab(browser, address, LISTEN)
    lab.start("sub")
    lab.js(UPLOAD, LONG)
    lab.js(COUNT)
    begin = time.monotonic()
    code = f"""
data = open('long.bin', 'rb').read()
len(data) == {LONG} and data[:300] == bytes(at * 31 % 256 for at in range(300))"""
    assert lab.run(code).result == "True"
    seconds = int(time.monotonic() - begin)
    cost = lab.js("() => cost")
    assert cost["asked"] == ["lookup", "get", "getattr"]
    # For size and time once, since JupyterLite reads the contents for them, too. What is known of a file holds for a second.
    assert cost["reads"] <= 2 + seconds
    assert cost["decoded"] == 1 and cost["slow"] == 0, "by the browser's own function"
    if "isolated" in request.node.name:
        assert cost["blobs"] == 0 and cost["longest"] == 0, "through shared memory"
    else:
        assert cost["blobs"] == 1 and cost["longest"] < 1000, "the service worker's answer names the bytes"
    assert lab.foreign == []
    lab.page.context.close()
