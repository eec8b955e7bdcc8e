"""Passes texts between the rubric's sandbox and the student's. Neither end is trusted.

Each end sends a text as the prompt of an ``input_request`` and waits for the ``input_reply``. So only one end may speak at a time. A text
that is out of turn, too long, nested too deeply or not JSON ends the exchange.
"""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["MAX_TEXT", "Exchange", "Outcome", "Speaker", "checked"]

#: Characters of one text.
MAX_TEXT = 4 << 20
#: Lists, objects and their members in one text.
MAX_PARTS = 1_200_000
MAX_DEPTH = 400
#: Seconds of each turn of the student's side that are not the student's: the way there and back, also on a busy machine.
FREE_S = 0.1
#: Seconds until the student's side has greeted, in which only our own code runs: a hundredth of a second, unless that was tampered with.
GREETING_S = 30.0


class OutOfTurn(Exception):
    """An end has sent something that it must not send."""


def checked(text: Any) -> dict[str, Any]:
    """The object in a text from a sandbox.

    Raises
    ------
    OutOfTurn
        The text has no object, or is more than the other end should read.
    """
    if type(text) is not str or len(text) > MAX_TEXT or not text.isascii():
        raise OutOfTurn("a message that is too long, or not in ASCII")
    if text.count("[") + text.count("{") + text.count(",") > MAX_PARTS or _depth(text) > MAX_DEPTH:
        raise OutOfTurn("a message of too many parts")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OutOfTurn("a message that is not JSON") from error
    if type(found) is not dict or not found.keys() & {"ask", "ok", "error", "hello"} or "end" in found:
        raise OutOfTurn("a message of no known form")
    return found


def _depth(text: str) -> int:
    """An upper bound of the nesting of its brackets: brackets in strings count too."""
    depth = most = 0
    for piece in text.replace("{", "[").replace("}", "]").split("["):
        depth += 1 - piece.count("]")
        most = max(most, depth)
    return most


class Speaker:
    """A sandbox in which one long request runs.

    Parameters
    ----------
    sandbox
        Runs it.
    heard
        Called, in a thread of the sandbox, with this speaker and what came: ``("said", text)`` or ``("ended", reply's content)``.
    """

    def __init__(self, sandbox: Any, heard: Callable[[Speaker, str, Any], None]) -> None:
        self.sandbox = sandbox
        self._heard = heard
        self._replied = False
        #: Texts that came and were not answered: more than one is out of turn.
        self._open = 0

    def start(self, expression: str) -> None:
        """Evaluate an expression, which speaks while it runs."""
        content = {
            "code": "",
            "silent": True,
            "store_history": False,
            "user_expressions": {"result": expression},
            "allow_stdin": True,
            "stop_on_error": False,
        }
        self.sandbox.send(self.sandbox.message("execute_request", content), self._receive)

    def say(self, text: str) -> None:
        """Answer what it said."""
        self._open = 0
        self.sandbox.input_reply(text)

    def _receive(self, message: dict[str, Any]) -> None:
        if self._replied:
            return
        if message["channel"] == "stdin":
            self._open += 1
            if self._open > 1:
                self._replied = True
                self._heard(self, "ended", {})
                return
            content = message["content"]
            self._heard(self, "said", content.get("prompt") if isinstance(content, dict) else None)
        elif message["channel"] == "shell":
            self._replied = True
            content = message["content"]
            self._heard(self, "ended", content if isinstance(content, dict) else {})


@dataclass
class Outcome:
    """How an exchange ended.

    Attributes
    ----------
    content
        Content of the reply of the side that ended.
    side
        ``rubric``: it is done; ``student``: it ended before; ``time``: the student's turns took too long; ``tampered``: it broke the rules, see `why`.
    """

    side: str
    content: dict[str, Any]
    why: str = ""


class Exchange:
    """One rubric's talk with one submission.

    Only the turns of the student's side are limited here. Whoever runs it has a limit for all of it, and ends the student's sandbox then.

    Parameters
    ----------
    student, rubric
        Their sandboxes.
    seconds
        How long the turns of the student's side may take in sum, `FREE_S` of each and the greeting not counted.
    before, after
        Called before the student's side is asked, and after it has answered or asked: to keep files in step.
    clock
        Tells the time in seconds.
    """

    def __init__(
        self,
        student: Any,
        rubric: Any,
        seconds: float,
        before: Callable[[], None] = lambda: None,
        after: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue: queue.SimpleQueue[tuple[Speaker, str, Any]] = queue.SimpleQueue()
        self._student = Speaker(student, self._put)
        self._rubric = Speaker(rubric, self._put)
        self._left = seconds
        self._clock = clock
        self._before, self._after = before, after

    def _put(self, speaker: Speaker, kind: str, value: Any) -> None:
        self._queue.put((speaker, kind, value))

    def run(self, serve: str, proof: str, grade: str, start: dict[str, Any]) -> Outcome:
        """Let them talk.

        Parameters
        ----------
        serve, grade
            What the student's and the rubric's side evaluate.
        proof
            What the student's greeting must hold.
        start
            The first message to the rubric's side, beside the greeting.
        """
        try:
            return self._run(serve, proof, grade, start)
        except OutOfTurn as error:
            return Outcome("tampered", {}, str(error))

    def _run(self, serve: str, proof: str, grade: str, start: dict[str, Any]) -> Outcome:
        self._student.start(serve)
        heard = self._next(self._student, GREETING_S)
        if isinstance(heard, Outcome):
            if heard.side == "time":
                raise OutOfTurn("no greeting came")
            return heard
        hello = checked(heard)
        if hello.pop("hello", None) != proof:
            raise OutOfTurn("a greeting without a valid signature")
        self._rubric.start(grade)
        heard = self._next(self._rubric)
        if isinstance(heard, Outcome):
            return heard
        self._rubric.say(json.dumps({**start, "hello": hello}))
        while True:
            heard = self._next(self._rubric)
            if isinstance(heard, Outcome):
                return heard
            self._before()
            heard = self._asked(heard)
            if isinstance(heard, Outcome):
                return heard
            checked(heard)
            self._after()
            self._rubric.say(heard)

    def _asked(self, text: str) -> str | Outcome:
        """What the student's side answers, or asks, in its own time."""
        begun = self._clock()
        self._student.say(text)
        heard = self._next(self._student, self._left + FREE_S)
        self._left -= max(0.0, self._clock() - begun - FREE_S)
        return Outcome("time", {}) if self._left < 0 and type(heard) is str else heard

    def _next(self, expected: Speaker, seconds: float | None = None) -> str | Outcome:
        """What the side whose turn it is says."""
        try:
            speaker, kind, value = self._queue.get(timeout=seconds)
        except queue.Empty:
            return Outcome("time", {})
        if kind == "ended":
            return Outcome("rubric" if speaker is self._rubric else "student", value)
        if speaker is not expected or type(value) is not str:
            raise OutOfTurn("a message out of turn")
        return value
