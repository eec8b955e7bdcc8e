"""Which files of a site belong to its offline copy."""

from __future__ import annotations

import json
import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from ..constants import KERNEL_PLUGIN, KERNEL_URL, LABEXTENSION, PYODIDE_INDEX_URL, SITE_KERNEL, SITE_PYODIDE
from ..isolation import FOLDER
from ..site.precompressed import CONTENTS, ENCODINGS, is_compressible

__all__ = ["LIST", "WORKER_SCRIPT", "files_to_keep"]

#: The list of the files, relative to the site's root.
LIST = f"{FOLDER}/offline.json"
WORKER_SCRIPT = "offline-worker.js"
#: Files that no page asks for: those that developers need, and those that the browser loads for service workers only. Forms of files for
#: slow lines, since pages do without them.
_NEVER = re.compile(
    r"""
    .*\.(?:map|LICENSE\.txt)
    | (?:.*/)?\.[^/]*
    | SHA256SUMS | [^/]*\.tgz | rspack\.config[^/]*\.js | jupyterlite\.schema\.v0\.json
    | (?:[a-z]+/)?package\.json
    | (?:build/)?service-worker\.js
    | .*/static/kernel/[a-z]+\.[0-9a-f]{8}\.xz\.bin
    | static/browsergrad/(?:offline\.json|(?:offline|isolating)-worker\.js)
    """,
    re.VERBOSE,
)
#: Forms of a font that browsers ask for only if they know no better one, which is beside them.
_OTHER_FONTS = (".eot", ".svg", ".ttf", ".woff")
_EMBEDDED = f"extensions/{LABEXTENSION}/static"


def files_to_keep(site: Path) -> dict[str, Path]:
    """Return the files that pages of `site` may ask for, by their path in it, in order."""
    unused, shared = tuple(_unused_folders(site)), set(_shared_files(site))
    return {
        name: path
        for name, path in sorted(_all_files(site))
        if name.startswith(f"{CONTENTS}/")
        or not ((name.startswith(unused) and name not in shared) or _is_never_asked_for(name, path))
    }


def _all_files(site: Path) -> Iterator[tuple[str, Path]]:
    for folder, _, names in os.walk(site, followlinks=True):
        for name in names:
            path = Path(folder, name)
            yield path.relative_to(site).as_posix(), path


def _is_never_asked_for(name: str, path: Path) -> bool:
    if _NEVER.fullmatch(name):
        return True
    if path.suffix in ENCODINGS.values():
        original = path.with_suffix("")
        return original.is_file() and is_compressible(Path(name).with_suffix(""))
    return path.suffix in _OTHER_FONTS and path.with_suffix(".woff2").is_file()


def _unused_folders(site: Path) -> Iterator[str]:
    """The embedded Pyodide and its kernel files, if the site has its own in their place."""
    try:
        config = json.loads((site / "jupyter-lite.json").read_text("utf-8"))
        settings = config["jupyter-config-data"]["litePluginSettings"][KERNEL_PLUGIN]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if settings.get(PYODIDE_INDEX_URL) == f"./{SITE_PYODIDE}/":
        yield f"{_EMBEDDED}/pyodide/"
    if settings.get(KERNEL_URL) == f"./{SITE_KERNEL}/":
        yield f"{_EMBEDDED}/kernel/"


def _shared_files(site: Path) -> Iterator[str]:
    """The embedded kernel files that the site's own ones name: packs fit all distributions with the same Python."""
    try:
        packs = json.loads((site / SITE_KERNEL / "manifest.json").read_text("utf-8"))["packs"]
        yield from (posixpath.normpath(posixpath.join(SITE_KERNEL, pack["file"])) for pack in packs.values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return
