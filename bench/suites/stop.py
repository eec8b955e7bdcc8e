"""Measures how long Stop takes for each kind of code, and how much it slows code that nobody stops."""

from __future__ import annotations

import json
import random
import statistics
from pathlib import Path
from typing import Any

from ..lab import Lab
from ..runner import Bench
from ..table import Row

STOP = Path(__file__).resolve().parents[2] / "tests" / "stop"
#: Tries of each case; tries before them that do not count, since browsers compile code that runs often; interrupts of the storm.
TRIES, WARM_UP, STORM = 60, 10, 2000
#: Most ms that the project accepts for the 95th percentile, by the kind of a case: in isolated pages, and in others.
BOUNDS = {
    True: {"busy": 8, "waits": 20, "slow": 120, "request": 120},
    False: {"busy": 120, "waits": 20, "slow": None, "request": None},
}
#: C code that runs for some seconds and never asks for signals.
DEAF = "sum(range(10**9))"
#: Runs a loop in turn with Pyodide's polling for signals and without it. Prints the ms of both.
COST = """import pyodide_js, time
from pyodide.code import run_js
poll = run_js("(m, on) => { m.HEAP8[m._Py_EMSCRIPTEN_SIGNAL_HANDLING] = on; }")
def same(value):
    return value
def numbers():
    while True:
        yield 1
generator = numbers()
def loop(n):
    total = 0
    for i in range(n):
        total += EXPRESSION
    return total
samples = {True: [], False: []}
for turn in range(2 * ROUNDS):
    on = bool(turn % 2)
    poll(pyodide_js._module, on)
    begin = time.perf_counter()
    loop(COUNT)
    samples[on].append((time.perf_counter() - begin) * 1000)
poll(pyodide_js._module, True)
print(*samples[True], '|', *samples[False])"""
#: Name of a loop, the expression that it adds up, how often, and the greatest accepted ratio. In the second loop, C code asks for signals.
#: In the last two, CPython counts its clock down at each call and each `yield`, too.
LOOPS = [
    ("tight loop", "i & 7", 2_000_000, 1.03),
    ("loop of `str`", "len(str(i))", 500_000, 1.03),
    ("loop of calls", "same(i)", 1_000_000, 1.03),
    ("loop of a generator", "next(generator)", 1_000_000, 1.03),
]
#: Presses Stop, then *Restart now* as soon as that is offered. Resolves with the ms from the second click to the next cell's reply.
RECOVER = """async code => {
  const { kernel } = bench;
  const running = kernel.requestExecute({ code }, false);
  await new Promise(resolve => { running.onIOPub = () => resolve(); });
  const restarted = new Promise(resolve => kernel.statusChanged.connect((_, status) => status === 'autorestarting' && resolve()));
  await new Promise(resolve => setTimeout(resolve, 300)); // before the C loop begins, Stop would end the cell
  await kernel.interrupt();
  let button;
  while (!(button = [...document.querySelectorAll('button')].find(b => b.textContent.includes('Restart now')))) {
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  const begin = performance.now();
  button.click();
  await running.done.catch(() => undefined);
  await restarted;
  await bench.run('1 + 1');
  return performance.now() - begin;
}"""


