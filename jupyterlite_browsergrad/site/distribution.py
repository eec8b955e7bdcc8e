"""Finds, unpacks and checks another Pyodide distribution."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import lzma
import shutil
import tarfile
import tempfile
import urllib.request
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from ..boot.assets import STDLIB
from ..constants import PYODIDE_LOCK
from ..errors import DistributionError
from ..hashing import sha256_of
from .downloads import Download, DownloadFailed, fetch, fetch_all

__all__ = ["is_base_address", "is_url", "materialise", "read_lock", "root_of", "with_our_stdlib"]

ENTRY = "pyodide.mjs"
REQUIRED = (ENTRY, "pyodide.asm.wasm", PYODIDE_LOCK)
#: Pyodide's JavaScript: a module since 0.29, a script before.
ASM_NAMES = ("pyodide.asm.mjs", "pyodide.asm.js")
TAR_SUFFIXES = (".tar.bz2", ".tar.gz", ".tgz", ".tar.xz")
#: Greatest size of an archive, packed and unpacked. A full release has about 350 MB.
MAX_UNPACKED_BYTES = 8 * 1024**3
#: Greatest number of files. A full release has about 400.
MAX_FILES = 100_000
#: Longest piece that is read with one call: `tarfile` reads names and attributes into memory, whatever length they claim.
MAX_AT_ONCE = 1 << 24
_OPENERS: dict[str, Callable[..., Any]] = {
    ".bz2": bz2.open,
    ".gz": gzip.open,
    ".tgz": gzip.open,
    ".xz": lzma.open,
}


def is_url(source: str) -> bool:
    return urlsplit(source).scheme in ("http", "https")


def is_base_address(source: str) -> bool:
    """Tell whether `source` is the address of a folder that has a release file by file, as Pyodide's CDN does."""
    return is_url(source) and not urlsplit(source).path.endswith((*TAR_SUFFIXES, ".zip"))


