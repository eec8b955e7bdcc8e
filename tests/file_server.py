"""A server on 127.0.0.1 that stands for the CDN of Pyodide's packages, and fails in the ways that a test asks for."""

from __future__ import annotations

import contextlib
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path


class FileServer:
    """Serves a folder below ``/full/``, with range requests.

    Attributes
    ----------
    asked
        Path and first byte of every request, in order.
    cut
        How many bytes of each file are sent before the connection ends; each entry is used once.
    replies
        File name -> status to answer with in place of the file.
    moved
        File name -> address it is redirected to.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.asked: list[tuple[str, int]] = []
        self.cut: dict[str, int] = {}
        self.replies: dict[str, int] = {}
        self.moved: dict[str, str] = {}
        self.address = ""

    @property
    def names(self) -> list[str]:
        return [path.rpartition("/")[2] for path, _ in self.asked]

    @contextlib.contextmanager
    def running(self) -> Iterator[FileServer]:
        files = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                files.answer(self)

            def log_message(self, format: str, *args: object) -> None: ...

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.address = f"http://127.0.0.1:{server.server_address[1]}/full/"
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()

    def answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        name = request.path.rpartition("/")[2]
        found = re.match(r"bytes=(\d+)-", request.headers.get("Range", ""))
        first = int(found[1]) if found else 0
        self.asked.append((request.path, first))
        if name in self.moved:
            request.send_response(302)
            request.send_header("Location", self.moved[name])
            request.end_headers()
            return
        path = self.folder / name
        if name in self.replies or not path.is_file():
            request.send_error(self.replies.get(name, 404))
            return
        data = path.read_bytes()
        if first >= len(data):
            request.send_error(416)
            return
        request.send_response(206 if found else 200)
        if found:
            request.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        request.send_header("Content-Length", str(len(data) - first))
        request.end_headers()
        end = first + self.cut.pop(name, len(data))
        with contextlib.suppress(OSError):
            request.wfile.write(data[first:end])
