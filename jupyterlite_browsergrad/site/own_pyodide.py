"""A site's own Pyodide: another distribution, or the embedded one with more packages; and the files from which the kernel starts it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyterlite_core.addons.base import BaseAddon
from jupyterlite_core.constants import JSON_FMT, LAB_EXTENSIONS, UTF8

from .. import paths
from .._version import PYODIDE_VERSION
from ..boot import javascript, other_pyodide
from ..boot.assets import STDLIB
from ..boot.javascript import EngineError
from ..constants import LABEXTENSION, PIPLITE_INDEX, PYODIDE_LOCK, RELEASE_LOCK, SITE_KERNEL, SITE_PYODIDE
from ..errors import VendoringError
from ..terminal import say
from . import distribution
from .choice import AUTO, SiteImports
from .packing import Packer
from .release import Release, embedded_lock, version_of
from .shared_libraries import has_shared_libraries
from .vendoring import Vendored, vendor
from .verification import read_object
from .wheels import is_plain_path, piplite_index, unpack_labextensions

__all__ = ["OwnPyodide", "Settings"]

#: Smallest total size of wheels that are packed. Fewer are loaded in no time.
MIN_PACKED_BYTES = 400_000
#: File with the names of the labextensions that come from vendored wheels.
FRONT_ENDS = "static/browsergrad/front_ends.json"


@dataclass(frozen=True)
class Settings:
    """The settings of the site's author. The names are those of the addon's traits."""

    pyodide_url: str | None
    package_base_url: str | None
    packages: list[str]
    offline: bool

    @property
    def is_auto(self) -> bool:
        return AUTO in self.packages

    @property
    def requirements(self) -> list[str]:
        """The packages that the author lists, without the entry for imported ones."""
        return [text for text in self.packages if text != AUTO]


class OwnPyodide:
    """Publishes the site's own Pyodide, with the front ends of its packages.

    Parameters
    ----------
    addon
        Knows the site's folders, and logs.
    settings
        The distribution and the packages.
    imports
        The imports of the site's contents.

    Attributes
    ----------
    pyodide, kernel
        The published folders: the distribution, and the kernel's files for it.
    """

    def __init__(self, addon: BaseAddon, settings: Settings, imports: SiteImports) -> None:
        self._addon = addon
        self._settings = settings
        self._imports = imports
        self._lite_dir = Path(addon.manager.lite_dir)
        self._cache = Path(addon.manager.cache_dir) / "browsergrad"
        self._output = Path(addon.manager.output_dir)
        self.pyodide = self._output / SITE_PYODIDE
        self.kernel = self._output / SITE_KERNEL

    @property
    def is_wanted(self) -> bool:
        """Whether the site has one."""
        settings = self._settings
        return bool(settings.pyodide_url or settings.requirements or (settings.is_auto and self._imports.missing([])))

    def inputs(self) -> str:
        """Return a text that changes whenever the result of `publish` may change."""
        settings = self._settings
        local = [text for text in settings.requirements if text.endswith(".whl")]
        if settings.pyodide_url and not distribution.is_url(settings.pyodide_url):
            local.append(settings.pyodide_url)
        roots = [
            paths.static("kernel", "manifest.json"),
            paths.static("pyodide"),
            *(self._lite_dir / text for text in local),
        ]
        files = [
            file for root in roots for file in (sorted(root.rglob("*")) if root.is_dir() else [root]) if file.is_file()
        ]
        stats = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
        values = [
            settings.pyodide_url,
            settings.package_base_url,
            settings.packages,
            sorted(self._imports.imports.needed) if settings.is_auto else None,
            str(self._output),
            self._addon.manager.no_sourcemaps,
            javascript.is_there(),
        ]
        return hashlib.sha256(json.dumps([values, stats]).encode()).hexdigest()

    def publish(self) -> None:
        """Fill ``static/browsergrad/pyodide`` with the distribution and the vendored wheels, and remove files of earlier builds."""
        release = self._release()
        source = release.folder
        vendored = self._vendor(release)
        replaced = distribution.with_our_stdlib(source, paths.static("pyodide"), paths.static("kernel"))
        packs, packed = self._pack(source, vendored)
        self._mirror(source, vendored, (replaced or self._publish_boot_assets(source)) | packed)
        if replaced:
            self._addon.delete_one(self.kernel)
        self._write_indexes(release.lock, vendored, packs)
        self._publish_front_ends([wheel.path for wheel in vendored.wheels])
        self._addon.maybe_timestamp(self.pyodide)

    def _release(self) -> Release:
        """Return the distribution with the packages of its release. Fetch the distribution if needed."""
        settings = self._settings
        if settings.pyodide_url:
            source = distribution.materialise(
                settings.pyodide_url, self._lite_dir, self._cache / "pyodide", offline=settings.offline, tell=tell
            )
            lock = distribution.read_lock(source)
            version = version_of(source, lock)
        else:
            source = distribution.root_of(paths.static("pyodide"), paths.static("pyodide"))
            lock = embedded_lock(source, distribution.read_lock(source))
            version = PYODIDE_VERSION
        return Release(
            lock,
            source,
            base=settings.package_base_url,
            version=version,
            cache=self._cache / "packages",
            lite_dir=self._lite_dir,
            offline=settings.offline,
            tell=tell,
        )

    def _vendor(self, release: Release) -> Vendored:
        """Get the listed packages, those that are imported if the setting says so, and those that the kernel needs."""
        manifest = json.loads(paths.static("kernel", "manifest.json").read_text(**UTF8))
        provided = manifest["packages"]
        locked = release.needs_of_kernel(manifest)
        for name in locked:
            provided.pop(name, None)
        if self._settings.is_auto:
            choice = self._imports.choose(release.lock)
            for line in choice.lines(release.lock):
                tell(f"auto: {line}")
            locked += [name for name in choice.packages if name not in locked]
        return vendor(
            self._settings.requirements,
            release,
            provided,
            self._lite_dir,
            self._cache / "wheels",
            locked=locked,
            embedded=embedded_lock(paths.static("pyodide"), release.lock) if self._settings.pyodide_url else None,
        )

    def _pack(self, source: Path, vendored: Vendored) -> tuple[dict[str, dict[str, Any]], dict[Path, Path]]:
        """Pack the vendored wheels for fast loading. Return what the lock says of the packs, by package, and the files to publish."""
        wheels = {wheel.name: wheel.path for wheel in vendored.wheels}
        wheels |= {name: path for name, path in vendored.files.items() if path.suffix == ".whl"}
        wheels = {name: path for name, path in wheels.items() if not has_shared_libraries(path)}
        if sum(path.stat().st_size for path in wheels.values()) < MIN_PACKED_BYTES:
            return {}, {}
        manifest = json.loads(paths.static("kernel", "manifest.json").read_text(**UTF8))
        portable = paths.static("kernel", manifest["packs"]["site"]["file"])
        packer = Packer(source, self._cache / "packs", self._cache / "boot" / "pyc", portable, self._warn)
        try:
            packs = packer.pack(wheels)
        except EngineError as error:
            self._warn(f"packages are not compiled ahead, importing them takes longer: {error}")
            return {}, {}
        return packs, packer.files(wheels)

    def _warn(self, text: str) -> None:
        self._addon.log.warning("[browsergrad] %s", text)

    def _publish_boot_assets(self, source: Path) -> dict[Path, Path]:
        """Make and publish the files from which another Pyodide starts. Return those that replace files of the distribution."""
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
        """Publish the labextensions in vendored wheels, such as that of the widgets, and remove those of an earlier build.

        They replace labextensions of the same name in the building environment, since they fit the vendored Python packages.
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
        """Copy files that have changed, and remove those that no longer belong. `replaced` files come from elsewhere."""
        wanted = {
            path.relative_to(source): path
            for path in source.rglob("*")
            if path.is_file() and not self._addon.is_ignored_sourcemap(path.name)
        }
        wanted.pop(Path(RELEASE_LOCK), None)
        wanted |= replaced
        wanted |= {Path(path.name): path for path in vendored.files.values()}
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

    def _write_indexes(self, lock: dict[str, Any], vendored: Vendored, packs: dict[str, dict[str, Any]]) -> None:
        """Write the lock of the packages that the site has, and piplite's index of the wheels that are not in the distribution's lock."""
        here = {
            name: entry for name, entry in lock["packages"].items() if (self.pyodide / entry["file_name"]).is_file()
        }
        entries = {wheel.name: wheel.lock_entry(vendored.depends.get(wheel.name, [])) for wheel in vendored.wheels}
        full = {**lock, "packages": dict(sorted({**here, **vendored.entries, **entries}.items()))}
        for name, entry in packs.items():
            full["packages"][name] = {**full["packages"][name], "packs": entry}
        write_if_changed(self.pyodide / PYODIDE_LOCK, json.dumps(full, **JSON_FMT))
        if vendored.wheels:
            write_if_changed(self.pyodide / PIPLITE_INDEX, json.dumps(piplite_index(vendored.wheels), **JSON_FMT))
        else:
            self._addon.delete_one(self.pyodide / PIPLITE_INDEX)

    def unmet_imports(self) -> Iterator[str]:
        """Yield a line for each imported module that the published site does not have."""
        published = self.pyodide / PYODIDE_LOCK
        locks = []
        if self.is_wanted and published.is_file():
            lock = read_object(published)
            if lock is None:  # damaged; the check of the files reports it
                return
            locks.append(lock)
        release = None if self._settings.pyodide_url else embedded_lock(paths.static("pyodide"), {"packages": {}})
        yield from self._imports.explain(locks, release)

    def remove(self) -> None:
        """Remove what an earlier build has published."""
        self._addon.delete_one(self.pyodide)
        self._addon.delete_one(self.kernel)
        self._publish_front_ends([])


def tell(text: str) -> None:
    """Print a line about what the build did."""
    say(f"    {text}", keep="")


def is_same(source: Path, target: Path) -> bool:
    """Tell whether a copy is current, by size and modification time, like rsync."""
    if not target.is_file():
        return False
    one, other = source.stat(), target.stat()
    return one.st_size == other.st_size and one.st_mtime_ns == other.st_mtime_ns


def write_if_changed(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text(**UTF8) != text:
        path.write_text(text, **UTF8)
