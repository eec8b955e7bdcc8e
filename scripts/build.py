"""Build the whole labextension: npm packages, TypeScript, then Pyodide's files and the packs.

usage: python scripts/build.py [--force] [--modules]

A step is skipped if its inputs are older than its outputs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import build_assets
from toolchain import run_npm

REPO = Path(__file__).resolve().parent.parent
SOURCE = REPO / "labextension"
OUTPUT = REPO / "jupyterlite_browsergrad" / "labextension"
STAMPS = SOURCE / ".assets" / "stamps"
SKIPPED_FOLDERS = {"node_modules", "lib", ".assets", "__pycache__", "tests"}


def newest(paths: Iterable[Path]) -> float:
    """Return the latest modification time of any file among ``paths``, folders searched."""
    latest = 0.0
    for path in paths:
        if path.is_dir():
            latest = max(latest, newest(child for child in path.iterdir() if child.name not in SKIPPED_FOLDERS))
        elif path.is_file():
            latest = max(latest, path.stat().st_mtime)
    return latest


def is_current(stamp: Path, inputs: Iterable[Path], outputs: Iterable[Path]) -> bool:
    return stamp.exists() and stamp.stat().st_mtime > newest(inputs) and all(path.exists() for path in outputs)


def make(stamp: Path, step: Callable[[], object]) -> None:
    """Run a step. If it does not come to its end, it is run again the next time, also if it has written its outputs by then."""
    stamp.unlink(missing_ok=True)
    step()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.touch()


def build_extension() -> None:
    # The bundler's file names contain hashes, and it leaves old files. Only its current output is shipped.
    for stale in (OUTPUT / "static").glob("*.js*"):
        stale.unlink()
    run_npm("run", "build:prod", cwd=SOURCE)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--force", action="store_true", help="run every step")
    parser.add_argument("--modules", action="store_true", help="stop after the npm packages")
    arguments = parser.parse_args(argv)
    force = arguments.force

    lock = SOURCE / "package-lock.json"
    modules, extension, assets = (STAMPS / name for name in ("modules", "extension", "assets"))
    if force or not is_current(modules, [lock], [SOURCE / "node_modules/pyodide"]):
        make(modules, lambda: run_npm("ci", "--no-audit", "--no-fund", cwd=SOURCE))
    if arguments.modules:
        return 0
    built = [OUTPUT / "package.json", OUTPUT / "static/runtime/index.js", OUTPUT / "static/runtime/worker.js"]
    if force or not is_current(extension, [SOURCE], built):
        make(extension, build_extension)
    package = REPO / "jupyterlite_browsergrad"
    inputs = [REPO / "kernel_shim", REPO / "scripts", package / "boot", package / "_version.py", lock]
    packed = [OUTPUT / "static/kernel/manifest.json", OUTPUT / "static/pyodide/release-lock.json"]
    if force or not is_current(assets, inputs, packed):
        make(assets, lambda: build_assets.main([]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
