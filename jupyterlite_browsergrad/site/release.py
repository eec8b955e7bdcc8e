"""The packages in a distribution's lock: those on disk, and those that are fetched file by file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from packaging.utils import canonicalize_name

from ..constants import PYODIDE_CDN, RELEASE_LOCK
from ..errors import VendoringError
from ..hashing import sha256_of
from .distribution import is_url
from .downloads import Download, DownloadFailed, fetch_all, is_there
from .wheels import is_plain_path

__all__ = ["Release", "embedded_lock", "version_of"]

#: In the form that the minified `pyodide.mjs` has.
_VERSION = re.compile(r"""=\s*["'](\d+\.\d+\.\d+(?:[a-z]+\d+)?)["']""")


def embedded_lock(folder: Path, core: dict[str, Any]) -> dict[str, Any]:
    """Return the release lock: the lock of the release whose core is the embedded distribution."""
    path = folder / RELEASE_LOCK
    if not path.is_file():
        return core
    lock: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return lock


def version_of(folder: Path, lock: dict[str, Any]) -> str | None:
    """Return the Pyodide version of a distribution, from any of its files that names it."""
    if version := lock["info"].get("version"):
        return str(version)
    package = folder / "package.json"
    if package.is_file():
        try:
            return str(json.loads(package.read_text("utf-8"))["version"])
        except (ValueError, LookupError, TypeError):
            pass
    entry = folder / "pyodide.mjs"
    found = _VERSION.search(entry.read_text("utf-8", "replace")) if entry.is_file() else None
    return found[1] if found else None


class Release:
    """Gives the files of locked packages.

    Parameters
    ----------
    lock
        ``pyodide-lock.json``.
    folder
        The distribution. Its own files are preferred.
    base
        Address or folder of the files that are not in `folder`. If None, the CDN of `version`.
    version
        Pyodide's version, if known.
    cache
        Folder that keeps fetched files.
    lite_dir
        Folder to which a relative `base` is relative.
    offline
        Whether nothing may be fetched.
    tell
        Called with a line for each file that is fetched.
    """

    def __init__(
        self,
        lock: dict[str, Any],
        folder: Path,
        *,
        base: str | None = None,
        version: str | None = None,
        cache: Path,
        lite_dir: Path = Path(),
        offline: bool = False,
        tell: Callable[[str], None] = print,
    ):
        self.lock = lock
        self.folder = folder
        self.version = version
        self.cache = cache
        self.offline = offline
        self.tell = tell
        self.base: str | None = None
        self.mirror: Path | None = None
        self.is_given = bool(base)
        if base and not is_url(base):
            self.mirror = (lite_dir / Path(base).expanduser()).resolve()
        elif base:
            self.base = base if base.endswith("/") else f"{base}/"
        elif version:
            self.base = PYODIDE_CDN.format(version=version)

    @property
    def title(self) -> str:
        return f"Pyodide {self.version}" if self.version else "this Pyodide"

    def entry(self, name: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.lock["packages"].get(name)
        return found

    def is_on_disk(self, name: str) -> bool:
        """Tell whether a package need not be fetched: its file is in the distribution, or `base` is a folder that has it."""
        entry = self.entry(name)
        return entry is not None and self._on_disk(entry) is not None

    def is_pure(self, name: str) -> bool:
        """Tell whether a locked package is a pure Python wheel, which PyPI has too."""
        entry = self.entry(name)
        return entry is not None and entry["file_name"].endswith("-none-any.whl")

    def _on_disk(self, entry: dict[str, Any]) -> Path | None:
        for folder in filter(None, (self.folder, self.mirror)):
            path = folder / _file_name(entry)
            if path.is_file():
                return path
        return None

    def obtain(self, names: Iterable[str]) -> dict[str, Path]:
        """Return the files of packages, each with the SHA-256 in the lock. Fetch missing files in parallel.

        Raises
        ------
        VendoringError
            A file cannot be fetched, or is not the one in the lock. Where that is known before anything is fetched, it names all such files.
        """
        files: dict[str, Path] = {}
        downloads: list[Download] = []
        errors: list[VendoringError] = []
        for name in names:
            try:
                found = self._find(name, self.lock["packages"][name])
            except VendoringError as error:
                errors.append(error)
                continue
            downloads += [found] if isinstance(found, Download) else []
            files[name] = found.target if isinstance(found, Download) else found
        if errors:
            raise VendoringError.of_all(errors)
        try:
            fetch_all(downloads, self.tell)
        except DownloadFailed as error:
            raise VendoringError(error.download.name, f"{error}. {self._help(error)}") from error
        return files

    def _find(self, name: str, entry: dict[str, Any]) -> Path | Download:
        """Return the file of a package, or what fetches it."""
        path = self._on_disk(entry)
        if path is None:
            return self._download(name, entry)
        if sha256_of(path) != entry["sha256"]:
            raise VendoringError(name, f"{path} has another sha256 than the lock says; fetch the distribution again")
        return path

    def _download(self, name: str, entry: dict[str, Any]) -> Download:
        file = _file_name(entry)
        if self.mirror is not None:
            raise VendoringError(name, f"{self.mirror} (package_base_url) has no file {file}, which the lock names")
        if self.base is None:
            raise VendoringError(
                name,
                f"{self.folder} lacks {file}, and does not tell of which Pyodide version it is; "
                "set BrowsergradAddon.package_base_url to the address or folder that has it",
            )
        target = self.cache / entry["sha256"][:16] / file
        download = Download(
            f"{name} {entry['version']}", urljoin(self.base, entry["file_name"]), target, entry["sha256"]
        )
        if self.offline and not is_there(download):
            raise VendoringError(
                name, f"no earlier build has fetched {download.url}; build once without --browsergrad-offline"
            )
        return download

    def _help(self, error: DownloadFailed) -> str:
        mirror = "BrowsergradAddon.package_base_url can name a mirror, or a folder with the release's files"
        if error.is_absent:
            return f"Is it the address of {self.title}? {mirror}"
        return f"Behind a proxy set HTTPS_PROXY; {mirror}"

    def needs_of_kernel(self, manifest: dict[str, Any]) -> list[str]:
        """Return the packages of the release that the kernel needs: a Python other than the embedded one needs its own micropip.

        Only if the release has an address, its own or that of the distribution. A folder without micropip works, except for ``%pip``.
        """
        tag = "".join(self.lock["info"]["python"].split(".")[:2])
        if f"site-cp{tag}" in manifest["packs"] or not self.is_given or self.entry("micropip") is None:
            return []
        return ["micropip"]

    def published(self, name: str, provided: Iterable[str]) -> dict[str, Any]:
        """Return the lock's entry for a site: its file lies beside the lock, and it names no dependency that every kernel has."""
        entry = self.lock["packages"][name]
        depends = dict.fromkeys(canonicalize_name(other) for other in entry.get("depends", []))
        return {
            **entry,
            "file_name": _file_name(entry),
            "depends": [other for other in depends if other not in provided and other in self.lock["packages"]],
        }


def _file_name(entry: dict[str, Any]) -> str:
    """Return the name of a package's file: the last part of an address, if the lock has one."""
    name: str = entry["file_name"].rpartition("/")[2]
    if not is_plain_path(name):
        raise VendoringError(str(entry.get("name")), f"the lock names no file: {entry['file_name']!r}")
    return name
