"""However late an answer comes, a waiting cell gets it, in Deno."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from late_answers import DELAYS_MS, TRIES, waits

from tests.server.test_kernel import Running

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    kernel = Running(tmp_path_factory.mktemp("notebooks"))
    yield kernel
    kernel.close()


@pytest.mark.timeout(300 + 120 * TRIES)
@pytest.mark.parametrize("delay_ms", DELAYS_MS)
def test_a_cell_gets_what_it_waits_for(kernel: Running, delay_ms: int) -> None:
    lost: dict[str, list[Any]] = {}
    for wait in waits(delay_ms, switches=True):
        for _ in range(TRIES):
            asked = iter(range(wait.lines))

            def answer(message: Any, asked: Iterator[int] = asked) -> None:
                threading.Timer(delay_ms / 1000, kernel.client.input, [f"line {next(asked)}"]).start()

            content, messages = kernel.run(wait.at(delay_ms), stdin_hook=answer, allow_stdin=True)
            results = [m["content"]["data"]["text/plain"] for m in messages if m["msg_type"] == "execute_result"]
            if content["status"] != "ok" or results != [wait.result]:
                lost.setdefault(wait.name, []).append(content)
    assert lost == {}
