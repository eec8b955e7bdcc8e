"""Small notebooks that once failed, on a server."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from jupyterlite_browsergrad.server_kernel.sandbox import Sandbox
from tests import kernel_cases
from tests.kernel_cases import Case, Message

HANG_S = 120


class Kernel:
    """Runs cells in a sandbox and answers their questions."""

    def __init__(self, sandbox: Sandbox, stop_after_s: float | None) -> None:
        self.sandbox = sandbox
        self.stop_after_s = stop_after_s

    def run(self, code: str, answers: list[str]) -> tuple[dict[str, Any], list[Message]]:
        content = {"code": code, "allow_stdin": bool(answers), "stop_on_error": True}
        return self.request("execute_request", content, answers)

    def request(
        self, msg_type: str, content: dict[str, Any], answers: list[str]
    ) -> tuple[dict[str, Any], list[Message]]:
        stop = threading.Timer(self.stop_after_s or HANG_S, self.sandbox.interrupt)
        kill = threading.Timer(HANG_S, self.sandbox.kill)
        stop.start()
        kill.start()
        try:
            return asyncio.run(self._request(msg_type, content, answers))
        finally:
            stop.cancel()
            kill.cancel()

    async def _request(
        self, msg_type: str, content: dict[str, Any], answers: list[str]
    ) -> tuple[dict[str, Any], list[Message]]:
        reply: dict[str, Any] = {}
        messages: list[Message] = []
        async for message in self.sandbox.request(self.sandbox.message(msg_type, content)):
            kind = message["header"]["msg_type"]
            if kind == "input_request":
                self.sandbox.input_reply(answers.pop(0))
            elif message["channel"] == "shell":
                reply = message["content"]
            else:
                messages.append((kind, message["content"]))
        return reply, messages


@pytest.mark.thinned(2)
@pytest.mark.parametrize("case", kernel_cases.on("deno"), ids=lambda case: case.id)
def test_a_notebook_that_once_failed(case: Case, tmp_path: Path) -> None:
    for name, text in case.files.items():
        (tmp_path / name).write_text(text, "utf-8")
    with Sandbox(tmp_path) as sandbox:
        sandbox.wait_ready()
        kernel = Kernel(sandbox, case.stop_after_s)
        if case.complete:
            began = time.monotonic()
            reply, _ = kernel.request("complete_request", case.complete, [])
            assert reply["status"] == "ok"
            assert time.monotonic() - began < (case.within_s or HANG_S)
        kernel_cases.verdict(case, kernel_cases.run(case, kernel.run))
