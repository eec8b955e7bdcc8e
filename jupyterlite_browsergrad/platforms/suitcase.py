"""Packs a built site with a program that serves it, for computers without a network."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

from .site_package import Packed, files_of_site, write_zip

__all__ = ["suitcase"]

#: Folder in the zip file -> modules of this package that the program imports.
PROGRAM = ("static_server.py", "precompressed.py")
WINDOWS = """@echo off
cd /d "%~dp0"
where py >nul 2>nul && (py -3 start.py %* & goto end)
where python >nul 2>nul && (python start.py %* & goto end)
echo Python is missing: install it from https://www.python.org/downloads/ and start this file again.
:end
if errorlevel 1 pause
"""
UNIX = """#!/bin/sh
cd "$(dirname "$0")" || exit 1
for python in python3 python; do
  if command -v "$python" >/dev/null 2>&1; then
    exec "$python" start.py "$@"
  fi
done
echo "Python is missing: install it from https://www.python.org/downloads/ and start this file again." >&2
printf 'Press Return. '
read -r _
exit 1
"""
README = """This folder holds a site that needs no network: notebooks with their own Python, which runs in the browser.
The computer needs Python 3.9 or newer, to serve the files; no packages.

1. Unpack the whole zip file.
2. Double-click start.bat (Windows), start.command (macOS) or start.sh (Linux; "Run as a program").
   Or, in a terminal:  python3 start.py
3. The browser opens the site. Keep the window of the program open meanwhile.

Only this computer reaches the site. What you write is kept by the browser, for this address. The address stays the same as long as the
folder keeps its name. On macOS, the first time, choose "Open" from the file's context menu.
"""


def suitcase(site: Path, out: Path) -> Packed:
    """Write the zip file, with everything in one folder of its name.

    Raises
    ------
    ConfigurationError
        It is not a built site, or `out` cannot be written. Nothing was written then.
    """
    top = re.sub(r'[\x00-\x1f<>:"/\\|?*]', "_", out.stem) or "site"
    package = resources.files(__package__)
    modules = resources.files("jupyterlite_browsergrad.site")
    added = {
        f"{top}/README.txt": README.replace("\n", "\r\n").encode(),
        f"{top}/start.bat": WINDOWS.replace("\n", "\r\n").encode(),
        f"{top}/start.command": UNIX.encode(),
        f"{top}/start.sh": UNIX.encode(),
        f"{top}/start.py": package.joinpath("start.py").read_bytes(),
        f"{top}/program/__init__.py": b"",
        **{f"{top}/program/{name}": modules.joinpath(name).read_bytes() for name in PROGRAM},
    }
    files = {f"{top}/site/{name}": path for name, path in files_of_site(site).items()}
    programs = {name for name in added if name.endswith((".command", ".sh"))}
    return write_zip(files, added, out, programs)
