"""One way to drive a page in three engines, for checks that are written once.

`Tab` is what a check needs of a page. Chromium is driven by Playwright, as in the other tests; Firefox and WebKit by `webdriver`.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from conftest import HERE, STACK_SWITCHING, _Handler, new_page, serve, served, without
from hangs import HANG_MS
from playwright.sync_api import Browser, Page
from processes import children
from webdriver import Driver, firefox, refusing_proxy, screen, webkit

WATCH = HERE / "watch.js"
#: Keys that are not characters, as WebDriver writes them.
KEYS = {
    "Backspace": "\ue003",
    "Tab": "\ue004",
    "Enter": "\ue007",
    "Shift": "\ue008",
    "Control": "\ue009",
    "Escape": "\ue00c",
    "ArrowDown": "\ue015",
}
#: Another name of 127.0.0.1, under which a page is of another site.
OTHER_NAME = "localhost"
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


@dataclass(frozen=True)
class Mode:
    """An engine, and what a page has in it."""

    engine: str
    name: str
    #: Served with the headers of cross-origin isolation.
    isolated: bool = False
    #: Memory can be shared with the worker.
    shares: bool = False
    #: WebAssembly can be suspended (JSPI).
    switches: bool = True
    #: JSPI is taken away from the worker.
    takes_away: bool = False

    @property
    def id(self) -> str:
        return f"{self.engine}-{self.name}"


MODES = [
    Mode("firefox", "isolated", isolated=True, shares=True),
    Mode("firefox", "plain"),
    Mode("firefox", "service-worker", switches=False, takes_away=True),
    Mode("webkit", "isolated", isolated=True, shares=True, switches=False),
    Mode("webkit", "unshared", isolated=True, switches=False),
    Mode("webkit", "plain", switches=False),
    Mode("chromium", "isolated", isolated=True, shares=True),
    Mode("chromium", "plain"),
    Mode("chromium", "service-worker", switches=False, takes_away=True),
]


class Tab:
    """A page in one of the engines. Expressions and functions are given as JavaScript, values travel as JSON."""

    version = ""
    #: Process of the browser, or of the program that started it.
    pid = 0

    def goto(self, address: str) -> None:
        raise NotImplementedError

    def _evaluate(self, source: str, argument: Any) -> str:
        """Call `watched.evaluate` in the page."""
        raise NotImplementedError

    def click(self, selector: str, text: str | None = None) -> None:
        """Click the last visible element that a selector matches, with this text if one is given, once there is one."""
        raise NotImplementedError

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        raise NotImplementedError

    def press(self, *keys: str) -> None:
        """Press keys together: names of `KEYS`, or characters."""
        raise NotImplementedError

    def resize(self, width: int, height: int) -> None:
        raise NotImplementedError

    def screenshot(self, path: Path) -> None:
        raise NotImplementedError

    def go_back(self) -> None:
        raise NotImplementedError

    def go_forward(self) -> None:
        raise NotImplementedError

    def enter_frame(self) -> None:
        """Do everything in the page's only frame, until another page is opened."""
        raise NotImplementedError

    @property
    def foreign(self) -> list[str]:
        """Addresses of other origins that were asked for, none of which was answered."""
        raise NotImplementedError

    def evaluate(self, source: str, argument: Any = None) -> Any:
        """The value of an expression, or what a function returns, once its promise is resolved."""
        answer = json.loads(self._evaluate(source, argument))
        assert "error" not in answer, f"{answer.get('message')}\n{answer.get('error')}"
        return answer["value"]

    def wait_for_function(self, expression: str, arg: Any = None) -> Any:
        """Wait until an expression is true, and return its value."""
        return self.evaluate("given => watched.until(...given)", [expression, arg, HANG_MS])

    def add_script_tag(self, content: str) -> None:
        self.evaluate(
            "text => { const e = document.createElement('script'); e.text = text; document.head.append(e); }", content
        )

    @property
    def console(self) -> list[str]:
        """What the page has logged since it was loaded, with the level."""
        return self.evaluate("watched.console")

    @property
    def errors(self) -> list[str]:
        """Errors that no code of the page has caught."""
        return self.evaluate("watched.errors")


FIND = "([selector, text, ms]) => watched.until(`watched.find(${JSON.stringify(selector)}, ${JSON.stringify(text)})`, null, ms)"


class ChromiumTab(Tab):
    """A page of Playwright's."""

    def __init__(self, page: Page):
        self.page = page
        self._frame = page.main_frame
        browser = page.context.browser
        assert browser is not None
        self.version = browser.version
        self.pid = children(os.getpid(), "chrom")[0]
        self._foreign: list[str] = []

        def refuse(route: Any) -> None:
            self._foreign.append(route.request.url)
            route.abort()

        here = ("http://127.0.0.1:", f"http://{OTHER_NAME}:", "data:", "blob:")
        page.context.route(lambda url: not url.startswith(here), refuse)

    def goto(self, address: str) -> None:
        self._frame = self.page.main_frame
        self.page.goto(address)

    def enter_frame(self) -> None:
        (self._frame,) = self.page.main_frame.child_frames

    def _evaluate(self, source: str, argument: Any) -> str:
        return self._frame.evaluate("given => watched.evaluate(...given)", [source, argument])

    def click(self, selector: str, text: str | None = None) -> None:
        element = self._frame.evaluate_handle(FIND, [selector, text, HANG_MS]).as_element()
        assert element is not None
        element.click()

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def press(self, *keys: str) -> None:
        self.page.keyboard.press("+".join(keys))

    def resize(self, width: int, height: int) -> None:
        self.page.set_viewport_size({"width": width, "height": height})

    def screenshot(self, path: Path) -> None:
        self.page.screenshot(path=path)

    def go_back(self) -> None:
        self.page.go_back()

    def go_forward(self) -> None:
        self.page.go_forward()

    @property
    def foreign(self) -> list[str]:
        return self._foreign


