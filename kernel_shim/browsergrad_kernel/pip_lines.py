"""``%pip`` and ``!pip`` in cells: finds them, and reads them like a shell.

Installing waits for downloads. Where a cell may await, its calls of pip become awaits of `KernelShell.pip`. Elsewhere (in functions and
classes, under ``%%time`` and ``%%capture``) `run_now` suspends the stack, in browsers that can do that.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
import sys
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, TextIO

from ._host import IN_PYODIDE
from .no_processes import NoProcessesError

#: Programs that can run pip.
_PIP = re.compile(r"pip(\d[\d.]*)?\Z")
_PYTHON = re.compile(r"(python|pypy)(\d[\d.]*)?\Z|py\Z|this\.program\Z")
_MENTIONED = re.compile(r"\bpip\d?(?:\.\d+)?\b")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
#: Cell magics that pass the cell to a shell.
SHELLS = ("bash", "sh", "system", "sx", "!")


# --- cells


def await_pip(transformed: str) -> str:
    """Turn a transformed cell's calls of pip into awaits, where await is allowed."""
    if "pip" not in transformed or "get_ipython()" not in transformed:
        return transformed
    try:
        tree = ast.parse(transformed)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # shown when the cell runs
        return transformed
    lines = transformed.splitlines(keepends=True)
    for call in sorted(_awaitable_calls(tree), key=lambda node: (node.lineno, node.col_offset), reverse=True):
        replacement = _awaited(call)
        if replacement is None or call.lineno != call.end_lineno:
            continue
        line = lines[call.lineno - 1].encode()  # offsets count bytes
        lines[call.lineno - 1] = (line[: call.col_offset] + replacement.encode() + line[call.end_col_offset :]).decode()
    return "".join(lines)


def _awaitable_calls(tree: ast.AST) -> Iterator[ast.Call]:
    """The calls outside functions and classes, and those in coroutines."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.GeneratorExp)):
            continue
        if isinstance(node, ast.Call):
            yield node
        yield from _awaitable_calls(node)


def _awaited(call: ast.Call) -> str | None:
    """The source of the await that replaces a call by which IPython runs a line; None for any other call."""
    texts = [item.value for item in call.args if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    if len(texts) != len(call.args) or call.keywords or not isinstance(call.func, ast.Attribute):
        return None
    if ast.unparse(call.func.value) != "get_ipython()":
        return None
    match (call.func.attr, *texts):
        case "run_line_magic", "pip", line:
            return f"(await get_ipython().pip({line!r}))"
        case ("system", line) | ("run_cell_magic", ("bash" | "sh" | "system" | "sx" | "!"), "", line) if mentions_pip(
            line
        ):
            return f"(await get_ipython().shell_pip({line!r}))"
        case ("getoutput", line) | ("run_line_magic", ("sx" | "system"), line) if mentions_pip(line):
            return f"(await get_ipython().shell_pip({line!r}, True))"
    return None


def mentions_pip(text: str) -> bool:
    """Whether a text for a shell may call pip."""
    return _MENTIONED.search(text) is not None


def run_now(work: Callable[[], Coroutine[Any, Any, Any]], line: str, waits: bool) -> Any:
    """Do `work`, and return when it is done.

    Parameters
    ----------
    work
        Makes a coroutine.
    line
        The line of the cell, for the error.
    waits
        Whether the work may have to wait.

    Raises
    ------
    PipError
        Python cannot wait here.
    """
    if not waits:
        try:
            work().send(None)
        except StopIteration as done:
            return done.value
        raise RuntimeError(f"{line} waits for something, which it must not")
    if _can_wait():
        from pyodide.ffi import run_sync

        return run_sync(work())
    from .pip_options import PipError

    raise PipError(
        f"{line} has to wait for files, which cannot be done here: write it at the top level of a cell of its own, "
        "not inside a function, a class or another magic such as %%time or %%capture"
    )


def _can_wait() -> bool:
    """Whether the stack can be suspended here."""
    if not IN_PYODIDE:
        return False
    import pyodide.ffi

    return bool(getattr(pyodide.ffi, "can_run_sync", lambda: False)())


# --- reading a line like a shell


@dataclass
class _Command:
    """One command of a line: its words, and where its output goes."""

    words: list[str] = field(default_factory=list)
    output: str | None = None
    append: bool = False


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """Words without their quotes, and operators; True marks operators. Comments are left out."""
    from .pip_options import PipError

    at, word, started = 0, "", False
    while at < len(text):
        char = text[at]
        if char == "\\" and at + 1 < len(text):
            if text[at + 1] != "\n":
                word, started = word + text[at + 1], True
            at += 2
            continue
        if char in "'\"":
            end = _closing(text, at)
            if end < 0:
                raise PipError(f"%pip {text.strip()}: a quotation mark ({char}) is not closed")
            inside = text[at + 1 : end]
            word, started = word + (re.sub(r'\\(["\\$`])', r"\1", inside) if char == '"' else inside), True
            at = end + 1
            continue
        if char == "#" and not started:
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
            continue
        operator = _operator(text, at, word)
        if char.isspace() or operator:
            if started and not (operator and operator[0] in "<>" and word.isdigit()):
                yield word, False
                word, started = "", False
            if operator:
                yield (word + operator if started else operator), True
                word, started = "", False
            at += len(operator or char)
            continue
        word, started, at = word + char, True, at + 1
    if started:
        yield word, False


def _closing(text: str, at: int) -> int:
    """Where the quotation that begins at `at` ends; -1 if it has no end."""
    quote, at = text[at], at + 1
    while at < len(text):
        if text[at] == "\\" and quote == '"':
            at += 1
        elif text[at] == quote:
            return at
        at += 1
    return -1


def _operator(text: str, at: int, word: str) -> str | None:
    """The shell's operator at `at`, if there is one."""
    if text[at] == "\n":
        return "\n"
    if text[at] in "<>" and re.match(r"[<>]=?\s*\d|[<>]=", text[at:]) and word and not word.isdigit():
        return None  # NAME>=1.2, which a shell would take for a file called "=1.2"
    found = re.match(r"&&|\|\||&>>?|>>|>&|<<|[;&|<>()]", text[at:])
    return found[0] if found else None


