"""Sites with an offline copy: after one visit they work with the server stopped, and each page has one version of the site."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from conftest import FLAGS, Lab, _Handler, build_site, chromium, new_page, wait_for_app
from hangs import HANG_MS
from playwright.sync_api import Browser, BrowserContext, expect
from test_labs import DATA, hash_of, lab_files, notebook
from webdriver import until
from work_pages import OPEN, SOURCES, version_count

from jupyterlite_browsergrad import isolation, offline
from tests.wheels import make_wheel

DATASET = {"name": "points", "url": "files/points.csv", "hash": hash_of(DATA)}
CONTENTS = {
    "plain.ipynb": notebook("print('ran')"),
    "version.txt": b"first",
    **lab_files("data", datasets=[DATASET]),
    "data/files/points.csv": DATA,
}
WORKER = "extensions/jupyterlite-browsergrad/static/runtime/worker.js"
STATE = "#jp-browsergrad-offline"
NEW_VERSION = "A new version of this site is ready"
#: Text of a published file, as pages get it.
PUBLISHED = "async () => (await fetch('../files/version.txt')).text()"
#: Size of a file, as Python asks for it.
SIZE = """async () => {
  const url = '../static/browsergrad/pyodide/python_stdlib.zip';
  return (await fetch(url, { method: 'HEAD' })).headers.get('content-length');
}"""
CACHES = "async () => (await caches.keys()).filter(name => name.startsWith('browsergrad-offline'))"


class Server(ThreadingHTTPServer):
    """A server that leaves no connection open when it ends: browsers open some ahead of need, and would get an answer on them later."""

    def __init__(self, *args: Any) -> None:
        self.connections: set[socket.socket] = set()
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self.connections):
            with suppress(OSError):  # it has ended meanwhile
                connection.shutdown(socket.SHUT_RDWR)


class Host:
    """A web host whose site can be replaced, and which can be stopped and started again at the same address."""

    def __init__(self, folder: Path, isolated: bool) -> None:
        self.current = folder / "current"
        self.isolated = isolated
        self.asked: list[str] = []
        #: Called with each path before it is answered.
        self.before: Callable[[str], None] = lambda _path: None
        self.port = 0
        self.server: Server | None = None

    def publish(self, site: Path) -> None:
        fresh = self.current.with_name("fresh")
        fresh.symlink_to(site)
        os.replace(fresh, self.current)

    def start(self) -> None:
        host = self

        class Handler(_Handler):
            isolated = host.isolated

            def do_GET(self) -> None:
                host.asked.append(self.path)
                host.before(self.path)
                super().do_GET()

        self.server = Server(("127.0.0.1", self.port), partial(Handler, directory=str(self.current)))
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("offline")
    wheel = make_wheel(folder, "pure", "1.0")
    return build_site(folder, CONTENTS, offline_copy=True, packages=[str(wheel)])


def changed(site: Path, folder: Path, files: dict[str, str], isolating: bool = False, is_offline: bool = True) -> Path:
    """A copy of a site with other files, as another build would make it."""
    shutil.copytree(site, folder, copy_function=os.link)
    for name in (*files, "service-worker.js", offline.LIST, "jupyter-lite.json"):
        text = (folder / name).read_text("utf-8")
        (folder / name).unlink()  # a hard link
        (folder / name).write_text(files.get(name, text), "utf-8")
    if isolating:
        for page in folder.rglob("*.html"):
            text = page.read_text("utf-8")
            page.unlink()
            page.write_text(text, "utf-8")
        isolation.install(folder)
    if is_offline:
        offline.write_list(folder)
    else:
        offline.remove(folder)
        config = json.loads((folder / "jupyter-lite.json").read_text("utf-8"))
        del config["jupyter-config-data"]["litePluginSettings"]["jupyterlite-browsergrad:offline"]
        (folder / "jupyter-lite.json").write_text(json.dumps(config), "utf-8")
    return folder


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Host:
    """The host of all tests, since the browser keeps a copy for one address."""
    return Host(tmp_path_factory.mktemp("host"), isolated=True)


@pytest.fixture
def host(first: Path, address: Host) -> Iterator[Host]:
    address.publish(first)
    address.before = lambda _path: None
    address.asked.clear()
    address.start()
    yield address
    address.stop()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    page = new_page(browser)
    yield page.context
    page.context.close()


def opened(browser: Browser, profile: Path) -> BrowserContext:
    return browser.browser_type.launch_persistent_context(profile, executable_path=chromium(), args=FLAGS)


@pytest.fixture(scope="module")
def visited(browser: Browser, first: Path, address: Host, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The profile of a browser after one visit, at the end of which it has a whole copy."""
    profile = tmp_path_factory.mktemp("profile")
    address.publish(first)
    address.start()
    with opened(browser, profile) as context:
        visit_until_kept(context, address)
    address.stop()
    return profile


