"""However late an answer comes, a waiting cell gets it, in every way in which a page can wait."""

from __future__ import annotations

import pytest
from conftest import Lab, Run
from hangs import HANG_MS
from late_answers import DELAYS_MS, TRIES, waits

#: Runs a cell and answers each of its questions after `delay` ms. Null if it does not end within `limit` ms after that.
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


@pytest.mark.thinned(2)
@pytest.mark.timeout(300 + 120 * TRIES)
@pytest.mark.parametrize("delay_ms", DELAYS_MS)
def test_a_cell_gets_what_it_waits_for(lab_in_mode: Lab, mode: str, delay_ms: int) -> None:
    lab, lost = lab_in_mode, {}
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
