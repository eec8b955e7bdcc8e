"""``%pip`` and packages named by a cell's imports.

``%pip`` is piplite's, of jupyterlite-pyodide-kernel: micropip with the site's own index first.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import shlex
import sys
from collections.abc import Callable
from importlib.abc import MetaPathFinder
from importlib.machinery import FileFinder, ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from . import cell_imports, interrupts
from ._host import host

#: What IPython makes of ``%pip …`` and ``!pip …``.
_PIP_CALL = re.compile(
    r"get_ipython\(\)\.(?:run_line_magic\('pip', (?P<quote>['\"])"
    r"|system\((?P<shell>['\"])pip3?(?:\s+|(?=(?P=shell))))"
)

#: Where the notebook's files are.
DRIVE = "/drive"
#: Import names whose distribution is called otherwise.
_DISTRIBUTIONS = {
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}

_urls: list[str] = []
_disable_pypi = True
_vendored: frozenset[str] = frozenset()
_configured = False
_on_server = False


def configure(
    urls: list[str], disable_pypi: bool, vendored: list[str] | tuple[str, ...] = (), on_server: bool = False
) -> None:
    """Say where packages come from; piplite is told when it is first used, since importing it takes a while.

    Parameters
    ----------
    urls
        Indexes of the site, asked first.
    disable_pypi
        Whether those are all there is.
    vendored
        Distributions the site's lock offers to plain imports.
    on_server
        Whether a server's settings, not a site's, say which packages there are.
    """
    global _urls, _disable_pypi, _vendored, _configured, _on_server
    _urls, _disable_pypi, _vendored, _on_server = list(urls), disable_pypi, frozenset(vendored), on_server
    _configured = False


async def _piplite() -> Any:
    global _configured
    if not _exists("micropip"):
        await host.load_packages(["micropip"])
        importlib.invalidate_caches()
    _adapt_micropip()
    import piplite
    import piplite.cli
    import piplite.piplite

    if not _configured:
        _configured = True
        piplite.piplite._PIPLITE_URLS = _urls
        piplite.piplite._PIPLITE_DISABLE_PYPI = _disable_pypi
    return piplite


def _adapt_micropip() -> None:
    """Let piplite work with the micropip of an older distribution, before 0.10 (Pyodide 0.27)."""
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


class _Watch(MetaPathFinder):
    """Makes micropip's commits whole wherever it is imported, by ``%pip`` or by the user."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path) if fullname == "micropip" else None
        if spec and spec.loader:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                _protect_commits(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _protect_commits(micropip: ModuleType) -> None:
    """Keep what writes and what removes a wheel's files whole; its download stays interruptible."""
    from micropip.package_manager import PackageManager
    from micropip.wheelinfo import WheelInfo

    install = WheelInfo.install
    # Before micropip 0.10 (Pyodide 0.27) the files are removed by `uninstall` itself.
    owner, name = (
        (PackageManager, "_uninstall_distributions")
        if hasattr(PackageManager, "_uninstall_distributions")
        else (micropip, "uninstall")
    )
    remove = getattr(owner, name)

    async def install_whole(*args: Any, **kwargs: Any) -> Any:
        with interrupts.uninterruptible():
            return await install(*args, **kwargs)

    def remove_whole(*args: Any, **kwargs: Any) -> Any:
        with interrupts.uninterruptible():
            return remove(*args, **kwargs)

    WheelInfo.install = install_whole
    setattr(owner, name, remove_whole)


def watch() -> None:
    """See to it that no interrupt leaves half a package behind."""
    if not any(isinstance(finder, _Watch) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Watch())


def await_pip(transformed: str) -> str:
    """Turn a transformed cell's calls of pip into awaits of `KernelShell.pip`.

    Installing waits for downloads, which a synchronous magic can't do in a browser.
    """
    if "pip" not in transformed:
        return transformed
    return _PIP_CALL.sub(
        lambda found: f"await get_ipython().pip({found['quote'] or found['shell']}", transformed
    )


async def pip(arguments: str) -> None:
    """Run one ``pip`` command line: install, uninstall, list, freeze."""
    words = shlex.split(arguments)
    command = words[0] if words else "help"
    if command in ("list", "freeze"):
        _list(command)
        return
    if command == "uninstall":
        await _piplite()
        import micropip

        micropip.uninstall([word for word in words[1:] if not word.startswith("-")])
        return
    cli = (await _piplite()).cli
    action, options = await cli.get_action_kwargs(words)
    if action == "help" and command in ("help", "--help", "-h"):
        cli._get_parser().print_help()
    elif action != "install":
        raise ValueError(f"%pip {arguments}: this kernel's pip can install, uninstall, list and freeze packages")
    elif not options["requirements"]:
        raise ValueError("%pip install needs at least one package")
    else:
        await _install(options)


async def _install(options: dict[str, Any]) -> None:
    try:
        await (await _piplite()).install(**options)
    except Exception as error:
        if _disable_pypi and not getattr(error, "__notes__", None):
            error.add_note(
                "This kernel's sandbox offers only packages that it was given. Who runs the server can give some: "
                "BrowsergradServerKernel.package_folders, or allow_pypi"
                if _on_server
                else "This site offers only packages of its own. Its author can add some: "
                f"BrowsergradAddon.packages = {options['requirements']!r}"
            )
        raise
    importlib.invalidate_caches()


def _list(command: str) -> None:
    from importlib.metadata import distributions

    found = {item.metadata["Name"]: item.version for item in distributions()}
    for name in sorted(found, key=str.lower):
        print(f"{name}=={found[name]}" if command == "freeze" else f"{name:<28} {found[name]}")


def look_again() -> None:
    """Let imports see the drive's files as they are now: its folders don't tell when somebody else adds one."""
    for finder in sys.path_importer_cache.values():
        if isinstance(finder, FileFinder) and finder.path.startswith(DRIVE):
            finder.invalidate_caches()


async def load_imports(transformed: str, transform: Callable[[str], str]) -> None:
    """Load the site's packages that a transformed cell imports; a failure shows when the import runs."""
    if not _vendored:
        return
    try:
        if missing := cell_imports.missing(transformed, transform):
            await host.packages_from_imports("\n".join(f"import {name}" for name in missing))
    except Exception as error:  # the import itself raises what the user should see
        print(f"packages could not be loaded: {error}", file=sys.stderr)


def explain_missing(error: Any) -> None:
    """Add to a ModuleNotFoundError how the module can be had."""
    if not isinstance(error, ModuleNotFoundError) or not error.name or getattr(error, "__notes__", None):
        return
    name = error.name.partition(".")[0]
    if name in sys.builtin_module_names or name in sys.stdlib_module_names or _exists(name):
        return
    package = _DISTRIBUTIONS.get(name, name)
    if package.lower().replace("_", "-") in _vendored:
        error.add_note(f"{name} is vendored by this site but could not be loaded: see the log of the page")
        return
    if _on_server:
        where = "not in this kernel's sandbox"
        more = "if a package folder has it" if _disable_pypi else "from PyPI or a package folder"
        error.add_note(f"{name} is {where}; try `%pip install {package}`, {more} (BrowsergradServerKernel.package_folders)")
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
