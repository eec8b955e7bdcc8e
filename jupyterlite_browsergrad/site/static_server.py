"""A static server for a built site, with the headers that make it cross-origin isolated."""

from __future__ import annotations

import hashlib
import io
import os
import posixpath
import re
import socket
import stat
import sys
import time
from collections.abc import Callable
from email.utils import formatdate
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, unquote, urlsplit

from . import precompressed

__all__ = ["ALWAYS", "ISOLATION", "SiteHandler", "SiteServer"]

ISOLATION = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
ALWAYS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}
#: Files whose names contain a hash of their content: those of JupyterLab, of labextensions and of the kernel.
HASHED = re.compile(r"/(?:build|extensions|static/browsergrad)/.*\.[0-9a-f]{7,64}\.[a-z.0-9]+$")
#: The part of an address that names a version, as the labextension writes it.
VERSION = re.compile(r"v=([0-9a-f]{16})")
FOR_EVER = "public, max-age=31536000, immutable"
#: Used instead of `mimetypes`, whose answers depend on the machine. Browsers do not load a module that has a wrong type.
MIME_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".gif": "image/gif",
    ".gz": "application/gzip",
    ".htm": "text/html; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".ipynb": "application/json",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".py": "text/x-python; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".whl": "application/zip",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
    ".zip": "application/zip",
}


#: Seconds in which a client must send a request, counted from the end of the last one.
REQUEST_S = 30.0
#: Seconds in which it must receive a piece of an answer.
PIECE_S = 30.0
PIECE_BYTES = 1 << 18
#: Longest body of a request that is read, in bytes. Bodies are read and dropped, since the next request begins after them.
MAX_BODY = 1 << 20


