"""Tracebacks as IPython shows them, without our own frames and in a fraction of the time.

Stop is only as quick as the traceback that it shows. IPython, stack_data, executing and pygments repeat much of their work for each
traceback, or do it for lines that are not shown. `speed_up` replaces such functions by quicker ones. The text stays the same, to the
character. Each replacement is a function that takes the original. Its docstring says what it replaces, in which versions, how many
milliseconds of one traceback that saves in WebAssembly, and which test compares both. What saves less than a millisecond is not replaced.
"""

from __future__ import annotations

from .ours import hide_ours, only_users, without_ours
from .reading import forget_blocks
from .replacements import quickly, speed_up
from .sources import forget_sources

__all__ = ["forget_blocks", "forget_sources", "hide_ours", "only_users", "quickly", "speed_up", "without_ours"]
