"""The command ``jupyter browsergrad``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import Protocol

from ._version import __version__
from .commands import (
    assign,
    check,
    compress,
    demo,
    grade,
    gradebook,
    import_,
    keys,
    new,
    pack,
    package,
    release_labs,
    report,
    serve,
    sync,
    validate,
)
from .errors import BrowsergradError
from .exit_status import UNUSABLE
from .terminal import say

__all__ = ["main", "parser"]


class Command(Protocol):
    """A module with one subcommand. The first line of its docstring is the help."""

    def configure(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, options: argparse.Namespace) -> int: ...


#: Name on the command line -> the module of the subcommand.
COMMANDS: dict[str, Command] = {
    "new": new,
    "assign": assign,
    "import": import_,
    "serve": serve,
    "pack": pack,
    "package": package,
    "release": release_labs,
    "validate": validate,
    "check": check,
    "keys": keys,
    "grade": grade,
    "gradebook": gradebook,
    "demo": demo,
    "report": report,
    "compress": compress,
    "sync": sync,
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands. The documentation uses it too."""
    parser = argparse.ArgumentParser(prog="jupyter browsergrad", description="Tools around the BrowserGrad kernel.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        text = (module.__doc__ or "").splitlines()[0]
        module.configure(commands.add_parser(name, help=text, description=text))
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run a subcommand and return its exit status. Errors are printed to stderr without a traceback."""
    options = parser().parse_args(argv)
    try:
        return COMMANDS[options.command].run(options)
    except BrowsergradError as error:
        say(f"jupyter browsergrad {options.command}: {error}", sys.stderr)
        return error.exit_status
    except BrokenPipeError:
        if not _is_output_closed():
            raise
        return 128 + signal.SIGPIPE
    except OSError as error:
        if error.filename is None:
            raise  # not about a file: a fault of this package
        say(f"jupyter browsergrad {options.command}: {error.filename}: {error.strerror}", sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        print(f"jupyter browsergrad {options.command}: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT


def _is_output_closed() -> bool:
    """Tell whether nobody reads stdout any more, as after ``| head``. If so, direct the rest nowhere: Python would report it again."""
    try:
        print(flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())
