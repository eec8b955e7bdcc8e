"""Measures how long a running kernel takes for messages, data and code."""

from __future__ import annotations

import statistics

from ..lab import Lab
from ..runner import Bench, Measure
from ..table import Row

WRITE = "open('big.bin', 'wb').write(bytes(10_000_000)) and None"
READ = "assert len(open('big.bin', 'rb').read()) == 10_000_000"
#: Bytes of a data file, as students upload them.
LONG = 50_000_000
#: Stores a file as the file browser does. No kernel knows its contents.
STORE = """async length => {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = at * 31;
  const content = bytes.toBase64();
  await jupyterapp.serviceManager.contents.save('long.bin', { type: 'file', format: 'base64', content });
}"""
READ_LONG = f"assert len(open('long.bin', 'rb').read()) == {LONG}"
LOOP = """import time
def loop(n):
    total = 0
    for i in range(n):
        total += i & 7
    return total
begin = time.perf_counter()
loop(20_000_000)
print((time.perf_counter() - begin) * 1000)"""
DISPLAYS = "from IPython.display import display\nfor i in range(10_000): display(i)"
COMM = """import comm
data = bytes(10_000_000)
channel = comm.create_comm(target_name='bench')
for _ in range(10): channel.send(data={}, buffers=[data])"""
#: Registers the page's end of the comm and runs the cell. Resolves with the ms until everything has arrived.
COMM_IN_PAGE = """async code => {
  let received = 0;
  let all;
  const done = new Promise(resolve => { all = resolve; });
  bench.kernel.registerCommTarget('bench', comm => {
    comm.onMsg = message => {
      received += message.buffers[0].byteLength;
      if (received === 100_000_000) all();
    };
  });
  const begin = performance.now();
  await bench.run(code);
  await done;
  return performance.now() - begin;
}"""


#: Ms between the start of a page's kernel and the first row.
SETTLE_MS = 4000
#: Number of cells that run before the row of short cells. After them, neither side gets faster.
WARM_UP = 160
#: Site of each side, and whether its page is isolated. The stock kernel hangs after some cells in isolated pages.
SIDES = {"stock": ("stock", False), "ours": ("bare", False), "isolated": ("bare", True)}


def run(bench: Bench) -> list[Row]:
    samples = sampled(bench, {name: measure for name, (measure, _limit) in ROWS.items()})
    return [
        row(bench, name, samples[name], isolated, limit)
        for isolated in (False, True)
        for name, (_measure, limit) in ROWS.items()
    ]


def sampled(bench: Bench, measures: dict[str, Measure]) -> dict[str, dict[str, list[float]]]:
    """Take samples of all measures, in one page for each side and in turn. Return them by name, then by side."""
    samples: dict[str, dict[str, list[float]]] = {name: {side: [] for side in SIDES} for name in measures}
    for turn in range(bench.repetitions):
        for side in list(SIDES) if turn % 2 else list(reversed(SIDES)):
            site, isolated = SIDES[side]
            with bench.lab(site, isolated) as lab:
                lab.start()
                # Work that the start has begun ends first: the browser compiles code, and files are fetched ahead.
                lab.page.wait_for_timeout(SETTLE_MS)
                for name, measure in measures.items():
                    samples[name][side].append(measure(lab))
    return samples


def row(bench: Bench, name: str, samples: dict[str, list[float]], isolated: bool, limit: float | None) -> Row:
    """Make a row of isolated pages or of others. The stock kernel's page is not isolated in either case."""
    sides = {"ours": samples["isolated" if isolated else "ours"], "stock": samples["stock"]}
    made = bench.row(name, "ms", sides, isolated=isolated, stock_plain=isolated, limit=limit)
    made.bound = BOUNDS_MS.get(name)
    return made


def cell(code: str) -> Measure:
    return lambda lab: lab.run(code)


def first_passes(lab: Lab) -> float:
    return statistics.median(lab.run("pass") for _ in range(20))


def passes(lab: Lab) -> float:
    """Return the median ms of short cells, after the browser has compiled the code that handles them."""
    for _ in range(WARM_UP):
        lab.run("pass")
    return statistics.median(lab.run("pass") for _ in range(40))


def complete(lab: Lab) -> float:
    """Complete a name for the first time. Our kernel begins to fetch jedi then, and answers without it."""
    lab.run("import os")
    return lab.js("() => bench.complete('os.pa')")


def complete_again(lab: Lab) -> float:
    """Complete a name with jedi, which our kernel has fetched at the first completion."""
    lab.js("() => bench.completeWithJedi('import os\\nos.pa')")
    return lab.js("() => bench.complete('import collections\\ncollections.Ord')")


def comms(lab: Lab) -> float:
    return lab.js(COMM_IN_PAGE, COMM)


def read_long(lab: Lab) -> float:
    lab.js(STORE, LONG)
    return lab.run(READ_LONG)


def fails(code: str) -> Measure:
    """Run a cell that ends with a traceback."""
    return lambda lab: lab.js("code => bench.fails(code)", code)


def loop(lab: Lab) -> float:
    return float(lab.text(LOOP))


#: Name of a row to its measure and the greatest accepted ratio, in the order in which they run in one page.
ROWS: dict[str, tuple[Measure, float | None]] = {
    "`pass`, there and back, at first": (first_passes, 0.5),
    "`pass`, there and back": (passes, 0.35),
    "10,000 lines of print": (cell("for i in range(10_000): print(i)"), 0.05),
    "10,000 displays": (cell(DISPLAYS), 0.5),
    "completion, first": (complete, 0.7),
    "completion, further": (complete_again, 0.7),
    "write 10 MB to the drive": (cell(WRITE), 0.5),
    "read 10 MB from the drive": (cell(READ), 0.2),
    "10 MB of output": (cell("print('x' * 10_000_000)"), 0.8),
    "100 MB of bytes through a comm": (comms, None),
    "tight loop": (loop, None),
    "first traceback through a library": (fails("import statistics\nstatistics.mean([])"), 0.5),
    "further traceback through a library": (fails("import fractions\nfractions.Fraction(1, 0)"), 0.5),
    # The last one, since so many bytes leave a page with little memory to spare.
    "read an uploaded file of 50 MB": (read_long, None),
}
#: Greatest accepted ms of our kernel, for rows without a ratio.
BOUNDS_MS = {"read an uploaded file of 50 MB": 1000}