@pytest.fixture
def kept(browser: Browser, visited: Path, tmp_path: Path) -> Iterator[BrowserContext]:
    """A browser with a whole copy."""
    profile = tmp_path / "profile"
    shutil.copytree(visited, profile, symlinks=True, ignore=shutil.ignore_patterns("Singleton*"))
    with opened(browser, profile) as context:
        context.set_default_timeout(HANG_MS)
        yield context


def visit(context: BrowserContext, host: Host, path: str = "lab/index.html") -> Lab:
    """Open a page of the site, without the help of the browser's own cache."""
    page = context.new_page()
    context.new_cdp_session(page).send("Network.clearBrowserCache")
    page.goto(f"{host.address}/{path}")
    wait_for_app(page)
    return Lab(page)


def visit_until_kept(context: BrowserContext, host: Host) -> None:
    """A first visit, at the end of which the browser has a whole copy."""
    lab = visit(context, host)
    lab.start()
    expect(lab.page.locator(STATE)).to_have_text("Works offline")
    lab.page.close()


RUN_ALL = """async () => {
  await jupyterapp.restored;
  const { sessionContext, context } = jupyterapp.shell.currentWidget;
  await context.ready;
  await sessionContext.ready;
  await sessionContext.session.kernel.info;
  await jupyterapp.commands.execute('notebook:run-all-cells');
}"""


def works(lab: Lab, version: str = "first") -> None:
    """A kernel starts, runs, restarts and installs a package of the site."""
    lab.start("data")
    assert lab.run("6 * 7").result == "42"
    lab.js("() => kernel.restart()")
    lab.run("%pip install pure")
    assert lab.run("import pure; pure.version").result == "'1.0'"
    read = "import browsergrad as bg; bg.dataset('points').read_text()"
    assert lab.run(read).result == repr(DATA.decode())
    assert lab.js(PUBLISHED) == version


def works_everywhere(context: BrowserContext, host: Host) -> None:
    """Every application opens and runs, with the server stopped."""
    host.stop()
    visit(context, host).page.close()  # JupyterLite changes its service workers in the first visit that one controls
    lab = visit(context, host)
    assert lab.js("crossOriginIsolated")
    assert int(lab.js(SIZE)) > 10**6
    works(lab)
    lab.page.close()
    lab = visit(context, host, "notebooks/index.html?path=plain.ipynb")
    lab.page.locator(".jp-Notebook").wait_for()
    lab.js(RUN_ALL)
    expect(lab.page.locator(".jp-OutputArea-output")).to_have_text("ran")
    lab.page.goto(f"{host.address}/repl/index.html?kernel=browsergrad&code=print('ran')")
    lab.page.locator(".jp-OutputArea-output", has_text="ran").first.wait_for()
    lab.page.goto(f"{host.address}/")  # leads to the application
    wait_for_app(lab.page)


def test_after_one_visit_the_site_works_without_a_network(kept: BrowserContext, host: Host) -> None:
    works_everywhere(kept, host)


@pytest.mark.release
def test_a_site_that_isolates_itself_works_without_a_network(
    context: BrowserContext, first: Path, tmp_path: Path
) -> None:
    host = Host(tmp_path, isolated=False)
    host.publish(changed(first, tmp_path / "isolating", {}, isolating=True))
    host.start()
    visit_until_kept(context, host)
    works_everywhere(context, host)


def test_a_later_visit_asks_for_nothing_but_the_list(kept: BrowserContext, host: Host) -> None:
    lab = visit(kept, host)
    works(lab)
    expect(lab.page.locator(STATE)).to_have_text("Works offline")
    asked = {path.split("?")[0] for path in host.asked}
    # Browsers themselves look for a newer service worker and for an icon, and ask for the page while the service worker starts.
    own = {
        "/service-worker.js",
        f"/{isolation.FOLDER}/{offline.kept_files.WORKER_SCRIPT}",
        "/favicon.ico",
        "/lab/index.html",
    }
    assert asked - own == {f"/{offline.LIST}"}


