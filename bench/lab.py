"""Serves the sites and opens their pages in a real Chromium."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Request

from jupyterlite_browsergrad.site.static_server import ALWAYS, ISOLATION, SiteHandler
from scripts.chromium import FLAGS as CHROMIUM_FLAGS

PAGE = (Path(__file__).parent / "page.js").read_text("utf-8")
KERNELS = {"stock": "python", "packages-stock": "python"}
OUR_KERNEL = "browsergrad"
#: Options of the tests' Chromium, and two more.
FLAGS = [
    *CHROMIUM_FLAGS,
    "--enable-precise-memory-info",
    # The browser reaches no other host. Playwright's routes could ensure this too, but they disable the browser's HTTP cache.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
#: Seconds for which the server holds a request to an address that stands for one without an answer. No measurement waits as long.
NEVER_S = 3


class Server:
    """Serves one site on this machine. `sent` counts the bytes of its answers."""

    def __init__(self, folder: Path, isolated: bool) -> None:
        self.sent = 0
        outer = self

        class Handler(SiteHandler):
            def do_GET(self) -> None:
                if "never" in self.path.split("/"):
                    time.sleep(NEVER_S)
                super().do_GET()

            def begin(self, status: Any, headers: dict[str, str], length: int | None) -> None:
                if self.command == "GET":
                    outer.sent += length or 0
                super().begin(status, headers, length)

        self.serve(Handler, folder, isolated)

    def serve(self, handler_class: type[SiteHandler], folder: Path, isolated: bool) -> None:
        """Serve `folder` at a port of its own, in the background."""
        headers: dict[str, Any] = {**ALWAYS, **(ISOLATION if isolated else {})}
        handler = partial(handler_class, root=folder.resolve(), headers=headers, log=None)
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()


class Lab:
    """One open page, in which JupyterLab has started but no kernel has."""

    def __init__(self, page: Page, server: Server, which: str) -> None:
        self.page = page
        self.server = server
        #: Name of the site, such as ``ours`` or ``stock``.
        self.which = which

    @property
    def kernel_name(self) -> str:
        return KERNELS.get(self.which, OUR_KERNEL)

    def js(self, expression: str, argument: Any = None) -> Any:
        return self.page.evaluate(expression, argument)

    def start(self) -> float:
        """Start a kernel and run a cell. Return the ms until its reply."""
        return self.js("name => bench.first(name)", self.kernel_name)

    def run(self, code: str) -> float:
        """Run a cell. Return the ms until its reply."""
        return self.js("code => bench.run(code)", code)

    def text(self, code: str) -> str:
        """Run a cell. Return its output."""
        return self.js("code => bench.text(code)", code)

    def reload(self) -> None:
        """Open the page again, as for a second visit."""
        self.page.goto("about:blank")
        self.open()

    def open(self) -> None:
        self.page.goto(f"{self.server.url}/lab/index.html")
        self.page.wait_for_function("window.jupyterapp && window.jupyterapp.serviceManager.isReady")
        self.page.add_script_tag(content=PAGE)
        self.js("name => bench.known(name)", self.kernel_name)


@contextmanager
def open_lab(browser: Browser, server: Server, which: str) -> Iterator[Lab]:
    """Open a page in a new profile, where nothing is cached or stored. A request to another origin ends the suite."""
    with lab_in(browser.new_context(), server, which) as lab:
        yield lab


@contextmanager
def lab_in(context: BrowserContext, server: Server, which: str) -> Iterator[Lab]:
    """Open a page in this profile, which is closed at the end. A request to another origin ends the suite."""
    foreign: list[str] = []

    def asked(request: Request) -> None:
        if not request.url.startswith((server.url, "data:", "blob:")):
            foreign.append(request.url)

    try:
        context.on("request", asked)
        page = context.new_page()
        page.set_default_timeout(180_000)
        lab = Lab(page, server, which)
        lab.open()
        yield lab
        if foreign:
            raise SystemExit(f"{which} asked another origin: {foreign[0]}")
    finally:
        context.close()
