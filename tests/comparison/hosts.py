"""Runs cells in the two kernels and returns their answers: ipykernel in a process, our kernel in a sandbox."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from jupyterlite_browsergrad.server_kernel.sandbox import Sandbox

from .cells import Case

HANG_S = 60


@dataclass
class Answer:
    """The answer to one cell."""

    reply: dict[str, Any] = field(default_factory=dict)
    messages: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


class Reference:
    """ipykernel."""

    def __init__(self, manager: KernelManager) -> None:
        self.client: BlockingKernelClient = manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=HANG_S)

    def run(self, case: Case) -> list[Answer]:
        """The answers to each cell of a case."""
        stdin = list(case.stdin)
        return [self._cell(case.content(cell), stdin) for cell in case.cells]

    def _cell(self, content: dict[str, Any], stdin: list[str]) -> Answer:
        answer = Answer()

        def hear(message: dict[str, Any]) -> None:
            answer.messages.append((message["msg_type"], message["content"]))

        def ask(message: dict[str, Any]) -> None:
            hear(message)
            self.client.input(stdin.pop(0))

        code = content.pop("code")
        found = self.client.execute_interactive(code, **content, timeout=HANG_S, output_hook=hear, stdin_hook=ask)
        answer.reply = found["content"]
        return answer


@contextmanager
def reference(folder: Path) -> Iterator[Reference]:
    """Start ipykernel in a folder, without the configuration of the person who runs the tests."""
    argv = [
        sys.executable,
        "-m",
        "ipykernel_launcher",
        "-f",
        "{connection_file}",
        "--HistoryManager.hist_file=:memory:",
    ]
    spec = folder.parent / "kernels" / "reference"
    spec.mkdir(parents=True)
    env = {"IPYTHONDIR": str(folder.parent / "ipython"), "PYTHONHASHSEED": "0"}
    content = {"argv": argv, "display_name": "reference", "language": "python", "env": env}
    (spec / "kernel.json").write_text(json.dumps(content), "utf-8")
    specs = KernelSpecManager(kernel_dirs=[str(spec.parent)])
    manager = KernelManager(kernel_name="reference", kernel_spec_manager=specs)
    manager.start_kernel(cwd=str(folder))
    host = Reference(manager)
    try:
        yield host
    finally:
        host.client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


class Ours:
    """The server kernel's sandbox, with the same worker and the same Python as in a page."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        sandbox.wait_ready()

    def run(self, case: Case) -> list[Answer]:
        """The answers to each cell of a case."""
        stdin = list(case.stdin)
        return [asyncio.run(self._cell(case.content(cell), stdin)) for cell in case.cells]

    async def _cell(self, content: dict[str, Any], stdin: list[str]) -> Answer:
        answer = Answer()
        message = self.sandbox.message("execute_request", content)
        async with asyncio.timeout(HANG_S):
            async for found in self.sandbox.request(message):
                kind = found["header"]["msg_type"]
                if found["channel"] == "shell":
                    answer.reply = found["content"]
                    continue
                answer.messages.append((kind, found["content"]))
                if kind == "input_request":
                    self.sandbox.input_reply(stdin.pop(0))
        return answer


def run_all(host: Reference | Ours, cases: Iterable[Case]) -> list[list[Answer]]:
    """The answers to all cases."""
    found = []
    for case in cases:
        try:
            found.append(host.run(case))
        except TimeoutError as error:
            error.add_note(f"{type(host).__name__}: {case.name}")
            raise
    return found
