"""Pack a built site with a program that serves it: for rooms without a network.

The zip file needs nothing but Python on the computer where it is unpacked: a double click starts it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..platforms.suitcase import suitcase
from ..terminal import say

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("site", metavar="SITE", type=Path, help="the folder that `jupyter lite build` wrote")
    parser.add_argument(
        "--out", metavar="FILE", type=Path, help="the zip file (default: SITE.zip); its name becomes the folder's"
    )


def run(options: argparse.Namespace) -> int:
    """Write the file, and say how large it is."""
    site: Path = options.site
    out = options.out or site.absolute().with_name(f"{site.absolute().name}.zip")
    packed = suitcase(site, out)
    say(f"{packed.path}: {packed.files} files, {packed.size_bytes / 1e6:,.1f} MB", keep="")
    return 0
