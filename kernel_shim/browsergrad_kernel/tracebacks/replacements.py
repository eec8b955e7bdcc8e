"""The functions of other projects that are replaced by quicker ones, and when."""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from .colours import quick_colours, remember_lines, remember_tokens, set_up_once
from .frames import lazy_frames
from .reading import quick_count, quick_getmodule, quick_getsourcelines
from .recursion import only_ends, with_left_out
from .sources import forget_sources, parts, source_classes
from .state import now

#: Module, name in the module, and the function that makes the quicker version of the original.
#: `style_with_executing_node` makes a class for each frame, which pygments compiles. The cache saves 6 to 79 ms in one traceback.
REPLACED: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("stack_data", "Source.for_frame", parts),
    ("stack_data", "FrameInfo", lazy_frames),
    ("stack_data.core", "RepeatedFrames", with_left_out),
    ("IPython.core.ultratb", "VerboseTB.get_records", only_ends),
    ("stack_data", "style_with_executing_node", functools.cache),
    ("stack_data.core", "_pygmented_with_ranges", quick_colours),
    ("IPython.core.tbtools", "count_lines_in_py_file", quick_count),
    ("pygments.formatters.terminal256", "Terminal256Formatter.__init__", set_up_once),
    ("IPython.utils.PyColorize", "Theme.format", remember_tokens),
    ("IPython.utils.PyColorize", "Parser.format2", remember_lines),
)


@functools.cache
def speed_up() -> list[tuple[Any, str, Any]]:
    """Install the quicker versions. Returns the originals (owner, name, value). A name that no longer exists is left out."""
    replaced = []
    for module, path, quicker in REPLACED:
        owner: Any = importlib.import_module(module)
        *outer, name = path.split(".")
        for each in outer:
            owner = getattr(owner, each, None)
        own = getattr(owner, name, None)
        if own is not None:
            replaced.append((owner, name, own))
            setattr(owner, name, quicker(own))
    return replaced


@contextlib.contextmanager
def quickly(shows: str) -> Iterator[None]:
    """Make one traceback in this block. It `shows` ``"lines"``, or ``"variables"`` too."""
    speed_up()
    if shows != now.shown_before:
        for source in source_classes():
            source._class_local("__executing_cache", {}).clear()
    now.shows = now.shown_before = shows
    search, read = inspect.getmodule, inspect.getsourcelines
    inspect.getmodule, inspect.getsourcelines = quick_getmodule(search), quick_getsourcelines(read)
    try:
        yield
    finally:
        inspect.getmodule, inspect.getsourcelines = search, read
        now.shows = None
        forget_sources()
