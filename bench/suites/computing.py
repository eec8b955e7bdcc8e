"""Measures how fast code runs, for each kind of code. This shows what it costs that code can be stopped.

Each kind runs for some time first, until the browser has optimised what it needs, on both sides. After a start from the snapshot that takes
longer, about 0.6 s for making classes: starting Python from its files already runs, and so optimises, much of the interpreter. Then Python itself takes the time, in
all pages in turn. Before that, a row has the first cells of a new page.

All of it is measured twice: in the browser as people use it, and in one that optimises all code before it runs. The second shows what the kernels
themselves cost. In the first, functions that run less often than others stay unoptimised for long; which these are depends on how Python was started.
"""

from __future__ import annotations

import statistics
from contextlib import ExitStack

from ..runner import Bench
from ..table import Row
from .throughput import SETTLE_MS, SIDES

#: Kind of code to the body of the function that is timed. Each takes 10–50 ms, except for making classes: their garbage is collected after some
#: thousands of them, at other moments on each side, so that a shorter time would hold a collection on one side and none on the other.
KINDS = {
    "loops": """
        total = 0
        for i in range(400_000):
            total += i & 7
    """,
    "calls": """
        def add(a, b=1):
            return a + b
        for i in range(200_000):
            add(i)
    """,
    "str": """
        for i in range(100_000):
            str(i)
    """,
    "repr": """
        for i in range(20_000):
            repr((i, "text", 1.5))
    """,
    "f-strings": """
        for i in range(100_000):
            f"{i}: {i / 7:.3f}"
    """,
    "dictionaries": """
        counts = {}
        for i in range(200_000):
            key = i % 1009
            counts[key] = counts.get(key, 0) + 1
    """,
    "JSON": """
        import json
        rows = [{"a": i, "b": [1, 2, 3], "c": "text"} for i in range(2_000)]
        for _ in range(5):
            json.loads(json.dumps(rows))
    """,
    "regular expressions": """
        import re
        text = "one two 33 four, 555 six; " * 200
        for _ in range(50):
            re.findall(r"[a-z]+|\\d+", text)
    """,
    "exceptions": """
        for i in range(100_000):
            try:
                raise ValueError(i)
            except ValueError:
                pass
    """,
    "generators": """
        def numbers(n):
            for i in range(n):
                yield i
        sum(x * 2 for x in numbers(200_000))
    """,
    "floats": """
        x = 0.5
        for _ in range(400_000):
            x = 3.7 * x * (1.0 - x)
    """,
    "recursion": """
        def fibonacci(n):
            return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)
        fibonacci(22)
    """,
    "sorting": """
        words = [str(i * 7919 % 100_003) for i in range(30_000)]
        words.sort()
        sorted(words, key=len)
    """,
    "classes": """
        class Point:
            def __init__(self, x):
                self.x = x
            def __add__(self, other):
                return Point(self.x + other.x)
        point = Point(0)
        for _ in range(50_000):
            point = point + Point(1)
    """,
    "making classes": """
        for _ in range(10_000):
            type("Made", (), {"a": 1, "f": lambda self: 1})().f()
    """,
    "big integers": """
        n = 3**2_000
        for _ in range(20):
            n = n * n % 10**3_000
        str(n)
    """,
    "comparing": """
        a = [[i, str(i)] for i in range(50_000)]
        a == [list(row) for row in a]
    """,
}
#: Defines the function `timed`, which runs a kind of code and returns its ms, and runs it until the browser has optimised it.
PREPARED = """import time
def work():
{body}
def timed():
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1000
end = time.perf_counter() + {warm_s}
while time.perf_counter() < end: work()"""
TIMED = "print(timed())"
#: Runs a kind of code in a cell of its own, and prints its ms.
FIRST = """import time
def work():
{body}
begin = time.perf_counter()
for _ in range(10): work()
print((time.perf_counter() - begin) * 1000)"""
PREPARED_TIMEIT = "get_ipython().run_line_magic('timeit', '-n 200000 -r 5 x = 1; x + 1')"
TIMED_TIMEIT = """result = get_ipython().run_line_magic("timeit", "-q -o -n 200000 -r 1 x = 1; x + 1")
print(result.best * 200_000 * 1000)"""
#: Seconds for which each kind runs first, and how often each side is timed then.
WARM_S, TIMES = 2, 15
#: The greatest ratios that the project accepts: for each kind, and for the median of all kinds.
MAX_RATIO, MAX_MEDIAN = 1.03, 1.0


def run(bench: Bench) -> list[Row]:
    rows = measured(bench, "computing", None, None)
    with bench.optimised():
        return rows + measured(bench, "optimised", MAX_RATIO, MAX_MEDIAN)


def measured(bench: Bench, title: str, max_ratio: float | None, max_median: float | None) -> list[Row]:
    """Measure all kinds in the browser that `bench` uses at present."""
    cells = {name: (PREPARED.format(body=body, warm_s=WARM_S), TIMED) for name, body in KINDS.items()}
    cells["`%timeit`"] = PREPARED_TIMEIT, TIMED_TIMEIT
    first = f"{title}: a new page's first cells, one of each kind"
    samples: dict[str, dict[str, list[float]]] = {name: {side: [] for side in SIDES} for name in (first, *cells)}
    for turn in range(max(2, bench.repetitions // 2)):
        order = list(SIDES) if turn % 2 else list(reversed(SIDES))
        with ExitStack() as stack:
            labs = {side: stack.enter_context(bench.lab(*SIDES[side])) for side in order}
            for lab in labs.values():
                lab.start()
                lab.page.wait_for_timeout(SETTLE_MS)
            for side, lab in labs.items():
                times = [float(lab.text(FIRST.format(body=body))) for body in KINDS.values()]
                samples[first][side].append(sum(times))
            for name, (prepare, timed) in cells.items():
                for lab in labs.values():
                    lab.run(prepare)
                for _ in range(TIMES):
                    for side, lab in labs.items():
                        samples[name][side].append(float(lab.text(timed)))
    rows = []
    for isolated in (False, True):
        kinds = [row(f"{title}: {name}", samples[name], isolated, max_ratio) for name in cells]
        rows += [row(first, samples[first], isolated, None), *kinds, median(bench, title, kinds, isolated, max_median)]
    return rows


def row(name: str, samples: dict[str, list[float]], isolated: bool, limit: float | None) -> Row:
    """Make a row of one kind. Its ratio is the median of the ratios of neighbours, which other work of the machine slows alike."""
    ours, stock = samples["isolated" if isolated else "ours"], samples["stock"]
    made = Row(
        name=name,
        unit="ms",
        ours=statistics.median(ours),
        stock=statistics.median(stock),
        ratio=statistics.median(one / other for one, other in zip(ours, stock, strict=True)),
        samples={"ours": ours, "stock": stock},
        isolated=isolated,
        limit=limit,
        stock_plain=isolated,
    )
    print(made, flush=True)
    return made


def median(bench: Bench, title: str, kinds: list[Row], isolated: bool, limit: float | None) -> Row:
    """Make a row of the median of the kinds' ratios. The stock kernel's value is 1."""
    ratios = [row.ratio for row in kinds if row.ratio is not None]
    return bench.row(
        f"{title}: median of the ratios",
        "times",
        {"ours": ratios, "stock": [1.0]},
        isolated=isolated,
        stock_plain=isolated,
        limit=limit,
    )
