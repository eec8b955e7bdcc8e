"""The Chromium of tests and benchmarks: its path, and how it is started."""

from __future__ import annotations

import shutil

#: The same names as in `install_browsers.sh`.
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """Path of the browser."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    raise SystemExit("Chromium is needed: bash scripts/install_browsers.sh")