class _Requests(io.RawIOBase):
    """Reads what a client sends. The time for a request is limited as a whole, so that many small pieces do not extend it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._end = 0.0

    def begin(self) -> None:
        """Start the time of the next request."""
        self._end = time.monotonic() + REQUEST_S

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the client took too long for its request")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class SiteHandler(BaseHTTPRequestHandler):
    """Answers GET and HEAD for files below one folder. The address of a folder shows its ``index.html``."""

    protocol_version = "HTTP/1.1"

    def __init__(
        self, *args: Any, root: Path, headers: dict[str, str], log: Callable[[str], None] | None, **kwargs: Any
    ) -> None:
        self.root = root
        self.extra_headers = headers
        self.log = log
        super().__init__(*args, **kwargs)

    def setup(self) -> None:
        super().setup()
        self._requests = _Requests(self.connection)
        self.rfile = io.BufferedReader(self._requests)

    def handle_one_request(self) -> None:
        self._requests.begin()
        super().handle_one_request()

    def do_GET(self) -> None:
        self.skip_body()
        self.answer(with_body=True)

    def do_HEAD(self) -> None:
        self.skip_body()
        self.answer(with_body=False)

    def skip_body(self) -> None:
        """Read and drop the body of the request. A long body, or one of unknown length, ends the connection."""
        length = self.headers.get("Content-Length", "0")
        known = length.isascii() and length.isdigit() and len(self.headers.get_all("Content-Length", [])) < 2
        short = known and "Transfer-Encoding" not in self.headers and int(length[:20]) <= MAX_BODY
        if not short or len(self.rfile.read(int(length))) < int(length):
            self.close_connection = True

    def answer(self, *, with_body: bool) -> None:
        # Two slashes at the start would be read as a host.
        address = urlsplit("/" + self.path.lstrip("/"))
        path = self.locate(unquote(address.path))
        if path is None:
            self.fail(HTTPStatus.NOT_FOUND, with_body)
            return
        if path.is_dir():
            if not address.path.endswith("/"):
                # Uses the normalised path, since a target that starts with `//` would lead to another host.
                target = quote(posixpath.normpath("/" + unquote(address.path).lstrip("/"))) + "/"
                self.begin(
                    HTTPStatus.MOVED_PERMANENTLY,
                    {"Location": target + (f"?{address.query}" if address.query else "")},
                    0,
                )
                return
            path = path / "index.html"
        kind = MIME_TYPES.get(path.suffix.lower(), "application/octet-stream")
        original = path
        path, headers = self.choose(path)
        file = open_file(path)
        if file is None:
            self.fail(HTTPStatus.NOT_FOUND, with_body)
            return
        with file:
            found = os.fstat(file.fileno())
            tag = f'"{found.st_mtime_ns:x}-{found.st_size:x}"'
            headers |= {"ETag": tag, "Last-Modified": formatdate(found.st_mtime, usegmt=True)}
            if HASHED.search(address.path) or self.is_version(original, address.query):
                headers["Cache-Control"] = FOR_EVER
            known = [item.strip().removeprefix("W/") for item in self.headers.get("If-None-Match", "").split(",")]
            if tag in known or "*" in known:
                self.begin(HTTPStatus.NOT_MODIFIED, headers, None)
                return
            self.begin(HTTPStatus.OK, {**headers, "Content-Type": kind}, found.st_size)
            if with_body:
                self.send_file(file, found.st_size)

    def is_version(self, path: Path, query: str) -> bool:
        """Tell whether the address names the version that the file has, so that it will never be another one."""
        found = VERSION.fullmatch(query)
        return found is not None and hashlib.sha256(path.read_bytes()).hexdigest().startswith(found[1])

    def send_file(self, file: BinaryIO, size: int) -> None:
        """Send as many bytes as were announced, unless the client is too slow."""
        try:
            while size and (piece := file.read(min(PIECE_BYTES, size))):
                self.connection.settimeout(PIECE_S)
                self.wfile.write(piece)
                size -= len(piece)
        except (ConnectionError, TimeoutError):  # the page may be closed while it loads
            self.close_connection = True
        if size:  # the file has become shorter meanwhile
            self.close_connection = True

    def choose(self, path: Path) -> tuple[Path, dict[str, str]]:
        """Return the file to send, and its headers: the file itself, or the best compressed copy that the browser accepts."""
        if not path.is_file() or not precompressed.is_compressible(path.relative_to(self.root)):
            return path, {}
        copies = dict(precompressed.siblings(path))
        if not copies:
            return path, {}
        accepted = {
            item.partition(";")[0].strip().lower() for item in self.headers.get("Accept-Encoding", "").split(",")
        }
        for encoding, copy in copies.items():
            if encoding in accepted:
                return copy, {"Vary": "Accept-Encoding", "Content-Encoding": encoding}
        return path, {"Vary": "Accept-Encoding"}

    def locate(self, path: str) -> Path | None:
        """Return the file or folder for a decoded path; None if it is outside the root, or the name cannot exist."""
        if "\0" in path or "\\" in path:
            return None
        try:
            found = (self.root / path.lstrip("/")).resolve()
            # This raises an error if a name is too long.
            return found if found.is_relative_to(self.root) and found.exists() else None
        except (OSError, ValueError, RuntimeError):
            return None

    def fail(self, status: HTTPStatus, with_body: bool) -> None:
        body = f"{status.value} {status.phrase}\n".encode()
        self.begin(status, {"Content-Type": "text/plain; charset=utf-8"}, len(body))
        if with_body:
            self.wfile.write(body)

    def begin(self, status: HTTPStatus, headers: dict[str, str], length: int | None) -> None:
        self.send_response(status)
        for name, value in {**self.extra_headers, **headers}.items():
            self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.connection.settimeout(PIECE_S)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        if self.log is not None:
            self.log(format % args)


#: The flags that this system has. Windows has no named pipes in its file system, but two modes of reading.
_FLAGS = sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


def open_file(path: Path) -> BinaryIO | None:
    """Open an ordinary file; None for anything else. Opening a pipe would wait until somebody writes to it."""
    try:
        opened = os.open(path, os.O_RDONLY | _FLAGS)
    except OSError:
        return None
    if stat.S_ISREG(os.fstat(opened).st_mode):
        return open(opened, "rb")
    os.close(opened)
    return None


class SiteServer(ThreadingHTTPServer):
    """A static server for one folder; use it as a context manager around ``serve_forever()``."""

    daemon_threads = True
    # A page asks for hundreds of files at once.
    request_queue_size = 128

    def __init__(
        self,
        root: Path,
        bind: str = "127.0.0.1",
        port: int = 0,
        *,
        isolated: bool = True,
        log: Callable[[str], None] | None = None,
    ):
        headers = {**ALWAYS, **(ISOLATION if isolated else {})}
        super().__init__((bind, port), partial(SiteHandler, root=root.resolve(), headers=headers, log=log))

    @property
    def url(self) -> str:
        host, port = str(self.server_address[0]), self.server_address[1]
        # Browsers treat only localhost and 127.0.0.1 as secure without https, which service workers need.
        return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)
