"""Runs code of the kernel's own while it is idle, so that the browser has optimised Python before the first cells.

A browser first makes slow WebAssembly code, quickly, and optimises the functions that run often. Starting Python from its files runs much of it,
starting from a memory snapshot next to nothing. So the first cells would take up to twice as long as later ones.
"""

from __future__ import annotations

import itertools
import json
import re
import time
from typing import Any

from .warm_up_cells import CELLS

#: Seconds of one part, which a cell that comes meanwhile may have to wait, and of all parts.
_PART_S, _ALL_S = 0.006, 0.8
_runs = itertools.cycle(CELLS)
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
    code = shell.input_transformer_manager.transform_cell(next(_runs))
    names: dict[str, Any] = {}
    exec(compile(code, "<warm-up>", "exec"), names)
    shown = names["shown"]
    message = json.dumps({"header": {"msg_type": "stream", "date": "2000-01-01"}, "content": {"text": repr(shown)}})
    re.findall(r"[a-z]+|\d+", json.loads(message)["content"]["text"])
    shell.display_formatter.format(shown)
