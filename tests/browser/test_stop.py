"""Interrupts through JupyterLite's own client: at random moments, and never into the next cell."""

from __future__ import annotations

import pytest
from conftest import Lab, Run

INTERRUPTED = """async ([code, delay, input]) => {
  const running = bg.run(code, { allow_stdin: input }, []);
  await busy;
  await new Promise(resolve => setTimeout(resolve, delay));
  const begin = performance.now();
  await kernel.interrupt();
  const result = await Promise.race([running, new Promise(r => setTimeout(() => r(null), 8000))]);
  return result && { ...result, ms: performance.now() - begin };
}"""

CASES = {
    "a tight loop": "while True: pass",
    "a loop that catches Exception": "while True:\n  try:\n    int('a')\n  except Exception: pass",
    "a print loop": "i = 0\nwhile True:\n  print(i); i += 1",
    "time.sleep": "import time\ntime.sleep(60)",
    "short sleeps": "import time\nwhile True: time.sleep(.003)",
    "an await": "import asyncio\nawait asyncio.sleep(60)",
    "a promise that never settles": "from js import Promise\nfrom pyodide.ffi import create_proxy\nawait Promise.new(create_proxy(lambda a, b: None))",
    "gather": "import asyncio\nawait asyncio.gather(*[asyncio.sleep(60) for _ in range(5)])",
    "a TaskGroup": "import asyncio\nasync with asyncio.TaskGroup() as group:\n  for _ in range(5): group.create_task(asyncio.sleep(60))",
    "run_sync": "import asyncio\nfrom pyodide.ffi import run_sync\nrun_sync(asyncio.sleep(60))",
    "asyncio.run": "import asyncio\nasyncio.run(asyncio.sleep(60))",
    "a regular expression": "import re\nre.match(r'(a+)+$', 'a' * 40 + 'b')",
    "__del__": "class D:\n  def __del__(self):\n    for i in range(300): pass\nwhile True: D()",
}


def interrupt(lab: Lab, code: str, delay_ms: int, allow_stdin: bool = False) -> Run:
    result = lab.js(INTERRUPTED, [code, delay_ms, allow_stdin])
    assert result is not None, "the cell did not end within 8 s of the interrupt"
    return Run(result["reply"], result["messages"])


@pytest.mark.parametrize("name", CASES)
def test_stop_ends_the_cell_and_keeps_the_variables(lab: Lab, name: str) -> None:
    lab.run("kept = {'a': 1}")
    for delay_ms in (5, 60, 333):
        run = interrupt(lab, CASES[name], delay_ms)
        assert run.content["ename"] == "KeyboardInterrupt", run.content
        assert run.idle
        assert lab.run("kept").result == "{'a': 1}", "the next cell is untouched"


def test_stop_closes_an_input_prompt(lab: Lab) -> None:
    run = interrupt(lab, "input('name? ')", 200, allow_stdin=True)
    assert run.content["ename"] == "KeyboardInterrupt"
    assert lab.run("input()", ["next"]).result == "'next'"


def test_stop_while_idle_does_nothing(lab: Lab) -> None:
    lab.js("() => kernel.interrupt()")
    assert lab.run("sum(range(1_000_000))").result == "499999500000"


def test_two_presses_end_one_cell(lab: Lab) -> None:
    lab.js("() => { setTimeout(() => { kernel.interrupt(); kernel.interrupt(); }, 100); }")
    assert lab.run("while True: pass").content["ename"] == "KeyboardInterrupt"
    assert lab.run("sum(range(1_000_000))").content["status"] == "ok"


def test_user_code_sees_the_interrupt(lab: Lab) -> None:
    code = "log = []\ntry:\n  while True: pass\nexcept KeyboardInterrupt:\n  log.append('caught')\nfinally:\n  log.append('finally')\nlog"
    assert interrupt(lab, code, 60).result == "['caught', 'finally']"


def test_the_traceback_is_the_users(lab: Lab) -> None:
    run = interrupt(lab, "import time\ndef f():\n    time.sleep(60)\nf()", 60)
    text = "".join(run.of("error")[0]["traceback"])
    assert "browsergrad_kernel" not in text and "sleep" in text
