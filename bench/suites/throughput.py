"""What a running kernel costs per message, per byte and per instruction."""

from __future__ import annotations

from collections.abc import Callable

from ..lab import Lab
from ..runner import Bench
from ..table import Row

WRITE = "open('big.bin', 'wb').write(bytes(10_000_000)) and None"
READ = "assert len(open('big.bin', 'rb').read()) == 10_000_000"
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
#: Registers the comm's other end; resolves when everything has arrived.
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


def run(bench: Bench) -> list[Row]:
    rows = []
    for isolated in (False, True):
        # The stock kernel hangs after some cells of an isolated page: each sample has a page of its own.
        rows += [
            bench.compare("`pass`, there and back", passes, isolated=isolated, limit=0.5),
            bench.compare(
                "10,000 lines of print", cell("for i in range(10_000): print(i)"), isolated=isolated, limit=0.05
            ),
            bench.compare("10,000 displays", cell(DISPLAYS), isolated=isolated),
            bench.compare("completion, first", complete, isolated=isolated, limit=0.7),
            bench.compare("completion, further", complete_again, isolated=isolated, limit=0.7),
            bench.compare("10 MB of output", cell("print('x' * 10_000_000)"), isolated=isolated),
            bench.compare("100 MB of bytes through a comm", comms, isolated=isolated),
            bench.compare("write 10 MB to the drive", cell(WRITE), isolated=isolated, limit=0.5),
            bench.compare("read 10 MB from the drive", read, isolated=isolated, limit=0.5),
            bench.compare("tight loop", loop, isolated=isolated),
        ]
    return rows


def cell(code: str) -> Callable[[Lab], float]:
    def measure(lab: Lab) -> float:
        lab.start()
        return lab.run(code)

    return measure


def passes(lab: Lab) -> float:
    lab.start()
    return min(lab.run("pass") for _ in range(8))


def complete(lab: Lab) -> float:
    lab.start()
    return lab.js("() => bench.complete('import os\\nos.pa')")


def complete_again(lab: Lab) -> float:
    lab.start()
    lab.js("() => bench.complete('import os\\nos.pa')")
    return lab.js("() => bench.complete('import collections\\ncollections.Ord')")


def comms(lab: Lab) -> float:
    lab.start()
    return lab.js(COMM_IN_PAGE, COMM)


def read(lab: Lab) -> float:
    lab.start()
    lab.run(WRITE)
    return lab.run(READ)


def loop(lab: Lab) -> float:
    lab.start()
    return float(lab.text(LOOP))
