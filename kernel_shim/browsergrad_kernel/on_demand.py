"""Loads packages when they are imported, wherever that happens.

The text of a cell names most packages, and those are loaded before it runs (`cell_imports`). This module handles the rest: imports by
modules beside the notebook, by ``importlib``, by functions of libraries that need another library, and by callbacks.
"""

from __future__ import annotations

import hashlib
import json
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import FileFinder, ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from . import blocking, cell_imports, interrupts
from ._host import host
from .libraries import SHOWN_WITH

#: Beginnings of the files of code that imports for others: `importlib`, and `import_records`.
_IMPORTERS = ("<frozen ", str(Path(__file__).with_name("import_records")))
#: Libraries whose frames search for modules.
_FINDERS = ("importlib", "browsergrad_kernel")


class _Finder(MetaPathFinder):
    """Finds the packages in the distribution's lock. It is the last finder, so that files and substitutes come first."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if "." in fullname:
            return None
        frame = sys._getframe(1)
        if host.background_offers(fullname):
            return ModuleSpec(fullname, _BackgroundLoader()) if _of_user(frame) else None
        package = host.package_of(fullname)
        if package is None or not (_users_wish(frame) or _is_shown_with(fullname, frame)):
            return None
        return ModuleSpec(fullname, _Loader(package))

    def find_elsewhere(self, name: str) -> ModuleSpec | None:
        """What the other finders find, after the files have been loaded."""
        files_were_added()
        for finder in sys.meta_path:
            if finder is not self and (spec := finder.find_spec(name, None)) is not None:
                return spec
        return None


_finder = _Finder()


def files_were_added() -> None:
    """Let imports find new files in folders that have been read before.

    `importlib.invalidate_caches` imports `importlib.metadata` for that, and reads the standard library's zip file again, which takes
    a third of a second before the first import of a package.
    """
    for path, finder in list(sys.path_importer_cache.items()):
        if finder is None:
            del sys.path_importer_cache[path]  # there was no such folder
        elif isinstance(finder, FileFinder):
            finder.invalidate_caches()
    if metadata := sys.modules.get("importlib.metadata"):
        metadata.MetadataPathFinder().invalidate_caches()  # of an instance, since it is not a class method before 3.12


class _Loader(Loader):
    """Takes the place of a module's real loader until its package is loaded. So testing whether a module exists loads nothing."""

    def __init__(self, package: str) -> None:
        self.package = package

    def load(self) -> None:
        """Load the package, and wait until it is loaded."""
        blocking.wait_for(host.load_packages([self.package]))

    def load_now(self) -> None:
        """Load the package without suspending Python. The worker is blocked while each file is fetched."""
        for entry in json.loads(host.packages_in_order(self.package)):
            name = entry["name"]
            host.package_is(name, "loading")
            try:
                _install_now(entry)
            except BaseException as error:
                host.package_is(name, "failed", str(error))
                raise
            host.package_is(name, "loaded")
            interrupts.poll()

    def can_load_now(self) -> bool:
        """Whether `load_now` may be called. Only Pyodide can link dynamic libraries that several modules share, as SciPy's."""
        entries = json.loads(host.packages_in_order(self.package))
        return host.reads_now() and all(entry["install_dir"] != "dynlib" for entry in entries)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        _load(self, spec.name)
        real = _finder.find_elsewhere(spec.name)
        if real is None or real.loader is None:
            raise ModuleNotFoundError(
                f"No module named {spec.name!r}: the package {self.package} of this site does not hold it",
                name=spec.name,
            )
        # From here on, importlib uses the real spec.
        spec.__dict__.update(real.__dict__)
        if there := sys.modules.get(spec.name):
            # Another task imported it while this one waited. Some modules cannot be created twice.
            spec.loader = _Present(there)
        return spec.loader.create_module(spec) if spec.loader else None

    def exec_module(self, module: ModuleType) -> None:
        """Never called: `create_module` installs another loader, or raises."""


class _BackgroundLoader(_Loader):
    """Loads the pack of what completion uses, which the kernel fetches for the first completion unless a cell imports it before."""

    def __init__(self) -> None:
        super().__init__("jedi")

    def load(self) -> None:
        blocking.wait_for(host.load_background())

    def load_now(self) -> None:
        host.load_background_now()

    def can_load_now(self) -> bool:
        return bool(host.reads_now())


class _Present(Loader):
    """Returns a module that exists already."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module has already been executed."""


def _load(loader: _Loader, module: str) -> None:
    """Load a package and its dependencies, and wait until they are loaded.

    Raises
    ------
    ModuleNotFoundError
        The package cannot be loaded, or Python cannot wait here.
    """
    if blocking.can_wait():
        wait = loader.load
    elif loader.can_load_now():
        wait = loader.load_now
    else:
        raise ModuleNotFoundError(
            f"No module named {module!r} yet: Python cannot wait here until its package {loader.package} has been loaded. "
            f"Write `import {module}` into a cell of its own, and run that first",
            name=module,
        )
    try:
        wait()
    except Exception as error:
        raise ModuleNotFoundError(
            f"No module named {module!r}: its package {loader.package} could not be loaded: {error}", name=module
        ) from error


def _install_now(entry: dict[str, str]) -> None:
    """Load a package from the site's packs. If it has none, fetch a file of the lock, check it and unpack it, with the functions that
    Pyodide itself uses (0.27 and later).
    """
    if host.load_now(entry["name"]):
        return
    from pyodide import _package_loader

    file, folder = entry["file_name"], entry["install_dir"]
    data = host.read_now(file)
    if hashlib.sha256(data.to_bytes()).hexdigest() != entry["sha256"]:
        raise OSError(f"{file} has another sha256 than pyodide-lock.json says: build the site again")
    with interrupts.uninterruptible():
        _package_loader.unpack_buffer(data, filename=file, extract_dir=_package_loader.get_install_dir(folder))


def _users_wish(frame: Any) -> bool:
    """Whether user code imports the module, itself or by calling a function of a library.

    False while a library is being imported: many libraries test whether others exist (pandas tests for pyarrow), and those that they
    need have been loaded with them, as the lock says. Also false if no user code is running, as in completion.
    """
    outermost = None
    while frame is not None:
        code = frame.f_code
        if cell_imports.is_users(code.co_filename):
            return outermost is None or outermost.co_name != "<module>"
        if not code.co_filename.startswith(_IMPORTERS):
            outermost = code
        frame = frame.f_back
    return False


def _is_shown_with(module: str, frame: Any) -> bool:
    """Whether a library that user code has imported needs the module to show its output."""
    return module in SHOWN_WITH.get(_importing(frame), ()) and _of_user(frame)


def _of_user(frame: Any) -> bool:
    """Whether user code runs, in whatever library it may be."""
    while frame is not None and not cell_imports.is_users(frame.f_code.co_filename):
        frame = frame.f_back
    return frame is not None


def _importing(frame: Any) -> str:
    """Return the package whose code imports the module."""
    while frame is not None:
        name: str = frame.f_globals.get("__name__", "")
        top = name.partition(".")[0]
        if not frame.f_code.co_filename.startswith("<frozen ") and top not in _FINDERS:
            return top
        frame = frame.f_back
    return ""


def install() -> None:
    """Add the finder after those that find files. Pyodide's own finder, for JavaScript modules, may come after it."""
    if _finder not in sys.meta_path:
        sys.meta_path.append(_finder)
