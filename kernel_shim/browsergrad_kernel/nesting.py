"""Measures how deeply a source nests, before it is compiled: compiling a tree that is too deep would end Python.

CPython's compiler calls itself for each level of the syntax tree. It checks only the C stack, and in WebAssembly some of
its passes do not use that. So the tokens of long sources are scanned first.
"""

from __future__ import annotations

import re
import sys
from types import CodeType

#: Greatest depth of the tree that may be compiled. CPython's own limit on other systems is about the same.
LIMIT = 2500

#: The same where the browser cannot switch stacks. All calls then share one small stack, and the parser needs most of it.
LIMIT_ON_ONE_STACK = 1000
#: Most open brackets there. If CPython finds an error, it parses again in a way that needs several times as much of the stack.
BRACKETS_ON_ONE_STACK = 100
#: What the error adds where another browser would have compiled the source.
_HERE = ", which is too deep for this browser"
#: CPython's own limit of open brackets.
_MAX_BRACKETS = 200

#: Each of these may make the tree one level deeper.
_OPERATOR = re.compile(r"[-+*/%@&|^~.(\[{]|<<|>>|\b(?:elif|else|lambda|not|await|if)\b")
_TOKEN = re.compile(
    r"""(?P<skip>\#[^\n]*|[rRbBfFuUtT]{0,2}(?:'''(?:[^\\]|\\.)*?'''|\"\"\"(?:[^\\]|\\.)*?\"\"\"|'(?:[^\\\n]|\\.)*'|"(?:[^\\\n]|\\.)*")|\\\n
    |\d[\w.]*)|(?P<elif>\belif\b)|(?P<deeper><<|>>|[-+*/%@&|^~.]|\b(?:else|lambda|not|await|if)\b)
    |(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<apart>[,;:=<>!]|\b(?:and|or|in|is|for)\b)|(?P<line>\n)|\w+""",
    re.VERBOSE | re.DOTALL,
)


def depths(source: str) -> tuple[int, int]:
    """Return an estimate of the depth of the syntax tree of `source`, and the greatest number of open brackets.

    The estimate is never less than the longest chain of operators.
    """
    deepest = branches = here = brackets = 0
    # Depth outside each open bracket.
    outside: list[int] = []
    for match in _TOKEN.finditer(source):
        kind = match.lastgroup
        if kind == "deeper":
            here += 1
        elif kind == "open":
            here += 1
            outside.append(here)
            brackets = max(brackets, len(outside))
        elif kind == "close":
            here = outside.pop() if outside else 0
        elif kind == "apart":
            here = outside[-1] if outside else 0
        elif kind == "line" and not outside:
            here = 0
        elif kind == "elif":
            branches += 1
        if here > deepest:
            deepest = here
    return max(deepest, branches), brackets


def check(source: str | bytes) -> str | bytes:
    """Return `source`.

    Raises
    ------
    RecursionError
        It is nested too deeply to be compiled.
    """
    text = _text(source)
    if len(_OPERATOR.findall(text)) > LIMIT and depths(text)[0] > LIMIT:
        raise _too_deep(LIMIT)
    return source


def check_on_one_stack(source: str | bytes) -> str | bytes:
    """Do the same where the browser cannot switch stacks.

    Raises
    ------
    RecursionError
        It is nested too deeply to be compiled there.
    SyntaxError
        It has more open brackets than CPython allows.
    """
    text = _text(source)
    if len(_OPERATOR.findall(text)) > BRACKETS_ON_ONE_STACK:
        deepest, brackets = depths(text)
        if brackets > _MAX_BRACKETS:
            raise SyntaxError("too many nested parentheses")
        if brackets > BRACKETS_ON_ONE_STACK:
            raise _too_deep(BRACKETS_ON_ONE_STACK, _HERE)
        if deepest > LIMIT_ON_ONE_STACK:
            raise _too_deep(LIMIT_ON_ONE_STACK, _HERE)
    return source


def _text(source: str | bytes) -> str:
    return source if isinstance(source, str) else source.decode("utf-8", "replace")


def _too_deep(limit: int, addition: str = "") -> RecursionError:
    return RecursionError(
        f"maximum recursion depth exceeded during compilation: an expression nests more than {limit} levels deep{addition}. "
        "Build it up in a loop, or use sum() or join()"
    )


#: `CO_FUTURE_*` flags of a code object, which code that it compiles inherits.
_FUTURE_FLAGS = 0x1FE0000


def _prepare(source: str | bytes, mode: str) -> CodeType:
    flags = sys._getframe(2).f_code.co_flags & _FUTURE_FLAGS
    code: CodeType = compile(source, "<string>", mode, flags, dont_inherit=True)
    return code


def prepare_eval(source: str | bytes) -> CodeType:
    """Compile the argument of ``eval``. Called in place of CPython's function."""
    return _prepare(source.lstrip(" \t" if isinstance(source, str) else b" \t"), "eval")  # type: ignore[arg-type]


def prepare_exec(source: str | bytes) -> CodeType:
    """Compile the argument of ``exec``. Called in place of CPython's function."""
    return _prepare(source, "exec")
