"""Completion, inspection and the question whether code is complete.

Source: "Messaging in Jupyter", sections "Completion", "Introspection" and "Code completeness".
Positions are in Unicode code points, as Python counts them.
"""

from __future__ import annotations

import importlib
from typing import Any

from . import shadowing

_jedi_seen = False


def complete(shell: Any, content: dict[str, Any]) -> dict[str, Any]:
    """The reply to a ``complete_request``."""
    from IPython.core.completer import provisionalcompleter, rectify_completions

    code, position = content["code"], _cursor(content)
    _use_jedi_once_present(shell)
    with provisionalcompleter():
        found = list(rectify_completions(code, shell.Completer.completions(code, position)))
    # IPython's own completer answers with the dot of an attribute, jedi without it.
    skip = int(not _jedi_seen and bool(found) and all(item.text[:1] == code[item.start : item.start + 1] == "." for item in found))
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


def _use_jedi_once_present(shell: Any) -> None:
    """IPython looks for jedi when it is imported; here jedi arrives in the background, later."""
    global _jedi_seen
    if _jedi_seen:
        return
    importlib.invalidate_caches()
    if shadowing.find_in_library("jedi") and shadowing.find_in_library("parso"):
        _jedi_seen = True
        shell.Completer.use_jedi = True


def warm_up() -> tuple[str, ...]:
    """What to run, a piece at a time, so that the next completion need not wait while jedi imports and reads stubs."""
    hidden = "import importlib; from browsergrad_kernel.shadowing import hidden\nwith hidden():"
    return (
        f"{hidden} importlib.invalidate_caches(); import jedi",
        f"{hidden} import jedi; jedi.Interpreter('1 .', [{{}}]).complete(1, 3)",
    )


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
    except (ValueError, SyntaxError, RecursionError):  # a NUL, or nesting that no compiler takes
        return {"status": "invalid"}
    if status == "incomplete":
        return {"status": status, "indent": " " * (indent or 0)}
    return {"status": status}


def _cursor(content: dict[str, Any]) -> int:
    length = len(content["code"])
    return int(max(0, min(content.get("cursor_pos", length), length)))
