"""A site's own Pyodide: another distribution, or the embedded one with more packages, and what the kernel starts from there."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from jupyterlite_core.addons.base import BaseAddon
from jupyterlite_core.constants import JSON_FMT, LAB_EXTENSIONS, UTF8

from .. import paths
from ..boot import javascript, other_pyodide
from ..boot.assets import STDLIB
from ..boot.javascript import EngineError
from ..constants import LABEXTENSION, PIPLITE_INDEX, PYODIDE_LOCK, SITE_KERNEL, SITE_PYODIDE
from ..errors import VendoringError
from . import distribution
from .vendoring import Vendored, vendor
from .wheels import is_plain_path, piplite_index, unpack_labextensions

__all__ = ["OwnPyodide"]

#: Names of the labextensions that came out of vendored wheels.
FRONT_ENDS = "static/browsergrad/front_ends.json"


class OwnPyodide:
    """Publishes it, with the front ends of its packages.

    Parameters
    ----------
    addon
        What knows the site's folders, and logs.
    url
        The distribution, or None for the embedded one.
    packages
        Requirements to vendor.

    Attributes
    ----------
    pyodide, kernel
        The published folders: the distribution, and what the kernel starts from in its place.
    """

    def __init__(self, addon: BaseAddon, url: str | None, packages: list[str]) -> None:
        self._addon = addon
        self._url = url
        self._packages = packages
        self._cache = Path(addon.manager.cache_dir) / "browsergrad"
        self._output = Path(addon.manager.output_dir)
        self.pyodide = self._output / SITE_PYODIDE
        self.kernel = self._output / SITE_KERNEL

    @property
    def is_wanted(self) -> bool:
        """Whether the site has one."""
        return bool(self._url or self._packages)

    def inputs(self) -> str:
        """Return text that differs when what `publish` would make may differ."""
        lite_dir = Path(self._addon.manager.lite_dir)
        local = [text for text in self._packages if text.endswith(".whl")]
        if self._url and not distribution.is_url(self._url):
            local.append(self._url)
        roots = [paths.static("kernel", "manifest.json"), paths.static("pyodide"), *(lite_dir / text for text in local)]
        files = [
            file for root in roots for file in (sorted(root.rglob("*")) if root.is_dir() else [root]) if file.is_file()
        ]
        stats = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
        settings = [
            self._url,
            list(self._packages),
            str(self._output),
            self._addon.manager.no_sourcemaps,
            javascript.is_there(),
        ]
        return hashlib.sha256(json.dumps([settings, stats]).encode()).hexdigest()

    def publish(self) -> None:
        """Make ``static/browsergrad/pyodide`` hold the distribution and the vendored wheels, and nothing of an earlier build."""
        lite_dir = Path(self._addon.manager.lite_dir)
        if self._url:
            source = distribution.materialise(self._url, lite_dir, self._cache / "pyodide")
        else:
            source = distribution.root_of(paths.static("pyodide"), paths.static("pyodide"))
        lock = distribution.read_lock(source)
        provided = json.loads(paths.static("kernel", "manifest.json").read_text(**UTF8))["packages"]
        vendored = vendor(list(self._packages), lock, source, provided, lite_dir, self._cache / "wheels")
        replaced = distribution.with_our_stdlib(source, paths.static("pyodide"), paths.static("kernel"))
        self._mirror(source, vendored, replaced or self._publish_boot_assets(source))
        if replaced:
            self._addon.delete_one(self.kernel)
        self._write_indexes(lock, vendored)
        self._publish_front_ends([wheel.path for wheel in vendored.wheels])
        self._addon.maybe_timestamp(self.pyodide)

    def _publish_boot_assets(self, source: Path) -> dict[Path, Path]:
        """Make and publish what another Pyodide than the embedded one starts from; return what replaces files of its own."""
        self._addon.delete_one(self.kernel)
        reference = f"../../../{LAB_EXTENSIONS}/{LABEXTENSION}/static/kernel/"
        try:
            made = other_pyodide.make(source, paths.static("kernel"), reference, self._cache / "boot")
        except EngineError as error:
            self._addon.log.warning(
                "[browsergrad] nothing is compiled ahead for this Pyodide, Python will start slowly: %s", error
            )
            return {}
        if made.problem:
            self._addon.log.warning(
                "[browsergrad] there is no memory snapshot, Python will start from its files: %s", made.problem
            )
        shutil.copytree(made.kernel, self.kernel)
        return {Path(STDLIB): made.stdlib}

    def _publish_front_ends(self, wheels: list[Path]) -> None:
        """Publish the labextensions inside vendored wheels, such as that of the widgets, and no longer those of an earlier build.

        They replace what the building environment has of the same name: these fit the vendored Python side.
        """
        root = self._output / LAB_EXTENSIONS
        record = self._output / FRONT_ENDS
        before = set(json.loads(record.read_text(**UTF8))) if record.is_file() else set()
        now: set[str] = set()
        for wheel in wheels:
            try:
                now.update(unpack_labextensions(wheel, root, self._addon.is_ignored_sourcemap))
            except ValueError as error:
                raise VendoringError(wheel.name, str(error)) from error
        for name in sorted(filter(is_plain_path, before - now)):
            self._addon.delete_one(root / name)
        if now:
            record.parent.mkdir(parents=True, exist_ok=True)
            write_if_changed(record, json.dumps(sorted(now)))
        else:
            self._addon.delete_one(record)

    def _mirror(self, source: Path, vendored: Vendored, replaced: dict[Path, Path]) -> None:
        """Copy what changed, remove what no longer belongs; `replaced` files come from elsewhere."""
        wanted = {
            path.relative_to(source): path
            for path in source.rglob("*")
            if path.is_file() and not self._addon.is_ignored_sourcemap(path.name)
        }
        wanted |= replaced
        wanted |= {Path(wheel.path.name): wheel.path for wheel in vendored.wheels}
        kept = {*wanted, Path(PYODIDE_LOCK), Path(PIPLITE_INDEX)}
        for path in [path for path in self.pyodide.rglob("*") if path.is_file()]:
            if path.relative_to(self.pyodide) not in kept:
                path.unlink()
        for relative, path in wanted.items():
            target = self.pyodide / relative
            if relative != Path(PYODIDE_LOCK) and not is_same(path, target):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target)

    def _write_indexes(self, lock: dict[str, Any], vendored: Vendored) -> None:
        entries = {wheel.name: wheel.lock_entry(vendored.depends.get(wheel.name, [])) for wheel in vendored.wheels}
        full = {**lock, "packages": dict(sorted({**lock["packages"], **entries}.items()))}
        write_if_changed(self.pyodide / PYODIDE_LOCK, json.dumps(full, **JSON_FMT))
        if vendored.wheels:
            write_if_changed(self.pyodide / PIPLITE_INDEX, json.dumps(piplite_index(vendored.wheels), **JSON_FMT))
        else:
            self._addon.delete_one(self.pyodide / PIPLITE_INDEX)

    def remove(self) -> None:
        """Take away what an earlier build has published."""
        self._addon.delete_one(self.pyodide)
        self._addon.delete_one(self.kernel)
        self._publish_front_ends([])


def is_same(source: Path, target: Path) -> bool:
    """Tell whether a copy is current, as rsync does: by size and modification time."""
    if not target.is_file():
        return False
    one, other = source.stat(), target.stat()
    return one.st_size == other.st_size and one.st_mtime_ns == other.st_mtime_ns


def write_if_changed(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text(**UTF8) != text:
        path.write_text(text, **UTF8)
