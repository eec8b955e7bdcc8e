"""Tracebacks as IPython shows them, without our own frames and in a fraction of the time.

Stop is only as quick as the traceback it shows. stack_data makes a new lexer class and a new style
class for every frame it highlights, and pygments compiles each anew: more than half of the time an
error takes. Here they are made once. executing parses all of a file for a frame in one of its functions:
100 ms for 1,600 lines, the first time. Here it is given that function alone, or of a module what stands around
the line; and of a long function only the lines around those that run get colours.
"""

from __future__ import annotations

import bisect
import contextlib
import functools
import inspect
import linecache
import re
from collections.abc import Iterator
from types import CodeType, FrameType, TracebackType
from typing import Any

from . import interrupts

_OUR_FOLDER = __file__.rpartition("/")[0] + "/"
_Ranges = list[tuple[int, int]]


def hide_ours(error: BaseException | None) -> None:
    """Take this package's frames out of the tracebacks of `error` and of all it carries.

    Between the user's code and a library they say nothing: the patched ``time.sleep``, ``input``, ``run_sync``.
    """
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        error = waiting.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        error.__traceback__ = without_ours(error.__traceback__)
        waiting += [error.__cause__, error.__context__]
        if isinstance(error, BaseExceptionGroup):
            waiting += error.exceptions


def without_ours(frames: TracebackType | None) -> TracebackType | None:
    """`frames` relinked around this package's; where all are ours, the innermost stays."""
    entries = []
    while frames is not None:
        entries.append(frames)
        frames = frames.tb_next
    kept = [entry for entry in entries if not _is_ours(entry)]
    kept = kept or entries[-1:]
    following = None
    for entry in reversed(kept):
        entry.tb_next = following
        following = entry
    return following


def only_users(frames: TracebackType | None) -> TracebackType | None:
    """`frames`, or None where `without_ours` had to leave one of ours."""
    return None if frames is None or _is_ours(frames) else frames


def _is_ours(entry: TracebackType) -> bool:
    return entry.tb_frame.f_code.co_filename.startswith(_OUR_FOLDER)


@functools.cache
def _lexer() -> Any:
    from pygments.lexers.python import PythonLexer

    class RangesLexer(PythonLexer):
        """Marks the tokens within `ranges` as executing."""

        ranges: _Ranges = []

        def get_tokens(self, text: str, unfiltered: bool = False) -> Any:
            position = 0
            for kind, value in super().get_tokens(text, unfiltered):
                if any(start <= position < end for start, end in self.ranges):
                    kind = kind.ExecutingNode
                position += len(value)
                yield kind, value

    return RangesLexer(stripnl=False)


#: Lines of a long function that are coloured before and after the ones that run: more than a traceback shows.
_COLOURED = 20


def _shown(code: str, ranges: _Ranges) -> tuple[int, int]:
    """Where in `code` the lines that can be shown begin and end; what runs is in `ranges`."""
    if not ranges or code.count("\n") < 3 * _COLOURED:
        return 0, len(code)
    start, end = min(first for first, _ in ranges), max(last for _, last in ranges)
    for _ in range(_COLOURED + 1):
        start = max(0, code.rfind("\n", 0, start))
        end = code.find("\n", end) + 1 or len(code)
    start += code[start] == "\n"
    in_string = any(code.count(quotes, 0, start) % 2 for quotes in ('"""', "'''"))
    return 0 if in_string else start, end


def _pygmented_with_ranges(formatter: Any, code: str, ranges: _Ranges) -> list[str]:
    """What `stack_data.utils._pygmented_with_ranges` does, with one lexer for all, of the lines around those that run."""
    import pygments

    start, end = _shown(code, ranges)
    lexer = _lexer()
    lexer.ranges = [(first - start, last - start) for first, last in ranges]
    try:
        coloured = str(pygments.highlight(code[start:end], lexer, formatter)).splitlines()
    except Exception:  # code without colours is better than none
        return code.splitlines()
    return code[:start].splitlines() + coloured + code[end:].splitlines()


#: Cells, and functions of libraries, whose parsed source is kept for further tracebacks.
_KEPT = 50


