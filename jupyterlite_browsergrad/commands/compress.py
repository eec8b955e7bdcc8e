"""Write compressed copies beside a built site's files, for hosts that send those.

``a.js`` gets ``a.js.gz`` and, if the package brotli is installed, ``a.js.br``. Run it last, and again after each build.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..errors import ConfigurationError
from ..site.precompressed import ENCODINGS, is_compressible

__all__ = ["configure", "run"]

#: Smallest file that is compressed. Smaller ones would gain almost nothing.
MIN_BYTES = 1400


def _encoders() -> dict[str, Callable[[bytes], bytes]]:
    encoders: dict[str, Callable[[bytes], bytes]] = {"gzip": lambda data: gzip.compress(data, 9, mtime=0)}
    try:
        brotli = importlib.import_module("brotli")
    except ImportError:
        return encoders
    return {"br": lambda data: brotli.compress(data, quality=11), **encoders}


def _write(path: Path, encoders: dict[str, Callable[[bytes], bytes]]) -> tuple[int, int]:
    """Write a file's copies. Return the file's size and that of the best copy, in bytes."""
    stat = path.stat()
    data = path.read_bytes()
    best = len(data)
    for encoding, suffix in ENCODINGS.items():
        copy = path.with_name(path.name + suffix)
        packed = encoders[encoding](data) if encoding in encoders and len(data) >= MIN_BYTES else data
        if len(packed) < len(data):
            copy.write_bytes(packed)
            # The copy gets the time of its original, which shows that it belongs to this version.
            os.utime(copy, ns=(stat.st_atime_ns, stat.st_mtime_ns))
            best = min(best, len(packed))
        else:
            copy.unlink(missing_ok=True)
    return len(data), best


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", metavar="DIR", type=Path, help="the built site")


def run(options: argparse.Namespace) -> int:
    """Compress a site. Raises `ConfigurationError` for a missing folder."""
    root: Path = options.directory
    if not root.is_dir():
        raise ConfigurationError(f"{root} is not a folder; build a site first: jupyter lite build --output-dir DIR")
    encoders = _encoders()
    paths = [path for path in sorted(root.rglob("*")) if path.is_file() and is_compressible(path.relative_to(root))]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        sizes = list(pool.map(lambda path: _write(path, encoders), paths))
    before, after = (sum(column) / 1e6 for column in zip(*sizes, strict=True)) if sizes else (0, 0)
    print(f"{len(paths)} files, {before:.1f} MB: {after:.1f} MB as {' or '.join(encoders)}")
    if "br" not in encoders:
        print("brotli makes files a sixth smaller: pip install brotli")
    return 0
