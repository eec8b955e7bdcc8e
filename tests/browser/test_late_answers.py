"""Whatever a cell waits for comes, however late, in every way a page can wait."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Lab, Run, opened, served, without_stack_switching
from late_answers import DELAYS_MS, TRIES, waits
from playwright.sync_api import Browser

#: Runs a cell and answers what it asks for, each after `delay` ms; null when it does not end within `limit` ms of all that.
ANSWERED = """async ([code, lines, delay, limit]) => {
  const messages = [];
  const running = kernel.requestExecute({ code, stop_on_error: true, allow_stdin: true }, false);
  let asked = 0;
  running.onIOPub = message => messages.push(bg.plain(message));
  running.onStdin = message => setTimeout(
    () => running.sendInputReply({ status: 'ok', value: `line ${asked++}` }, message.header), delay);
  const late = new Promise(resolve => setTimeout(() => resolve(null), (lines + 1) * delay + limit));
  const reply = await Promise.race([running.done, late]);
  return reply && { reply: bg.plain(reply), messages };
}"""
#: Only a hang takes so long.
HANG_MS = 30_000


@pytest.fixture(scope="module", params=["shared-memory", "stack-switching", "service-worker"])
def mode(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def base(site: Path, static: str, mode: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = without_stack_switching(site, static, tmp_path_factory.mktemp("late")) if mode == "service-worker" else site
    with served(folder, mode == "shared-memory") as address:
        yield address


@pytest.fixture(scope="module")
def lab(browser: Browser, base: str) -> Iterator[Lab]:
    with opened(browser, base) as lab:
        lab.start("sub")
        yield lab


@pytest.mark.timeout(300 + 120 * TRIES)
@pytest.mark.parametrize("delay_ms", DELAYS_MS)
def test_a_cell_gets_what_it_waits_for(lab: Lab, mode: str, delay_ms: int) -> None:
    lost = {}
    for wait in waits(delay_ms, switches=mode != "service-worker"):
        for _ in range(TRIES):
            answer = lab.js(ANSWERED, [wait.at(delay_ms), wait.lines, delay_ms, HANG_MS])
            run = answer and Run(answer["reply"], answer["messages"])
            if run is None or run.content["status"] != "ok" or run.result != wait.result:
                lost.setdefault(wait.name, []).append("hangs" if run is None else run.content)
            if run is None:
                lab.js("() => kernel.restart()")
    assert lost == {}
    assert lab.run("1 + 1").result == "2"