def forget_sources() -> None:
    """Drop parsed sources of shown tracebacks once they are many, the older half.

    executing keeps every syntax tree for ever, and each cell is a file of its own. Cells don't push out
    functions of libraries, which come again.
    """
    import executing.executing as module
    import stack_data

    dropped = False
    for owner in (module.Source, stack_data.Source):
        kept = owner._class_local("__source_cache_with_lines", {})
        cells = [key for key in kept if interrupts.is_cell_file(key[0])]
        functions = [key for key in kept if not interrupts.is_cell_file(key[0])]
        for keys in (cells, functions):
            if len(keys) > _KEPT:
                for key in keys[: -_KEPT // 2]:
                    del kept[key]
                owner._class_local("__executing_cache", {}).clear()
                dropped = True
    if dropped:
        module.Source.statements_at_line.cache_clear()
        module.statement_containing_node.cache_clear()


def _own_lines(code: CodeType, lines: list[str]) -> list[str]:
    """The file up to the end of the function `code`, and nothing but that function in it."""
    first = code.co_firstlineno - 1
    indent = _indent(lines[first])
    last = max(line or 0 for _, _, line in code.co_lines())
    while last < len(lines) and (not lines[last].strip() or _indent(lines[last]) > indent):
        last += 1
    before = ["\n"] * first
    if indent and before:
        before[-1] = "if 1:\n"
    return before + lines[first:last]


#: Statements of a module that are parsed before and after the one that runs: more than a traceback shows.
_AROUND = 8
#: How a line without indentation goes on with the statement before it.
_CONTINUES = re.compile(r"[\s)\]}#]|(except|finally|else|elif|case)\b|[^=]*\"\"\"|[^=]*'''")


def _lines_around(line: int, lines: list[str]) -> list[str]:
    """The file from some statements before `line` to some after it, and nothing else in it."""
    starts = [index for index, text in enumerate(lines) if not _CONTINUES.match(text)]
    current = bisect.bisect_right(starts, line - 1) - 1
    first = starts[max(0, current - _AROUND)] if current >= 0 else 0
    last = starts[current + _AROUND] if current + _AROUND < len(starts) else len(lines)
    return ["\n"] * first + lines[first:last]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _source_of_frame(cls: Any, frame: FrameType, use_cache: bool = True) -> Any:
    """``Source.for_frame`` that parses what a frame of a library needs, not all of its file: that can take seconds."""
    code = frame.f_code
    if not interrupts.is_cell_file(code.co_filename):
        lines = linecache.getlines(code.co_filename, frame.f_globals)
        part = None
        if code.co_name == "<module>":
            part = _lines_around(frame.f_lineno or 1, lines)
        elif code.co_flags & inspect.CO_OPTIMIZED and not code.co_name.startswith("<") and code.co_firstlineno <= len(lines):
            part = _own_lines(code, lines)
        if part:
            source = cls._for_filename_and_lines(code.co_filename, tuple(part))
            if source.tree is not None:
                source._qualnames = {(code.co_name, code.co_firstlineno): code.co_qualname}
                return source
    return cls.for_filename(code.co_filename, frame.f_globals or {}, use_cache)


@contextlib.contextmanager
def no_search_for_cells() -> Iterator[None]:
    """Spare `inspect.getmodule` a look through all modules for each frame of a cell: half of a short traceback's time."""
    search = inspect.getmodule

    def getmodule(object: Any, _filename: str | None = None) -> Any:
        if inspect.isframe(object) and interrupts.is_cell_file(object.f_code.co_filename):
            return None  # as the search ends
        return search(object, _filename)

    inspect.getmodule = getmodule
    try:
        yield
    finally:
        inspect.getmodule = search


@functools.cache
def speed_up() -> None:
    """Speed up the parts that IPython's tracebacks are made of; what they show stays the same."""
    import stack_data.core
    from pygments.formatters.terminal256 import Terminal256Formatter

    stack_data.Source.for_frame = classmethod(_source_of_frame)
    stack_data.core._pygmented_with_ranges = _pygmented_with_ranges
    stack_data.style_with_executing_node = functools.cache(stack_data.style_with_executing_node)
    set_up_styles = Terminal256Formatter._setup_styles
    strings: dict[Any, Any] = {}

    def cached_styles(self: Any) -> None:
        key = type(self), self.style, self.useunderline, self.usebold, self.useitalic
        if key not in strings:
            set_up_styles(self)
            strings[key] = self.style_string
        self.style_string = strings[key]

    Terminal256Formatter._setup_styles = cached_styles
