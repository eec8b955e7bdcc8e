"""Pages with little or no storage, pages that are left and entered again, and pages in frames of another site: a kernel runs in each."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pytest
from conftest import FLAGS, HERE, Lab, chromium, new_page, served, wait_for_app
from playwright.sync_api import Browser, BrowserContext, Page, expect
from processes import children

NEW = """async path => {
  const { commands, restored, serviceManager } = jupyterapp;
  await restored;
  const metadata = { kernelspec: { name: 'browsergrad', display_name: 'browsergrad' } };
  const cell = { cell_type: 'code', source: 'x = 1', metadata: {}, outputs: [], execution_count: null };
  const content = { nbformat: 4, nbformat_minor: 4, metadata, cells: [cell] };
  await serviceManager.contents.save(path, { type: 'notebook', format: 'json', content });
}"""
OPEN = """async path => {
  const { commands, restored } = jupyterapp;
  await restored;
  const panel = await commands.execute('docmanager:open', { path, factory: 'Notebook', kernel: { name: 'browsergrad' } });
  await panel.context.ready;
  await panel.sessionContext.ready;
  window.shown = panel;
  window.kernel = panel.sessionContext.session.kernel;
  await kernel.info;
}"""
WRITE = """async text => {
  shown.content.widgets[0].model.sharedModel.setSource(text);
  await shown.context.save();
}"""
#: Writes for three seconds.
COUNT = "import time\nfor i in range(30):\n    time.sleep(0.1)\n    print(i)"
#: How long a computer sleeps, in s: longer than anything in the page waits for an answer.
SLEEP_S = 10
READ = "async path => (await jupyterapp.serviceManager.contents.get(path, { content: true })).content.cells[0].source"


@pytest.fixture
def persistent(browser: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A Chromium with preferences of its user, and with its cache of pages that were left."""
    (tmp_path / "Default").mkdir()
    preferences = {"profile": getattr(request, "param", {})}
    (tmp_path / "Default/Preferences").write_text(json.dumps(preferences), "utf-8")
    context = browser.browser_type.launch_persistent_context(
        tmp_path,
        executable_path=chromium(),
        args=FLAGS,
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield context
    context.close()


def enter(page: Page, address: str) -> Lab:
    page.goto(f"{address}/lab/index.html")
    wait_for_app(page)
    return Lab(page)


def works_in(lab: Lab, path: str = "own.ipynb") -> None:
    """Make a notebook, save it, and run a cell."""
    lab.js(NEW, path)
    lab.js(OPEN, path)
    lab.js(WRITE, "y = 2")
    assert lab.js(READ, path) == "y = 2"
    assert lab.run("6 * 7").result == "42"


@pytest.mark.parametrize("isolated", [True, False], ids=["isolated", "plain"])
@pytest.mark.parametrize(
    "persistent", [{"default_content_setting_values": {"cookies": 2}}], indirect=True, ids=["refused"]
)
def test_a_browser_that_stores_nothing_says_so(persistent: BrowserContext, site: Path, isolated: bool) -> None:
    """As with *Block all cookies*, and in some frames of other sites."""
    with served(site, isolated) as address:
        lab = enter(persistent.pages[0], address)
        expect(lab.page.get_by_text("This browser lets the site store nothing")).to_be_visible()
        works_in(lab)


def test_a_full_storage_is_an_error_of_python_and_the_kernel_runs(browser: Browser, site: Path) -> None:
    page = new_page(browser)
    with served(site, True) as address:
        devtools = page.context.new_cdp_session(page)
        # Before the page opens its storage: the browser asks only now and then how much room there is.
        devtools.send("Storage.overrideQuotaForOrigin", {"origin": address, "quotaSize": 1_000_000})
        lab = enter(page, address)
        lab.js(NEW, "own.ipynb")
        lab.js(OPEN, "own.ipynb")
        lab.run("kept = 6")
        # Random bytes: the browser compresses what it stores, a million zeros to some kB.
        run = lab.run("import os\nwith open('long.bin', 'wb') as file: file.write(os.urandom(10**6))")
        assert run.content["ename"] == "OSError" and "No space left on device" in run.content["evalue"]
        lab.js(
            "text => { shown.content.widgets[0].model.sharedModel.setSource(text); void shown.context.save(); }",
            "x" * 10**6,
        )
        expect(page.locator(".jp-Dialog")).to_contain_text("File Save Error")
        page.locator(".jp-Dialog button").click()
        assert lab.run("kept * 7").result == "42"
        devtools.send("Storage.overrideQuotaForOrigin", {"origin": address})
        lab.js("() => shown.context.save()")
        assert len(lab.js(READ, "own.ipynb")) == 10**6, "it was not lost"
        page.context.close()


@pytest.mark.parametrize("isolated", [True, False], ids=["isolated", "plain"])
@pytest.mark.pages("either")
def test_a_page_that_is_loaded_again_while_a_cell_runs(browser: Browser, site: Path, isolated: bool) -> None:
    page = new_page(browser)
    with served(site, isolated) as address:
        lab = enter(page, address)
        works_in(lab)
        lab.js("async () => { bg.run('while True: pass'); await busy; }")
        page.reload()
        wait_for_app(page)
        assert lab.js(READ, "own.ipynb") == "y = 2"
        lab.js(OPEN, "own.ipynb")
        assert lab.run("6 * 7").result == "42"
        page.context.close()


def test_a_page_that_is_left_and_entered_again(persistent: BrowserContext, site: Path) -> None:
    """Back and forward, with the browser's cache of pages."""
    page = persistent.pages[0]
    with served(site, False) as address:
        lab = enter(page, address)
        works_in(lab)
        page.goto(f"{address}/files/sub/data.txt")
        page.go_back(wait_until="commit")  # a page that was kept is not loaded again
        page.wait_for_function("window.jupyterapp && window.jupyterapp.serviceManager.isReady")
        if not lab.js("() => 'bg' in window"):  # the page was not kept
            page.add_script_tag(path=HERE / "page.js")
            lab.js(OPEN, "own.ipynb")
        assert lab.run("6 * 7").result == "42"
        assert lab.js(READ, "own.ipynb") == "y = 2"


@pytest.mark.release
@pytest.mark.parametrize("isolated", [True, False], ids=["isolated", "plain"])
def test_a_computer_that_sleeps_while_a_cell_runs(
    persistent: BrowserContext, site: Path, tmp_path: Path, isolated: bool
) -> None:
    """All processes of the browser stand still for a while, as when a laptop is closed."""
    with served(site, isolated) as address:
        lab = enter(persistent.pages[0], address)
        works_in(lab)
        lab.js("async code => { window.running = bg.run(code); await busy; }", COUNT)
        sleep(tmp_path)
        ended = lab.js(
            "async () => { const { reply, messages } = await running; return [reply.content.status, messages]; }"
        )
        text = "".join(one["content"]["text"] for one in ended[1] if one["type"] == "stream")
        assert (ended[0], text) == ("ok", "".join(f"{i}\n" for i in range(30)))
        lab.js("async () => { window.running = bg.run('while True: pass'); await busy; }")
        sleep(tmp_path)
        lab.js("() => kernel.interrupt()")
        assert lab.js("() => running")["reply"]["content"]["ename"] == "KeyboardInterrupt"
        assert lab.run("6 * 7").result == "42"
        assert lab.js(READ, "own.ipynb") == "y = 2"


def sleep(profile: Path) -> None:
    """Stop the processes of the browser with this profile, and let them go on later."""
    named = f"--user-data-dir={profile}"
    main = next(pid for pid in children(os.getpid(), "chrom") if named in psutil.Process(pid).cmdline())
    pids = [main, *children(main)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(SLEEP_S)  # nothing happens that could be awaited
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


class _Embedding(BaseHTTPRequestHandler):
    """A page of another site with the lab in a frame."""

    lab = ""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(f"<iframe src='{self.lab}/lab/index.html' width=1200 height=700></iframe>".encode())

    def log_message(self, *args: object) -> None: ...


IN_FRAME = "Your work is in this frame alone: a tab of its own may not find it."
STORES_NOTHING = "This browser lets the site store nothing: notebooks are lost when the page closes."


@pytest.mark.parametrize(
    ("persistent", "said", "not_said"),
    [
        ({"cookie_controls_mode": 0, "block_third_party_cookies": False}, IN_FRAME, STORES_NOTHING),
        ({"cookie_controls_mode": 1, "block_third_party_cookies": True}, STORES_NOTHING, IN_FRAME),
    ],
    indirect=["persistent"],
    ids=["stores", "stores-nothing"],
)
def test_a_frame_of_another_site(persistent: BrowserContext, site: Path, said: str, not_said: str) -> None:
    page = persistent.pages[0]
    with served(site, False) as address:
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Embedding", (_Embedding,), {"lab": address}))
        Thread(target=server.serve_forever, daemon=True).start()
        page.goto(f"http://localhost:{server.server_address[1]}/")
        frame: Any = page.frame_locator("iframe").owner.element_handle().content_frame()
        wait_for_app(frame)
        works_in(Lab(frame))
        place = frame.locator("#jp-browsergrad-work")
        expect(place).to_have_attribute("title", re.compile("This page is in a frame of another site"))
        expect(frame.locator(".Toastify__toast", has_text=said)).to_be_visible()
        expect(frame.locator(".Toastify__toast", has_text=not_said)).to_have_count(0)
        server.shutdown()
        server.server_close()
