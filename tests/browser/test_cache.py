"""Files that Python starts from are fetched and compiled once: for all kernels of a page, and for the next visit."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from typing import BinaryIO

import pytest
from boot_sites import FROM_SNAPSHOT, STATIC, copy, device_memory, enter, opened, replace
from conftest import Lab, new_page, wait_for_app
from hangs import HANG_S
from playwright.sync_api import Browser

from bench.lab import Server
from jupyterlite_browsergrad.site.static_server import SiteHandler, SiteServer
from scripts.chromium import FLAGS, chromium

PREFETCHED = "performance.getEntriesByName('browsergrad:prefetched').length"
#: Posts to a channel when Pyodide's WebAssembly is compiled. Small modules do not count.
COUNT_COMPILED = """
{
  const channel = new BroadcastChannel('compiled');
  const scope = typeof document === 'undefined' ? 'worker' : 'page';
  for (const name of ['compile', 'compileStreaming', 'instantiate', 'instantiateStreaming']) {
    const native = WebAssembly[name];
    WebAssembly[name] = (source, ...rest) => {
      if (!(source instanceof WebAssembly.Module) && !(source.byteLength < 1e6)) channel.postMessage(scope);
      return native.call(WebAssembly, source, ...rest);
    };
  }
}
"""
COLLECT_COMPILED = """
window.compiled = [];
new BroadcastChannel('compiled').onmessage = event => compiled.push(event.data);
"""


@contextmanager
def requests(site: Path) -> Iterator[tuple[str, list[list[str]]]]:
    """Serve the site with `jupyter browsergrad serve`. Gives its address and its log: method, path and status."""
    seen: list[list[str]] = []

    def log(line: str) -> None:
        request, _, status = line.strip('"').partition('" ')
        seen.append([*request.split()[:2], status.split()[0]])

    with SiteServer(site, log=log) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.url.rstrip("/"), seen
        server.shutdown()


def sent(seen: list[list[str]]) -> list[str]:
    """The files that Python starts from, among all that were sent whole."""
    return [path for method, path, status in seen if method == "GET" and status == "200" and f"/{STATIC}/" in path]


def asked(seen: list[list[str]]) -> list[str]:
    """Paths of the files that kernels can share. Each worker has JavaScript modules of its own."""
    paths = [path.partition("?")[0] for _method, path, _status in seen if f"/{STATIC}/" in path]
    return [path for path in paths if not path.endswith(("js", ".map"))]


def use_everything(lab: Lab) -> None:
    """Start a kernel and use every file that it can ever request from the site."""
    lab.start()
    assert lab.run("import prompt_toolkit.shortcuts, xml.dom.minidom; 1 + 1").result == "2"
    with lab.page.expect_console_message(lambda message: "jedi is ready" in message.text):
        lab.request("complete_request", {"code": "import os; os.pa", "cursor_pos": 16})


def wait_for_the_rest(lab: Lab) -> None:
    """Wait until the page has fetched the files that Python may need later. It does this when the first cell is done."""
    for name in ("/site-cp", "/python_stdlib.zip"):
        lab.page.wait_for_function(
            f"performance.getEntriesByType('resource').some(entry => entry.name.includes('{name}'))"
        )


@pytest.mark.thinned(2)
@pytest.mark.parametrize("ahead", [False, True], ids=["first kernel", "idle page"])
def test_the_second_visit_takes_everything_from_the_browsers_cache(
    browser: Browser, site: Path, tmp_path: Path, ahead: bool
) -> None:
    """Each file is fetched once, by a worker or by the page while it was idle."""
    changed = copy(site, tmp_path, prefetch=ahead, prewarm=False)
    with requests(changed) as (address, seen):
        for visit in ("first", "second"):
            begin = len(seen)
            # The browser ends in between, since its cache in memory does not last until the next day.
            with browser.browser_type.launch_persistent_context(
                tmp_path / "profile", executable_path=chromium(), args=FLAGS
            ) as context:
                lab = enter(context.pages[0], address)
                if ahead:
                    lab.page.wait_for_function(PREFETCHED)
                use_everything(lab)
            transferred = sent(seen[begin:])
            if visit == "first":
                for name in (
                    "/snapshot.",
                    "/wasm.",
                    "/scripts.",
                    "/site-cp",
                    "/jedi.",
                    "python_stdlib.zip",
                    "worker.js",
                ):
                    assert [path for path in transferred if name in path], (name, transferred)
                big = [path for path in transferred if path.endswith((".bin", ".gz", ".wasm", ".zip"))]
                assert sorted(big) == sorted(set(big)), "nothing big comes twice"
            else:
                assert transferred == []
                known = ("/index.js", "/worker.js", "/manifest.json", "/pyodide-lock.json")
                paths = [path.partition("?")[0] for _method, path, _status in seen[begin:] if f"/{STATIC}/" in path]
                assert [path for path in paths if path.endswith(known)] == [], "their versions are known"


KEPT = "performance.getEntriesByName('browsergrad:kept').length"
#: Gives each file that the page has kept contents of the same length that are wrong.
DAMAGE_KEPT = """async () => {
  const cache = await caches.open('browsergrad-unpacked');
  const requests = await cache.keys();
  for (const request of requests) {
    const answer = await cache.match(request);
    const bytes = new Uint8Array((await answer.arrayBuffer()).byteLength);
    await cache.put(request, new Response(bytes, { headers: answer.headers }));
  }
  return requests.length;
}"""


def test_a_later_visit_takes_what_was_unpacked_and_works_if_that_is_damaged_or_refused(
    browser: Browser, site: Path, tmp_path: Path
) -> None:
    changed = copy(site, tmp_path, prefetch=False, prewarm=False)
    worker = changed / STATIC / "runtime/worker.js"
    with requests(changed) as (address, seen):
        page = new_page(browser)
        cdp = page.context.new_cdp_session(page)

        def visit() -> list[str]:
            """Start a kernel without the browser's other cache. Gives the files that were asked for until the first cell's reply."""
            cdp.send("Network.clearBrowserCache")
            begin = len(seen)
            with page.expect_console_message(lambda message: FROM_SNAPSHOT in message.text):
                lab = enter(page, address)
                lab.start()
            assert lab.run("1 + 1").result == "2"
            return [
                path.rsplit("/")[-1].split(".")[0]
                for method, path, _status in seen[begin:]
                if (f"/{STATIC}/kernel/" in path and ".bin" in path) or (method == "HEAD" and f"/{STATIC}/" in path)
            ]

        everything = ["python_stdlib", "scripts", "snapshot", "wasm"]
        assert sorted(visit()) == everything
        page.wait_for_function(KEPT)
        assert visit() == []
        assert page.evaluate(DAMAGE_KEPT) == 3
        assert sorted(visit()) == everything
        page.wait_for_function(KEPT)
        assert visit() == []
        refused = (
            b"Object.defineProperty(globalThis, 'caches', { get() { throw new DOMException('', 'SecurityError'); } });"
        )
        replace(worker, refused + worker.read_bytes())
        assert sorted(visit()) == everything


def test_the_service_worker_leaves_pythons_files_to_the_browser(browser: Browser, site: Path) -> None:
    """Browsers keep what they have compiled of WebAssembly only for answers that come without a service worker."""
    with requests(site) as (address, _seen):
        page = new_page(browser)
        enter(page, address)
        page.wait_for_function("navigator.serviceWorker.controller")
        answers = []
        page.on("response", lambda answer: answers.append(answer))
        lab = enter(page, address)
        lab.start()
        assert lab.run("1 + 1").result == "2"
        own = {answer.url: answer.from_service_worker for answer in answers if f"/{STATIC}/" in answer.url}
        assert any("/pyodide-lock.json" in url for url in own) and not any(own.values()), own
        others = [answer for answer in answers if "/build/" in answer.url]
        assert any(answer.from_service_worker for answer in others), "the page has a service worker"
        page.context.close()


def test_where_bytes_count_the_smaller_forms_are_read_and_kept(browser: Browser, site: Path, tmp_path: Path) -> None:
    changed = copy(site, tmp_path, prewarm=False)
    with requests(changed) as (address, seen):
        page = new_page(browser)
        page.add_init_script("Object.defineProperty(navigator.connection, 'saveData', { value: true });")

        def visit() -> list[str]:
            """Start a kernel. Gives the names of the big files that were asked for, without their hashes."""
            begin = len(seen)
            with page.expect_console_message(lambda message: FROM_SNAPSHOT in message.text):
                lab = enter(page, address)
                lab.start()
            assert lab.run("1 + 1").result == "2"
            names = [path.rsplit("/")[-1] for path in sent(seen[begin:]) if path.endswith(".bin")]
            return sorted(re.sub(r"\.[0-9a-f]{8}", "", name) for name in names if not name.startswith("rest"))

        assert visit() == ["scripts.bin", "snapshot.xz.bin", "wasm.xz.bin"]
        page.wait_for_function(KEPT)
        assert visit() == []
        page.evaluate("caches.delete('browsergrad-unpacked')")
        page.context.new_cdp_session(page).send("Network.clearBrowserCache")
        for form in (changed / STATIC / "kernel").glob("*.xz.bin"):
            form.unlink()
        assert visit() == ["scripts.bin", "snapshot.bin", "wasm.bin"]
        page.context.close()


@pytest.mark.thinned(2)
@pytest.mark.parametrize("ahead", [False, True], ids=["first kernel", "idle page"])
def test_further_kernels_neither_fetch_nor_compile(browser: Browser, site: Path, tmp_path: Path, ahead: bool) -> None:
    changed = copy(site, tmp_path, prewarm=False)
    worker = changed / STATIC / "runtime/worker.js"
    replace(worker, COUNT_COMPILED.encode() + worker.read_bytes())
    script = COUNT_COMPILED + COLLECT_COMPILED
    if not ahead:
        script += "Object.defineProperty(navigator.connection, 'saveData', { value: true });"
    with requests(changed) as (address, seen):
        page = new_page(browser)
        page.add_init_script(script)
        lab = enter(page, address)
        if ahead:
            lab.page.wait_for_function(PREFETCHED)
        paths = []
        for number in range(3):
            begin = len(seen)
            lab.js("() => performance.clearResourceTimings()")
            lab.start()
            assert lab.run("1 + 1").result == "2"
            paths.append(asked(seen[begin:]))
            if number == 0:
                wait_for_the_rest(lab)  # for all kernels of the page
        assert lab.js("() => compiled") == ["page" if ahead else "worker"]
        assert paths[1:] == [[], []]
        assert bool(paths[0]) is not ahead
        page.context.close()


@pytest.mark.thinned(2)
@pytest.mark.parametrize(
    ("settings", "gigabytes", "is_spare"),
    [({}, 8, True), ({}, 2, False), ({"prewarm": False}, 8, False), ({"prewarm": True}, 2, True)],
    ids=["enough memory", "little memory", "switched off", "switched on"],
)
def test_a_spare_waits_where_the_site_and_the_memory_allow(
    browser: Browser, site: Path, tmp_path: Path, settings: dict[str, bool], gigabytes: int, is_spare: bool
) -> None:
    with opened(browser, copy(site, tmp_path, **settings), script=device_memory(gigabytes)) as (lab, log):
        # The fetch begins at once or not at all. A kernel that comes later waits for it.
        lab.page.wait_for_function(PREFETCHED)
        lab.start()
        assert lab.run("1 + 1").result == "2"
        # A spare starts before there is a kernel, so it has not logged anything.
        assert (FROM_SNAPSHOT not in log) is is_spare


def test_what_python_may_need_later_is_fetched_by_the_page(browser: Browser, site: Path) -> None:
    """The page fetches them, not the worker. While Python blocks the worker, it does not read, and Chromium lets nobody else have the file for 20 s."""
    with opened(browser, site) as (lab, _log):
        lab.start()
        lab.run("pass")
        wait_for_the_rest(lab)
        assert lab.run("import xml.dom.minidom").content["status"] == "ok"


class DrippingServer(Server):
    """Serves a site, of which Python's library, a file for later, comes in small drops."""

    DROP_BYTES = 4096
    DROP_S = 0.2

    def __init__(self, folder: Path) -> None:
        self.begun = threading.Event()
        #: For each download of the library that came to an end: whether all of it was sent. Else the browser ended it.
        self.ended: queue.Queue[bool] = queue.Queue()
        self.stopped = threading.Event()
        server = self

        class Handler(SiteHandler):
            def send_file(self, file: BinaryIO, size: int) -> None:
                if "/python_stdlib.zip" in self.path:
                    self.close_connection = True
                    server.ended.put(server.drip(file, self.wfile))
                else:
                    super().send_file(file, size)

        self.serve(Handler, folder, isolated=True)

    def drip(self, file: BinaryIO, connection: BufferedIOBase) -> bool:
        try:
            while not self.stopped.wait(self.DROP_S) and (drop := file.read(self.DROP_BYTES)):
                connection.write(drop)
                self.begun.set()
        except ConnectionError:
            return False
        return True

    def close(self) -> None:
        self.stopped.set()
        super().close()


def test_files_for_later_are_not_downloaded_for_a_page_that_was_left(
    browser: Browser, site: Path, tmp_path: Path
) -> None:
    """Else they take the line from the next page, which asks for the same files and waits for them."""
    server = DrippingServer(copy(site, tmp_path, prewarm=False))
    page = new_page(browser)
    try:
        lab = enter(page, server.url)
        for reload in (True, False):
            lab.start()
            assert lab.run("1 + 1").result == "2"
            if reload:
                assert server.begun.wait(HANG_S)
                page.reload()
                assert not server.ended.get(timeout=HANG_S), "the download went on"
                wait_for_app(page)
    finally:
        page.context.close()
        server.close()
