"""Submissions that try to block, fill, fool or end the grader, and two that only look as if they did: one of each kind."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

#: A solution to no lab. Only the rest of the submission's code matters.
_JS = "from pyodide.code import run_js\nrun_js({!r})\n"


@dataclass(frozen=True)
class Hostile:
    """One kind of submission.

    Attributes
    ----------
    make
        Writes the submission to a path.
    kinds
        Allowed kinds of its error; None for a result without an error.
    reaches_limit
        Whether it runs until it reaches a time limit.
    suffix
        Suffix of its file.
    """

    make: Callable[[Path], None]
    kinds: frozenset[str | None]
    reaches_limit: bool = False
    suffix: str = ".py"


def _code(text: str, *kinds: str | None, reaches_limit: bool = False) -> Hostile:
    return Hostile(lambda path: path.write_text(text, "utf-8") and None, frozenset(kinds), reaches_limit)


def _javascript(text: str, *kinds: str | None, then: str = "", reaches_limit: bool = False) -> Hostile:
    return _code(_JS.format(text) + then, *kinds, reaches_limit=reaches_limit)


def _answers(text: str) -> str:
    """Code that makes the kernel answer every user expression with a text of its own."""
    return (
        "get_ipython().user_expressions = lambda wanted: "
        f"{{'result': {{'status': 'ok', 'metadata': {{}}, 'data': {{'text/plain': {text}}}}}}}\n"
    )


def _during(function: str, event: str) -> str:
    """Code that sends an event without the module's checks, when the rubric calls its function."""
    return f"import sys\ndef {function}(*args):\n    sys.modules['browsergrad._sink'].emit('assertion', {event})\n    return 0\n"


def _posted(messages: str) -> str:
    """JavaScript that posts a message that only the kernel's worker should post."""
    return (
        "const one = type => ({type: 'message', buffers: [], bytes: 0, json: JSON.stringify({channel: 'iopub', header: "
        "{msg_id: 'm', msg_type: type, session: '', username: '', date: '', version: '5.4'}, parent_header: {}, metadata: {}, "
        f"content: {{text: 'x'.repeat(5000)}}}})}});\n{messages}"
    )


def _sparse(path: Path) -> None:
    with open(path, "wb") as file:
        file.truncate(40 << 30)


def _wide(path: Path) -> None:
    path.write_bytes(b'{"cells": [' + b"{}," * 3_000_000 + b"{}]}")


def _deep(path: Path) -> None:
    path.write_bytes(b'{"cells": ' + b"[" * 1_000_000)


def _link(path: Path) -> None:
    """A link to the first submission in the folder, which is right."""
    other = next(each for each in sorted(path.parent.iterdir()) if each.is_file() and not each.is_symlink())
    path.symlink_to(other.name)


_FLOOD = "for (let i = 0; i < 600; i++) postMessage({type: 'call', id: 9, call: {kind: 'drive', request: {method: 'get', path: 'big'}}})"
_PATH = "postMessage({type: 'call', id: 9, call: {kind: 'drive', request: {method: 'lookup', path: 'a/'.repeat(1e6)}}})"
_LIES = (
    "postMessage({type: 'call', id: 9}); postMessage({type: 'nothing'}); "
    "postMessage({type: 'call', id: {}, call: {kind: 'drive', request: {method: 'put', path: 7, data: {type: 'ready', mode: 1e99}}}})"
)
_TYPESCRIPT = """(async () => {
  for (let i = 0; i < 20; i++) {
    const code = `export const a: string = '${'x'.repeat(1e6)}${i}';`;
    await import('data:application/typescript,' + encodeURIComponent(code));
  }
})()"""
_LONG_NAMES = """
for letters in (120, 127, 128, 5000):
    try:
        with open("\u0444" * letters, "w") as file:
            file.write("x")
    except OSError:
        pass
"""

