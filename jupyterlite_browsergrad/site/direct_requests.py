"""Makes the service worker of a built site leave the requests for Python's own files to the browser.

It loads ``direct-requests-worker.js`` first, which says why. Sites whose service worker adds headers or answers from an offline copy do without,
since these files need both.
"""

from __future__ import annotations

from pathlib import Path

from ..isolation import FOLDER, SERVICE_WORKER, copy_scripts, set_worker_line

__all__ = ["install", "remove"]

SCRIPT = Path(__file__).with_name("direct-requests-worker.js")
LINE = f'importScripts("{FOLDER}/{SCRIPT.name}");\n'


def install(site: Path) -> None:
    """Change the service worker of `site`, if it has one. A second call changes nothing."""
    if (site / SERVICE_WORKER).is_file():
        set_worker_line(copy_scripts(site, SCRIPT.name, SCRIPT), LINE, LINE)


def remove(site: Path) -> None:
    """Undo `install`."""
    (site / FOLDER / SCRIPT.name).unlink(missing_ok=True)
    if (site / SERVICE_WORKER).is_file():
        set_worker_line(site / SERVICE_WORKER, LINE, "")
