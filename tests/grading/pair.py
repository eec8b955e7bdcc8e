"""Both ends of the line between rubric and student in one Python, without sandboxes. This is quick, and enough to test rules and values."""

from __future__ import annotations

import builtins
import inspect
import queue
import random
import sys
import threading
from collections.abc import Callable
from typing import Any

from jupyterlite_browsergrad.grading.apart import student_side
from jupyterlite_browsergrad.grading.apart.link import Ended, Link
from jupyterlite_browsergrad.grading.apart.rubric_side import RubricRules, _Line, received_names
from jupyterlite_browsergrad.grading.apart.values import words_of

#: How long either end waits. If this ends, the other end has failed.
HANG_S = 60


class Pair:
    """A student's cell, and stand-ins for its names.

    Parameters
    ----------
    code
        The student's; runs in a thread of its own.
    rubric
        Text whose words are the names that travel.
    spoil
        Gets each text of the student's end, and gives what arrives.
    """

    def __init__(self, code: str, rubric: str | None = None, spoil: Callable[[str], str] | None = None) -> None:
        self.to_student: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.to_rubric: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.spoil = spoil or (lambda text: text)
        self.names: dict[str, Any] = {"__name__": "__main__"}
        exec(compile(inspect.cleandoc(code), "<student>", "exec", dont_inherit=True), self.names)
        given = {name: value for name, value in self.names.items() if not name.startswith("__")}
        wanted = None if rubric is None else words_of(rubric)
        before = sys.stdout, sys.stderr, builtins.input
        self.thread = threading.Thread(target=self._serve, args=(given, wanted), daemon=True)
        self.thread.start()
        self.rules = RubricRules("rubric.py")
        self.link = Link(self.ask_student, self.rules)
        hello = self.link.read(self.to_rubric.get(timeout=HANG_S))
        # Both ends share this interpreter, so names that the student's end has replaced are restored.
        sys.stdout, sys.stderr, builtins.input = before
        self.line = _Line(self.link)
        self.line.random = random.getstate()
        self.link.incoming = self.line.incoming
        self.link.outgoing = self._outgoing
        self.link.services = {"input": lambda prompt: builtins.input(prompt), "output": lambda: None}
        self.link.modules = lambda name: sys.modules.get(name)
        self.student = received_names(self.link, self.rules, self.line, hello, rubric or " ".join(("student", *given)))

    def _outgoing(self, message: dict[str, Any]) -> None:
        self.line.outgoing(message)
        message.pop("patch", None)  # In one interpreter, the student's names are patched already.
        message.pop("random", None)

    def _serve(self, names: dict[str, Any], wanted: list[str] | None) -> None:
        def exchange(text: str) -> str:
            self.to_rubric.put(self.spoil(text))
            return self.to_student.get(timeout=HANG_S)

        student_side.serve(exchange, names, wanted, "proof")

    def ask_student(self, text: str) -> str:
        self.to_student.put(text)
        return self.to_rubric.get(timeout=HANG_S)

    def __getitem__(self, name: str) -> Any:
        return self.student[name]

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *error: Any) -> None:
        self.to_student.put('{"end": "over"}')
        self.thread.join(HANG_S)


__all__ = ["Ended", "Pair"]
