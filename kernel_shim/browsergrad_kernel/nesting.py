"""How deeply a source nests, before the compiler finds out: too deep a tree would end Python.

CPython's compiler calls itself for each level of the syntax tree. It checks the C stack, of which some
of its passes use nothing in WebAssembly. So long sources are looked at first, by their tokens.
"""

from __future__ import annotations

import re
import sys
from types import CodeType

#: Levels of the tree that the compiler takes. CPython's own limit on other systems is about the same.
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
    """Return about how many levels the syntax tree of `source` has, never less than its longest chain."""
    deepest = branches = here = 0
    # What the chains around the brackets that are open amount to.
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
        When it is nested too deeply to be compiled.
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
    """Compile the argument of ``eval``, called in its place."""
    return _prepare(source.lstrip(" \t" if isinstance(source, str) else b" \t"), "eval")  # type: ignore[arg-type]


def prepare_exec(source: str | bytes) -> CodeType:
    """Compile the argument of ``exec``, called in its place."""
    return _prepare(source, "exec")
