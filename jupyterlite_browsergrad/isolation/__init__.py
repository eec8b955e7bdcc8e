"""Makes a built site isolate itself through its service worker, for web hosts that cannot send headers.

Two scripts beside this module are copied into the site. Every page of an application first loads ``isolate.js``, which registers
the site's service worker and loads the page again. That worker first loads ``isolating-worker.js``, which adds the headers.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..errors import SiteError

__all__ = ["FOLDER", "SERVICE_WORKER", "copy_scripts", "install", "is_installed", "remove", "set_worker_line"]

HERE = Path(__file__).parent
#: Folder of the scripts, relative to the site's root.
FOLDER = "static/browsergrad"
PAGE_SCRIPT, WORKER_SCRIPT = "isolate.js", "isolating-worker.js"
SERVICE_WORKER = "service-worker.js"
WORKER_LINE = f'importScripts("{FOLDER}/{WORKER_SCRIPT}");\n'
#: This attribute distinguishes pages of applications from other HTML.
PAGE_MARK = "data-jupyter-lite-root"
_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)
_TAG = re.compile(rf'\n?<script src="[^"]*{re.escape(FOLDER)}/{re.escape(PAGE_SCRIPT)}"></script>')


def install(site: Path) -> None:
    """Make every page of `site` isolate itself. A second call changes nothing.

    Raises
    ------
    SiteError
        The site has no service worker.
    """
    worker = copy_scripts(site, "isolate_with_service_worker", HERE / PAGE_SCRIPT, HERE / WORKER_SCRIPT)
    set_worker_line(worker, WORKER_LINE, WORKER_LINE)
    for page, html in _pages(site):
        up = "../" * (len(page.relative_to(site).parts) - 1)
        tag = f'\n<script src="{up}{FOLDER}/{PAGE_SCRIPT}"></script>'
        _write(page, html, _after_head(_TAG.sub("", html), tag))


def copy_scripts(site: Path, setting: str, *scripts: Path) -> Path:
    """Copy scripts into the site, and return the path of its service worker, which is to load them.

    Raises
    ------
    SiteError
        The site has no service worker, without which `setting` does nothing.
    """
    worker = site / SERVICE_WORKER
    if not worker.is_file():
        raise SiteError([f"{worker} is missing: {setting} needs the service worker of JupyterLite"])
    target = site / FOLDER
    target.mkdir(parents=True, exist_ok=True)
    for script in scripts:
        shutil.copyfile(script, target / script.name)
    return worker


def set_worker_line(worker: Path, begin: str, line: str) -> None:
    """Put `line` among those of the scripts that the service worker loads first, in place of one that begins with `begin`.

    An empty one takes that away. The line of `install` comes first, since its script changes the answers of all others.
    """
    before = worker.read_text("utf-8")
    lines = [each for each in before.splitlines(keepends=True) if not each.startswith(begin)]
    lines.insert(1 if lines and lines[0] == WORKER_LINE else 0, line)
    _write(worker, before, "".join(lines))


def _after_head(html: str, tag: str) -> str:
    return _HEAD.sub(lambda head: head.group() + tag, html, count=1)


def remove(site: Path) -> None:
    """Undo `install`."""
    for name in (PAGE_SCRIPT, WORKER_SCRIPT):
        (site / FOLDER / name).unlink(missing_ok=True)
    worker = site / SERVICE_WORKER
    if worker.is_file():
        set_worker_line(worker, WORKER_LINE, "")
    for page, html in _pages(site):
        _write(page, html, _TAG.sub("", html))


def is_installed(site: Path) -> bool:
    """Tell whether the site has any of the scripts of `install`."""
    return (site / FOLDER / PAGE_SCRIPT).is_file() or (site / FOLDER / WORKER_SCRIPT).is_file()


def _pages(site: Path) -> Iterator[tuple[Path, str]]:
    for page in sorted(site.rglob("*.html")):
        # `files/` holds the author's own documents.
        if page.relative_to(site).parts[0] != "files":
            html = page.read_text("utf-8", errors="surrogateescape")
            if PAGE_MARK in html:
                yield page, html


def _write(path: Path, before: str, text: str) -> None:
    if text != before:
        path.write_text(text, "utf-8", errors="surrogateescape")
