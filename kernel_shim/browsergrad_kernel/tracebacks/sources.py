"""Sources: parses only the parts of a file that are shown, and forgets old syntax trees."""

from __future__ import annotations

import ast
import bisect
import inspect
import linecache
import re
import warnings
from types import CodeType, FrameType
from typing import Any

from .. import interrupts
from .state import now

#: Number of cells, and of functions of libraries, whose parsed source is kept for further tracebacks.
_KEPT = 50


def forget_sources(kept: int = _KEPT) -> None:
    """Drop the older half of the parsed sources once there are more than `kept`.

    executing keeps every syntax tree for ever, and each cell is a file of its own. Cells do not displace functions of libraries,
    which are likely to be shown again.
    """
    dropped = False
    for owner in source_classes():
        executing = owner._class_local("__executing_cache", {})
        for key in [key for key in executing if interrupts.is_cell_file(key[0].co_filename)]:
            del executing[key]  # its key is an address that the next cell's code may get
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


def source_classes() -> Any:
    import executing
    import stack_data

    return executing.Source, stack_data.Source


#: Statements of a module that are parsed before and after the one that runs, judged by the module's lines.
_AROUND = 8
#: The same for a function, whose statements are known: one more than a traceback shows.
_NEAR = 3
#: Sources with no more lines than this are parsed completely.
_SHORT = 30
#: Matches a line without indentation that continues the statement before it.
_CONTINUES = re.compile(r"[\s)\]}#]|(except|finally|else|elif|case)\b|[^=]*\"\"\"|[^=]*'''")


def parts(own: Any) -> Any:
    """Replaces ``stack_data.Source.for_frame``: parses only the part of a file that is shown, and some lines around it.

    For each frame, executing parses the whole file and visits all nodes several times.

    - versions: stack_data 0.6, executing 2.3
    - saves: the first traceback through a file: 100 ms for 1,600 lines
    - test: `test_of_a_librarys_file_only_the_function_is_parsed`, `test_of_a_long_function_only_what_is_shown_is_parsed`
    """

    def for_frame(cls: Any, frame: FrameType, use_cache: bool = True) -> Any:
        if now.shows is None:
            return own.__func__(cls, frame, use_cache)
        code, filename = frame.f_code, frame.f_code.co_filename
        entry = linecache.cache.get(filename)
        linecache.checkcache(filename)
        lines = linecache.getlines(filename, frame.f_globals)
        if entry is not None and not lines:
            linecache.cache[filename] = entry
        line = now.line or frame.f_lineno or 1
        if max(line, code.co_firstlineno) <= len(lines):
            first, last = _range(code, line, lines)
            source = cls._for_filename_and_lines(filename, tuple(_part(first, last, line, lines)))
            if source.tree is not None:
                if first and first == code.co_firstlineno - 1:  # a method: its class is not needed
                    source._qualnames[code.co_name, code.co_firstlineno] = code.co_qualname
                return source
        return own.__func__(cls, frame, use_cache)

    return classmethod(for_frame)


def _range(code: CodeType, line: int, lines: list[str]) -> tuple[int, int]:
    """Index of the first line that a frame's traceback needs, and of the line after the last one."""
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
    return whole if now.shows == "variables" else _statements(line, lines, _AROUND)


def _function(code: CodeType, lines: list[str]) -> tuple[int, int]:
    first = code.co_firstlineno - 1
    indent = _indent(lines[first])
    last = max(line or 0 for _, _, line in code.co_lines())
    while last < len(lines) and (not lines[last].strip() or _indent(lines[last]) > indent):
        last += 1
    return first, last


def _is_in_body(line: int, lines: list[str]) -> bool:
    """Whether `lines` are a function or a class, and `line` is in its body. Its head runs in the scope around it."""
    prefix = _prefix(lines)
    statements = getattr(_parsed([prefix, *lines]), "body", [])
    if prefix == _IF and statements:
        statements = statements[0].body
    if len(statements) != 1 or not isinstance(statements[0], (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return False
    body = statements[0].body[0]
    return body.lineno - 1 <= line and not lines[body.lineno - 2][: body.col_offset].strip()


def _parsed(lines: list[str]) -> Any:
    with warnings.catch_warnings(action="ignore"):  # compiling has shown them
        try:
            return ast.parse("".join(lines))
        except (SyntaxError, ValueError):
            return None


#: A line that makes indented lines after it a block.
_IF = "if 1:\n"


def _prefix(lines: list[str]) -> str:
    return _IF if lines and lines[0][:1].isspace() else "#\n"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _statements(line: int, lines: list[str], around: int) -> tuple[int, int]:
    """The module's statement at `line`, and some statements around it."""
    starts = [index for index, text in enumerate(lines) if not _CONTINUES.match(text)]
    current = bisect.bisect_right(starts, line - 1) - 1
    first = starts[max(0, current - around)] if current >= 0 else 0
    last = starts[current + around + 1] if current + around + 1 < len(starts) else len(lines)
    return first, last


def _part(first: int, last: int, line: int, lines: list[str]) -> list[str]:
    """`lines` from `first` to `last`, without statements that are far from `line`."""
    part = lines[first:last]
    part.insert(0, _prefix(part))
    if last - first > _SHORT and now.shows != "variables":
        _thin(part, line - first + 1)
    # stack_data visits empty lines one by one.
    return ["#\n"] * (first - 1) + part if first else part[1:]


def _thin(part: list[str], line: int) -> None:
    """Empty the lines of statements that are far from `line`, in each block around it."""
    block = _parsed(part)
    while block is not None:
        blocks: list[Any] = [getattr(block, name, ()) for name in ("body", "handlers", "orelse", "finalbody")]
        block = None
        for statements in blocks:
            # Statements that share a line are shown together.
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
