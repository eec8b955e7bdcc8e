"""``%pip`` and packages named by a cell's imports.

``%pip`` is piplite's, of jupyterlite-pyodide-kernel: micropip with the site's own index first.
"""

from __future__ import annotations

import re
import shlex
import sys
from typing import Any

from . import interrupts
from ._host import host

_PIP = re.compile(r"^(\s*)[%!]pip\b(.*)$")


def configure(urls: list[str], disable_pypi: bool) -> None:
    """Tell piplite where to look; kept until it is imported, since micropip takes a while to."""
    global _settings
    _settings = (list(urls), disable_pypi)


_settings: tuple[list[str], bool] = ([], True)
_configured = False


def _piplite() -> Any:
    global _configured
    import piplite.cli
    import piplite.piplite

    if not _configured:
        _configured = True
        piplite.piplite._PIPLITE_URLS, piplite.piplite._PIPLITE_DISABLE_PYPI = _settings
        _protect_installs()
    return piplite


def _protect_installs() -> None:
    """Keep the commit of a wheel whole; its download stays interruptible."""
    from micropip.wheelinfo import WheelInfo

    install = WheelInfo.install

    async def install_whole(self: Any, *args: Any, **kwargs: Any) -> Any:
        with interrupts.uninterruptible():
            return await install(self, *args, **kwargs)

    WheelInfo.install = install_whole


async def transform_pip(code: str) -> str:
    """Turn ``%pip install …`` lines into calls of piplite."""
    if "pip" not in code:
        return code
    lines = code.splitlines(keepends=True)
    for number, line in enumerate(lines):
        found = _PIP.match(line.rstrip("\n"))
        if found:
            indent, arguments = found.groups()
            call = await _piplite().cli.get_transformed_code(shlex.split(arguments))
            lines[number] = f"{indent}{(call or '').strip() or 'pass'}\n"
    return "".join(lines)


async def load_imports(code: str) -> None:
    """Load the site's packages that `code` imports; a failure shows when the import runs."""
    if "import" not in code:
        return
    try:
        await host.packages_from_imports(code)
    except KeyboardInterrupt:
        raise
    except Exception as error:  # the import itself raises what the user should see
        print(f"packages could not be loaded: {error}", file=sys.stderr)


def explain_missing(error: BaseException) -> None:
    """Add to a ModuleNotFoundError how the module can be had."""
    if isinstance(error, ModuleNotFoundError) and error.name and not getattr(error, "__notes__", None):
        name = error.name.partition(".")[0]
        error.add_note(
            f"{name} is not part of this site. Try `%pip install {name}`, or ask the site's author to "
            f'vendor it: BrowsergradAddon.packages = ["{name}"]'
        )
