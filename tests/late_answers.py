"""Cells that wait for an answer as long as people take to give one.

The browser's tests run them in a page, the server's in Deno. Each kind of waiting is tried once for each delay. The environment variable
`LATE_ANSWER_TRIES` sets a greater number. A change in how Python waits needs 20 tries, none of which may be lost.

    LATE_ANSWER_TRIES=20 python -m pytest tests/browser/test_late_answers.py tests/server/test_late_answers.py
"""

from __future__ import annotations

import os
from dataclasses import dataclass

#: Ms from the question to the answer. Where no memory is shared, the worker looks for messages every 200 ms.
DELAYS_MS = (0, 100, 250, 600, 1500, 5000)
TRIES = int(os.environ.get("LATE_ANSWER_TRIES", "1"))


@dataclass(frozen=True)
class Wait:
    """A cell that waits, and the text that it shows."""

    name: str
    code: str
    result: str
    #: Answers to its questions.
    lines: int = 1
    #: Whether it needs an engine that can switch stacks.
    switches: bool = False
    #: Whether the longest delay tests nothing that the others do not test.
    short: bool = True

    def at(self, delay_ms: int) -> str:
        """The cell for answers that come after a number of ms."""
        return self.code.replace("DELAY", str(delay_ms / 1000))


COMPUTES = """import asyncio, time
async def compute():
    while True:
        end = time.perf_counter() + .03
        while time.perf_counter() < end: pass
        await asyncio.sleep(0)
task = asyncio.create_task(compute())
"""
PROMISE = """from pyodide.code import run_js
from pyodide.ffi import run_sync
def promise():
    return run_js('s => new Promise(resolve => setTimeout(() => resolve(`after ${s}`), 1000 * s))')(DELAY)
"""

WAITS = [
    Wait("input", "input('? ')", "'line 0'", short=False),
    Wait("input in a function", "def ask(n):\n    return ask(n - 1) if n else input()\nask(20)", "'line 0'"),
    Wait("input in a loop", "[input() for _ in range(2)]", "['line 0', 'line 1']", 2),
    Wait("input in a key function", "sorted([1, 2], key=lambda n: (input(), n))", "[1, 2]", 2),
    Wait("getpass", "from getpass import getpass\ngetpass()", "'line 0'"),
    Wait("input after an await", "import asyncio\nawait asyncio.sleep(.01)\ninput()", "'line 0'"),
    Wait("input before an await", "import asyncio\nline = input()\nawait asyncio.sleep(.01)\nline", "'line 0'"),
    Wait(
        "input after a loop",
        "import time\nend = time.perf_counter() + .3\nwhile time.perf_counter() < end: pass\ninput()",
        "'line 0'",
    ),
    Wait("input after much output", "for _ in range(30): print('x' * 100_000)\ninput()", "'line 0'"),
    Wait(
        "input beside a task that waits",
        "import asyncio\nasync def tick():\n    while True: await asyncio.sleep(.01)\n"
        "task = asyncio.create_task(tick())\nawait asyncio.sleep(.05)\nline = input()\ntask.cancel()\nline",
        "'line 0'",
        short=False,
    ),
    Wait(
        "input beside a task that computes",
        f"{COMPUTES}await asyncio.sleep(0)\nline = input()\ntask.cancel()\nline",
        "'line 0'",
    ),
    Wait(
        "input beside a task that sleeps",
        "import asyncio, time\nasync def doze():\n    while True:\n        time.sleep(.02)\n        await asyncio.sleep(0)\n"
        "task = asyncio.create_task(doze())\nawait asyncio.sleep(0)\nline = input()\ntask.cancel()\nline",
        "'line 0'",
    ),
    Wait("time.sleep", "import time\ntime.sleep(DELAY)\n'slept'", "'slept'", 0),
    Wait("run_sync of a promise", f"{PROMISE}run_sync(promise())[:5]", "'after'", 0, switches=True, short=False),
    Wait(
        "run_sync in a function",
        f"{PROMISE}def f(n):\n    return f(n - 1) if n else run_sync(promise())\nf(20)[:5]",
        "'after'",
        0,
        switches=True,
    ),
    Wait(
        "run_sync of a coroutine",
        f"import asyncio\n{PROMISE}async def f():\n    return await promise()\nrun_sync(f())[:5]",
        "'after'",
        0,
        switches=True,
    ),
    Wait(
        "asyncio.run",
        f"import asyncio\n{PROMISE}async def f():\n    return await promise()\nasyncio.run(f())[:5]",
        "'after'",
        0,
        switches=True,
    ),
    Wait(
        "run_sync beside a task that computes",
        f"{COMPUTES}{PROMISE}await asyncio.sleep(0)\nvalue = run_sync(promise())\ntask.cancel()\nvalue[:5]",
        "'after'",
        0,
        switches=True,
    ),
]


def waits(delay_ms: int, switches: bool) -> list[Wait]:
    """The cells that are tried with a delay, in an engine that can switch stacks or in one that cannot."""
    longest = delay_ms == max(DELAYS_MS)
    return [wait for wait in WAITS if (switches or not wait.switches) and not (longest and wait.short)]