def second_of(first: Path, folder: Path) -> Path:
    """The site as its teacher has changed it: a file, and a page."""
    page = (first / "lab/index.html").read_text("utf-8").replace("<title>", '<meta name="edition" content="2"><title>')
    worker = "globalThis.edition = 2;\n" + (first / WORKER).read_text("utf-8")
    return changed(first, folder, {"files/version.txt": "second", "lab/index.html": page, WORKER: worker})


def is_all_of(lab: Lab, edition: int) -> None:
    """The page, a kernel that starts now, and what its worker fetches, are of one version."""
    text = {1: "first", 2: "second"}[edition]
    works(lab, text)
    assert lab.js("() => Number(document.querySelector('meta[name=edition]')?.content ?? 1)") == edition
    assert lab.run("import js; getattr(js, 'edition', 1)").result == str(edition)
    fetching = "import pyodide.http; await (await pyodide.http.pyfetch('/files/version.txt')).string()"
    assert lab.run(fetching).result == repr(text)


def test_an_update_while_a_page_is_open(kept: BrowserContext, host: Host, first: Path, tmp_path: Path) -> None:
    old = visit(kept, host)
    host.publish(second_of(first, tmp_path / "second"))
    between = visit(kept, host)
    between.start()
    expect(between.page.locator(".Toastify__toast", has_text=NEW_VERSION)).to_be_visible()
    host.stop()
    is_all_of(old, 1)
    new = visit(kept, host)
    is_all_of(new, 2)
    assert len(new.js(CACHES)) == 3, "open pages have the first version, the last one the second"


@pytest.mark.release
def test_a_lab_that_was_updated_works_without_a_network_later(
    kept: BrowserContext, host: Host, first: Path, tmp_path: Path
) -> None:
    path = "data/lab.ipynb"
    lab = visit(kept, host)
    lab.js(OPEN, path)
    version_count(lab, 1)
    lab.js("() => { panel.content.model.sharedModel.insertCell(1, { cell_type: 'code', source: 'answer = 42' }); }")
    lab.js("() => panel.context.save()")
    version_count(lab, 2)
    lab.page.close()
    manifest = json.loads((first / "files/data/manifest.json").read_text("utf-8")) | {"version": "1.1.0"}
    cells = notebook("x = 6 * 7", "new = x").decode()
    files = {"files/data/manifest.json": json.dumps(manifest), f"files/{path}": cells}
    host.publish(changed(first, tmp_path / "newer", files))
    between = visit(kept, host)
    expect(between.page.locator(".Toastify__toast", has_text=NEW_VERSION)).to_be_visible()
    between.page.close()

    lab = visit(kept, host)
    lab.js(OPEN, path)
    newer = "version 1.1.0 is here, you have 1.0.0."
    lab.page.locator(".Toastify__toast", has_text=newer).get_by_role("button", name="Update").click()
    lab.page.locator(".jp-Dialog").get_by_role("button", name="Update").click()
    lab.page.locator(".Toastify__toast", has_text="The lab is up to date.").wait_for()
    lab.page.close()
    host.stop()
    lab = visit(kept, host)
    lab.js(OPEN, path)
    assert lab.js(SOURCES) == ["x = 6 * 7", "answer = 42", "new = x"]
    expect(lab.page.locator(".bg-LabBadge")).to_contain_text("1.1.0")
    lab.js("() => jupyterapp.commands.execute('browsergrad:check-my-work')")
    status = lab.page.locator("#browsergrad-lab-results > [role=status]")
    expect(status).to_have_text("0 passed, 0 failed, 2 errors")
    expect(lab.page.locator(".Toastify__toast", has_text=newer)).to_have_count(0)


@pytest.mark.release
def test_a_page_that_closes_while_the_copy_is_filled(context: BrowserContext, host: Host) -> None:
    asked, release = threading.Event(), threading.Event()

    def hold(path: str) -> None:
        if "python_stdlib" in path and len(host.asked) > 500:
            asked.set()
            release.wait()

    host.before = hold
    lab = visit(context, host)
    lab.start()
    asked.wait()
    expect(lab.page.locator(STATE)).to_contain_text("Offline copy:")
    lab.page.close()
    release.set()
    host.before = lambda _path: None
    host.asked.clear()
    visit_until_kept(context, host)
    fonts = [path for path in host.asked if path.startswith("/build/") and ".woff" in path]
    assert fonts == [], "what was fetched before is not fetched again"
    host.stop()
    works(visit(context, host))