class DriverTab(Tab):
    """The page of a browser that is driven by WebDriver's commands."""

    def __init__(self, driver: Driver, asked: list[str]):
        self._driver = driver
        self._asked = asked
        self.version = driver.version
        self.pid = driver.pid

    def goto(self, address: str) -> None:
        self._driver.call("Navigate", {"url": address})

    def enter_frame(self) -> None:
        self._driver.call("SwitchToFrame", {"id": 0})

    def _run(self, script: str, *arguments: Any) -> Any:
        # Firefox runs scripts beside the page's own globals; `window` leads to those.
        begin = "const given = [...arguments]; const done = given.pop(); "
        return self._driver.call("ExecuteAsyncScript", {"script": begin + script, "args": arguments})

    def _evaluate(self, source: str, argument: Any) -> str:
        text = json.dumps([source, argument])
        return self._run("window.watched.evaluate(...window.JSON.parse(given[0])).then(done);", text)

    def click(self, selector: str, text: str | None = None) -> None:
        find = f"window.eval({json.dumps(FIND)})(window.JSON.parse(given[0])).then(done);"
        element = self._run(find, json.dumps([selector, text, HANG_MS]))
        self._driver.call("ElementClick", {"id": element[ELEMENT]})

    def _keys(self, actions: list[dict[str, str]]) -> None:
        self._driver.call("PerformActions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def type(self, text: str) -> None:
        self._keys([{"type": kind, "value": character} for character in text for kind in ("keyDown", "keyUp")])

    def press(self, *keys: str) -> None:
        values = [KEYS.get(key, key) for key in keys]
        down = [{"type": "keyDown", "value": value} for value in values]
        self._keys(down + [{"type": "keyUp", "value": value} for value in reversed(values)])

    def resize(self, width: int, height: int) -> None:
        self._driver.call("SetWindowRect", {"x": 0, "y": 0, "width": width, "height": height})

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self._driver.call("TakeScreenshot", {})))

    def go_back(self) -> None:
        self._driver.call("Back")

    def go_forward(self) -> None:
        self._driver.call("Forward")

    @property
    def foreign(self) -> list[str]:
        return self._asked


class WatchedHandler(_Handler):
    """Puts `watch.js` at the head of every page, and what a check adds to it in `before`."""

    before = ""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.suffix != ".html" or not path.is_file():
            super().do_GET()
            return
        script = f"<script>{WATCH.read_text('utf-8')}\n{self.before}</script>"
        body = path.read_text("utf-8").replace("<head>", f"<head>{script}", 1).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def watched(folder: Path, isolated: bool, before: str = "") -> Iterator[str]:
    """Serve a site with `watch.js` in its pages, and give its address. `before` runs first in every page."""
    server: ThreadingHTTPServer
    server, address = serve(folder, isolated, type("Watched", (WatchedHandler,), {"before": before}))
    try:
        yield address
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def framed(address: str) -> Iterator[str]:
    """Serve a page of another site that has the page `address` in a frame."""
    with tempfile.TemporaryDirectory() as folder:
        html = f"<!doctype html><iframe src='{address}' width=1200 height=700></iframe>"
        Path(folder, "index.html").write_text(html, "utf-8")
        with served(Path(folder), isolated=False) as other:
            yield other.replace("127.0.0.1", OTHER_NAME)


@contextlib.contextmanager
def tab(mode: Mode, chromium: Browser | None, private: bool = False) -> Iterator[Tab]:
    """A page of a new browser (in Chromium: of a new context), which reaches this machine alone.

    Pages in Chromium are always private: their storage ends with them.
    """
    if mode.engine == "chromium":
        assert chromium is not None
        page = new_page(chromium, viewport={"width": 1400, "height": 1000})
        yield ChromiumTab(page)
        page.context.close()
        return
    asked: list[str] = []
    with contextlib.ExitStack() as stack:
        proxy = stack.enter_context(refusing_proxy(asked))
        if mode.engine == "firefox":
            driver = stack.enter_context(firefox(proxy, private=private))
        else:
            driver = stack.enter_context(webkit(proxy, stack.enter_context(screen()), mode.shares))
        made = DriverTab(driver, asked)
        made.resize(1400, 1000)
        yield made


def site_for(mode: Mode, site: Path, static: str, folder: Path) -> Path:
    """The site as a browser of this kind sees it: `folder` is for a copy, if one is needed."""
    return without(site, static, folder, STACK_SWITCHING) if mode.takes_away else site
