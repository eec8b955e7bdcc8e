"""Makes Stop end the running cell with ``KeyboardInterrupt``.

- `handler` decides on each interrupt: raise, cancel, or wait for a better moment.
- `frames` classifies the frame that was interrupted.
- `cell` runs a cell as a task that can be cancelled.
- `state` holds what is running, and asks the worker about its interrupt.
- `exceptions` has the exceptions that are raised.
- `requests` and `installation` connect all this to the kernel and to Python.

``docs/explanation/stop.md`` explains how these and the worker's part, ``interrupt_machine.ts``, work together. On CPython the
package does nothing, and the default handler of SIGINT does the work.
"""

from __future__ import annotations

from .cell import eager_task, enter_loop, run_cell
from .exceptions import CellTimeoutError, interruption, itself
from .frames import call, forget_cell_files, is_cell_file, mark_runs_cells, protect, register_cell_file
from .handler import on_idle, poll
from .installation import install
from .requests import begin, cell_starts_now, end, limit
from .state import current, uninterruptible, was_hit

__all__ = [
    "CellTimeoutError",
    "begin",
    "call",
    "cell_starts_now",
    "current",
    "eager_task",
    "end",
    "enter_loop",
    "forget_cell_files",
    "install",
    "interruption",
    "is_cell_file",
    "itself",
    "limit",
    "mark_runs_cells",
    "on_idle",
    "poll",
    "protect",
    "register_cell_file",
    "run_cell",
    "uninterruptible",
    "was_hit",
]
