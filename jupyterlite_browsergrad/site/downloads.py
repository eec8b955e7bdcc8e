"""Fetches files while a site is built: several in parallel, each resumed where an earlier try ended, and checked."""

from __future__ import annotations

import http.client
import re
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._version import __version__
from ..hashing import sha256_of

__all__ = ["Download", "DownloadFailed", "fetch", "fetch_all"]

AT_ONCE = 6
#: Seconds without a byte after which a server counts as silent.
SILENCE_S = 60
#: Pauses before further tries, in seconds. There is one more try than there are pauses.
PAUSES_S = (0.5, 2.0)
PIECE = 1 << 18
#: Greatest size of a file. All files of a release are ten times smaller.
MAX_BYTES = 2 * 1024**3
#: Statuses after which another try may succeed.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/")


@dataclass(frozen=True)
class Download:
    """A file to fetch. Without ``sha256``, only its length is checked."""

    name: str
    url: str
    target: Path
    sha256: str | None = None


class DownloadFailed(Exception):
    """A file could not be fetched. ``problem`` is a part of a sentence about ``download``; ``is_absent`` means status 404 or 410."""

    def __init__(self, download: Download, problem: str, is_absent: bool = False):
        super().__init__(f"{download.url} cannot be fetched: {problem}")
        self.download = download
        self.problem = problem
        self.is_absent = is_absent


class _Passing(Exception):
    """The request failed, but another try may succeed."""


class _Bar:
    """A progress bar for several files; thread-safe. It is only shown if stderr is a terminal."""

    def __init__(self, count: int) -> None:
        from tqdm import tqdm

        self._lock = threading.Lock()
        text = f"fetching {count} file{'s' * (count > 1)}"
        self._bar = tqdm(desc=text, total=0, unit="B", unit_scale=True, disable=None, leave=False)

    def expect(self, size: int) -> None:
        with self._lock:
            self._bar.total += size
            self._bar.refresh()

    def add(self, size: int) -> None:
        with self._lock:
            self._bar.update(size)

    def close(self) -> None:
        self._bar.close()


def fetch_all(downloads: Iterable[Download], tell: Callable[[str], None]) -> None:
    """Fetch the files that are missing, several in parallel.

    If a try ends early, even by Ctrl-C, the received part of a file stays beside its target, and the next build resumes there.

    Parameters
    ----------
    downloads
        The files.
    tell
        Called with a line for each file that was fetched, and for each that another address has sent.

    Raises
    ------
    DownloadFailed
        A file could not be fetched. The other downloads have been stopped.
    """
    missing = [download for download in downloads if not is_there(download)]
    if not missing:
        return
    stop = threading.Event()
    bar = _Bar(len(missing))
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        futures = [pool.submit(_fetch, download, tell, bar, stop) for download in missing]
        for future in futures:
            future.result()
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
        bar.close()


def fetch(download: Download, tell: Callable[[str], None]) -> None:
    """Fetch one file like `fetch_all`."""
    fetch_all([download], tell)


def is_there(download: Download) -> bool:
    """Tell whether the file has been fetched before, and has not changed since."""
    target = download.target
    return target.is_file() and (download.sha256 is None or sha256_of(target) == download.sha256)


def _fetch(download: Download, tell: Callable[[str], None], bar: _Bar, stop: threading.Event) -> None:
    download.target.parent.mkdir(parents=True, exist_ok=True)
    partial = download.target.with_name(f"{download.target.name}.part")
    for pause in (*PAUSES_S, None):
        if stop.is_set():
            return
        try:
            _receive(download, partial, tell, bar, stop)
        except _Passing as error:
            if pause is None:
                raise DownloadFailed(download, str(error)) from error
            stop.wait(pause)
        else:
            return


def _receive(download: Download, partial: Path, tell: Callable[[str], None], bar: _Bar, stop: threading.Event) -> None:
    """Make one request, for the missing part of the file."""
    offset = partial.stat().st_size if partial.is_file() and download.sha256 else 0
    request = urllib.request.Request(download.url, headers={"User-Agent": f"jupyterlite-browsergrad/{__version__}"})
    if offset:
        request.add_header("Range", f"bytes={offset}-")
    try:
        with urllib.request.urlopen(request, timeout=SILENCE_S) as response:
            if response.geturl() != download.url:
                tell(f"{download.name}: {download.url} leads to {response.geturl()}")
            if not _continues(response, offset):
                offset = 0
            _write(response, download, partial, offset, bar, stop)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and offset:  # nothing is missing, or the file is another one
            if sha256_of(partial) != download.sha256:
                partial.unlink()
                raise _Passing("what an earlier build has fetched of it is damaged") from error
        else:
            where = f" at {error.url}" if error.url != download.url else ""
            problem = f"the server answered {error.code} {error.reason}{where}"
            if error.code in _PASSING:
                raise _Passing(problem) from error
            raise DownloadFailed(download, problem, is_absent=error.code in (404, 410)) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        if isinstance(reason, ssl.SSLCertVerificationError):
            problem = f"the server's certificate is not trusted ({reason}); SSL_CERT_FILE can name your authority's"
            raise DownloadFailed(download, problem) from error
        raise _Passing(str(reason) or type(reason).__name__) from error
    except ValueError as error:  # no address at all
        raise DownloadFailed(download, str(error)) from error
    if stop.is_set():
        return
    if download.sha256 and (found := sha256_of(partial)) != download.sha256:
        partial.unlink()
        problem = f"what came has the sha256 {found[:16]}…, and the lock says {download.sha256[:16]}…"
        if offset:  # the beginning may be from another file
            raise _Passing(problem)
        raise DownloadFailed(download, problem)
    size = partial.stat().st_size
    partial.replace(download.target)
    tell(f"{download.name}: fetched {download.target.name}, {size / 1e6:.1f} MB")


def _continues(response: Any, offset: int) -> bool:
    """Tell whether an answer is the rest of a file from `offset` on."""
    found = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
    return response.status == 206 and found is not None and int(found[1]) == offset


def _write(response: Any, download: Download, partial: Path, offset: int, bar: _Bar, stop: threading.Event) -> None:
    length = response.headers.get("Content-Length")
    expected = int(length) if length and length.isdigit() else None
    bar.expect(expected or 0)
    done = 0
    with partial.open("r+b" if offset else "wb") as file:
        file.seek(offset)
        while not stop.is_set() and (data := response.read(PIECE)):
            file.write(data)
            done += len(data)
            bar.add(len(data))
            if offset + done > MAX_BYTES:
                raise DownloadFailed(download, "it is too large to be a file of Pyodide's")
    if not stop.is_set() and expected is not None and done < expected:
        raise _Passing(f"the connection ended after {done:,} of {expected:,} bytes")
