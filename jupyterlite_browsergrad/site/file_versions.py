"""Writes into a site's settings which versions of the runtime's first files it has.

Pages put these versions into the files' addresses. So a browser that has such a file need not ask the site for it again, and the page
can ask for all of them at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jupyterlite_core.constants import (
    JSON_FMT,
    JUPYTER_CONFIG_DATA,
    JUPYTERLITE_JSON,
    LAB_EXTENSIONS,
    LITE_PLUGIN_SETTINGS,
    UTF8,
)

from ..constants import FILE_VERSIONS, KERNEL_PLUGIN, KERNEL_URL, LABEXTENSION, PYODIDE_INDEX_URL, PYODIDE_LOCK
from ..hashing import sha256_of

__all__ = ["problems", "write"]

#: Digits of the SHA-256 that make a version. `static_server` and the labextension know this number, too.
DIGITS = 16
_STATIC = f"{LAB_EXTENSIONS}/{LABEXTENSION}/static/"
_FOLDER = re.compile(r"\./[^:?#]*/")


def _files(settings: dict[str, Any]) -> dict[str, str]:
    """Return the files by the names of their versions, relative to the site. Those outside of the site are not among them."""
    pyodide = settings.get(PYODIDE_INDEX_URL, f"./{_STATIC}pyodide/")
    kernel = settings.get(KERNEL_URL, f"./{_STATIC}kernel/")
    found = {
        "runtime": f"{_STATIC}runtime/index.js",
        "worker": f"{_STATIC}runtime/worker.js",
        "manifest": f"{kernel}manifest.json",
        "lock": f"{pyodide}{PYODIDE_LOCK}",
    }
    return {name: file for name, file in found.items() if file.startswith(_STATIC) or _FOLDER.match(file)}


def _versions(site: Path, settings: dict[str, Any]) -> dict[str, str]:
    paths = {name: site / file for name, file in _files(settings).items()}
    return {name: sha256_of(path)[:DIGITS] for name, path in paths.items() if path.is_file()}


def write(site: Path) -> Path | None:
    """Write the versions into the settings of a site whose files are all there.

    Returns
    -------
    Path or None
        The file with the settings if it has been changed.
    """
    path: Path = site / JUPYTERLITE_JSON
    config = json.loads(path.read_text(**UTF8))
    settings = config[JUPYTER_CONFIG_DATA][LITE_PLUGIN_SETTINGS][KERNEL_PLUGIN]
    versions = _versions(site, settings)
    if settings.get(FILE_VERSIONS) == versions:
        return None
    settings[FILE_VERSIONS] = versions
    path.write_text(json.dumps(config, **JSON_FMT), **UTF8)
    return path


def problems(site: Path, path: Path, settings: dict[str, Any]) -> Iterator[str]:
    """Yield what the settings in the file `path` say of files that have been changed since."""
    written = settings.get(FILE_VERSIONS, {})
    for name, version in _versions(site, settings).items():
        if name in written and written[name] != version:
            yield f"{site / _files(settings)[name]} is of another version than {path} says; build again"
