"""Programs in which notebooks run, each as people start it. `make test-hosts` installs them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from hangs import HANG_S

from scripts import toolchain


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports


@contextmanager
def program(
    *command: str | Path, url: str, cwd: Path, environ: Mapping[str, str] | None = None, status: int = 200
) -> Iterator[None]:
    """Run a program that answers at `url` with a status, until the block ends."""
    home = {"HOME": str(cwd), "JUPYTER_CONFIG_DIR": str(cwd / "config"), "JUPYTER_RUNTIME_DIR": str(cwd / "runtime")}
    path = os.pathsep.join([str(Path(sys.executable).parent), toolchain.environment()["PATH"]])
    log = cwd / f"{len(list(cwd.glob('*.log')))}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=os.environ | home | {"PATH": path} | dict(environ or {}),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            deadline = time.monotonic() + HANG_S
            while _status(url) != status:
                assert process.poll() is None, log.read_text("utf-8", "replace")
                assert time.monotonic() < deadline, log.read_text("utf-8", "replace")
                time.sleep(0.1)  # Nothing can be awaited until the program listens.
            yield
        finally:
            process.terminate()
            process.wait()


def _status(url: str) -> int | None:
    """The status with which a server answers; None if none does."""
    try:
        with urllib.request.urlopen(url) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


@pytest.fixture(scope="session")
def hub_proxy(request: pytest.FixtureRequest) -> Path:
    """The program of configurable-http-proxy, without which no JupyterHub runs. It is kept between runs."""
    folder = Path(request.config.cache.mkdir("configurable-http-proxy"))
    found = folder / "node_modules/configurable-http-proxy/bin/configurable-http-proxy"
    if not found.is_file():
        shutil.rmtree(folder)
        folder.mkdir()
        toolchain.run_npm("install", "--silent", "--no-audit", "--no-fund", "configurable-http-proxy@5", cwd=folder)
    return found
