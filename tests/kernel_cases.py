"""Small notebooks that once failed: the content of each, and the check of its outcome.

``fixtures/kernel_cases.json`` lists them. Fields of a case:

- ``cells``, run in order in a new kernel; ``files`` lie beside the notebook; ``stdin`` answers its questions. ``{"use": name}`` is a cell
  of ``shared_cells``.
- ``allow_errors``: cells after an error are run. ``may_kill``: it could end Python.
- ``complete``, content of a ``complete_request`` before the first cell, answered ``within_s``.
- ``stop_after_s``: Stop is pressed then, if the cell has not ended.
- ``delays_ms``: the case is run once for each, and answers come so late.
- ``hosts``: ``deno``, and pages that are ``isolated`` or ``plain``. ``where: ["full"]``: on a full distribution, which offers what ``needs`` names.
- ``check`` holds over all cells together.

Keys of ``check``, all of which must hold: ``no_error``; ``ename`` (of the last error), ``first_ename``; ``evalue_contains``, ``evalue_not_contains``,
``traceback_contains`` (without colours); ``stdout_contains``, ``stdout_not_contains``; ``output_contains`` (streams, tracebacks, text/plain);
``result_equals``, ``result_contains`` (text/plain of the last result); ``mime``; ``any_of``: one of several.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Message = tuple[str, dict[str, Any]]
#: Runs one cell with answers to its questions. Returns the reply's content and the messages.
Runner = Callable[[str, list[str]], tuple[dict[str, Any], list[Message]]]

_KNOWN = frozenset(
    {"id", "title", "cells", "files", "stdin", "delays_ms", "complete", "within_s", "stop_after_s"}
    | {"check", "allow_errors", "where", "needs", "may_kill", "hosts"}
)


@dataclass
class Case:
    """One notebook."""

    id: str
    cells: list[str]
    check: dict[str, Any]
    hosts: list[str]
    files: dict[str, str] = field(default_factory=dict)
    stdin: list[str] = field(default_factory=list)
    delays_ms: list[int] = field(default_factory=lambda: [0])
    complete: dict[str, Any] | None = None
    within_s: float | None = None
    stop_after_s: float | None = None
    allow_errors: bool = False
    full: bool = False
    needs: list[str] = field(default_factory=list)


def load() -> list[Case]:
    """All cases, in the file's order."""
    data = json.loads((Path(__file__).parent / "fixtures/kernel_cases.json").read_text("utf-8"))
    found = []
    for entry in data["cases"]:
        assert entry.keys() <= _KNOWN, f"{entry['id']}: {entry.keys() - _KNOWN}"
        fields = {key: value for key, value in entry.items() if key not in ("title", "where", "may_kill")}
        fields["cells"] = [
            cell if isinstance(cell, str) else data["shared_cells"][cell["use"]] for cell in entry["cells"]
        ]
        found.append(Case(full="full" in entry.get("where", []), **fields))
    return found


def on(host: str, full: bool = False) -> list[Case]:
    """The cases of one host."""
    return [case for case in load() if host in case.hosts and case.full == full]


@dataclass
class Outcome:
    """The messages of all cells of a case."""

    messages: list[Message] = field(default_factory=list)

    def of(self, msg_type: str) -> list[dict[str, Any]]:
        """The contents of all messages of one type."""
        return [content for kind, content in self.messages if kind == msg_type]

    @property
    def stdout(self) -> str:
        """All text on stdout."""
        return "".join(content["text"] for content in self.of("stream") if content["name"] == "stdout")

    @property
    def result(self) -> str:
        """The last result, as text."""
        results = self.of("execute_result")
        return str(results[-1]["data"]["text/plain"]) if results else ""

    @property
    def traceback(self) -> str:
        """All tracebacks, without colours."""
        lines = [line for content in self.of("error") for line in content["traceback"]]
        return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(lines))

    @property
    def data(self) -> list[dict[str, Any]]:
        """The MIME bundles of displays and results."""
        return [content["data"] for content in self.of("display_data") + self.of("execute_result")]

    @property
    def output(self) -> str:
        """All text that can be read."""
        texts = [content["text"] for content in self.of("stream")]
        return "\n".join([*texts, self.traceback, *(str(data.get("text/plain", "")) for data in self.data)])


def run(case: Case, run_cell: Runner) -> Outcome:
    """Run the cells of a case."""
    outcome, answers = Outcome(), list(case.stdin)
    for code in case.cells:
        reply, messages = run_cell(code, answers)
        outcome.messages += messages
        if reply["status"] != "ok" and not case.allow_errors:
            break
    return outcome


def _all(wanted: str | list[str]) -> list[str]:
    return [wanted] if isinstance(wanted, str) else wanted


def problems(check: dict[str, Any], outcome: Outcome) -> list[str]:
    """The keys of a check that do not hold."""
    errors = outcome.of("error")
    evalues = "\n".join(error["evalue"] for error in errors)
    rules: dict[str, Callable[[Any], bool]] = {
        "no_error": lambda wanted: bool(errors) != wanted,
        "ename": lambda wanted: bool(errors) and errors[-1]["ename"] == wanted,
        "first_ename": lambda wanted: bool(errors) and errors[0]["ename"] == wanted,
        "evalue_contains": lambda wanted: all(text in evalues for text in _all(wanted)),
        "evalue_not_contains": lambda wanted: not any(text in evalues for text in _all(wanted)),
        "traceback_contains": lambda wanted: all(text in outcome.traceback for text in _all(wanted)),
        "stdout_contains": lambda wanted: all(text in outcome.stdout for text in _all(wanted)),
        "stdout_not_contains": lambda wanted: not any(text in outcome.stdout for text in _all(wanted)),
        "output_contains": lambda wanted: all(text in outcome.output for text in _all(wanted)),
        "result_equals": lambda wanted: outcome.result == wanted,
        "result_contains": lambda wanted: all(text in outcome.result for text in _all(wanted)),
        "mime": lambda wanted: all(any(kind in data for data in outcome.data) for kind in _all(wanted)),
        "any_of": lambda wanted: any(not problems(one, outcome) for one in wanted),
    }
    return [f"{key}: {wanted}" for key, wanted in check.items() if not rules[key](wanted)]


def verdict(case: Case, outcome: Outcome) -> None:
    """Fail with all messages, unless the check holds."""
    assert problems(case.check, outcome) == [], f"{case.id}:\n{outcome.output[-6000:]}\nresult: {outcome.result[:500]}"
