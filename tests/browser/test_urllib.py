"""``urllib.request`` and ``http.client`` in a page: the browser's answers, and the reasons why there is none."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import STACK_SWITCHING, Lab, _Handler, new_page, open_lab, serve, without
from playwright.sync_api import Browser

#: Makes an answer from the request.
ECHO = "/echo"


class _Server(_Handler):
    """A server with the site, an echo, a redirect, a compressed text, and files that other sites may not read."""

    protocol_version = "HTTP/1.1"

    def _echo(self) -> None:
        length = self.headers.get("Content-Length")
        body = self.rfile.read(int(length)) if length else b""
        seen = {name.lower(): value for name, value in self.headers.items()}
        answer = {"method": self.command, "path": self.path, "headers": seen, "body": body.decode("latin-1")}
        self._answer(200, json.dumps(answer).encode(), {"Content-Type": "application/json", "X-Own": "own"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == ECHO:
            self._echo()
        elif path == "/moved":
            self._answer(302, b"", {"Location": f"{ECHO}?moved"})
        elif path == "/packed":
            self._answer(
                200, gzip.compress(b"packed " * 100), {"Content-Encoding": "gzip", "Content-Type": "text/plain"}
            )
        elif path == "/bytes":
            self._answer(200, bytes(range(256)) * 100, {"Content-Type": "application/octet-stream"})
        elif path == "/gone":
            self._answer(410, b"why: because", {"X-Reason": "old"})
        else:
            super().do_GET()

    do_POST = do_PUT = do_DELETE = do_PATCH = _echo

    def do_HEAD(self) -> None:
        if self.path == "/bytes":
            self.do_GET()
        else:
            super().do_HEAD()


@pytest.fixture(scope="module", params=["isolated", "stack switching", "service worker"])
def address(
    request: pytest.FixtureRequest, site: Path, static: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder = site
    if request.param == "service worker":  # This browser cannot switch stacks either.
        folder = without(site, static, tmp_path_factory.mktemp("no-jspi"), STACK_SWITCHING)
    server, address = serve(folder, request.param == "isolated", _Server)
    yield address
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def foreign(site: Path) -> Iterator[str]:
    """Another site, whose files nobody else may read."""
    server: ThreadingHTTPServer
    server, address = serve(site, False, _Server)
    yield address
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def web(browser: Browser, address: str) -> Iterator[Lab]:
    lab = open_lab(browser, address)
    lab.start("sub")
    lab.run(f"import http.client, io, json, urllib.error, urllib.parse, urllib.request\nsite = {address!r}")
    yield lab
    lab.page.context.close()


def value(lab: Lab, code: str) -> str:
    run = lab.run(code)
    assert run.content["status"] == "ok", run.content
    return run.result.replace("\n ", " ")


@pytest.mark.thinned(3)
def test_an_answer_has_its_status_headers_and_bytes(web: Lab) -> None:
    code = (
        "with urllib.request.urlopen(site + '/bytes') as r: data = r.read()\n"
        "r.status, r.reason, r.headers['content-type'], r.url == site + '/bytes', data == bytes(range(256)) * 100, r.headers['Content-Length']"
    )
    assert value(web, code) == "(200, 'OK', 'application/octet-stream', True, True, '25600')"
    assert value(web, "urllib.request.urlopen(site + '/packed').read()[:7]") == "b'packed '"
    assert value(web, "json.load(urllib.request.urlopen(site + '/echo'))['method']") == "'GET'"
    assert value(web, "list(urllib.request.urlopen(site + '/sub/../files/sub/data.txt'))") == "[b'hello']"


def test_a_request_sends_its_method_headers_and_body(web: Lab) -> None:
    code = (
        "data = urllib.parse.urlencode({'a': 'ü', 'b': 2}).encode()\n"
        "r = urllib.request.Request(site + '/echo?q=1', data=data, headers={'X-Mine': 'yes', 'User-Agent': 'me'})\n"
        "e = json.load(urllib.request.urlopen(r))\n"
        "e['method'], e['path'], e['body'], e['headers']['x-mine'], e['headers']['content-type']"
    )
    assert value(web, code) == "('POST', '/echo?q=1', 'a=%C3%BC&b=2', 'yes', 'application/x-www-form-urlencoded')"
    code = (
        "r = urllib.request.Request(site + '/echo', data=iter([b'one ', b'two']), method='PUT')\n"
        "e = json.load(urllib.request.urlopen(r))\ne['method'], e['body']"
    )
    assert value(web, code) == "('PUT', 'one two')"
    assert (
        value(
            web, "json.load(urllib.request.urlopen(urllib.request.Request(site + '/echo', method='DELETE')))['method']"
        )
        == "'DELETE'"
    )


def test_redirects_are_followed_and_told(web: Lab) -> None:
    assert (
        value(web, "r = urllib.request.urlopen(site + '/moved')\nr.url == site + '/echo?moved', r.status")
        == "(True, 200)"
    )


def test_an_error_of_the_server_is_an_http_error(web: Lab) -> None:
    code = (
        "try: urllib.request.urlopen(site + '/gone')\n"
        "except urllib.error.HTTPError as error: seen = error.code, error.reason, error.headers['X-Reason'], error.read()\nseen"
    )
    assert value(web, code) == "(410, 'Gone', 'old', b'why: because')"
    assert web.run("urllib.request.urlopen(site + '/nowhere.csv')").content["evalue"].startswith("HTTP Error 404")


def test_files_are_retrieved(web: Lab) -> None:
    code = "name, headers = urllib.request.urlretrieve(site + '/bytes', 'got.bin')\nlen(open(name, 'rb').read()), headers['content-type']"
    assert value(web, code) == "(25600, 'application/octet-stream')"


def test_a_connection_makes_one_request_after_the_other(web: Lab) -> None:
    code = (
        "c = http.client.HTTPConnection(urllib.parse.urlsplit(site).netloc)\nseen = []\n"
        "for method, path in [('GET', '/echo'), ('HEAD', '/bytes'), ('POST', '/echo')]:\n"
        "    c.request(method, path, b'x' if method == 'POST' else None)\n    r = c.getresponse()\n"
        "    seen.append((r.status, r.getheader('Content-Length') if method == 'HEAD' else json.loads(r.read())['body'], r.version))\n"
        "    r.read()\nseen"
    )
    assert value(web, code) == "[(200, '', 11), (200, '25600', 11), (200, 'x', 11)]"
    assert value(web, "urllib.request.urlopen(site + '/echo').headers['X-Own']") == "'own'"


def test_a_picture_can_be_embedded_from_an_address(web: Lab) -> None:
    run = web.run("from IPython.display import Image\nImage(url=site + '/bytes', embed=True, format='png')")
    assert "image/png" in run.of("execute_result")[0]["data"]


def test_what_the_browser_may_not_show_says_so(web: Lab, foreign: str, address: str) -> None:
    run = web.run(f"urllib.request.urlopen({foreign + '/bytes'!r})")
    assert run.content["ename"] == "URLError"
    assert "CORS" in run.content["evalue"] and address in run.content["evalue"] and "tab" in run.content["evalue"]
    assert web.run("http.client.HTTPConnection('nowhere.invalid').request('GET', '/')").content["status"] == "ok"
    run = web.run("c = http.client.HTTPConnection('nowhere.invalid')\nc.request('GET', '/')\nc.getresponse()")
    assert run.content["ename"] == "ConnectionError"


def test_being_offline_is_named(web: Lab) -> None:
    web.page.context.set_offline(True)
    try:
        web.js("() => { Object.defineProperty(navigator, 'onLine', { value: false, configurable: true }); }")
        web.run(
            "import js\njs.Object.defineProperty(js.navigator, 'onLine', js.JSON.parse('{\"value\": false, \"configurable\": true}'))"
        )
        run = web.run("urllib.request.urlopen('https://nowhere.invalid/')")
    finally:
        web.page.context.set_offline(False)
    assert run.content["evalue"] == "<urlopen error cannot ask nowhere.invalid: the browser is offline>"


def test_a_request_ends_at_its_time_limit(web: Lab, address: str) -> None:
    run = web.run("urllib.request.urlopen(site + '/never', timeout=0.3)")
    assert run.content["ename"] in ("TimeoutError", "URLError") and "timed out" in run.content["evalue"]


def test_stop_ends_a_request(browser: Browser, site: Path) -> None:
    for isolated in (True, False):
        server, address = serve(site, isolated, _Server)
        lab = open_lab(browser, address)
        lab.start("sub")
        lab.run("import urllib.request\nkept = 1")
        lab.js(
            "async () => { window.running = bg.run(\"print('asked')\\nurllib.request.urlopen('"
            + address
            + "/never')\"); await busy; }"
        )
        lab.js("async () => { await kernel.interrupt(); window.ended = await running; }")
        messages = lab.js("() => ended.messages")
        names = [m["content"]["ename"] for m in messages if m["type"] == "error"]
        assert names == ["KeyboardInterrupt"]
        assert lab.run("kept").result == "1"
        lab.page.context.close()
        server.shutdown()
        server.server_close()


@pytest.mark.thinned(3)
def test_sessions_without_a_notebook_can_ask_too(browser: Browser, address: str, static: str) -> None:
    page = new_page(browser)
    page.goto(f"{address}{static}/kernel/manifest.json")
    code = f"import urllib.request, webbrowser\nprint(urllib.request.urlopen({address + '/packed'!r}).read(6), webbrowser.open('http://a/'))"
    shown = page.evaluate(
        """async ([base, code]) => {
        const { createSession } = await import(`${base}/runtime/index.js`);
        const session = await createSession({ pyodideIndexURL: `${base}/pyodide/` });
        const result = await session.exec({ code });
        session.dispose();
        return result.stdout + (result.error?.message ?? ''); }""",
        [static, code],
    )
    assert re.sub(r"\s+", " ", shown) == "Open in a browser: http://a/ b'packed' False "
    page.context.close()
