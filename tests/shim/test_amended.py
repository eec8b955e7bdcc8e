"""Modules of the standard library that are changed for a browser. The tests use copies, so that CPython's own modules stay unchanged."""

from __future__ import annotations

import importlib.util
import io
import json
import locale
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from .conftest import Client

from browsergrad_kernel import amended, locales, tabs, web  # isort: skip  # conftest has made it importable


def copy_of(name: str) -> ModuleType:
    """Make a new module from the same source."""
    found = importlib.util.find_spec(name)
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "set_to"),
    [
        ("C", "C"),
        ("POSIX", "C"),
        ("C.UTF-8", "C.UTF-8"),
        ("c.utf8", "C.UTF-8"),
        ("", "C.UTF-8"),
        ("C.UTF-8;C;C", "C.UTF-8;C;C"),
    ],
)
def test_locales_that_exist_are_set(monkeypatch: pytest.MonkeyPatch, name: str, set_to: str) -> None:
    module = copy_of("locale")
    seen: list[Any] = []
    monkeypatch.setattr(module, "_setlocale", lambda category, value: (seen.append(value), value)[1])
    locales.amend(module)
    assert module.setlocale(locale.LC_ALL, name) == set_to
    assert module.setlocale(locale.LC_ALL) is None
    assert seen == ["C.UTF-8", set_to, None]


@pytest.mark.parametrize(
    "name", ["de_DE.UTF-8", "en_US.UTF-8", "de_DE", ("de_DE", "UTF-8"), "C;de_DE.UTF-8", "nonsense"]
)
def test_other_locales_are_refused(monkeypatch: pytest.MonkeyPatch, name: Any) -> None:
    module = copy_of("locale")
    monkeypatch.setattr(module, "_setlocale", lambda category, value: value)
    locales.amend(module)
    with pytest.raises(module.Error, match=r"unsupported locale setting: .*only"):
        module.setlocale(locale.LC_TIME, name)


def test_opening_an_address_shows_a_link(client: Client) -> None:
    answer = client.run("from browsergrad_kernel import tabs\ntabs.open('https://a.invalid/?x=1&y=\"')")
    assert answer.result == "True"
    (data,) = (content["data"] for content in answer.contents("display_data"))
    assert data["text/html"].startswith(
        '<a href="https://a.invalid/?x=1&amp;y=&quot;" target="_blank" rel="noopener noreferrer">'
    )
    assert data["text/plain"] == 'Open https://a.invalid/?x=1&y="'


@pytest.mark.parametrize("address", ["javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "vbscript:x"])
def test_an_address_that_would_do_something_else_is_no_link(client: Client, address: str) -> None:
    answer = client.run(f"from browsergrad_kernel import tabs\ntabs.open_new_tab({address!r})")
    assert answer.result == "False" and answer.of("display_data") == []
    assert answer.text() == f"Open in a browser: {address}\n"


def test_a_student_s_file_of_that_name_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "webbrowser.py").write_text("mine = 1")
    finder = amended._Finder()
    monkeypatch.setattr(sys, "meta_path", [finder, *sys.meta_path])
    monkeypatch.syspath_prepend(str(tmp_path))
    spec = finder.find_spec("webbrowser")
    assert spec is not None and not isinstance(spec.loader, amended._Loader)
    monkeypatch.setattr(sys, "path", sys.path[1:])
    spec = finder.find_spec("webbrowser")
    assert spec is not None and isinstance(spec.loader, amended._Loader)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.open is tabs.open and not isinstance(module.__loader__, amended._Loader)  # type: ignore[attr-defined]


# --- requests


class Browser:
    """Stands for the browser: records the worker's requests, and answers them."""

    def __init__(self) -> None:
        self.asked: list[tuple[dict[str, Any], bytes | None]] = []
        self.answer: dict[str, Any] = {
            "status": 200,
            "reason": "OK",
            "headers": [["content-type", "text/plain"]],
            "url": "",
        }
        self.body = b"hello"

    def request_now(self, arguments: str, body: bytes | None) -> Any:
        self.asked.append((json.loads(arguments), body))
        return SimpleNamespace(head=json.dumps(self.answer), body=SimpleNamespace(to_bytes=lambda: self.body))

    def request_abort(self) -> None: ...


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any, Browser]:
    """Copies of ``http.client`` and ``urllib.request`` that use a browser, and the browser."""
    browser = Browser()
    monkeypatch.setattr(web, "host", browser)
    client, request = copy_of("http.client"), copy_of("urllib.request")
    request.http = SimpleNamespace(client=client)  # type: ignore[attr-defined]
    web.amend(client)
    web.amend(request)
    return client, request, browser


def test_a_response_is_what_the_browser_gives(asked: Any) -> None:
    _, request, browser = asked
    browser.answer["url"] = "http://a.invalid/after"
    with request.urlopen("http://a.invalid:8000/before?q=1") as response:
        assert (response.status, response.reason, response.read(), response.url) == (
            200,
            "OK",
            b"hello",
            "http://a.invalid/after",
        )
    ((arguments, body),) = browser.asked
    assert (arguments["method"], arguments["url"], body) == ("GET", "http://a.invalid:8000/before?q=1", None)
    assert arguments["headers"] == []