def waits(text: str) -> bool:
    """Whether a text for a shell has a pip command that may have to wait."""
    from . import pip

    return any(pip.waits(pip_words(command.words) or []) for command in _commands(text))


def _commands(text: str) -> list[_Command]:
    """The commands of a text, if at least one of them is pip; else none."""
    if not mentions_pip(text):
        return []
    from .pip_options import PipError

    result: list[_Command] = []
    command, target, problem = _Command(), "", None
    for token, is_operator in [*_tokens(text), ("\n", True)]:
        if target:
            problem = problem or _redirect(command, target, token)
            target = ""
        elif not is_operator:
            command.words.append(token)
        elif token in ("\n", ";", "&&"):
            if command.words:
                result.append(command)
            command = _Command()
        elif token.lstrip("012") in (">", ">>", "&>", "&>>", ">&"):
            target = token
        else:
            problem = problem or token
    if not any(pip_words(item.words) is not None for item in result):
        return []
    if problem:
        raise PipError(
            f"{text.strip()!r} asks a shell for {problem!r}, and there is no shell in this kernel: "
            "write %pip lines alone (%pip show NAME tells about one package)"
        )
    for item in result:
        if pip_words(item.words) is None:
            raise NoProcessesError(" ".join(item.words))
    return result


def _redirect(command: _Command, operator: str, target: str) -> str | None:
    """Note where a command's output goes. Returns what cannot be done, or None."""
    descriptor, sign = operator[: len(operator) - len(operator.lstrip("012"))], operator.lstrip("012")
    if sign == ">&" or descriptor == "2":
        return None if target in ("1", "2", "/dev/null") else f"{operator} {target}"
    command.output, command.append = target, sign.endswith(">>")
    return None


def pip_words(words: list[str]) -> list[str] | None:
    """The words after ``pip`` in a command; None for a command of another program."""
    rest = list(words)
    while rest and (_ASSIGNMENT.match(rest[0]) or rest[0] == "sudo"):
        rest.pop(0)
    if not rest:
        return None
    program = rest[0].rpartition("/")[2]
    if _PIP.match(program):
        return rest[1:]
    if (_PYTHON.match(program) or rest[0] == sys.executable) and "-m" in rest:
        at = rest.index("-m")
        if rest[at + 1 : at + 2] == ["pip"]:
            return rest[at + 2 :]
    return None


async def run(text: str, out: TextIO | None = None) -> bool:
    """Carry out a text for a shell if all its commands are pip. Returns whether they are.

    Parameters
    ----------
    text
        One or more lines.
    out
        Where output goes if the text does not redirect it; if None, to the cell's output.
    """
    from . import pip

    found = _commands(text)
    for command in found:
        with contextlib.ExitStack() as stack:
            target = out
            if command.output == "/dev/null":
                target = io.StringIO()
            elif command.output is not None:
                target = stack.enter_context(open(command.output, "a" if command.append else "w", encoding="utf-8"))
            await pip.run(pip_words(command.words) or [], target)
    return bool(found)
