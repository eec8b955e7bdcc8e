"""Find, unpack and judge another Pyodide distribution."""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
import tempfile
import urllib.request
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from .boot.assets import STDLIB
from .constants import PYODIDE_LOCK
from .errors import DistributionError

__all__ = ["is_url", "materialise", "read_lock", "root_of", "with_our_stdlib"]

ENTRY = "pyodide.mjs"
REQUIRED = (ENTRY, "pyodide.asm.wasm", PYODIDE_LOCK)
TAR_SUFFIXES = (".tar.bz2", ".tar.gz", ".tgz", ".tar.xz")
#: A full release holds about 350 MB; twenty times that is no Pyodide.
UNPACKED_LIMIT_BYTES = 8 * 1024**3


def is_url(source: str) -> bool:
    return urlsplit(source).scheme in ("http", "https")


def materialise(source: str, base: Path, cache: Path) -> Path:
    """Return the folder that holds ``pyodide.mjs``, fetching and unpacking into ``cache`` when needed.

    Parameters
    ----------
    source
        A folder, an archive, or the http(s) URL of an archive.
    base
        What a relative path counts from.

    Raises
    ------
    DistributionError
        Nothing there, an unreadable archive, or files missing.
    """
    path = _fetch(source, cache) if is_url(source) else (base / Path(source).expanduser()).resolve()
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
    """Return ``folder`` or the one below it that is a distribution; `DistributionError` names what is missing."""
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
    """Return what to publish in place of a distribution's own standard library: ours, if it is the same but for bytecode.

    The memory snapshot goes with ours, and any start is faster with it.

    Parameters
    ----------
    source
        The distribution.
    embedded, kernel
        The labextension's ``static/pyodide`` and ``static/kernel``.

    Returns
    -------
    dict
        Path in the published folder to the file that goes there; empty for another build of Pyodide.
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
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def read_lock(folder: Path, source: object | None = None) -> dict[str, Any]:
    """Return ``pyodide-lock.json``; `DistributionError` when it cannot be read or has no ``info``."""
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


def _fetch(url: str, cache: Path) -> Path:
    target = cache / PurePosixPath(urlsplit(url).path).name
    if target.is_file():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    try:
        with (
            urllib.request.urlopen(url, timeout=120) as response,
            tempfile.NamedTemporaryFile(dir=cache, delete=False) as partial,
        ):
            shutil.copyfileobj(response, partial)
    except OSError as error:
        raise DistributionError(url, f"cannot be fetched ({error})") from error
    Path(partial.name).replace(target)
    return target


def _unpack(archive: Path, target: Path, source: object) -> None:
    try:
        if archive.name.endswith(".zip"):
            with zipfile.ZipFile(archive) as opened:
                if sum(entry.file_size for entry in opened.infolist()) > UNPACKED_LIMIT_BYTES:
                    raise DistributionError(source, "the archive is too large to be a Pyodide release")
                opened.extractall(target)
        elif archive.name.endswith(TAR_SUFFIXES):
            with tarfile.open(archive) as opened:
                # Refuses absolute names, `..`, links that leave the folder, and devices.
                opened.extractall(target, filter="data")
        else:
            raise DistributionError(
                source, f"{archive.name} is neither a folder nor one of {', '.join((*TAR_SUFFIXES, '.zip'))}"
            )
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise DistributionError(source, f"{archive} cannot be unpacked ({error})") from error
