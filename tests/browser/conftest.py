"""A built site, served cross-origin isolated and not, and a real Chromium to open it in."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import engine_results
import pytest
from file_server import FileServer
from hangs import HANG_MS, HANG_S
from packed_site import CONTENTS, once
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from scripts import toolchain
from scripts.chromium import FLAGS, chromium
from tests import kernel_cases
from tests.wheels import download, make_wheel

if TYPE_CHECKING:
    from work_pages import WorkSite

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
OTHER_PYODIDE = "314.0.5"
#: Contains the user guide's assignment: with solutions, and as released to students.
NBGRADER = "nbgrader==0.9.6"
MIME_TYPES = {".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm"}


expect.set_options(timeout=HANG_MS)


def new_page(browser: Browser, **options: Any) -> Page:
    """A page in a context of its own. Closing the page closes the context."""
    page = browser.new_context(**options).new_page()
    page.context.set_default_timeout(HANG_MS)
    return page


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("STORE_BROWSERS"):
        config.pluginmanager.register(engine_results.Results())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the browser's tests last: Playwright's event loop counts as running until the session ends."""
    items.sort(key=lambda item: HERE in item.path.parents)


class _Handler(SimpleHTTPRequestHandler):
    isolated = True
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, **MIME_TYPES}

    def do_GET(self) -> None:
        if "never" in self.path.split("/"):
            time.sleep(3)  # Longer than any test waits, but no connection is lost for good.
            with suppress(OSError):  # the page has given up
                self.send_error(503)
        else:
            super().do_GET()

    def end_headers(self) -> None:
        if self.isolated:
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, *args: object) -> None:
        """A handler that logs nothing, since tests are quiet."""


def serve(folder: Path, isolated: bool, kind: type[_Handler] = _Handler) -> tuple[ThreadingHTTPServer, str]:
    handler = type("Handler", (kind,), {"isolated": isolated})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_address[1]}"


@contextmanager
def served(folder: Path, isolated: bool) -> Iterator[str]:
    """Serve a folder and give its address, until the block ends."""
    server, address = serve(folder, isolated)
    yield address
    server.shutdown()
    server.server_close()


#: Globals that older browsers do not have, for `without`.
STACK_SWITCHING = ("WebAssembly.Suspending", "WebAssembly.promising")


def without(site: Path, static: str, folder: Path, missing: Iterable[str]) -> Path:
    """Copy a site into `folder`, and remove the globals `missing` from its worker."""
    copy = folder / "site"
    shutil.copytree(site, copy, copy_function=os.link)
    worker = copy / static.strip("/") / "runtime" / "worker.js"
    source = worker.read_text("utf-8")
    worker.unlink()  # a hard link
    worker.write_text("".join(f"delete globalThis.{name};\n" for name in missing) + source, "utf-8")
    return copy


@contextmanager
def held(
    folder: Path, isolated: bool, part: str, after: int = 0, times: int = 1_000_000
) -> Iterator[tuple[str, threading.Event, threading.Event]]:
    """Serve a folder, but hold back the files with `part` in their paths until the second event is set.

    The first event is set when one is asked for. With `after`, so many bytes of the body come at once; only the first `times` requests are held. Requests of a
    page that a service worker controls reach neither Playwright's routes nor its slow networks: so it is the server
    that holds them back.
    """
    asked, release = threading.Event(), threading.Event()
    left = iter(range(times))

    class Held(_Handler):
        def hold(self) -> None:
            asked.set()
            release.wait()

        def send_head(self) -> Any:
            if part in self.path and not after and next(left, None) is not None:
                self.hold()
            return super().send_head()

        def copyfile(self, source: Any, outputfile: Any) -> None:
            if part in self.path and after and next(left, None) is not None:
                outputfile.write(source.read(after))
                self.hold()
            super().copyfile(source, outputfile)

    server, address = serve(folder, isolated, Held)
    try:
        yield address, asked, release
    finally:
        release.set()
        server.shutdown()
        server.server_close()