#: All kinds, by name.
KINDS: dict[str, Hostile] = {
    "mode_that_is_none": _code("import pyodide_js\npyodide_js.FS.mknod('/drive/y', -1, 0)\n", "runtime"),
    # On a busy machine, its 60 MB may not be written before the cell's time is over.
    "reply_without_end": _code(_answers('"[" + "0," * 30_000_000 + "]"'), "tampered", "timeout"),
    "reply_of_brackets": _code(_answers('"[" * 2_000_000'), "tampered"),
    "reply_of_halves": _code(_answers('ascii(chr(0xd800) * 64 + "{}")'), "tampered"),
    "files_all_at_once": _code(
        f"open('big', 'wb').write(b'x' * 60_000_000)\n{_JS.format(_FLOOD)}import time\ntime.sleep(3)\n",
        "output",
        "memory",
    ),
    "path_of_a_million": _javascript(_PATH, None),
    "lies_to_the_page": _javascript(_LIES, None, "crash"),
    # If the rubric runs apart, events that a submission records by itself do not count.
    "duration_that_is_none": _code(
        _during("FUNCTION", '{"kind": "pass", "name": "x", "durationMs": float("nan")}'), "tampered", None
    ),
    "event_without_name": _code(_during("FUNCTION", '{"kind": "pass"}'), "tampered", None),
    "event_with_more": _code(_during("FUNCTION", '{"kind": "pass", "name": "x", "more": [[]]}'), "tampered", None),
    "messages_of_all_types": _javascript(
        _posted(
            "for (let i = 0; i < 40000; i++) postMessage(one(['stream', 'status', 'execute_reply', 'error', 'clear_output', 'mine'][i % 6]))"
        ),
        "output",
        "memory",
        then="import time\ntime.sleep(3)\n",
    ),
    "typescript": _code(f"from pyodide.code import run_js\nawait run_js({_TYPESCRIPT!r})\n", None),
    "wedged": _code(
        "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass\n",
        "timeout",
        reaches_limit=True,
    ),
    "crashing": _code("import os\nos.abort()\n", "crash"),
    "hungry": _code("held = []\nwhile True:\n    held.append(bytearray(32 << 20))\n", "memory"),
    "flooding": _code("while True:\n    print('x' * 10_000)\n", "output"),
    "too_long": _code("# " + "x" * (3 << 20) + "\n", "unreadable"),
    "sparse": Hostile(_sparse, frozenset({"unreadable"})),
    "wide": Hostile(_wide, frozenset({"unreadable"}), suffix=".ipynb"),
    "deep": Hostile(_deep, frozenset({"unreadable"}), suffix=".ipynb"),
    "pipe": Hostile(os.mkfifo, frozenset({"unreadable"})),
    "link_to_good_work": Hostile(_link, frozenset({"unreadable"})),
    "link_to_a_device": Hostile(lambda path: path.symlink_to("/dev/zero"), frozenset({"unreadable"})),
    "interrupts_itself": _code("def FUNCTION(*args):\n    raise KeyboardInterrupt\n", None),
    "long_names": _code(_LONG_NAMES, None),
    "escape_sequences": _code("raise type('\\x1b[31mE', (Exception,), {})('\\x1b]0;mine\\x07\\x9b2J')\n", "runtime"),
    "innocent_words": _code(
        "class E(Exception): pass\nraise E('the cache was reset and its variables are lost.')\n", "runtime"
    ),
}


def write(name: str, path: Path, function: str) -> Path:
    """Write a submission of this kind. `function` is the one that the rubric calls."""
    hostile = KINDS[name]
    path = path.with_name(path.name + hostile.suffix)
    hostile.make(path)
    if not path.is_symlink() and path.is_file() and path.stat().st_size < 10_000:
        path.write_text(path.read_text("utf-8").replace("FUNCTION", function), "utf-8")
    return path


def kind_of(line: dict[str, object]) -> str | None:
    """The kind of the error in a result."""
    error = line["error"]
    return error["kind"] if isinstance(error, dict) else None


def as_lines(out: Path) -> list[dict[str, object]]:
    """Return the results in a file."""
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()]
