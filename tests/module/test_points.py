"""The points of checks."""

from __future__ import annotations

from typing import Any

import browsergrad as bg
import pytest
from browsergrad._lab import run_rubric
from browsergrad._mime import ASSERTIONS_MIME, assertions_bundle
from browsergrad._points import add_up

RUBRIC = """
import browsergrad as bg

with bg.check("adds", points=2, group="one"):
    assert add(1, 2) == 3

with bg.check("adds more", points=3, group="two") as part:
    assert add(0, 0) == 0
    part.earn(1)
    assert add(-1, -1) == -2

with bg.check("is kind"):
    assert greeting == "hi"
"""


def worth(content: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [tuple(each.get(key) for key in ("kind", "points", "earned", "group")) for each in content["assertions"]]


def test_a_pass_earns_all_and_a_failure_what_it_earned_before() -> None:
    content = run_rubric(RUBRIC, {"add": lambda a, b: abs(a + b), "greeting": "hi"})
    assert worth(content) == [("pass", 2, 2, "one"), ("fail", 3, 1, "two"), ("pass", None, None, None)]
    assert content["points"] == {"earned": 3, "possible": 5}


def test_what_is_missing_earns_nothing() -> None:
    content = run_rubric(RUBRIC, {})
    assert content["points"] == {"earned": 0, "possible": 5}


def test_a_rubric_without_points_has_no_sum() -> None:
    assert run_rubric("import browsergrad as bg\nbg.assert_pass('a')", {}).keys() == {"assertions", "counts"}


def test_sums_are_decimal_and_count_passes_that_are_not_listed() -> None:
    source = "import browsergrad as bg\nfor n in range(1003): bg.assert_pass('a', points=0.1)"
    content = run_rubric(source, {})
    assert len(content["assertions"]) == 1000
    assert content["points"] == {"earned": 100.3, "possible": 100.3}


def test_assertions_take_points_and_part_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    bg.assert_pass("a", points=1)
    bg.assert_fail("b", "half", points=1, earned=0.5, group="g")
    bg.assert_error("c", "broke", points=4)
    assert [each["earned"] for each in bg.results()] == [1, 0.5, 0]
    assert capsys.readouterr().out.splitlines() == ["pass a [1/1]", "FAIL b [0.5/1]: half", "ERROR c [0/4]: broke"]


def test_a_decorated_function_is_worth_its_points_at_each_call() -> None:
    @bg.check("twice", points=2, group="g")
    def works() -> None:
        pass

    works()
    works()
    assert [(each["earned"], each["group"]) for each in bg.results()] == [(2, "g"), (2, "g")]


def test_parts_give_no_more_than_the_whole() -> None:
    with bg.check("a", points=2) as part:
        part.earn(1.5)
        part.earn(1.5)
        raise AssertionError
    assert bg.results()[0]["earned"] == 2


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: bg.check("a", points="2"), TypeError, "points must be a number, not str"),  # type: ignore[arg-type]
        (lambda: bg.check("a", points=True), TypeError, "points must be a number, not bool"),
        (lambda: bg.check("a", points=-1), ValueError, "points must be 0 or more"),
        (lambda: bg.check("a", points=float("nan")), ValueError, "points must be 0 or more"),
        (lambda: bg.check("a", points=float("inf")), ValueError, "points must be 0 or more"),
        (lambda: bg.check("a", group=""), ValueError, "group must not be empty"),
        (lambda: bg.check("a", group=1), TypeError, "group must be a string"),  # type: ignore[arg-type]
        (lambda: bg.assert_fail("a", "b", points=1, earned=2), ValueError, "earned is 2, more than the 1 points"),
        (lambda: bg.assert_fail("a", "b", earned=1), ValueError, "earned needs points"),
        (lambda: bg.check("a", points=1).earn(1), RuntimeError, "inside the block"),
        (lambda: bg.check("a").earn(1), ValueError, "earn needs a check with points"),
    ],
)
def test_wrong_worth_is_an_error_that_says_so(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        call()
    assert bg.results() == []


def test_sums_are_in_the_fallbacks_of_a_bundle() -> None:
    content = run_rubric(RUBRIC, {})
    bundle = assertions_bundle(content["assertions"], content["counts"], content["points"])
    assert bundle[ASSERTIONS_MIME]["points"] == {"earned": 0, "possible": 5}
    assert bundle["text/plain"].splitlines()[0].endswith("; 0 of 5 points")
    assert "0 of 5 points" in bundle["text/html"] and "[0/2]" in bundle["text/html"]


def test_three_thirds_are_a_whole() -> None:
    source = "import browsergrad as bg\nfor n in range(9): bg.assert_pass('a', points=1 / 3)"
    content = run_rubric(source, {})
    assert content["points"] == {"earned": 3, "possible": 3} == add_up(content["assertions"])