def materialise(
    source: str, base: Path, cache: Path, *, offline: bool = False, tell: Callable[[str], None] = print
) -> Path:
    """Return the folder that holds ``pyodide.mjs``. Fetch and unpack it into ``cache`` if needed.

    Parameters
    ----------
    source
        A folder, an archive, the http(s) URL of an archive, or that of a folder with the files of a release.
    base
        Folder to which a relative path is relative.
    offline
        Whether nothing may be fetched: what is not in `cache` is an error.
    tell
        Takes a line for each file that is fetched from a base address.

    Raises
    ------
    DistributionError
        There is nothing at `source`, an archive cannot be read, or files are missing.
    """
    if is_base_address(source):
        return root_of(_fetch_core(source, cache, offline, tell), source)
    path = _fetch(source, cache, offline) if is_url(source) else (base / Path(source).expanduser()).resolve()
    if path.is_dir():
        return root_of(path, source)
    if not path.is_file():
        raise DistributionError(source, f"{path} does not exist")
    stat = path.stat()
    unpacked = cache / f"{path.name}.{stat.st_size}.{stat.st_mtime_ns}"
    if not unpacked.is_dir():
        partial = unpacked.with_name(f"{unpacked.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _unpack(path, partial, source)
        partial.rename(unpacked)
    return root_of(unpacked, source)


def root_of(folder: Path, source: object) -> Path:
    """Return the distribution: ``folder``, or a folder in it. `DistributionError` names what is missing."""
    candidates = [folder, folder / "pyodide", *sorted(child for child in folder.iterdir() if child.is_dir())]
    for candidate in candidates:
        if (candidate / ENTRY).is_file():
            missing = [name for name in REQUIRED if not (candidate / name).is_file()]
            if missing:
                raise DistributionError(source, f"{candidate} lacks {', '.join(missing)}")
            read_lock(candidate, source)
            return candidate
    raise DistributionError(source, f"{ENTRY} is missing in {folder} and in the folders directly below it")


def with_our_stdlib(source: Path, embedded: Path, kernel: Path) -> dict[Path, Path]:
    """Return what to publish instead of a distribution's own standard library: ours, if only the bytecode differs.

    The memory snapshot belongs to ours, and every start is faster with it.

    Parameters
    ----------
    source
        The distribution.
    embedded, kernel
        The labextension's ``static/pyodide`` and ``static/kernel``.

    Returns
    -------
    dict
        Path in the published folder -> file to copy there; empty for another build of Pyodide.
    """
    snapshot = json.loads((kernel / "manifest.json").read_text("utf-8")).get("snapshot")
    if snapshot is None:
        return {}
    names = [name for name in snapshot["pyodide"] if name != STDLIB]
    if any(_digest(source / name) != snapshot["pyodide"][name] for name in names):
        return {}
    if _digest(source / STDLIB) not in (snapshot["stdlib_source"], snapshot["pyodide"][STDLIB]):
        return {}
    return {Path(STDLIB): embedded / STDLIB}


def _digest(path: Path) -> str | None:
    return sha256_of(path) if path.is_file() else None


def read_lock(folder: Path, source: object | None = None) -> dict[str, Any]:
    """Return ``pyodide-lock.json``. Raises `DistributionError` if it cannot be read or has no ``info``."""
    path = folder / PYODIDE_LOCK
    try:
        lock = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise DistributionError(source or folder, f"{path} is not JSON ({error})") from error
    if (
        not isinstance(lock, dict)
        or not isinstance(lock.get("info"), dict)
        or not isinstance(lock.get("packages"), dict)
    ):
        raise DistributionError(source or folder, f"{path} has no `info` and `packages`")
    return lock


def _fetch_core(url: str, cache: Path, offline: bool, tell: Callable[[str], None]) -> Path:
    """Fetch the files from which Pyodide starts into a folder of `cache`. If that folder exists, it is complete."""
    url = url if url.endswith("/") else f"{url}/"

    def fetch_files(folder: Path) -> None:
        def download(name: str) -> Download:
            return Download("Pyodide", f"{url}{name}", folder / name)

        try:
            fetch_all([download(name) for name in (*REQUIRED, STDLIB)], tell)
            try:
                fetch(download(ASM_NAMES[0]), tell)
            except DownloadFailed as error:
                if not error.is_absent:
                    raise
                fetch(download(ASM_NAMES[1]), tell)
        except DownloadFailed as error:
            raise DistributionError(url, f"{error}. Behind a proxy set HTTPS_PROXY") from error

    name = f"address.{hashlib.sha256(url.encode()).hexdigest()[:16]}"
    return _once(cache / name, url, offline, fetch_files)


def _fetch(url: str, cache: Path, offline: bool) -> Path:
    def fetch_archive(path: Path) -> None:
        try:
            with urllib.request.urlopen(url, timeout=120) as response, path.open("wb") as file:
                shutil.copyfileobj(_Limited(response, url), file)
        except OSError as error:
            raise DistributionError(url, f"cannot be fetched ({error})") from error

    return _once(cache / PurePosixPath(urlsplit(url).path).name, url, offline, fetch_archive)


def _once(target: Path, url: str, offline: bool, make: Callable[[Path], None]) -> Path:
    """Return `target`. If it exists, it is complete, since `make` first writes under another name."""
    if target.exists():
        return target
    if offline:
        raise DistributionError(url, "no earlier build has fetched it; build once without --browsergrad-offline")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        partial = Path(folder, "partial")
        make(partial)
        partial.replace(target)
    return target


class _Limited:
    """Reads a stream up to `MAX_UNPACKED_BYTES`, in pieces of at most `MAX_AT_ONCE` bytes. Longer streams are refused."""

    def __init__(self, stream: BinaryIO, source: object) -> None:
        self._stream = stream
        self._source = source
        self._place = 0

    def read(self, size: int = MAX_AT_ONCE, /) -> bytes:
        if size > MAX_AT_ONCE:
            raise DistributionError(self._source, _TOO_LARGE)
        data = self._stream.read(size)
        self._place += len(data)
        if self._place > MAX_UNPACKED_BYTES:
            raise DistributionError(self._source, _TOO_LARGE)
        return data

    def tell(self) -> int:
        return self._place

    def seek(self, place: int) -> None:
        if place > MAX_UNPACKED_BYTES:
            raise DistributionError(self._source, _TOO_LARGE)
        self._place = self._stream.seek(place)


_TOO_LARGE = "the archive is too large to be a Pyodide release"


def _unpack(archive: Path, target: Path, source: object) -> None:
    try:
        if archive.name.endswith(".zip"):
            with zipfile.ZipFile(archive) as opened:
                entries = opened.infolist()
                if len(entries) > MAX_FILES or sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
                    raise DistributionError(source, _TOO_LARGE)
                opened.extractall(target)
        elif archive.name.endswith(TAR_SUFFIXES):
            with _OPENERS[archive.suffix](archive) as stream:
                _unpack_tar(_Limited(stream, source), target, source)
        else:
            raise DistributionError(
                source, f"{archive.name} is neither a folder nor one of {', '.join((*TAR_SUFFIXES, '.zip'))}"
            )
    except (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError, OSError) as error:
        raise DistributionError(source, f"{archive} cannot be unpacked ({error})") from error


def _unpack_tar(stream: _Limited, target: Path, source: object) -> None:
    """Unpack a tar file while it is read, since its size is only known at its end."""
    size = 0
    with tarfile.open(fileobj=stream, mode="r:") as opened:  # type: ignore[call-overload]
        for number, entry in enumerate(opened, 1):
            size += entry.size  # for a sparse file, this is more than was read
            if number > MAX_FILES or size > MAX_UNPACKED_BYTES:
                raise DistributionError(source, _TOO_LARGE)
            # Refuses absolute names, `..`, links that leave the folder, and devices.
            opened.extract(entry, target, filter="data")
