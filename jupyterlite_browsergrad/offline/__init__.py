"""Makes a built site keep a copy of itself in each visitor's browser, so that it opens without a network.

The build writes `LIST`, with the hash of every file that pages may ask for. The labextension downloads these files in idle pages. The site's
service worker first loads ``offline-worker.js``, which answers pages from that copy once it is complete.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from .. import isolation
from ..hashing import sha256_of
from ..isolation import FOLDER, SERVICE_WORKER
from ..site.verification import read_object
from .kept_files import LIST, WORKER_SCRIPT, files_to_keep

__all__ = ["LIST", "install", "is_installed", "problems", "remove", "write_list"]

HERE = Path(__file__).parent
#: Version of the list's format. Pages ignore a list of another format.
FORMAT = 1
#: Hexadecimal digits of a version.
VERSION_DIGITS = 16
#: Most paths that one problem names.
MAX_NAMED = 3
MANIFEST = "manifest.webmanifest"
_IMPORT = f'importScripts("{FOLDER}/{WORKER_SCRIPT}?v='


def install(site: Path) -> None:
    """Make the site's service worker answer from a copy in the browser. A second call changes nothing.

    Raises
    ------
    SiteError
        The site has no service worker.
    """
    script = HERE / WORKER_SCRIPT
    worker = isolation.copy_scripts(site, "offline_copy", script)
    # Browsers look for a new service worker by comparing this file, so it names the version of what it loads.
    line = f'{_IMPORT}{sha256_of(script)[:VERSION_DIGITS]}");\n'
    isolation.set_worker_line(worker, _IMPORT, line)
    _mend_manifest(site / MANIFEST)


def _mend_manifest(path: Path) -> None:
    """Make shortcuts of the installed site relative. Those of JupyterLite leave a site that is in a folder of its host."""
    if not path.is_file() or (manifest := read_object(path)) is None:
        return
    before = json.dumps(manifest)
    for shortcut in manifest.get("shortcuts", []):
        if str(shortcut.get("url")).startswith("/"):
            shortcut["url"] = "." + shortcut["url"]
    if json.dumps(manifest) != before:
        path.write_text(json.dumps(manifest, indent=2), "utf-8")


def remove(site: Path) -> None:
    """Undo `install`, and delete the list. Pages then delete the copies that they find."""
    (site / FOLDER / WORKER_SCRIPT).unlink(missing_ok=True)
    (site / LIST).unlink(missing_ok=True)
    if (site / SERVICE_WORKER).is_file():
        isolation.set_worker_line(site / SERVICE_WORKER, _IMPORT, "")


def is_installed(site: Path) -> bool:
    """Tell whether the site has anything of `install` or `write_list`."""
    return (site / FOLDER / WORKER_SCRIPT).is_file() or (site / LIST).is_file()


def list_of(site: Path) -> dict[str, Any]:
    """Return the list of the files that a copy of `site` has."""
    files = [
        {"path": name, "size": path.stat().st_size, "sha256": sha256_of(path)}
        for name, path in files_to_keep(site).items()
    ]
    text = json.dumps(files)
    return {
        "format": FORMAT,
        "version": hashlib.sha256(text.encode()).hexdigest()[:VERSION_DIGITS],
        "size_bytes": sum(file["size"] for file in files),
        "files": files,
    }


def write_list(site: Path) -> dict[str, Any]:
    """Write the list of the site's files, and return it. Nothing may change the site afterwards."""
    content = list_of(site)
    (site / FOLDER).mkdir(parents=True, exist_ok=True)
    (site / LIST).write_text(json.dumps(content, separators=(",", ":")), "utf-8")
    return content


def problems(site: Path) -> list[str]:
    """Return what is wrong with the list of a site that has one."""
    path = site / LIST
    try:
        written = json.loads(path.read_text("utf-8"))
        before = {file["path"]: file["sha256"] for file in written["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return [
            f"{path} is missing or damaged: build again with `jupyter lite build`, as the last step before publishing"
        ]
    now = {file["path"]: file["sha256"] for file in list_of(site)["files"]}
    changed = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    if not changed:
        return []
    more = f" and {len(changed) - MAX_NAMED} more" if len(changed) > MAX_NAMED else ""
    return [
        f"{path} is stale: {', '.join(changed[:MAX_NAMED])}{more} changed after it was written, so browsers could not keep "
        "an offline copy: build again with `jupyter lite build`, as the last step before publishing"
    ]
