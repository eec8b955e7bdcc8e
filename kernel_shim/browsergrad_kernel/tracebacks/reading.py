"""Quicker versions of the functions by which IPython reads sources. They read each thing only once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from .. import interrupts


def quick_getmodule(own: Callable[..., Any]) -> Callable[..., Any]:
    """Replaces ``inspect.getmodule``: looks for the module of a file only once.

    The original is called for each frame. If a file has no module, it searches all modules, several times for one traceback.

    - versions: Python 3.11 to 3.14
    - saves: 18 ms for an error in a cell, 2 ms for one in the library
    - test: `test_tracebacks_look_as_ipython_shows_them`
    """
    modules: dict[str, Any] = {}

    def getmodule(object: Any, _filename: str | None = None) -> Any:
        if not inspect.isframe(object):
            return own(object, _filename)
        filename = object.f_code.co_filename
        if filename not in modules:
            nowhere = interrupts.is_cell_file(filename) or filename.startswith("<")
            modules[filename] = None if nowhere else own(object, _filename)
        return modules[filename]

    return getmodule


def quick_getsourcelines(own: Callable[..., Any]) -> Callable[..., Any]:
    """Replaces ``inspect.getsourcelines``: reads a function only once.

    IPython reads the lines of a cell only to learn whether there are any, and those of the standard library twice.

    - versions: Python 3.11 to 3.14
    - saves: 2 ms (`json.loads`) to 24 ms (a dataclass)
    - test: `test_tracebacks_look_as_ipython_shows_them`
    """
    sources: dict[tuple[Any, ...], Any] = {}

    def getsourcelines(object: Any) -> Any:
        if not inspect.isframe(object):
            return own(object)
        code = object.f_code
        key = code.co_filename, code.co_firstlineno, code.co_name
        if key not in sources:
            lines: Sequence[str]
            lines, first = inspect.findsource(object)
            if not interrupts.is_cell_file(code.co_filename) and code.co_name != "<module>":
                lines, first = _block(tuple(lines[first:])), first + 1
            sources[key] = lines, first
        return sources[key]

    return getsourcelines


@functools.lru_cache(50)
def _block(lines: tuple[str, ...]) -> tuple[str, ...]:
    return inspect.getblock(lines)


#: Forget the lines of functions.
forget_blocks = _block.cache_clear


def quick_count(own: Any) -> Any:
    """Replaces ``tbtools.count_lines_in_py_file``: counts a file only once, and with one call.

    The original reads a file line by line.

    - versions: IPython 9
    - saves: 64 ms for a file of 12,000 lines
    - test: `test_tracebacks_look_as_ipython_shows_them`
    """

    @functools.lru_cache(128)
    def count_lines_in_py_file(filename: str) -> int:
        if not filename.endswith(".py"):
            return 0
        try:
            with open(filename) as file:
                text = file.read()
        except UnicodeError:
            return 0
        return text.count("\n") + (text[-1:] not in ("", "\n"))

    return count_lines_in_py_file
