"""Make a pair of keys, so that only you can read the hand-in files of a site.

The private key is written to a file that only its owner can read. The public key is printed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..exit_status import DONE
from ..grading.hand_in_keys import make_keys, public_keys
from ..terminal import say
from .grading_options import warn_of_readers

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        type=Path,
        default=Path("hand-in.key"),
        help="file for the private key, which must not exist (default: %(default)s)",
    )
    parser.add_argument("--show", action="store_true", help="make nothing; print the public key of FILE again")


def run(options: argparse.Namespace) -> int:
    """Print the public key on stdout, and what to do with it on stderr."""
    path: Path = options.file
    if options.show:
        for public in public_keys(path):
            print(public)
        warn_of_readers(path)
        return DONE
    print(make_keys(path), flush=True)
    say(
        f"{path}: the private key, which `jupyter browsergrad grade --key {path}` needs. Keep a copy in a safe place, and never publish it.\n"
        "The line above is the public key: name it in jupyter-lite.json of the site, as handInKey of jupyterlite-browsergrad:hand-in",
        sys.stderr,
    )
    return DONE
