"""Tracebacks as IPython shows them, without our own frames and in a fraction of the time.

Stop is only as quick as the traceback it shows. Much of what IPython, stack_data, executing and pygments do for one is done again for
the next, or for what is not shown: `speed_up` puts a quicker version in the place of each such part. What they show stays the same, to
the character. Each replacement is a function that takes the original; its docstring says what it replaces, in
which versions, what that saves in WebAssembly, in milliseconds of one traceback, and which test compares it. What saves less than 10 ms is not
replaced.
"""

from __future__ import annotations

from .ours import hide_ours, only_users, without_ours
from .reading import forget_blocks
from .replacements import quickly, speed_up
from .sources import forget_sources

__all__ = ["forget_blocks", "forget_sources", "hide_ours", "only_users", "quickly", "speed_up", "without_ours"]
