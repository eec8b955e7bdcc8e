"""Serves the site in this folder to this computer alone, and opens it in the browser.

`jupyter browsergrad pack` puts this file beside the site, as the program that users start. It needs Python 3.9 or newer, and nothing else.
"""

import argparse
import contextlib
import errno
import sys
import threading
import webbrowser
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIRST_PORT, PORTS = 8100, 800


def usual_port() -> int:
    """Return the port of this site. It stays the same, since browsers keep a site's files by its address."""
    return FIRST_PORT + zlib.crc32(HERE.name.encode()) % PORTS


def main() -> int:
    """Serve until the window is closed or Ctrl+C is pressed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--port", type=int, default=usual_port(), help="default: one that is always the same for this folder's name"
    )
    parser.add_argument("--no-browser", action="store_true", help="only serve")
    options = parser.parse_args()
    site = HERE / "site"
    if not (site / "index.html").is_file():
        print(
            f"{site} has no index.html: unpack the whole zip file, and start this program in the folder it makes",
            file=sys.stderr,
        )
        return 2
    sys.path.insert(0, str(HERE))
    from program.static_server import SiteServer  # type: ignore[import-not-found]  # it lies beside this file in the zip

    try:
        server = SiteServer(site, "127.0.0.1", options.port)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        server = SiteServer(site, "127.0.0.1", 0)
        print(
            f"Port {options.port} is taken, perhaps by this very program in another window. This one has another address, "
            "so the browser does not show here what was saved there.",
            file=sys.stderr,
        )
    with server:
        print(
            f"The site is at {server.url}\nKeep this window open. Ctrl+C, or closing it, ends the program.", flush=True
        )
        if not options.no_browser:
            threading.Timer(0.2, webbrowser.open, [server.url]).start()
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
