"""Colours the lines of tracebacks, and remembers what it has coloured."""

from __future__ import annotations

import functools
from typing import Any

from .state import now

_Ranges = tuple[tuple[int, int], ...]


@functools.cache
def _lexer() -> Any:
    """The only lexer. stack_data makes a class for each frame, and pygments compiles each of them anew."""
    from pygments.lexers.python import PythonLexer

    class RangesLexer(PythonLexer):
        """Marks the tokens in `ranges` as executing."""

        ranges: _Ranges = ()

        def get_tokens(self, text: str, unfiltered: bool = False) -> Any:
            position = 0
            for kind, value in super().get_tokens(text, unfiltered):
                if any(start <= position < end for start, end in self.ranges):
                    kind = kind.ExecutingNode
                position += len(value)
                yield kind, value

    return RangesLexer(stripnl=False)


def quick_colours(own: Any) -> Any:
    """Replaces ``stack_data.core._pygmented_with_ranges``: colours only the lines of a scope that are shown, and only once.

    The lines begin and end with a statement, since the lexer's state may change within one.

    - versions: stack_data 0.6, pygments 2
    - saves: 32 ms (`logging.getLogger`) to 500 ms (a class with traitlets)
    - test: `test_they_do_so_in_every_mode_and_colour`
    """

    def pygmented_with_ranges(formatter: Any, code: str, ranges: list[tuple[int, int]]) -> list[str]:
        lines = code.splitlines(keepends=True)
        shown = now.shown
        # Here a form feed ends a line, but not in the file.
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
    """Whether the formatter is like IPython's: with a style and nothing else."""
    return type(formatter).__name__ == "Terminal256Formatter" and formatter.options.keys() == {"style"}


def set_up_once(own: Any) -> Any:
    """Replaces ``Terminal256Formatter.__init__``: copies a formatter with the same style, if there has been one.

    IPython makes a formatter for each traceback, and each formatter computes all codes of its style.

    - versions: pygments 2
    - saves: 37 to 190 ms
    - test: `test_they_do_so_in_every_mode_and_colour`
    """
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


def remember_tokens(own: Any) -> Any:
    """Replaces ``PyColorize.Theme.format``: colours the same few tokens only once.

    IPython calls it for each token of a line. Each call goes through three functions of pygments and a buffer.

    - versions: IPython 9, pygments 2
    - saves: 1 to 2 ms for a frame of a library
    - test: `test_they_do_so_in_every_mode_and_colour`
    """

    @functools.lru_cache(2000)
    def coloured(theme: Any, tokens: tuple[tuple[Any, str], ...]) -> str:
        return str(own(theme, tokens))

    def format(self: Any, stream: Any) -> str:
        is_short = type(stream) is list and len(stream) < 4 and sum(len(text) for _, text in stream) < 100
        return coloured(self, tuple(stream)) if is_short else str(own(self, stream))

    return format


def remember_lines(own: Any) -> Any:
    """Replaces ``PyColorize.Parser.format2``: reads and colours the same line only once.

    - versions: IPython 9
    - saves: 1 to 2 ms for a frame of a library whose lines were shown before, as those of a course's packages are
    - test: `test_they_do_so_in_every_mode_and_colour`
    """

    from IPython.utils import PyColorize

    @functools.lru_cache(500)
    def coloured(name: str, theme: Any, raw: str) -> tuple[str | None, bool]:
        text: tuple[str | None, bool] = own(PyColorize.Parser(theme_name=name), raw, "str")
        return text

    def format2(self: Any, raw: str, out: Any = None) -> tuple[str | None, bool]:
        name = getattr(self, "theme_name", None)
        text: tuple[str | None, bool]
        if name is None or type(self) is not PyColorize.Parser or out != "str" or len(raw) > 1000:
            text = own(self, raw, out)
        else:
            text = coloured(name, PyColorize.theme_table[name], raw)
        return text

    return format2
