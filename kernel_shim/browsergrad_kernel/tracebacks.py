"""Tracebacks as IPython shows them, without our own frames and in a fraction of the time.

Stop is only as quick as the traceback it shows. Much of what IPython, stack_data, executing and pygments do for
one is done again for the next, or for what is not shown: :func:`speed_up` puts a quicker version in the place of
each such part. What they show stays the same, to the character.
"""

from __future__ import annotations

import ast
import bisect
import contextlib
import functools
import inspect
import linecache
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from operator import attrgetter
from types import CodeType, FrameType, TracebackType
from typing import Any

from . import interrupts
from ._host import IN_PYODIDE, host

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
    """`frames` relinked around this package's and the worker's; where all are ours, the innermost stays."""
    entries = _entries(frames)
    if not any(map(_is_our_file, set(map(attrgetter("tb_frame.f_code.co_filename"), entries)))):
        return frames
    kept = [entry for entry in entries if not _is_ours(entry)]
    kept = kept or entries[-1:]
    following = None
    for entry in reversed(kept):
        if entry.tb_next is not following:  # to set it, CPython goes through all that follow
            entry.tb_next = following
        following = entry
    return following


def _entries(frames: TracebackType | None) -> list[TracebackType]:
    entries = []
    while frames is not None:
        entries.append(frames)
        frames = frames.tb_next
    return entries


def only_users(frames: TracebackType | None) -> TracebackType | None:
    """`frames`, or None where `without_ours` had to leave one of ours."""
    return None if frames is None or _is_ours(frames) else frames


def _is_ours(entry: TracebackType) -> bool:
    return _is_our_file(entry.tb_frame.f_code.co_filename)


def _is_our_file(filename: str) -> bool:
    # Below a callback from JavaScript, Pyodide shows the worker's functions.
    return filename.startswith(_OUR_FOLDER) or (IN_PYODIDE and "://" in filename and filename == host.script())


# --- colours


@functools.cache
def _lexer() -> Any:
    """The one lexer: stack_data makes a class of them for each frame, and pygments compiles each anew."""
    from pygments.lexers.python import PythonLexer

    class RangesLexer(PythonLexer):
        """Marks the tokens within `ranges` as executing."""

        ranges: _Ranges = ()

        def get_tokens(self, text: str, unfiltered: bool = False) -> Any:
            position = 0
            for kind, value in super().get_tokens(text, unfiltered):
                if any(start <= position < end for start, end in self.ranges):
                    kind = kind.ExecutingNode
                position += len(value)
                yield kind, value

    return RangesLexer(stripnl=False)


def _quick_colours(own: Any) -> Any:
    """Colour the lines that are shown of a scope: they begin and end with a statement, as the lexer's states do."""

    def pygmented_with_ranges(formatter: Any, code: str, ranges: list[tuple[int, int]]) -> list[str]:
        lines = code.splitlines(keepends=True)
        shown = _now.shown
        # A form feed ends a line here, but none of the file.
        if shown is None or not _is_plain(formatter) or len(lines) - code.count("\n") not in (0, 1):
            coloured: list[str] = own(formatter, code, ranges)
            return coloured
        start = sum(map(len, lines[: shown.start]))
        inside = tuple((first - start, last - start) for first, last in ranges)
        coloured = _coloured(formatter.style, "".join(lines[shown]), inside)
        return [*lines[: shown.start], *coloured, *lines[shown.stop :]]

    return pygmented_with_ranges


@functools.lru_cache(200)
def _coloured(style: Any, code: str, ranges: _Ranges) -> list[str]:
    import pygments
    from pygments.formatters.terminal256 import Terminal256Formatter

    lexer = _lexer()
    lexer.ranges = ranges
    try:
        return str(pygments.highlight(code, lexer, Terminal256Formatter(style=style))).splitlines()
    except Exception:  # code without colours is better than none
        return code.splitlines()


def _is_plain(formatter: Any) -> bool:
    """Whether it is a formatter as IPython makes them: with a style, and nothing else."""
    return type(formatter).__name__ == "Terminal256Formatter" and formatter.options.keys() == {"style"}


def _set_up_once(own: Any) -> Any:
    """IPython makes a formatter for each traceback, and that all of its style's codes."""
    made: dict[type, Any] = {}

    def __init__(self: Any, **options: Any) -> None:
        style = options.get("style")
        if type(self).__name__ != "Terminal256Formatter" or options.keys() != {"style"} or not isinstance(style, type):
            own(self, **options)
        elif style in made:
            vars(self).update(vars(made[style]))
        else:
            own(self, **options)
            made[style] = self

    return __init__


