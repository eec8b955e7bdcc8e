"""The messages that visitors see while Python starts, and when it cannot start."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from boot_sites import copy
from conftest import held, open_lab, serve
from playwright.sync_api import Browser

from scripts.chromium import FLAGS, chromium

NOTIFICATIONS = """() => {
  window.shown = [];
  const seen = new MutationObserver(() => {
    for (const toast of document.querySelectorAll('.Toastify__toast')) {
      const text = toast.textContent;
      if (shown[shown.length - 1] !== text) shown.push(text);
    }
  });
  seen.observe(document.body, { childList: true, subtree: true, characterData: true });
}"""


@contextmanager
def damaged(site: Path, damage: Callable[[type], None]) -> Iterator[str]:
    """Serve the site on a server that `damage` has changed."""
    server, address = serve(site, isolated=True)
    damage(server.RequestHandlerClass.func)
    try:
        yield address
    finally:
        server.shutdown()
        server.server_close()


def missing(*names: str) -> Callable[[type], None]:
    def damage(handler: type) -> None:
        original = handler.send_head

        def send_head(self: Any) -> Any:
            return self.send_error(404) if any(name in self.path for name in names) else original(self)

        handler.send_head = send_head

    return damage


def typed(name: str, mime: str) -> Callable[[type], None]:
    def damage(handler: type) -> None:
        original = handler.guess_type
        handler.guess_type = lambda self, path: mime if str(path).endswith(name) else original(self, path)

    return damage


def failure(browser: Browser, base: str) -> tuple[str, str]:
    """The text of a cell's error, and the dialog behind the notification."""
    lab = open_lab(browser, base)
    try:
        lab.js("() => { bg.start(); }")
        lab.page.wait_for_function("window.kernel")
        run = lab.run("1 + 1")
        assert run.idle
        assert run.content["status"] == "error"
        assert lab.js("() => kernel.status") == "idle"
        lab.page.get_by_text("Python did not start:").wait_for()
        lab.page.get_by_role("button", name="Details").click()
        return run.content["evalue"], lab.page.locator(".jp-Dialog-body").inner_text()
    finally:
        lab.page.context.close()


@pytest.mark.thinned(2)
@pytest.mark.parametrize(
    "name",
    [
        "pyodide.asm.wasm",
        "python_stdlib",
        "kernel/site",
        "worker.js",
    ],
)
def test_a_missing_asset_is_named(browser: Browser, site: Path, name: str) -> None:
    # The snapshot is missing too, since Python starts from it without some of these files.
    with damaged(site, missing(name, "kernel/snapshot")) as base:
        for text in failure(browser, base):
            assert name in text
            assert ("404" in text and "publish the whole" in text) or "check that the file exists" in text


@pytest.mark.thinned(3)
@pytest.mark.parametrize("name", ["pyodide/pyodide.mjs", "runtime/index.js", "runtime/worker.js"])
def test_a_wrong_mime_type_is_named(browser: Browser, site: Path, name: str) -> None:
    def damage(handler: type) -> None:
        typed(name, "text/plain")(handler)
        missing("kernel/snapshot")(handler)  # from it, Python starts without some of these files

    with damaged(site, damage) as base:
        for text in failure(browser, base):
            assert name in text and "text/javascript" in text


def test_wasm_of_a_wrong_type_works_all_the_same(browser: Browser, site: Path) -> None:
    with damaged(site, typed(".wasm", "application/octet-stream")) as base:
        lab = open_lab(browser, base)
        lab.start()
        assert lab.run("1 + 1").result == "2"
        lab.page.context.close()


def test_too_little_memory_is_named(browser: Browser, site: Path) -> None:
    flags = [*FLAGS, "--js-flags=--wasm-max-mem-pages=100"]
    small = browser.browser_type.launch(executable_path=chromium(), args=flags)
    try:
        with damaged(site, lambda handler: None) as base:
            for text in failure(small, base):
                assert "memory" in text
                assert "close other tabs" in text.lower()
    finally:
        small.close()


@pytest.mark.pages("either")
@pytest.mark.parametrize("isolated", [True, False], ids=["isolated", "plain"])
def test_progress_has_names_and_percentages_and_goes_away(browser: Browser, site: Path, isolated: bool) -> None:
    # Otherwise Python would start before anything is worth a notification.
    with held(site, isolated, "kernel/snapshot") as (base, _, release):
        lab = open_lab(browser, base)
        lab.js(NOTIFICATIONS)
        lab.js("() => { window.started = bg.start(); }")
        lab.page.wait_for_function("shown.some(text => /%/.test(text))")
        release.set()
        lab.js("() => started")
        lab.run("1")
        lab.page.wait_for_function("!document.querySelector('.Toastify__toast')")
        shown = lab.js("() => shown")
        assert any(re.search(r"Python \(BrowserGrad\).*\d+ %", text) for text in shown), shown
        lab.page.context.close()


def test_a_worker_whose_script_never_comes_is_asked_for_again(browser: Browser, site: Path, tmp_path: Path) -> None:
    """The second worker gets everything that was sent to the first, above all the first cells."""
    # The page itself fetches the script first, for the worker.
    with held(copy(site, tmp_path, prefetch=False, prewarm=False), True, "/runtime/worker.js", times=2) as (
        base,
        asked,
        _,
    ):
        lab = open_lab(browser, base)
        log: list[str] = []
        lab.page.on("console", lambda message: log.append(message.text))
        lab.start()
        assert asked.is_set()
        assert lab.run("1 + 1").result == "2"
        assert [line for line in log if "has not been loaded within 10 s: it is loaded again" in line]
        lab.page.context.close()


@pytest.mark.pages("either")
def test_the_status_tells_what_the_kernel_does(browser: Browser, base: str) -> None:
    lab = open_lab(browser, base)
    lab.start()
    lab.run("1")
    lab.js("() => { statuses.length = 0; }")
    lab.run("import time; time.sleep(.05)")
    assert lab.js("() => statuses") == ["busy", "idle"]
    lab.js("() => { statuses.length = 0; }")
    lab.js("async () => { await kernel.restart(); await kernel.info; }")
    assert lab.run("1").idle
    seen = lab.js("() => statuses")
    assert seen[-1] == "idle" and "dead" not in seen and "restarting" in seen
    lab.page.context.close()