@pytest.mark.parametrize("has_network", [pytest.param(True, marks=pytest.mark.release), False])
def test_a_copy_that_has_lost_files(kept: BrowserContext, host: Host, has_network: bool) -> None:
    page = kept.new_page()
    page.goto(f"{host.address}/files/version.txt")
    lose = """async names => {
      const [name] = (await caches.keys()).filter(name => /^browsergrad-offline .* /.test(name));
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        if (names.some(one => request.url.includes(one))) await cache.delete(request);
      }
    }"""
    page.evaluate(lose, ["/runtime/worker.js", "files/version.txt"])
    page.close()
    if has_network:
        works(visit(kept, host))
        host.stop()
        works(visit(kept, host))
        return
    host.stop()
    lab = visit(kept, host)
    assert lab.js(PUBLISHED).startswith("files/version.txt is missing from the offline copy of this site")
    lab.page.wait_for_selector(".jp-LabShell")


@pytest.mark.release
def test_a_full_disk_leaves_all_as_without(context: BrowserContext, host: Host) -> None:
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    # Before the page opens its storage: the browser asks only now and then how much room there is.
    devtools.send("Storage.overrideQuotaForOrigin", {"origin": host.address, "quotaSize": 60_000_000})
    page.goto(f"{host.address}/lab/index.html")
    wait_for_app(page)
    lab = Lab(page)
    lab.start()
    expect(page.locator(".Toastify__toast", has_text="There is not enough room")).to_be_visible()
    expect(page.locator(STATE)).to_be_hidden()
    works(lab)
    assert len(lab.js(CACHES)) < 2, "no half copy takes the room"


@pytest.mark.release
@pytest.mark.parametrize("refused", ["service-workers", "caches"])
def test_a_browser_that_refuses(browser: Browser, host: Host, refused: str) -> None:
    page = new_page(browser, service_workers="block" if refused == "service-workers" else "allow")
    if refused == "caches":
        page.add_init_script(
            """Object.defineProperty(globalThis, 'caches', { get() { throw new DOMException('no', 'SecurityError'); } })"""
        )
    page.goto(f"{host.address}/lab/index.html")
    wait_for_app(page)
    lab = Lab(page)
    lab.start()
    assert lab.run("6 * 7").result == "42"
    expect(page.locator(STATE)).to_be_hidden()
    assert f"/{offline.LIST}" not in host.asked
    page.context.close()


def test_a_site_without_the_setting_takes_the_copy_back(
    kept: BrowserContext, host: Host, first: Path, tmp_path: Path
) -> None:
    host.publish(changed(first, tmp_path / "plain", {"files/version.txt": "plain"}, is_offline=False))
    visit(kept, host).page.close()  # the browser looks for a new service worker when a page begins
    lab = visit(kept, host)
    works(lab, "plain")
    lab.page.reload()  # a page may have begun before the new service worker took its place
    wait_for_app(lab.page)
    until("end of the copy", lambda: not lab.js(CACHES))


@pytest.mark.release
def test_the_user_removes_the_copy_and_wants_it_back(kept: BrowserContext, host: Host) -> None:
    lab = visit(kept, host)
    page = lab.page
    page.locator(STATE).click()
    dialog = page.locator(".jp-Dialog")
    expect(dialog).to_contain_text("This site works without a network since")
    dialog.get_by_role("button", name="Remove Offline Copy").click()
    expect(page.locator(STATE)).to_be_hidden()
    assert lab.js(CACHES) == []
    works(lab)
    page.close()
    lab = visit(kept, host)
    lab.start()
    lab.js("() => jupyterapp.commands.execute('browsergrad:show-offline-copy') && null")
    expect(lab.page.locator(".jp-Dialog")).to_contain_text("as your settings say")
    lab.page.locator(".jp-Dialog").get_by_role("button", name="Keep an Offline Copy").click()
    expect(lab.page.locator(STATE)).to_have_text("Works offline")