def test_what_only_the_browser_sets_is_left_to_it(asked: Any) -> None:
    _, request, browser = asked
    headers = {
        "X-Mine": "1",
        "Cookie": "c",
        "User-Agent": "u",
        "Accept": "text/csv",
        "Sec-Fetch-Mode": "x",
        "Proxy-Authorization": "p",
    }
    request.urlopen(request.Request("https://a.invalid/", data=b"body", headers=headers))
    ((arguments, body),) = browser.asked
    assert body == b"body" and arguments["method"] == "POST"
    sent = {name.lower(): value for name, value in arguments["headers"]}
    assert sent == {"x-mine": "1", "accept": "text/csv", "content-type": "application/x-www-form-urlencoded"}


def test_lengths_are_those_of_the_unpacked_content(asked: Any) -> None:
    client, request, browser = asked
    browser.answer["headers"] = [["content-encoding", "gzip"], ["content-length", "3"], ["x-y", "gr\xfc\xdfe"]]
    response = request.urlopen("http://a.invalid/")
    assert (response.read(), response.headers["content-length"], response.headers["content-encoding"]) == (
        b"hello",
        "5",
        None,
    )
    assert response.headers["x-y"] == "grüße"
    browser.answer["headers"], browser.body = [["content-length", "3"]], b""
    connection = client.HTTPConnection("a.invalid")
    connection.request("HEAD", "/")
    assert connection.getresponse().getheader("content-length") == "3"


def test_pieces_become_one_body(asked: Any) -> None:
    client, _, browser = asked
    connection = client.HTTPSConnection("a.invalid")
    for body in (iter([b"one ", b"", b"two" * 5000]), io.BytesIO(b"file")):
        connection.request("PUT", "/x", body)
        connection.getresponse().read()
    assert [body for _, body in browser.asked] == [b"one " + b"two" * 5000, b"file"]
    assert {arguments["url"] for arguments, _ in browser.asked} == {"https://a.invalid/x"}


def test_statuses_without_a_name_get_one(asked: Any) -> None:
    _, request, browser = asked
    browser.answer |= {"status": 404, "reason": ""}
    with pytest.raises(request.HTTPError, match="HTTP Error 404: Not Found") as caught:
        request.urlopen("http://a.invalid/")
    assert caught.value.read() == b"hello"


def test_a_response_that_failed_can_be_closed(asked: Any) -> None:
    """Python closes a response that is left over. If it cannot, it writes an error into a later cell."""
    client, _, browser = asked
    browser.answer = {"failed": "other", "message": "it broke", "origin": ""}
    responses = []

    class Response(client.HTTPResponse):
        def __init__(self, *args: Any, **options: Any) -> None:
            responses.append(self)
            super().__init__(*args, **options)

    connection = client.HTTPConnection("a.invalid")
    connection.response_class = Response
    connection.request("GET", "/")
    with pytest.raises(ConnectionError, match="it broke"):
        connection.getresponse()
    (response,) = responses
    response.close()
    assert response.closed


@pytest.mark.parametrize(
    ("failed", "text"),
    [
        ("offline", "the browser is offline"),
        ("mixed", "try https://"),
        ("foreign", "CORS"),
        ("foreign", "https://site.invalid"),
        ("unreachable", "no answer from a.invalid: it broke"),
    ],
)
def test_a_failure_says_why(asked: Any, failed: str, text: str) -> None:
    client, request, browser = asked
    browser.answer = {"failed": failed, "message": "it broke", "origin": "https://site.invalid"}
    with pytest.raises(request.URLError, match=text):
        request.urlopen("http://a.invalid/")
    connection = client.HTTPConnection("a.invalid")
    connection.request("GET", "/")
    with pytest.raises(ConnectionError, match=text):
        connection.getresponse()


def test_a_time_limit_reaches_the_browser_and_ends_the_request(asked: Any) -> None:
    _, request, browser = asked
    browser.answer = {"failed": "timeout", "message": "", "origin": ""}
    with pytest.raises(request.URLError, match=r"timed out: no answer from http://a\.invalid/ within 1\.5 s"):
        request.urlopen("http://a.invalid/", timeout=1.5)
    assert browser.asked[0][0]["timeoutMs"] == 1500


def test_what_a_browser_cannot_do_is_refused(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client, request, browser = asked
    connection: Any = client.HTTPConnection("a.invalid")
    connection.request("GET", "/", b"body")
    with pytest.raises(ConnectionError, match="no body with GET"):
        connection.getresponse()
    connection = client.HTTPConnection("proxy.invalid")
    connection.set_tunnel("a.invalid")
    with pytest.raises(OSError, match="proxies"):
        connection.request("GET", "/")
    monkeypatch.setattr(web.packages, "on_server", lambda: True)
    browser.answer = {"failed": "foreign", "message": "", "origin": ""}
    with pytest.raises(request.URLError, match="sandbox that has no network"):
        request.urlopen("http://a.invalid/")


def test_without_ssl_there_are_secure_connections_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    browser = Browser()
    monkeypatch.setattr(web, "host", browser)
    client, request = copy_of("http.client"), copy_of("urllib.request")
    for module, name in ((client, "HTTPSConnection"), (request, "HTTPSHandler")):
        delattr(module, name)
    request.http = SimpleNamespace(client=client)  # type: ignore[attr-defined]
    web.amend(client)
    web.amend(request)
    assert request.urlopen("https://a.invalid/x").read() == b"hello"  # type: ignore[attr-defined]
    assert browser.asked[0][0]["url"] == "https://a.invalid/x"
