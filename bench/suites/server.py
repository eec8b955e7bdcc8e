"""Measures the kernel on a server: its start, and how long Stop takes. The stock kernel cannot run there, so ipykernel has rows instead."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_client.manager import start_new_kernel

from jupyterlite_browsergrad.server_kernel.sandbox import Sandbox

from ..runner import Bench
from ..table import Row

TIMEOUT_S = 60
#: Longest time that a front end should wait for a kernel's first reply, in ms.
START_MS = 1500


def run(bench: Bench) -> list[Row]:
    def row(name: str, measure: Callable[[], float], bound: float | None = None) -> Row:
        made = bench.row(name, "ms", {"ours": [measure() for _ in range(bench.repetitions)]})
        made.bound = bound
        return made

    return [
        row("server: sandbox, start to the first cell's end", sandbox_start),
        row("server: kernel, start to the first cell's end", lambda: kernel_start("browsergrad"), START_MS),
        row("server: ipykernel, start to the first cell's end", lambda: kernel_start("python3")),
        row("server: interrupt of a tight loop to its reply", interrupt),
    ]


def ms_since(begin: float) -> float:
    return (time.perf_counter() - begin) * 1000


def sandbox_start() -> float:
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, Sandbox(Path(folder)) as sandbox:
        sandbox.execute("1")
        return ms_since(begin)


def kernel_start(name: str) -> float:
    """Start a kernel as a front end does: with its process, its sockets and its boot. Return the ms to the first cell's end."""
    begin = time.perf_counter()
    manager, client = start_new_kernel(kernel_name=name)
    try:
        client.execute_interactive("1", timeout=TIMEOUT_S)
        return ms_since(begin)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def interrupt() -> float:
    with Sandbox() as sandbox:
        started, ended = threading.Event(), threading.Event()

        def hear(message: dict[str, Any]) -> None:
            if message["header"]["msg_type"] == "stream":
                started.set()
            elif message["channel"] == "shell":
                ended.set()

        code = "print('started', flush=True)\nwhile True: pass"
        sandbox.send(sandbox.message("execute_request", {"code": code}), hear)
        started.wait(TIMEOUT_S)
        begin = time.perf_counter()
        sandbox.interrupt()
        ended.wait(TIMEOUT_S)
        return ms_since(begin)