def run(bench: Bench) -> list[Row]:
    quick = bench.repetitions < 3
    rows = []
    for isolated in (True, False):
        with bench.lab("ours", isolated) as lab:
            host(lab)
            rows += table(lab, 2 if quick else TRIES if isolated else TRIES // 3, isolated)
            rows += storm(lab, 50 if quick else STORM if isolated else STORM // 10, isolated)
        with bench.lab("bare", isolated) as lab:
            lab.start()
            rows += [cost(lab, 2 if quick else 40, isolated, *loop) for loop in LOOPS]
        samples = []
        for _ in range(bench.repetitions):
            with bench.lab("ours", isolated) as lab:
                samples.append(recover(lab))
        row = Row(
            "wedged cell, *Restart now* to the next reply",
            "ms",
            statistics.median(samples),
            None,
            None,
            {"ours": samples},
        )
        rows.append(report(row, isolated, 1000))
    return rows


def host(lab: Lab) -> None:
    """Start a kernel and its spare. Then put the code that interrupts cells into the page."""
    lab.start()
    lab.page.wait_for_function("performance.getEntriesByName('browsergrad:spare').length")
    lab.run("open('data.txt', 'w').write('hello') and None")
    lab.js("() => { window.kernel = bench.kernel; }")
    for name in ("driver.js", "page_host.js"):
        lab.page.add_script_tag(content=(STOP / name).read_text("utf-8"))


def cases(lab: Lab) -> list[dict[str, Any]]:
    text = (STOP / "cases.json").read_text("utf-8")
    return json.loads(text.replace("NEVER", f"'{lab.server.url}/never'"))


def report(row: Row, isolated: bool, bound: float | None) -> Row:
    row.isolated, row.bound = isolated, bound
    print(row, flush=True)
    return row


def percentile(samples: list[float], share: float) -> float:
    return sorted(samples)[min(len(samples) - 1, round(share * (len(samples) - 1)))]


def table(lab: Lab, tries: int, isolated: bool) -> list[Row]:
    """Interrupt each kind of code at random moments. The rows have the ms from the interrupt to the cell's reply."""
    rows = []
    by_kind: dict[str, list[float]] = {kind: [] for kind in BOUNDS[isolated]}
    seed = random.randrange(2**31)
    lab.js("([cases, tries, seed]) => stop.table(stopHost, cases, tries, seed)", [cases(lab)[:1], WARM_UP, seed])
    for case in cases(lab):
        (result,) = lab.js("([cases, tries, seed]) => stop.table(stopHost, cases, tries, seed)", [[case], tries, seed])
        if result["bad"]:
            raise SystemExit(f"{case['name']} (seed {seed}): {result['bad']}")
        ms = result["ms"]
        by_kind[case["kind"]] += ms
        name = f"Stop, 95 of 100 tries: {case['name']}"
        row = Row(name, "ms", percentile(ms, 0.95), None, None, {"ours": ms})
        rows.append(report(row, isolated, BOUNDS[isolated][case["kind"]]))
    for kind, every in by_kind.items():
        row = Row(f"Stop, median of all: {kind}", "ms", statistics.median(every), None, None, {"ours": every})
        rows.append(report(row, isolated, None))
    return rows


def storm(lab: Lab, count: int, isolated: bool) -> list[Row]:
    """Interrupt all kinds of code at random moments. No interrupt may hang, get lost, or hit the next cell."""
    seed = random.randrange(2**31)
    result = lab.js("([cases, count, seed]) => stop.storm(stopHost, cases, count, seed)", [cases(lab), count, seed])
    print(f"storm {seed}: {result['sent']} interrupts, {result['outcomes']}", flush=True)
    name = f"storm of {count:,} interrupts"
    grown = result["grown"] / 1e6
    rows = [
        Row(f"{name}: hung, lost or misdirected", "", len(result["bad"]), None, None, {"ours": []}),
        Row(f"{name}: growth of Python's memory in its second half", "MB", grown, None, None, {"ours": [grown]}),
    ]
    if result["bad"]:
        raise SystemExit(f"storm (seed {seed}): {result['bad']}")
    # The heap grows by a fifth at a time, so that some growth does not mean a leak.
    return [report(row, isolated, bound) for row, bound in zip(rows, (0, 20), strict=True)]


def cost(lab: Lab, rounds: int, isolated: bool, name: str, expression: str, count: int, limit: float | None) -> Row:
    """Compare a loop while interrupts are on with the same loop while they are off, in turn."""
    code = COST.replace("EXPRESSION", expression).replace("COUNT", str(count)).replace("ROUNDS", str(rounds))
    on, off = ([float(value) for value in half.split()] for half in lab.text(code).split("|"))
    # Each ratio is that of two neighbouring runs, so that a change of the machine's speed concerns both.
    ratio = statistics.median(with_stop / without for with_stop, without in zip(on, off, strict=True))
    row = Row(
        f"{name} with Stop, to one without",
        "ms",
        statistics.median(on),
        None,
        ratio,
        {"ours": on, "off": off},
        limit=limit,
    )
    return report(row, isolated, None)


def recover(lab: Lab) -> float:
    """Return the ms from *Restart now*, while a cell ignores Stop, to the next cell's reply. A spare is ready."""
    lab.start()
    lab.page.wait_for_function("performance.getEntriesByName('browsergrad:spare').length")
    return lab.js(RECOVER, DEAF)
