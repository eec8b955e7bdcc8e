"""Whose time counts while a rubric and a submission exchange messages: only that of the submission's turns, without delays of a busy machine."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jupyterlite_browsergrad.errors import GradingError
from jupyterlite_browsergrad.grading import run
from jupyterlite_browsergrad.grading.apart import pool, relay
from jupyterlite_browsergrad.grading.apart.relay import FREE_S, GREETING_S, Exchange, Outcome
from jupyterlite_browsergrad.grading.bundle import load_lab
from jupyterlite_browsergrad.grading.run import Job, JobLimits, run_job

from .labs import GOOD, write_lab

#: Seconds that the submission's turns may take in these tests.
LIMIT_S = 10.0
DONE = {"status": "ok"}


class Side:
    """Stands for a sandbox. Each of its turns takes some time of the clock, and the last one ends its request."""

    def __init__(self, clock: list[float], turns: list[float], says: str) -> None:
        self._clock = clock
        self._turns = list(turns)
        self._says = says

    def message(self, msg_type: str, content: dict[str, Any]) -> dict[str, Any]:
        return content

    def send(self, message: dict[str, Any], receive: Any) -> None:
        self._receive = receive
        self.input_reply("")

    def input_reply(self, text: str) -> None:
        if not self._turns:
            self._receive({"channel": "shell", "content": DONE})
            return
        self._clock[0] += self._turns.pop(0)
        said, self._says = self._says, '{"ok":1}'
        self._receive({"channel": "stdin", "content": {"prompt": said}})


def talk(student: list[float], rubric: list[float]) -> Outcome:
    """Let two sides exchange messages. Their turns take these seconds; the first are those of the greetings."""
    clock = [0.0]
    sides = Side(clock, student, '{"hello":"proof"}'), Side(clock, rubric, '{"hello":"rubric"}')
    return Exchange(*sides, LIMIT_S, clock=lambda: clock[0]).run("serve", "proof", "grade", {})


def test_what_the_rubric_takes_itself_is_not_the_submissions_time() -> None:
    assert talk([0, 1, 1], [100, 100, 100]) == Outcome("rubric", DONE)


def test_a_late_greeting_is_not_the_submissions_time() -> None:
    assert GREETING_S > 2 * LIMIT_S
    assert talk([2 * LIMIT_S, 1], [0, 0]) == Outcome("rubric", DONE)


def test_a_greeting_that_never_comes_is_tampering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "GREETING_S", 0.01)
    assert talk([], []).side == "student", "its request ended"
    monkeypatch.setattr(Side, "input_reply", lambda self, text: None)
    assert talk([0], [0]) == Outcome("tampered", {}, "no greeting came")


def test_many_short_turns_on_a_busy_machine_are_no_long_one() -> None:
    turns = 50 * round(LIMIT_S / FREE_S)
    assert talk([0, *[FREE_S] * turns], [0] * (turns + 1)) == Outcome("rubric", DONE)


@pytest.mark.parametrize("turns", [[LIMIT_S + 2 * FREE_S], [LIMIT_S / 2 + 2 * FREE_S] * 2])
def test_a_submission_whose_turns_take_longer_than_its_limit_is_late(turns: list[float]) -> None:
    assert talk([0, *turns], [0, 0, 0]).side == "time"


def test_time_outside_the_blocks_is_not_counted() -> None:
    ended = threading.Event()
    clock = run._Clock(3600, ended.set)
    with clock.running():
        pass
    clock._left = 0.0
    assert not ended.is_set()
    with clock.running():
        assert ended.wait(60)


def test_a_rubrics_interpreter_that_is_never_prepared_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "SET_UP_S", 0.01)
    box = pool.RubricBox(None, SimpleNamespace(wait_ready=lambda: None), Path(), ExitStack(), None)  # type: ignore[arg-type]
    with pytest.raises(GradingError, match="was not prepared"):
        box.wait_ready()


def test_a_rubrics_interpreter_that_does_not_start_is_no_fault_of_the_submission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any) -> None:
        raise GradingError("Python did not start in time")

    monkeypatch.setattr(run.ApartRubric, "wait_ready", fail)
    lab = load_lab(write_lab(tmp_path / "lab"))[0]
    result = run_job(Job(lab, "one.py", GOOD.encode(), JobLimits(), form="apart"))
    assert result["error"]["kind"] == "sandbox" and result["cells"] == 1, result
