"""Pack a built site into the file that a learning platform takes: for Moodle, or as a SCORM package."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..platforms.site_package import SCORM_VERSIONS, moodle_package, scorm_package
from ..terminal import say

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("site", metavar="SITE", type=Path, help="the folder that `jupyter lite build` wrote")
    kinds = parser.add_mutually_exclusive_group(required=True)
    kinds.add_argument("--moodle", action="store_true", help="for Moodle's resource File: the whole site")
    kinds.add_argument(
        "--scorm", choices=SCORM_VERSIONS, nargs="?", const="1.2", help="for any platform with SCORM of this version (default: 1.2): one lab, whose score it gets"
    )  # fmt: skip
    parser.add_argument(
        "--notebook", metavar="PATH", help="the lab's notebook in the site, for --scorm (default: the only one)"
    )
    parser.add_argument("--title", help="what the platform shows, for --scorm (default: the notebook's name)")
    parser.add_argument(
        "--out", metavar="FILE", type=Path, help="the zip file (default: SITE-moodle.zip or SITE-scorm.zip)"
    )


def run(options: argparse.Namespace) -> int:
    """Write the file, and say how large it is."""
    kind = "moodle" if options.moodle else "scorm"
    site: Path = options.site
    out = options.out or site.absolute().with_name(f"{site.absolute().name}-{kind}.zip")
    packed = (
        moodle_package(site, out)
        if options.moodle
        else scorm_package(site, out, options.scorm, options.notebook, options.title)
    )
    say(f"{packed.path}: {packed.files} files, {packed.size_bytes / 1e6:,.1f} MB", keep="")
    return 0