def write_files(root: Path, files: Mapping[str, bytes]) -> None:
    """Write files by their paths in `root`, with the folders they need."""
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def build_site(
    folder: Path, contents: Mapping[str, bytes] | None = None, front_ends: bool = True, **config: Any
) -> Path:
    """Build a site as a teacher would. `config` has traits of BrowsergradAddon.

    Without `front_ends` the labextensions of the environment are left out.
    """
    source = folder / "source"
    own = {"sub/data.txt": b"hello", "broken.txt": b"caf\xe9 \xff\xfe"}
    write_files(source / "contents", own | dict(contents or {}))
    site = {
        "exposeAppInBrowser": True,
        # This extension is installed for comparisons. A site without it opens every Python notebook with our kernel.
        "disabledExtensions": ["@jupyterlite/pyodide-kernel-extension"],
    }
    (source / "jupyter-lite.json").write_text(
        json.dumps({"jupyter-lite-schema-version": 0, "jupyter-config-data": site}), encoding="utf-8"
    )
    (source / "jupyter_lite_config.json").write_text(
        json.dumps({"BrowsergradAddon": config, "LiteBuildConfig": {"ignore_sys_prefix": not front_ends}}),
        encoding="utf-8",
    )
    jupyter = [sys.executable, "-m", "jupyterlite_core", "build"]
    output = folder / "site"
    command = [*jupyter, "--contents", "contents", "--output-dir", str(output)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return output


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def work_site(tmp_path_factory: pytest.TempPathFactory) -> WorkSite:
    from work_pages import WorkSite

    return WorkSite(tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="session")
def work_base(work_site: WorkSite) -> Iterator[str]:
    with served(work_site.folder, isolated=True) as address:
        yield address


@pytest.fixture
def work_lab(browser: Browser, work_base: str) -> Iterator[Lab]:
    """A page with a storage of its own."""
    with opened(browser, work_base) as lab:
        yield lab


@pytest.fixture(scope="session")
def other_pyodide() -> Path:
    """A build of Pyodide other than the embedded one."""
    folder = ROOT / "labextension/.assets" / OTHER_PYODIDE
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=folder.parent) as partial:
            toolchain.run_npm("pack", "--silent", f"pyodide@{OTHER_PYODIDE}", cwd=Path(partial))
            (archive,) = Path(partial).iterdir()
            with tarfile.open(archive) as opened:
                opened.extractall(partial, filter="data")
            Path(partial, "package").rename(folder)
    return folder


@pytest.fixture(scope="session")
def wheels(request: pytest.FixtureRequest) -> Path:
    """Test data from the package index, kept between runs."""
    folder = Path(request.config.cache.mkdir("wheels"))
    download(folder, NBGRADER)
    return folder


