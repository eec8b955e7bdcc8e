"""Completion, inspection, and whether code is complete.

Source: "Messaging in Jupyter", sections "Completion", "Introspection" and "Code completeness".
Positions are in Unicode code points, as Python counts them.

jedi also knows names in code that has not run yet. But it takes long to start: it imports 60 modules and reads the stubs of the builtins.
`get_ready` does this while the kernel is idle. Until then, IPython's own completer answers. It knows the names that exist, and those in modules that
the given code imports.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from . import interrupts, shadowing
from ._host import IN_PYODIDE, host

#: Import statements, up to the end of their first line.
_IMPORT = re.compile(r"(?:^|;)[ \t]*((?:import|from)[ \t][^;#\n]+)", re.MULTILINE)
#: Stubs that jedi reads for nearly every completion, in its copy of typeshed.
_STUBS = ("builtins.pyi", "typing.pyi", "types.pyi", "_typeshed/__init__.pyi")


def complete(shell: Any, content: dict[str, Any]) -> dict[str, Any]:
    """The reply to a ``complete_request``. An interrupt ends the search; the reply has the matches found so far."""
    code, position = content["code"], _cursor(content)
    found, skip, searches = [], 0, False
    try:
        found = _with_names(shell.Completer, code, position)
        # Matches of IPython's own completer include the dot before an attribute; jedi's do not.
        skip = int(bool(found) and all(item.text[:1] == code[item.start : item.start + 1] == "." for item in found))
        if _readiness.done:
            searches = True
            more = _with_jedi(shell.Completer, code, position)
            searches = interrupts.was_hit()  # IPython keeps the interrupt to itself
            if more and not searches:
                found, skip = more, 0
    except KeyboardInterrupt:
        pass
    if searches:  # finish the search later: jedi keeps what it reads for the next completion
        _readiness.later = lambda: _with_jedi(shell.Completer, code, position)
        if IN_PYODIDE:
            host.offer_ahead()
    return {
        "matches": [item.text[skip:] for item in found],
        "cursor_start": found[0].start + skip if found else position,
        "cursor_end": found[0].end if found else position,
        "metadata": {
            "_jupyter_types_experimental": [
                {
                    "start": item.start + skip,
                    "end": item.end,
                    "text": item.text[skip:],
                    "type": item.type,
                    "signature": item.signature,
                }
                for item in found
            ]
        },
    }


def _with_names(completer: Any, code: str, position: int) -> list[Any]:
    """Matches among the names that exist and those that `code` imports."""
    with _settings(completer, use_jedi=False, global_namespace=_imported(code[:position])):
        return interrupts.call(_found, completer, code, position)


def _with_jedi(completer: Any, code: str, position: int) -> list[Any]:
    with _settings(completer, use_jedi=True):
        return interrupts.call(_found, completer, code, position)


def _found(completer: Any, code: str, position: int) -> list[Any]:
    from IPython.core.completer import provisionalcompleter, rectify_completions

    with provisionalcompleter():
        return list(rectify_completions(code, completer.completions(code, position)))


@contextmanager
def _settings(completer: Any, **values: Any) -> Iterator[None]:
    kept = {name: getattr(completer, name) for name in values}
    try:
        for name, value in values.items():
            setattr(completer, name, value)
        yield
    finally:
        for name, value in kept.items():
            setattr(completer, name, value)


def _imported(code: str) -> dict[str, Any]:
    """The names that imports in `code` would define. Only modules that Python has already imported are included."""
    names: dict[str, Any] = {}
    for statement in _IMPORT.findall(code):
        try:
            (node,) = ast.parse(statement.strip()).body
        except (SyntaxError, ValueError):
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                module = alias.name if alias.asname else alias.name.partition(".")[0]
                names[alias.asname or module] = sys.modules.get(module)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            members = vars(sys.modules.get(node.module, object))
            for alias in node.names:
                names[alias.asname or alias.name] = members.get(
                    alias.name, sys.modules.get(f"{node.module}.{alias.name}")
                )
    return {name: value for name, value in names.items() if value is not None}


class _Readiness:
    """The work that jedi needs done before it answers quickly, in pieces. Each piece can be started again."""

    def __init__(self) -> None:
        self.pieces: list[Callable[[], object]] = [
            self._import,
            *(lambda stub=stub: self._read(stub) for stub in _STUBS),
            self._complete,
        ]
        #: A search that was interrupted.
        self.later: Callable[[], object] | None = None

    @property
    def done(self) -> bool:
        return not self.pieces

    @staticmethod
    def _import() -> None:
        importlib.invalidate_caches()
        import jedi  # noqa: F401

    @staticmethod
    def _read(stub: str) -> None:
        import jedi
        from jedi.inference.gradual.typeshed import TYPESHED_PATH

        path = TYPESHED_PATH / "stdlib" / stub
        if path.exists():  # another version of jedi may have it elsewhere; it then reads it at the first completion
            state = jedi.Interpreter("", [{}])._inference_state
            state.parse(path=path, cache=True, use_latest_grammar=True, cache_path=jedi.settings.cache_directory)

    @staticmethod
    def _complete() -> None:
        import jedi

        jedi.Interpreter("1 .", [{}]).complete(1, 3)


_readiness = _Readiness()
if not IN_PYODIDE and shadowing.find_in_library("jedi"):
    _readiness.pieces.clear()  # on CPython imports are quick, and nothing calls `get_ready`


def get_ready() -> bool:
    """Do the next piece of jedi's preparation, or finish a search that was interrupted. An interrupted piece is done again by a later call.

    Returns
    -------
    bool
        Whether there is more to do.

    Raises
    ------
    Exception
        What jedi raised. jedi is not used then.
    """
    if _readiness.pieces:
        interrupts.call(_readiness.pieces[0])
        del _readiness.pieces[0]
    elif _readiness.later:
        _readiness.later()
        _readiness.later = None
    return bool(_readiness.pieces or _readiness.later)


def inspect(shell: Any, content: dict[str, Any]) -> dict[str, Any]:
    """The reply to an ``inspect_request``."""
    from IPython.utils.tokenutil import token_at_cursor

    name = token_at_cursor(content["code"], _cursor(content))
    try:
        data = shell.object_inspect_mime(
            name,
            detail_level=1 if content.get("detail_level") else 0,
            omit_sections=set(content.get("omit_sections", ())),
        )
    except KeyError:
        return {"found": False, "data": {}, "metadata": {}}
    if not shell.enable_html_pager:
        data.pop("text/html", None)
    return {"found": True, "data": data, "metadata": {}}


def is_complete(shell: Any, content: dict[str, Any]) -> dict[str, Any]:
    """The reply to an ``is_complete_request``."""
    try:
        status, indent = shell.input_transformer_manager.check_complete(content["code"])
    except (ValueError, SyntaxError, RecursionError):  # a NUL, or nesting too deep for the compiler
        return {"status": "invalid"}
    if status == "incomplete":
        return {"status": status, "indent": " " * (indent or 0)}
    return {"status": status}


def _cursor(content: dict[str, Any]) -> int:
    length = len(content["code"])
    return int(max(0, min(content.get("cursor_pos", length), length)))
