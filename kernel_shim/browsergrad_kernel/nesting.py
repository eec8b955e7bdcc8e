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

#: Each of these may make the tree one level deeper.
_OPERATOR = re.compile(r"[-+*/%@&|^~.(\[{]|<<|>>|\b(?:elif|else|lambda|not|await|if)\b")
_TOKEN = re.compile(
    r"""(?P<skip>\#[^\n]*|[rRbBfFuUtT]{0,2}(?:'''(?:[^\\]|\\.)*?'''|\"\"\"(?:[^\\]|\\.)*?\"\"\"|'(?:[^\\\n]|\\.)*'|"(?:[^\\\n]|\\.)*")|\\\n
    |\d[\w.]*)|(?P<elif>\belif\b)|(?P<deeper><<|>>|[-+*/%@&|^~.]|\b(?:else|lambda|not|await|if)\b)
    |(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<apart>[,;:=<>!]|\b(?:and|or|in|is|for)\b)|(?P<line>\n)|\w+""",
    re.VERBOSE | re.DOTALL,
)


def depth(source: str) -> int:
    """Return an estimate of the depth of the syntax tree of `source`. It is never less than the longest chain of operators."""
    deepest = branches = here = 0
    # Depth outside each open bracket.
    outside: list[int] = []
    for match in _TOKEN.finditer(source):
        kind = match.lastgroup
        if kind == "deeper":
            here += 1
        elif kind == "open":
            here += 1
            outside.append(here)
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
    return max(deepest, branches)


def check(source: str | bytes) -> str | bytes:
    """Return `source`.

    Raises
    ------
    RecursionError
        It is nested too deeply to be compiled.
    """
    text = source if isinstance(source, str) else source.decode("utf-8", "replace")
    if len(_OPERATOR.findall(text)) > LIMIT and depth(text) > LIMIT:
        raise RecursionError(
            f"maximum recursion depth exceeded during compilation: an expression nests more than {LIMIT} levels deep. "
            "Build it up in a loop, or use sum() or join()"
        )
    return source


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
