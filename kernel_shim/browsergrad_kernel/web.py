"""``http.client`` and ``urllib.request``: the browser makes their requests.

Instead of a socket, a connection gets an object that collects what would be sent. When the response is read, the browser makes
the request, and its answer is passed on in the form in which a server would have written it. So all of the library's own code
runs unchanged: headers, statuses, `HTTPError`, handlers, `urlretrieve`.

The browser decides what is possible: it follows redirects by itself, sends headers of its own, and shows answers of
other sites only if these allow it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from . import blocking, packages
from ._host import host

#: Headers that only the browser may set. It would ignore ours, or ask the server for permission first.
_BROWSERS = frozenset(
    ["accept-encoding", "connection", "content-length", "cookie", "date", "dnt", "expect", "host", "keep-alive", "origin", "referer", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via"]
)  # fmt: skip
#: Headers that describe the bytes on the wire. The browser gives us the bytes already decompressed.
_ON_THE_WIRE = frozenset(["connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"])

#: Address of the latest answer, after redirects.
_answered_by = ""


class _RequestFailedError(ConnectionError):
    """The browser got no answer, or may not show the answer."""


_RequestFailedError.__name__ = _RequestFailedError.__qualname__ = "ConnectionError"


def amend(module: ModuleType) -> None:
    """Change ``http.client`` or ``urllib.request``."""
    (_amend_client if module.__name__ == "http.client" else _amend_request)(module)


def _amend_client(client: Any) -> None:
    def connect(self: Any) -> None:
        """Connect to nothing: the browser connects when there is a request."""
        if self._tunnel_host:
            raise OSError("a browser knows no proxies by request: set_tunnel() cannot work here")
        scheme = "https" if isinstance(self, client.HTTPSConnection) else "http"
        self.sock = _Exchange(scheme, self.host, self.port, self.timeout, client)

    client.HTTPConnection.connect = connect
    if hasattr(client, "HTTPSConnection"):
        client.HTTPSConnection.connect = connect
        return

    class HTTPSConnection(client.HTTPConnection):  # type: ignore[misc]
        """Does not need the module ``ssl``, since the browser encrypts."""

        default_port = client.HTTPS_PORT

        def __init__(self, host: str, port: int | None = None, *, context: Any = None, **options: Any) -> None:
            super().__init__(host, port, **options)

    HTTPSConnection.__module__, HTTPSConnection.__qualname__ = "http.client", "HTTPSConnection"
    client.HTTPSConnection = HTTPSConnection
    client.__all__.append("HTTPSConnection")


def _amend_request(request: Any) -> None:
    do_open = request.AbstractHTTPHandler.do_open

    def do_open_by_browser(self: Any, http_class: Any, req: Any, **http_conn_args: Any) -> Any:
        try:
            response = do_open(self, http_class, req, **http_conn_args)
        except (_RequestFailedError, TimeoutError) as error:
            raise request.URLError(error) from None
        response.url = _answered_by
        return response

    request.AbstractHTTPHandler.do_open = do_open_by_browser
    if hasattr(request, "HTTPSHandler"):
        return

    class HTTPSHandler(request.AbstractHTTPHandler):  # type: ignore[misc]
        """Does not need the module ``ssl``, since the browser encrypts."""

        def __init__(self, debuglevel: Any = None, context: Any = None, check_hostname: Any = None) -> None:
            super().__init__(*(() if debuglevel is None else (debuglevel,)))

        def https_open(self, req: Any) -> Any:
            return self.do_open(request.http.client.HTTPSConnection, req)

        https_request = request.AbstractHTTPHandler.do_request_

    HTTPSHandler.__module__, HTTPSHandler.__qualname__ = "urllib.request", "HTTPSHandler"
    request.HTTPSHandler = HTTPSHandler


class _Exchange:
    """Takes the place of a connection's socket."""

    def __init__(self, scheme: str, host: str, port: int, timeout: Any, client: Any) -> None:
        self._scheme, self._client = scheme, client
        name = f"[{host}]" if ":" in host else host
        self._server = name if port == {"http": 80, "https": 443}[scheme] else f"{name}:{port}"
        self.settimeout(timeout)
        self._sent: list[bytes] = []

    def settimeout(self, timeout: Any) -> None:
        self._timeout = timeout if isinstance(timeout, (int, float)) else None

    def gettimeout(self) -> float | None:
        return self._timeout

    def sendall(self, data: Any) -> None:
        self._sent.append(bytes(data))

    def makefile(self, mode: str = "rb", *args: Any, **options: Any) -> io.BytesIO:
        raw, self._sent = b"".join(self._sent), []
        return _Answer(lambda: self._ask(raw))

    def close(self) -> None:
        self._sent.clear()

    def shutdown(self, how: int) -> None: ...

    def setsockopt(self, *args: Any) -> None: ...

    def _ask(self, raw: bytes) -> bytes:
        head, _, body = raw.partition(b"\r\n\r\n")
        line, *rest = head.decode("latin-1").split("\r\n")
        method, target, _ = line.split(" ", 2)
        headers = [(name, value.strip()) for name, _, value in (header.partition(":") for header in rest)]
        if any(name.lower() == "transfer-encoding" for name, _ in headers):
            body = _unchunked(body)
        url = target if "://" in target else f"{self._scheme}://{self._server}{target}"
        answer, content = ask(method, url, headers, body or None, self._timeout)
        reason = answer["reason"] or self._client.responses.get(answer["status"], "")
        given = answer["headers"]
        unpacked = any(name.lower() == "content-encoding" for name, _ in given)
        lines = [f"HTTP/1.1 {answer['status']} {reason}"]
        for name, value in given:
            # An answer to HEAD has no content, so its Content-Length is the server's.
            as_sent = method == "HEAD" and name.lower() == "content-length" and not unpacked
            if as_sent or name.lower() not in _ON_THE_WIRE:
                lines.append(f"{name}: {value}")
        if method != "HEAD":
            lines.append(f"Content-Length: {len(content)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + content


class _Answer(io.BytesIO):
    """A response. The request is made when its first line is read, so that callers can close a response that failed."""

    def __init__(self, ask: Callable[[], bytes]) -> None:
        super().__init__()
        self._ask: Callable[[], bytes] | None = ask

    def readline(self, *args: Any) -> bytes:
        if self._ask is not None:
            ask, self._ask = self._ask, None
            super().__init__(ask())
        return super().readline(*args)


def _unchunked(body: bytes) -> bytes:
    parts, stream = [], io.BytesIO(body)
    while size := int(stream.readline().partition(b";")[0] or b"0", 16):
        parts.append(stream.read(size))
        stream.readline()
    return b"".join(parts)


def ask(
    method: str, url: str, headers: list[tuple[str, str]], body: bytes | None, timeout_s: float | None
) -> tuple[dict[str, Any], bytes]:
    """Make a request through the browser and wait for the answer.

    Returns
    -------
    tuple
        ``status``, ``reason``, ``headers`` (pairs) and ``url`` of the answer, and its content.

    Raises
    ------
    ConnectionError
        There is no answer, or the browser does not show it. The message says why.
    TimeoutError
        The answer took too long.
    """
    global _answered_by
    sent = [
        (name, value)
        for name, value in headers
        if name.lower() not in _BROWSERS and name.lower()[:4] not in ("sec-", "prox")
    ]
    if body is not None and method in ("GET", "HEAD"):
        raise _RequestFailedError(f"a browser sends no body with {method}: use POST for {url}")
    arguments = json.dumps({"method": method, "url": url, "headers": sent, "timeoutMs": timeout_s and timeout_s * 1000})
    try:
        answer = blocking.suspended_or(lambda: host.request(arguments, body), lambda: host.request_now(arguments, body))
    except BaseException:
        host.request_abort()
        raise
    head = json.loads(answer.head)
    if "failed" in head:
        if head["failed"] == "timeout":
            raise TimeoutError(f"timed out: no answer from {url} within {timeout_s} s")
        raise _RequestFailedError(_why(url, head))
    _answered_by = head["url"] or url
    return head, answer.body.to_bytes()


def _why(url: str, head: dict[str, str]) -> str:
    server = urlsplit(url).netloc
    if packages.on_server():
        return f"cannot ask {server}: this kernel runs in a sandbox that has no network"
    match head["failed"]:
        case "offline":
            return f"cannot ask {server}: the browser is offline"
        case "mixed":
            return f"cannot ask {server}: a page that came by https may ask no http address; try https:// in place of http://"
        case "foreign":
            return (
                f"no answer from {server} that may be shown here: either it cannot be reached, or it does not allow pages of "
                f"{head['origin']} to read its answers (CORS: it sends no Access-Control-Allow-Origin for them). "
                "Download the file in another tab and put it beside the notebook, or ask the site's author to include it"
            )
    return f"no answer from {server}: {head['message']}"
