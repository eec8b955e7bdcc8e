"""Serve a built site with the headers that make it cross-origin isolated.

Isolation (COOP and COEP) gives pages `SharedArrayBuffer`, with which the Stop button works best.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import socket
import sys
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from ..isolation.web_hosts import HOSTS
from ..site.static_server import SiteServer
from ..terminal import say

__all__ = ["configure", "port_number", "run"]


class PrintHeaders(argparse.Action):
    """``--print-headers HOST``: print the configuration of that host, and end."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: object, values: Any, option_string: str | None = None
    ) -> None:
        host = HOSTS[values]
        print(f"{host.title}: {host.file}", file=sys.stderr)
        print(host.text, end="")
        parser.exit()


def port_number(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("a port is 0 to 65535; 0 uses a free port")
    return number


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", metavar="DIR", type=Path, help="the built site")
    parser.add_argument("--port", type=port_number, default=8000, help="default 8000; 0 uses a free port")
    parser.add_argument("--bind", default="127.0.0.1", metavar="ADDRESS", help="default 127.0.0.1: this machine only")
    parser.add_argument(
        "--no-isolation", action="store_true", help="do not send COOP and COEP, like plain static hosts"
    )
    parser.add_argument("--verbose", action="store_true", help="print every request")
    parser.add_argument(
        "--print-headers",
        choices=sorted(HOSTS),
        action=PrintHeaders,
        help="print the configuration that makes another host send these headers, and exit",
    )


def run(options: argparse.Namespace) -> int:
    """Serve until interrupted. Raises `ConfigurationError` for a missing folder or a port that cannot be used."""
    if not options.directory.is_dir():
        raise ConfigurationError(
            f"{options.directory} is not a folder; build a site first: jupyter lite build --output-dir DIR"
        )
    log = (lambda line: say(line, sys.stderr, keep="")) if options.verbose else None
    try:
        server = SiteServer(options.directory, options.bind, options.port, isolated=not options.no_isolation, log=log)
    except (socket.gaierror, OverflowError, UnicodeError) as error:
        raise ConfigurationError(f"--bind {options.bind!r} is not an address ({error})") from error
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
            problem = f"{options.bind}:{options.port} cannot be used ({error.strerror}); choose another --port, or 0 for a free one"
            raise ConfigurationError(problem) from error
        raise
    with server:
        say(f"Serving {options.directory} at {server.url}", keep="")
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
    return 0
