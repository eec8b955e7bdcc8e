"""Serves a site as over a line of a given rate and delay, and counts what it sends."""

from __future__ import annotations

import gzip
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from jupyterlite_browsergrad.site.precompressed import is_compressible
from jupyterlite_browsergrad.site.static_server import SiteHandler

from .lab import Server

#: Bytes that pass the line at once. The answers of several requests take turns in pieces of this length.
PIECE_BYTES = 16 << 10


class Line:
    """A line that all connections share.

    Parameters
    ----------
    mbit
        Rate in 10^6 bits a second; 0 for no limit.
    rtt_ms
        Ms from a request to the first byte of its answer, beside what the bytes take.
    """

    def __init__(
        self,
        mbit: float,
        rtt_ms: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.mbit, self.rtt_ms = mbit, rtt_ms
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._free = 0.0

    def wait(self) -> None:
        """Wait as long as a request and its answer travel."""
        self._sleep(self.rtt_ms / 1000)

    def carry(self, size: int) -> None:
        """Wait until so many bytes have passed, after all that were given before."""
        if not self.mbit:
            return
        with self._lock:
            now = self._clock()
            self._free = max(self._free, now) + size * 8 / self.mbit / 1e6
            left = self._free - now
        self._sleep(left)


class SlowServer(Server):
    """Serves one site as over a line. `sent` counts the bytes of its answers' bodies, `by_path` those of each address.

    Compressed copies beside the files are sent as `jupyter browsergrad serve` sends them.
    """

    def __init__(self, folder: Path, isolated: bool, line: Line) -> None:
        self.sent = 0
        self.by_path: Counter[str] = Counter()
        self.asked: list[str] = []
        outer = self

        class Handler(SiteHandler):
            def answer(self, *, with_body: bool) -> None:
                line.wait()
                outer.asked.append(self.path)
                super().answer(with_body=with_body)

            def send_file(self, file: BinaryIO, size: int) -> None:
                try:
                    while piece := file.read(PIECE_BYTES):
                        line.carry(len(piece))
                        self.wfile.write(piece)
                        outer.sent += len(piece)
                        outer.by_path[self.path] += len(piece)
                except ConnectionError:  # the page has been closed
                    self.close_connection = True

        self.serve(Handler, folder, isolated)


def compressing(folder: Path, out: Path) -> Path:
    """Return a copy of a site, made once, with gzip copies beside its texts and its WebAssembly: as a host that compresses sends them."""
    marker = out / ".compressed"
    if not marker.is_file():
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            relative = path.relative_to(folder)
            copy = out / relative
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.unlink(missing_ok=True)
            os.link(path, copy)
            if is_compressible(relative):
                packed = copy.with_name(f"{copy.name}.gz")
                packed.write_bytes(gzip.compress(path.read_bytes(), 6, mtime=0))
        marker.touch()
    return out
