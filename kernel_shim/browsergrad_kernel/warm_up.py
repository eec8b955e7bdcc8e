"""Runs code of the kernel's own while it is idle, so that the browser has optimised Python before the first cells.

A browser first makes slow WebAssembly code, quickly, and optimises the functions that run often. Starting Python from its files runs much of it,
starting from a memory snapshot next to nothing. So the first cells would take up to twice as long as later ones.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any

#: Seconds of one part, which a cell that comes meanwhile may have to wait, and of all parts.
_PART_S, _ALL_S = 0.006, 0.4
#: A cell with much of what cells usually hold.
_CELL = """
import math
class Point:
    def __init__(self, x, y=0):
        self.x, self.y = x, y
    def __add__(self, other):
        return Point(self.x + other.x, self.y + other.y)
    def __repr__(self):
        return f"Point({self.x!r}, {self.y:.2f})"
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)
numbers = [i * 0.5 for i in range(40) if i % 3]
counts = {}
for word in "the cat and the dog and the bird".split():
    counts[word] = counts.get(word, 0) + 1
total = 0
for i in range(60):
    total += i & 7
try:
    numbers["text"]
except TypeError as error:
    text = str(error)
sorted(counts.items(), key=lambda item: (-item[1], item[0]))
shown = repr([Point(fibonacci(6)) + Point(1, 2.5), math.sqrt(total), max(numbers), *map(str, numbers)])
"""
_left_s = _ALL_S


def is_done() -> bool:
    """Whether nothing is left to do."""
    return _left_s <= 0


def go_on(shell: Any) -> bool:
    """Do a part of the work. Changes nothing that a cell can see.

    Returns
    -------
    bool
        Whether more is left.
    """
    global _left_s
    begin = time.perf_counter()
    try:
        while (spent_s := time.perf_counter() - begin) < min(_PART_S, _left_s):
            _run(shell)
    except Exception:  # it is only for speed
        _left_s = 0.0
    else:
        _left_s -= spent_s
    return _left_s > 0


def _run(shell: Any) -> None:
    code = shell.input_transformer_manager.transform_cell(_CELL)
    names: dict[str, Any] = {}
    exec(compile(code, "<warm-up>", "exec"), names)
    message = json.dumps({"header": {"msg_type": "stream", "date": "2000-01-01"}, "content": {"text": names["shown"]}})
    re.findall(r"[a-z]+|\d+", json.loads(message)["content"]["text"])
    shell.display_formatter.format([names["total"], names["text"]])
