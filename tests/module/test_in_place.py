"""``in_place``: tests that change the student's own names, in a rubric that shares an interpreter with them."""

from __future__ import annotations

from typing import Any

import browsergrad as bg
import pytest
from browsergrad.hosting import run_rubric

STUDENT = """
counter = 0

def squares(n):
    return [i * i for i in range(1, n + 1)]

def total(n):
    global counter
    counter += 1
    return sum(squares(n))

def own_total(n):
    return sum(i * i for i in range(1, n + 1))
"""
USES = """
import browsergrad as bg

{before}
@bg.check("uses squares")
@bg.in_place
def _test():
    global squares, kept, error
    kept = squares
    del squares
    try:
        {function}(1)
    except NameError as error:
        pass
    else:
        raise AssertionError("squares is not used")
    finally:
        squares = kept

_test()
{after}
"""


@pytest.fixture
def student() -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(STUDENT, names)
    return names


def kinds(student: dict[str, Any], rubric: str, own: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    content = run_rubric(rubric, student, own=own)
    return [(each["kind"], each.get("message", "")) for each in content["assertions"]]


def test_a_deleted_name_is_gone_for_the_students_functions_too(student: dict[str, Any]) -> None:
    assert kinds(student, USES.format(before="", after="", function="total"), student) == [("pass", "")]
    found = kinds(student, USES.format(before="", after="", function="own_total"), student)
    assert found == [("fail", "squares is not used")]


def test_the_students_names_mean_afterwards_what_they_meant_also_after_an_error(student: dict[str, Any]) -> None:
    before = dict(student)
    after = 'with bg.check("kept"):\n    assert kept is squares and counter == 0'
    found = kinds(student, USES.format(before="", after=after, function="total"), student)
    assert found == [("pass", ""), ("pass", "")]
    assert student == before
    broken = "import browsergrad as bg\n@bg.in_place\ndef test():\n    global squares, more\n    del squares\n    more = 1\n    1 / 0\ntest()\n"
    assert kinds(student, broken, student)[0][0] == "error"
    assert student == before


def test_names_of_the_rubric_are_at_hand_and_those_of_the_student_are_as_they_are_now(student: dict[str, Any]) -> None:
    rubric = (
        "import math\nimport browsergrad as bg\n\nlimit = 3\ntotal(1)\n"
        "@bg.check('both')\n@bg.in_place\ndef test():\n    assert (math.floor(2.5), limit, counter) == (2, 3, 1), counter\n\ntest()\n"
    )
    assert kinds(student, rubric, student) == [("pass", "")]


def test_where_the_names_are_elsewhere_it_says_so(student: dict[str, Any]) -> None:
    ((kind, message),) = kinds(student, USES.format(before="", after="", function="total"))
    assert kind == "error" and "only in an interpreter shared with them" in message
    with pytest.raises(TypeError, match="in_place takes a function, not type"):
        bg.in_place(int)