def _known_tokens(own: Any) -> Any:
    """Most of what a theme colours are the same few words, one at a time."""
    word = functools.lru_cache(1000)(lambda theme, token: own(theme, [token]))

    def format(self: Any, stream: Any) -> str:
        if isinstance(stream, list) and len(stream) == 1 and len(stream[0][1]) < 80:
            return str(word(self, stream[0]))
        return str(own(self, stream))

    return format


def _known_lines(own: Any) -> Any:
    """Lines of frames whose file can't be opened: those of the standard library, in its archive."""
    from IPython.utils.PyColorize import Parser, theme_table

    line = functools.lru_cache(300)(lambda theme, name, raw: own(Parser(theme_name=name), raw, "str"))

    def format2(self: Any, raw: str, out: Any = None) -> Any:
        return line(theme_table[self.theme_name], self.theme_name, raw) if out == "str" else own(self, raw, out)

    return format2


# --- endless recursion

#: Entries at each end of a traceback that IPython looks at: more than CPython's own limit lets happen.
_ENDS = 1000


def _only_ends(own: Any) -> Any:
    """IPython looks at each entry, 50 µs each, and shows what repeats as one: a million take a minute."""

    def get_records(self: Any, etb: TracebackType, *args: Any) -> Any:
        entries = _entries(etb)
        if len(entries) <= 2 * _ENDS:
            return own(self, etb, *args)
        _now.left_out = _places(entries[_ENDS:-_ENDS])
        following = entries[-_ENDS]
        for entry in reversed(entries[:_ENDS]):  # anew: the user's own stays as it is
            following = TracebackType(following, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
        try:
            return own(self, following, *args)
        finally:
            _now.left_out = {}

    return get_records


def _places(entries: list[TracebackType]) -> dict[tuple[CodeType, int], int]:
    """How many entries are at each line. Nothing in Python, nor a code's hash, is called for each of a million."""
    codes = list(map(attrgetter("tb_frame.f_code"), entries))
    known = dict(zip(map(id, codes), codes, strict=True))
    counts = Counter(zip(map(id, codes), map(attrgetter("tb_lineno"), entries), strict=True))
    return {(known[code], line): count for (code, line), count in counts.items()}


def _with_left_out(own: Any) -> Any:
    """Count what `_only_ends` has left out to the frames like it."""

    class RepeatedFrames(own):
        def __init__(self, frames: Any, frame_keys: list[tuple[CodeType, int]]) -> None:
            left_out = [[key] * _now.left_out.pop(key, 0) for key in dict.fromkeys(frame_keys)]
            super().__init__(frames, sum(left_out, frame_keys))

    return RepeatedFrames


# --- sources


class _Now:
    """What the traceback is that is being made, for functions that nobody tells."""

    #: ``"lines"``, or ``"variables"`` as well, whose order depends on all of a scope; None while there is none.
    shows: str | None = None
    #: The same of the traceback before.
    shown_before: str | None = None
    #: Line of the frame that is looked at.
    line: int | None = None
    #: Lines of its scope that are shown.
    shown: slice | None = None

    def __init__(self) -> None:
        #: Entries that are not looked at, by code and line.
        self.left_out: dict[tuple[CodeType, int], int] = {}


_now = _Now()


def _lazy_frames(own: Any) -> Any:
    """IPython makes all frames of a traceback several times, and shows some of them."""

    class FrameInfo(own):
        """Looks at its source when it is asked for it."""

        def __init__(self, *args: Any) -> None:
            self.frame = getattr(args[0], "tb_frame", args[0])
            self.arguments = args
            linecache.lazycache(self.frame.f_code.co_filename, self.frame.f_globals)

        def __getattr__(self, name: str) -> Any:
            arguments = self.__dict__.pop("arguments", None)
            if arguments is None:
                raise AttributeError(name)
            _now.line = getattr(arguments[0], "tb_lineno", None)
            try:
                super().__init__(*arguments)
            finally:
                _now.line = None
            return getattr(self, name)

        @functools.cached_property
        def _pygmented_scope_lines(self) -> Any:
            first = self.source.line_range(self.scope)[0]
            _now.shown = slice(self.included_pieces[0].start - first, self.included_pieces[-1].stop - first)
            try:
                return super()._pygmented_scope_lines
            finally:
                _now.shown = None

    return FrameInfo


#: Cells, and functions of libraries, whose parsed source is kept for further tracebacks.
_KEPT = 50


def forget_sources(kept: int = _KEPT) -> None:
    """Drop parsed sources of shown tracebacks once they are more than `kept`, the older half.

    executing keeps every syntax tree for ever, and each cell is a file of its own. Cells don't push out
    functions of libraries, which come again.
    """
    dropped = False
    for owner in _sources():
        executing = owner._class_local("__executing_cache", {})
        for key in [key for key in executing if interrupts.is_cell_file(key[0].co_filename)]:
            del executing[key]  # known by its address, which the code of the next cell may get
        sources = owner._class_local("__source_cache_with_lines", {})
        cells = [key for key in sources if interrupts.is_cell_file(key[0])]
        functions = [key for key in sources if not interrupts.is_cell_file(key[0])]
        for keys in (cells, functions):
            if len(keys) > kept:
                for key in keys[: len(keys) - kept // 2]:
                    del sources[key]
                executing.clear()
                dropped = True
    if dropped:
        import executing.executing as module

        module.Source.statements_at_line.cache_clear()
        module.statement_containing_node.cache_clear()


def _sources() -> Any:
    import executing
    import stack_data

    return executing.Source, stack_data.Source


#: Statements of a module that are parsed before and after the one that runs, as far as its lines tell.
_AROUND = 8
#: The same of a function, whose statements are known: one more than a traceback shows.
_NEAR = 3
#: Lines up to which all is parsed.
_SHORT = 30
#: How a line without indentation goes on with the statement before it.
_CONTINUES = re.compile(r"[\s)\]}#]|(except|finally|else|elif|case)\b|[^=]*\"\"\"|[^=]*'''")


def _parts(own: Any) -> Any:
    """executing parses all of a file for a frame, 100 ms for 1,600 lines, and goes through all nodes several times."""

    def for_frame(cls: Any, frame: FrameType, use_cache: bool = True) -> Any:
        if _now.shows is None:
            return own.__func__(cls, frame, use_cache)
        code, filename = frame.f_code, frame.f_code.co_filename
        entry = linecache.cache.get(filename)
        linecache.checkcache(filename)
        lines = linecache.getlines(filename, frame.f_globals)
        if entry is not None and not lines:
            linecache.cache[filename] = entry
        line = _now.line or frame.f_lineno or 1
        if max(line, code.co_firstlineno) <= len(lines):
            first, last = _range(code, line, lines)
            source = cls._for_filename_and_lines(filename, tuple(_part(first, last, line, lines)))
            if source.tree is not None:
                if first and first == code.co_firstlineno - 1:  # a method, without its class
                    source._qualnames[code.co_name, code.co_firstlineno] = code.co_qualname
                return source
        return own.__func__(cls, frame, use_cache)

    return classmethod(for_frame)


def _range(code: CodeType, line: int, lines: list[str]) -> tuple[int, int]:
    """Index of the first line that a frame's traceback is made of, and of the one after the last."""
    whole = 0, len(lines)
    if interrupts.is_cell_file(code.co_filename):
        return whole
    if code.co_name != "<module>":
        ranges = [_statements(line, lines, 0)]
        if code.co_flags & inspect.CO_OPTIMIZED and not code.co_name.startswith("<"):
            ranges.insert(0, _function(code, lines))
        for first, last in ranges:
            if _is_in_body(line - first, lines[first:last]):
                return first, last
    return whole if _now.shows == "variables" else _statements(line, lines, _AROUND)


def _function(code: CodeType, lines: list[str]) -> tuple[int, int]:
    first = code.co_firstlineno - 1
    indent = _indent(lines[first])
    last = max(line or 0 for _, _, line in code.co_lines())
    while last < len(lines) and (not lines[last].strip() or _indent(lines[last]) > indent):
        last += 1
    return first, last


def _is_in_body(line: int, lines: list[str]) -> bool:
    """Whether `lines` are a function or a class, and `line` is below its head: what runs in that is the scope around."""
    prefix = _prefix(lines)
    statements = getattr(_parsed([prefix, *lines]), "body", [])
    if prefix == _IF and statements:
        statements = statements[0].body
    if len(statements) != 1 or not isinstance(statements[0], (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return False
    body = statements[0].body[0]
    return body.lineno - 1 <= line and not lines[body.lineno - 2][: body.col_offset].strip()


def _parsed(lines: list[str]) -> Any:
    with warnings.catch_warnings(action="ignore"):  # those of compiling have been shown
        try:
            return ast.parse("".join(lines))
        except (SyntaxError, ValueError):
            return None


#: A line before indented ones that makes them a block.
_IF = "if 1:\n"


def _prefix(lines: list[str]) -> str:
    return _IF if lines and lines[0][:1].isspace() else "#\n"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _statements(line: int, lines: list[str], around: int) -> tuple[int, int]:
    """The module's statement at `line`, and so many around it."""
    starts = [index for index, text in enumerate(lines) if not _CONTINUES.match(text)]
    current = bisect.bisect_right(starts, line - 1) - 1
    first = starts[max(0, current - around)] if current >= 0 else 0
    last = starts[current + around + 1] if current + around + 1 < len(starts) else len(lines)
    return first, last


def _part(first: int, last: int, line: int, lines: list[str]) -> list[str]:
    """`lines` up to `last` without those before `first`, and without statements far from `line`."""
    part = lines[first:last]
    part.insert(0, _prefix(part))
    if last - first > _SHORT and _now.shows != "variables":
        _thin(part, line - first + 1)
    # stack_data looks at lines that are empty one by one.
    return ["#\n"] * (first - 1) + part if first else part[1:]


def _thin(part: list[str], line: int) -> None:
    """Empty the lines of statements that are far from `line`, in each block around it."""
    block = _parsed(part)
    while block is not None:
        blocks: list[Any] = [getattr(block, name, ()) for name in ("body", "handlers", "orelse", "finalbody")]
        block = None
        for statements in blocks:
            # Those that share a line are shown together.
            rows = [at for at, each in enumerate(statements) if not at or _begin(each) > statements[at - 1].end_lineno]
            for at, statement in enumerate(statements):
                if _begin(statement) <= line <= statement.end_lineno:
                    block = statement
                    row = bisect.bisect_right(rows, at) - 1
                    _empty(part, statements[0], statements[rows[max(0, row - _NEAR)]])
                    if row + _NEAR + 1 < len(rows):
                        _empty(part, statements[rows[row + _NEAR + 1]], None, statements[-1].end_lineno)
                    break


def _empty(part: list[str], first: Any, until: Any, last: int = 0) -> None:
    start, end = _begin(first) - 1, last or _begin(until) - 1
    part[start:end] = ["#\n"] * (end - start)


def _begin(statement: Any) -> int:
    return int(min([statement.lineno, *(decorator.lineno for decorator in getattr(statement, "decorator_list", ()))]))


# --- frames


@contextlib.contextmanager
def quickly(shows: str) -> Iterator[None]:
    """Make one traceback, which `shows` ``"lines"`` or ``"variables"`` as well."""
    speed_up()
    if shows != _now.shown_before:
        for source in _sources():
            source._class_local("__executing_cache", {}).clear()
    _now.shows = _now.shown_before = shows
    search, read = inspect.getmodule, inspect.getsourcelines
    modules: dict[str, Any] = {}
    sources: dict[tuple[Any, ...], Any] = {}

    def getmodule(object: Any, _filename: str | None = None) -> Any:
        """A frame's is looked for by its file; where there is none, in all modules: half of a short traceback's time."""
        if not inspect.isframe(object):
            return search(object, _filename)
        filename = object.f_code.co_filename
        if filename not in modules:
            nowhere = interrupts.is_cell_file(filename) or filename.startswith("<")
            modules[filename] = None if nowhere else search(object, _filename)
        return modules[filename]

    def getsourcelines(object: Any) -> Any:
        """IPython asks for those of a cell to learn whether there are any, and for those of the standard library twice."""
        if not inspect.isframe(object):
            return read(object)
        code = object.f_code
        key = code.co_filename, code.co_firstlineno, code.co_name
        if key not in sources:
            lines: Sequence[str]
            lines, first = inspect.findsource(object)
            if not interrupts.is_cell_file(code.co_filename) and code.co_name != "<module>":
                lines, first = _block(tuple(lines[first:])), first + 1
            sources[key] = lines, first
        return sources[key]

    inspect.getmodule, inspect.getsourcelines = getmodule, getsourcelines
    try:
        yield
    finally:
        inspect.getmodule, inspect.getsourcelines = search, read
        _now.shows = None
        forget_sources()


@functools.lru_cache(50)
def _block(lines: tuple[str, ...]) -> tuple[str, ...]:
    return inspect.getblock(lines)


def _quick_count(own: Any) -> Any:
    """IPython counts a file's lines one by one: 8 ms for 4,000 lines."""

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


@functools.cache
def speed_up() -> list[tuple[Any, str, Any]]:
    """Put the quicker versions in place; returns what there was. What there is no more stays out."""
    import stack_data.core
    from IPython.core import tbtools, ultratb
    from IPython.utils import PyColorize
    from pygments.formatters.terminal256 import Terminal256Formatter

    replaced = []
    for owner, name, quicker in (
        (stack_data.Source, "for_frame", _parts),
        (stack_data, "FrameInfo", _lazy_frames),
        (stack_data.core, "RepeatedFrames", _with_left_out),
        (ultratb.VerboseTB, "get_records", _only_ends),
        (stack_data, "style_with_executing_node", functools.cache),
        (stack_data.core, "_pygmented_with_ranges", _quick_colours),
        (tbtools, "count_lines_in_py_file", _quick_count),
        (Terminal256Formatter, "__init__", _set_up_once),
        (PyColorize.Theme, "format", _known_tokens),
        (PyColorize.Parser, "format2", _known_lines),
    ):
        own = getattr(owner, name, None)
        if own is not None:
            replaced.append((owner, name, own))
            setattr(owner, name, quicker(own))
    return replaced