@pytest.fixture(scope="session")
def full_site(full_pyodide: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site on that distribution, with two packages of its own and the packages that the notebooks of `kernel_cases` need."""
    wheels = tmp_path_factory.mktemp("wheels")
    own = [str(make_wheel(wheels, name, "1.0")) for name in ("pure", "hurt")]
    needs = {need for case in kernel_cases.load() for need in case.needs}
    return build_site(tmp_path_factory.mktemp("site"), pyodide_url=str(full_pyodide), packages=[*own, *sorted(needs)])


@pytest.fixture(scope="session")
def packed_site(full_pyodide: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site on that distribution with packs of the packages that its notebooks import: `packed_site.CONTENTS`."""

    def build(folder: Path) -> Path:
        with FileServer(full_pyodide).running() as server:
            packages = ["auto", "cowsay==6.1"]
            return build_site(folder, CONTENTS, pyodide_url=server.address, packages=packages)

    return once(tmp_path_factory, "packed", build)


@pytest.fixture(scope="session")
def static() -> str:
    """Path of the runtime inside the site."""
    return "/extensions/jupyterlite-browsergrad/static"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session", params=["isolated", "plain"])
def base(request: pytest.FixtureRequest, site: Path) -> Iterator[str]:
    """The site's address, once with COOP/COEP headers and once without."""
    with served(site, request.param == "isolated") as address:
        yield address


STOP = HERE.parent / "stop"


def stop_cases(base: str) -> list[dict[str, Any]]:
    """The kinds of code that Stop must end, with addresses of the page's site."""
    text = (STOP / "cases.json").read_text(encoding="utf-8")
    return json.loads(text.replace("NEVER", f"'{base}/never'"))


@dataclass
class Lab:
    """A page with one kernel, which tests drive through JupyterLite's own client."""

    page: Page
    foreign: list[str] = field(default_factory=list)
    #: Errors that no code of the page has caught.
    errors: list[str] = field(default_factory=list)

    def start(self, path: str = "", name: str = "browsergrad") -> str:
        return self.page.evaluate("([path, name]) => bg.start(path, name)", [path, name])

    def run(self, code: str, input: list[str] | None = None, after_ms: int = 0, **options: Any) -> Run:
        """Run a cell. Each line of `input` answers a question, the given number of ms after it was asked."""
        arguments = [code, options, input or [], after_ms]
        result = self.page.evaluate("arguments => bg.run(...arguments)", arguments)
        return Run(result["reply"], result["messages"])

    def request(self, msg_type: str, content: Any) -> Run:
        result = self.page.evaluate("([type, content]) => bg.request(type, content)", [msg_type, content])
        return Run(result["reply"], result["messages"])

    def add_stop_driver(self) -> None:
        """Add the script that interrupts cells, for the tests of the table and the storm."""
        for name in ("driver.js", "page_host.js"):
            self.page.add_script_tag(content=(STOP / name).read_text(encoding="utf-8"))

    def js(self, expression: str, argument: Any = None) -> Any:
        return self.page.evaluate(expression, argument)


@dataclass
class Run:
    """The messages of one request."""

    reply: dict[str, Any]
    messages: list[dict[str, Any]]

    @property
    def content(self) -> dict[str, Any]:
        return self.reply["content"]

    def of(self, msg_type: str) -> list[dict[str, Any]]:
        return [m["content"] for m in self.messages if m["type"] == msg_type]

    def text(self, name: str = "stdout") -> str:
        return "".join(c["text"] for c in self.of("stream") if c["name"] == name)

    @property
    def result(self) -> str:
        return self.of("execute_result")[0]["data"]["text/plain"]

    @property
    def idle(self) -> bool:
        return self.messages[-1]["type"] == "status" and (self.messages[-1]["content"]["execution_state"] == "idle")


def open_lab(browser: Browser, base: str, before: str = "") -> Lab:
    """A page of JupyterLab in which `before` runs first."""
    page = new_page(browser)
    context = page.context
    context.add_init_script(before)
    lab = Lab(page)
    page.on("pageerror", lambda error: lab.errors.append(str(error)))

    def refuse(route: Route) -> None:
        lab.foreign.append(route.request.url)
        route.abort()

    origin = "/".join(base.split("/")[:3]) + "/"
    context.route(lambda url: not url.startswith((origin, "data:", "blob:")), refuse)
    page.goto(f"{base}/lab/index.html")
    wait_for_app(page)
    return lab


def wait_for_app(page: Page) -> None:
    """Wait until JupyterLab has loaded, then add the tests' helpers."""
    page.wait_for_function("window.jupyterapp && window.jupyterapp.serviceManager.isReady")
    page.add_script_tag(content=(HERE / "page.js").read_text(encoding="utf-8"))


@contextmanager
def opened(browser: Browser, base: str) -> Iterator[Lab]:
    """A page whose requests to other origins fail the test."""
    lab = open_lab(browser, base)
    yield lab
    assert lab.foreign == [], "nothing may come from another origin"
    lab.page.context.close()


def _wait_listening(port: int) -> None:
    deadline = time.monotonic() + HANG_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, f"nothing listens on port {port}"
            time.sleep(0.05)  # Nothing can be awaited until the port is open.


@contextmanager
def jupyterlab(root: Path, home: Path) -> Iterator[tuple[str, int]]:
    """JupyterLab on a server whose notebooks are in `root`: its address and process id."""
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--expose-app-in-browser", "--allow-root"),
        *("--port=0", "--IdentityProvider.token=", "--ServerApp.open_browser=False", f"--ServerApp.root_dir={root}"),
        *("--LabApp.news_url=", "--LabApp.extension_manager=readonly"),
    ]
    # Settings and workspaces of the person who runs the tests are left alone.
    environ = os.environ | {"HOME": str(home), "JUPYTER_CONFIG_DIR": str(home), "JUPYTER_RUNTIME_DIR": str(home)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=root, env=environ) as process:
        assert process.stderr is not None
        address, lines = None, []
        for line in process.stderr:
            lines.append(line)
            found = re.search(r"http://(?:localhost|127\.0\.0\.1):(\d+)/lab", line)
            if found:
                address = f"http://127.0.0.1:{found[1]}"
                break
        assert address, "".join(lines)
        # Read the rest of its log, so that the pipe does not fill up.
        drain = subprocess.Popen(["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL)
        try:
            _wait_listening(int(address.rpartition(":")[2]))  # The server prints its address before it listens.
            yield address, process.pid
        finally:
            process.terminate()
            process.wait()
            drain.wait()


@contextmanager
def open_jupyterlab(browser: Browser, address: str) -> Iterator[Lab]:
    page = new_page(browser)
    with page.context:
        page.goto(f"{address}/lab?reset")
        wait_for_app(page)
        yield Lab(page)


@pytest.fixture(scope="module")
def lab(browser: Browser, base: str) -> Iterator[Lab]:
    """A page whose kernel has started in the folder ``sub``."""
    with opened(browser, base) as lab:
        lab.start("sub")
        yield lab


@pytest.fixture(scope="module", params=["shared-memory", "stack-switching", "service-worker"])
def mode(request: pytest.FixtureRequest) -> str:
    """Each way in which a page can reach its busy worker."""
    return request.param


@pytest.fixture(scope="module")
def lab_in_mode(
    browser: Browser, site: Path, static: str, mode: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """A page that reaches its worker in that way, and whose kernel has started in the folder ``sub``."""
    folder = (
        without(site, static, tmp_path_factory.mktemp("old"), STACK_SWITCHING) if mode == "service-worker" else site
    )
    with served(folder, mode == "shared-memory") as address, opened(browser, address) as lab:
        lab.start("sub")
        yield lab


@pytest.fixture(scope="module")
def viewer(browser: Browser, site: Path) -> Iterator[Lab]:
    """JupyterLab with no kernel."""
    with served(site, True) as address, opened(browser, address) as lab:
        lab.page.set_viewport_size({"width": 1400, "height": 1000})
        yield lab


@pytest.fixture
def view(viewer: Lab) -> Lab:
    """Load the same page again."""
    address = viewer.page.url.split("/lab/")[0]
    viewer.page.goto(f"{address}/lab/index.html?reset")
    wait_for_app(viewer.page)
    return viewer
