"""Where packages come from: the site's indexes for ``%pip``, and the site's lock for imports in a cell."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from collections.abc import Callable
from importlib.machinery import FileFinder
from types import ModuleType
from typing import Any

from IPython.core.error import UsageError

from . import cell_imports, release_modules
from ._host import host

#: The folder with the files of the file browser.
DRIVE = "/drive"
#: Import names of distributions that have another name.
_DISTRIBUTIONS = {
    **release_modules.PACKAGES,
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "pptx": "python-pptx",
    "serial": "pyserial",
}

_urls: list[str] = []
_disable_pypi = True
_vendored: frozenset[str] = frozenset()
_configured = False
_on_server = False


def configure(
    urls: list[str], disable_pypi: bool, vendored: list[str] | tuple[str, ...] = (), on_server: bool = False
) -> None:
    """Set where packages come from. piplite gets these settings when it is first used, since importing it takes a while.

    Parameters
    ----------
    urls
        The site's indexes, which are asked first.
    disable_pypi
        Whether PyPI is not asked.
    vendored
        Names of the distributions in the site's lock, which can be imported without `%pip`.
    on_server
        Whether the packages are configured on a server, and not by a site.
    """
    global _urls, _disable_pypi, _vendored, _configured, _on_server
    _urls, _disable_pypi, _vendored, _on_server = list(urls), disable_pypi, frozenset(vendored), on_server
    _configured = False


def is_offered(name: str) -> bool:
    """Whether the site has a package, by its normalized name."""
    return name in _vendored


def on_server() -> bool:
    """Whether this is a sandbox on a server, and not a page."""
    return _on_server


async def piplite() -> Any:
    """The package piplite, configured for this site."""
    global _configured
    if not _exists("micropip"):
        await host.load_packages(["micropip"])
        importlib.invalidate_caches()
    _adapt_micropip()
    import piplite
    import piplite.piplite

    if not _configured:
        _configured = True
        piplite.piplite._PIPLITE_URLS = _urls
        piplite.piplite._PIPLITE_DISABLE_PYPI = _disable_pypi
        _ask_folders_first(piplite.piplite)
    return piplite


def _adapt_micropip() -> None:
    """Make piplite work with micropip before 0.10, which older distributions have (Pyodide 0.27)."""
    import micropip.package_index as index

    if hasattr(index, "CompatibilityLayer"):
        return
    import micropip
    from micropip import _compat

    class CompatibilityLayer:
        fetch_string_and_headers = staticmethod(_compat.fetch_string_and_headers)

    index.CompatibilityLayer = CompatibilityLayer
    import piplite.piplite

    query_index, query_site, install = index.query_package, piplite.piplite._query_package, micropip.install

    async def query(name: str, index_urls: Any, compat_layer: Any, fetch_kwargs: Any) -> Any:
        return await query_index(name, index_urls, fetch_kwargs)

    async def query_site_first(name: str, index_urls: Any = None, fetch_kwargs: Any = None) -> Any:
        return await query_site(name, index_urls, compat_layer=CompatibilityLayer, fetch_kwargs=fetch_kwargs)

    async def install_without(*args: Any, reinstall: bool = False, **kwargs: Any) -> Any:
        return await install(*args, **kwargs)

    piplite.piplite._MP_QUERY_PACKAGE = query
    piplite.piplite._query_package = query_site_first
    micropip.install = install_without


async def install(*, no_index: bool = False, **options: Any) -> None:
    """Install requirements with piplite. Installed versions that do not fit are replaced.

    Parameters
    ----------
    no_index
        Whether PyPI is not asked, even if the site allows it.
    options
        Options of ``piplite.install``.
    """
    tool = await piplite()
    settings = tool.piplite
    before = settings._PIPLITE_DISABLE_PYPI
    settings._PIPLITE_DISABLE_PYPI = before or no_index
    for handler in logging.getLogger("micropip").handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(sys.stdout)  # micropip keeps the stream of its first use
    try:
        await tool.install(**options, reinstall=True)
    except ValueError as error:
        if _disable_pypi and not isinstance(error, UsageError) and not getattr(error, "__notes__", None):
            error.add_note(
                "This kernel's sandbox offers only packages that it was given. Who runs the server can give some: "
                "BrowsergradServerKernel.package_folders, or allow_pypi"
                if _on_server
                else "This site offers only packages of its own. Its author can add some: "
                f"BrowsergradAddon.packages = {options['requirements']!r}"
            )
        raise
    finally:
        settings._PIPLITE_DISABLE_PYPI = before
    importlib.invalidate_caches()


def _ask_folders_first(piplite: ModuleType) -> None:
    """Make piplite look into the folders of ``--find-links`` before it asks an index."""
    from . import micropip_hooks

    query_index = piplite._query_package
    if query_index.__module__ == __name__:
        return

    async def query(name: str, *args: Any, **kwargs: Any) -> Any:
        plan = micropip_hooks.current_plan()
        offered = plan.offered(name) if plan is not None else None
        return offered or micropip_hooks.in_order(await query_index(name, *args, **kwargs))

    piplite._query_package = query  # type: ignore[attr-defined]


def look_again() -> None:
    """Make imports read the drive's folders again. The folders' times do not change when others add a file."""
    for finder in sys.path_importer_cache.values():
        if isinstance(finder, FileFinder) and finder.path.startswith(DRIVE):
            finder.invalidate_caches()


async def load_imports(transformed: str, transform: Callable[[str], str]) -> None:
    """Load the site's packages that a transformed cell imports. If that fails, the import itself will raise an error."""
    if not _vendored:
        return
    try:
        if missing := cell_imports.missing(transformed, transform):
            await host.packages_from_imports("\n".join(f"import {name}" for name in missing))
    except Exception as error:  # the import itself raises what the user should see
        print(f"packages could not be loaded: {error}", file=sys.stderr)


def _not_found(error: Any) -> str:
    """Return the module that was not found; empty if the error is another one.

    Libraries raise an ImportError of their own for a module that only some of their functions need, as pandas does for Jinja2.
    """
    for each in (error, error.__cause__, error.__context__) if isinstance(error, ImportError) else ():
        if isinstance(each, ModuleNotFoundError) and each.name:
            return each.name.partition(".")[0]
    return ""


def explain_missing(error: Any) -> None:
    """Add a note to the error of an import that says how to get the missing module."""
    name = _not_found(error)
    if not name or getattr(error, "__notes__", None):
        return
    if name in sys.builtin_module_names or name in sys.stdlib_module_names or _exists(name):
        return
    package = _DISTRIBUTIONS.get(name, name)
    if package.lower().replace("_", "-") in _vendored:
        error.add_note(f"{name} is vendored by this site but could not be loaded: see the log of the page")
        return
    if _on_server:
        where = "not in this kernel's sandbox"
        more = "if a package folder has it" if _disable_pypi else "from PyPI or a package folder"
        error.add_note(
            f"{name} is {where}; try `%pip install {package}`, {more} (BrowsergradServerKernel.package_folders)"
        )
        return
    ways = [f"the site's author can vendor it: BrowsergradAddon.packages = [{package!r}]"]
    if not _disable_pypi:
        ways.insert(0, f"try `%pip install {package}`")
    error.add_note(f"{name} is not part of this site; {', or '.join(ways)}")


def _exists(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError, AttributeError):  # half-made modules in sys.modules
        return name in sys.modules
