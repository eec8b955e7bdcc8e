"""Cells with much of what cells usually hold.

A browser optimises a function for what it has called so far. If the function calls something else later, it goes on in slow code, until the whole
cell has ended if it is Python's loop. So these cells call many kinds of functions from each place. Each of them assigns to ``shown`` what a cell shows.
"""

from __future__ import annotations

__all__ = ["CELLS"]

_CLASSES = """
import math
class Point:
    def __init__(self, x, y=0):
        self.x, self.y = x, y
    def __add__(self, other):
        return Point(self.x + other.x, self.y + other.y)
    def __repr__(self):
        return f"Point({self.x!r}, {self.y:.2f})"
class Base:
    count = 0
    @property
    def twice(self):
        return 2 * self.count
    @classmethod
    def make(cls):
        return cls()
    @staticmethod
    def half(x):
        return x / 2
    def __enter__(self):
        return self
    def __exit__(self, *exception):
        return False
    def __len__(self):
        return 3
    def __getitem__(self, i):
        if i > 2:
            raise IndexError(i)
        return i
class Child(Base):
    def __init__(self):
        super().__init__()
        self.count += 1
with Child.make() as child:
    total = child.twice + len(child) + sum(child) + Child.half(2)
    child.name = "x"
    missing = getattr(child, "missing", None), hasattr(child, "name")
    del child.name
shown = [Point(1) + Point(1, 2.5), math.sqrt(total), missing]
"""

_FUNCTIONS = """
import time
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)
def timed(n, *values, step=1, **options):
    total = 0
    for i in range(n):
        total += i & 7
    return total
times = []
for k in range(3):
    begin = time.perf_counter()
    timed(20, k, step=2, other=3)
    times.append(round((time.perf_counter() - begin) * 1000, 2))
def outer():
    seen = 0
    def inner(y):
        nonlocal seen
        seen += y
        return lambda z: z + seen
    return inner
results = [outer()(y)(1) for y in range(10)]
def squares(n):
    for i in range(n):
        yield i * i
results.append(sum(x * 2 for x in squares(20)))
try:
    int("x")
except (ValueError, KeyError) as error:
    text = "%s: %d" % (type(error).__name__, 3)
finally:
    text += "-".join(map(str, range(9)))
while len(results) < 15:
    results.append(len(results))
    if len(results) == 13:
        continue
shown = fibonacci(6), text, results
"""

_COLLECTIONS = """
numbers = [i * 0.5 for i in range(40) if i % 3]
counts = {}
for word in "the cat and the dog and the bird".split():
    counts[word] = counts.get(word, 0) + 1
table = {i: str(i) for i in range(20)}
for key, value in table.items():
    key in table and value.upper().strip().split(",")
for i, (a, b) in enumerate(zip(range(10), "abcdefghij")):
    a % 3 == 0 or b != "c" and not (a < 5 <= a + 2)
items = list(bytes(range(20))[2:9])
items.sort(reverse=True)
items.pop()
items[1:3] = [1.5]
first, *others = items
kinds = {type(x) for x in (1, 1.5, "a", None, True, (1,), [2], {3})}
flat = [x for row in [[1, 2], [3]] for x in row]
made = [list(filter(None, flat)), list(map(lambda q: q + 1, flat)), list(reversed(flat)), sorted(table, key=lambda k: -k)]
try:
    numbers["text"]
except TypeError as error:
    text = str(error)
shown = sorted(counts.items(), key=lambda item: (-item[1], item[0])), numbers, others, len(kinds), made, text
"""

_NUMBERS = """
total = 0
for i in range(60):
    total += i & 7
x = 0.5
for _ in range(30):
    x = 3.7 * x * (1.0 - x)
n = 3**200
big = str(n * n % 10**30)
simple = [isinstance(3, int), abs(-3.5), min(1, 2), max([1, 2]), any([0, 1]), all([1]), divmod(7, 2), 7 // 2, 2**9, ~3, 3 | 4, 3 ^ 1, 1 << 4]
text = "-".join(map(str, range(9)))
texts = ["{:>8} {!r}".format(text, 1.25), text.replace("-", "+"), text[::-1], text.encode().decode(), ord("a"), chr(98), hex(255), f"{x:.3f}"]
shown = total, big, simple, texts, text.find("3")
"""

CELLS = (_CLASSES, _FUNCTIONS, _COLLECTIONS, _NUMBERS)
