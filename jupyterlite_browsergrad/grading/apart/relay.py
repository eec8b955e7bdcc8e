"""Passes texts between the rubric's sandbox and the student's. Neither end is trusted.

Each end sends a text as the prompt of an ``input_request`` and waits for the ``input_reply``. So only one end speaks at a time. A text
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

#: Most characters of one text.
MAX_TEXT = 4 << 20
#: Most lists, objects and members in one text.
MAX_PARTS = 1_200_000
#: How deeply lists and objects may nest.
MAX_DEPTH = 400
#: Seconds of each turn that do not count for the student: the way there and back takes time too, most of all on a busy machine.
FREE_S = 0.1
#: Seconds in which the student's side has to send its greeting. Only our own code runs then, for about 10 ms, unless it was tampered with.
GREETING_S = 30.0


class OutOfTurn(Exception):
    """An end has sent something that it must not send."""


def checked(text: Any) -> dict[str, Any]:
    """Return the JSON object in a text from a sandbox.

    Raises
    ------
    OutOfTurn
        The text does not hold an object in a known form, or is too large for the other end.
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
    """An upper bound of how deeply brackets nest. Brackets in strings count too."""
    depth = most = 0
    for piece in text.replace("{", "[").replace("}", "]").split("["):
        depth += 1 - piece.count("]")
        most = max(most, depth)
    return most


class Speaker:
    """One end of the exchange: a sandbox that evaluates one long expression, which sends texts meanwhile.

    Parameters
    ----------
    sandbox
        Evaluates the expression.
    heard
        Called in a thread of the sandbox, with this speaker and either ``"said"`` and a text, or ``"ended"`` and the reply's content.
    """

    def __init__(self, sandbox: Any, heard: Callable[[Speaker, str, Any], None]) -> None:
        self.sandbox = sandbox
        self._heard = heard
        self._replied = False
        #: Texts that came and were not answered yet. A second one is out of turn and ends the exchange.
        self._open = 0

    def start(self, expression: str) -> None:
        """Begin to evaluate an expression, which sends texts while it runs."""
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
        """Answer the text that it sent last."""
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
    side
        ``rubric``: the rubric is done. ``student``: the student's side ended before the rubric. ``time``: the student's turns took too
        long. ``tampered``: a side broke the rules, and `why` says how.
    content
        Content of the reply from the side that ended; otherwise empty.
    why
        The rule that was broken.
    """

    side: str
    content: dict[str, Any]
    why: str = ""


class Exchange:
    """The exchange of texts between one rubric and one submission.

    Only the turns of the student's side are limited here. The caller has a limit for the whole exchange, and ends the student's sandbox
    when it is reached.

    Parameters
    ----------
    student, rubric
        Their sandboxes.
    seconds
        How long the turns of the student's side may take together. The greeting and `FREE_S` of each turn do not count.
    before, after
        Called before each turn of the student's side and after it. They keep files in step.
    clock
        Returns the time in seconds.
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
        """Pass texts until a side ends or breaks the rules.

        Parameters
        ----------
        serve, grade
            The expressions that the student's and the rubric's side evaluate.
        proof
            The signature that the student's greeting must have.
        start
            The first message to the rubric's side; the greeting is added to it.
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
        """Pass a text to the student's side and return its next text. Counts the time that this takes."""
        begun = self._clock()
        self._student.say(text)
        heard = self._next(self._student, self._left + FREE_S)
        self._left -= max(0.0, self._clock() - begun - FREE_S)
        return Outcome("time", {}) if self._left < 0 and type(heard) is str else heard

    def _next(self, expected: Speaker, seconds: float | None = None) -> str | Outcome:
        """Wait for the next text of the side whose turn it is, or for the end of the exchange."""
        try:
            speaker, kind, value = self._queue.get(timeout=seconds)
        except queue.Empty:
            return Outcome("time", {})
        if kind == "ended":
            return Outcome("rubric" if speaker is self._rubric else "student", value)
        if speaker is not expected or type(value) is not str:
            raise OutOfTurn("a message out of turn")
        return value
