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
_Ranges = tuple[tuple[int, int], ...]


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

        ranges: _Ranges = ()
        #: The first line that is shown of what is coloured, and the one after the last.
        shown = (0, 0)

        def get_tokens(self, text: str, unfiltered: bool = False) -> Any:
            position = 0
            for kind, value in super().get_tokens(text, unfiltered):
                if any(start <= position < end for start, end in self.ranges):
                    kind = kind.ExecutingNode
                position += len(value)
                yield kind, value

    return RangesLexer(stripnl=False)


def _pygmented_with_ranges(formatter: Any, code: str, ranges: _Ranges) -> list[str]:
    """What `stack_data.utils._pygmented_with_ranges` does, with one lexer for all, of the lines that are shown."""
    lines = code.splitlines(keepends=True)
    first, last = _lexer().shown
    if len(lines) - code.count("\n") not in (0, 1):
        first, last = 0, len(lines)  # a form feed counts as the end of a line, but is none
    start = sum(map(len, lines[:first]))
    inside = tuple((begin - start, end - start) for begin, end in ranges)
    coloured = _coloured(formatter.style, type(formatter), "".join(lines[first:last]), inside)
    return [*lines[:first], *coloured, *lines[last:]]


@functools.lru_cache(200)
def _coloured(style: Any, formatter: Any, code: str, ranges: _Ranges) -> tuple[str, ...]:
    import pygments

    lexer = _lexer()
    lexer.ranges = ranges
    try:
        return str(pygments.highlight(code, lexer, formatter(style=style))).splitlines()
    except Exception:  # code without colours is better than none
        return code.splitlines()


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
    before = ["#\n"] * first  # stack_data goes through lines that are empty one by one
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
def quick_inspect() -> Iterator[None]:
    """Let `inspect` look for a frame's module and for the end of a function only where it has to."""
    search, getblock = inspect.getmodule, inspect.getblock

    def getmodule(object: Any, _filename: str | None = None) -> Any:
        if inspect.isframe(object) and _is_in_no_file(object.f_code.co_filename):
            return None  # as the search through all modules ends: half of a short traceback's time
        return search(object, _filename)

    inspect.getmodule = getmodule
    inspect.getblock = lambda lines: list(_block(tuple(lines)))
    try:
        yield
    finally:
        inspect.getmodule, inspect.getblock = search, getblock


def _is_in_no_file(filename: str) -> bool:
    return interrupts.is_cell_file(filename) or filename.startswith("<") and filename.endswith(">")


@functools.lru_cache(100)
def _block(lines: tuple[str, ...]) -> list[str]:
    return _getblock(lines)


_getblock = inspect.getblock


def _lazy_frame_info() -> Any:
    import stack_data

    class FrameInfo(stack_data.FrameInfo):
        """Looks at its source when asked for it: IPython drops most of those it makes."""

        def __init__(self, *args: Any) -> None:
            self.frame = getattr(args[0], "tb_frame", args[0])
            self.arguments = args

        def __getattr__(self, name: str) -> Any:
            arguments = self.__dict__.pop("arguments", None)
            if arguments is None:
                raise AttributeError(name)
            super().__init__(*arguments)
            return getattr(self, name)

        @functools.cached_property
        def _pygmented_scope_lines(self) -> Any:
            first = self.source.line_range(self.scope)[0]
            _lexer().shown = self.included_pieces[0].start - first, self.included_pieces[-1].stop - first
            return super()._pygmented_scope_lines

    return FrameInfo


@functools.cache
def speed_up() -> None:
    """Speed up the parts that IPython's tracebacks are made of; what they show stays the same."""
    import stack_data.core
    from IPython.utils import PyColorize
    from pygments.formatters.terminal256 import Terminal256Formatter

    stack_data.Source.for_frame = classmethod(_source_of_frame)
    stack_data.FrameInfo = _lazy_frame_info()
    stack_data.core._pygmented_with_ranges = _pygmented_with_ranges
    stack_data.style_with_executing_node = functools.cache(stack_data.style_with_executing_node)
    set_up = Terminal256Formatter.__init__
    prepared: dict[Any, dict[str, Any]] = {}

    def cached_set_up(self: Any, **options: Any) -> None:
        style = options.get("style")
        if type(self) is not Terminal256Formatter or options.keys() != {"style"} or not isinstance(style, type):
            set_up(self, **options)
            return
        if style not in prepared:
            set_up(self, **options)
            prepared[style] = vars(self).copy()
        vars(self).update(prepared[style])

    Terminal256Formatter.__init__ = cached_set_up
    format_tokens = PyColorize.Theme.format
    format_token = functools.lru_cache(1000)(lambda theme, token: format_tokens(theme, [token]))

    def cached_format(self: Any, stream: Any) -> str:
        if isinstance(stream, list) and len(stream) == 1 and len(stream[0][1]) < 80:
            return format_token(self, stream[0])
        return format_tokens(self, stream)

    PyColorize.Theme.format = cached_format
    format_line = PyColorize.Parser.format2
    format_text = functools.lru_cache(300)(lambda theme, name, line: format_line(PyColorize.Parser(theme_name=name), line, "str"))

    def cached_line(self: Any, raw: str, out: Any = None) -> Any:
        if out != "str":
            return format_line(self, raw, out)
        return format_text(PyColorize.theme_table[self.theme_name], self.theme_name, raw)

    PyColorize.Parser.format2 = cached_line
