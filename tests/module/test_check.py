"""``check`` as a context manager and as a decorator."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import browsergrad as bg
import pytest

pytestmark = pytest.mark.usefixtures("events")


def only() -> dict[str, Any]:
    (event,) = bg.results()
    assert event["durationMs"] >= 0
    return event


def test_the_end_of_a_block_is_a_pass() -> None:
    with bg.check("c"):
        pass
    assert (only()["kind"], only()["name"]) == ("pass", "c")


def test_a_failed_assert_is_a_fail_with_both_sides() -> None:
    total, expected = 3, [None]
    with bg.check("c"):
        assert total == expected
    event = only()
    assert event["kind"] == "fail"
    assert (event["actualRepr"], event["expectedRepr"]) == ("3", "[None]")
    assert "traceback" not in event


def test_the_constant_is_the_expected_side() -> None:
    value = "b"
    with bg.check("c"):
        assert "a" == value  # noqa: SIM300  # the order is what is tested
    assert (only()["actualRepr"], only()["expectedRepr"]) == ("'b'", "'a'")


def test_the_message_is_the_users_or_the_source() -> None:
    with bg.check("a"):
        assert 1 > 2, "too small"
    with bg.check("b"):
        assert (
            len([])
            > 2
        )  # fmt: skip
    # pytest rewrites the asserts of test modules. Ordinary code shows its source.
    assert bg.results()[0]["message"].startswith("too small")
    assert bg.results()[1]["message"]


def run_plain(source: str, **names: Any) -> dict[str, Any]:
    """Run code as a notebook does: with its source in linecache, and without rewritten asserts."""
    import linecache

    filename = "<cell>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    exec(compile(source, filename, "exec"), {"bg": bg, **names})
    return bg.results()[-1]


@pytest.mark.parametrize(
    ("test", "sides"),
    [
        ("x == 4", ("3", "4")),
        ("4 == x", ("3", "4")),
        ("x is None", ("3", "None")),
        ("items[0] == items[-1]", ("1", "2")),
        ("point.x == (1, -2)", ("5", "(1, -2)")),
        ("items == [1, 2, {'a': {3}}]", ("[1, 2]", "[1, 2, {'a': {3}}]")),
        ("len(items) == 3", (None, "3")),
        ("prop.value == 3", (None, "3")),
        ("x > 4", (None, None)),
        ("x == 3 == 4", (None, None)),
        ("not x", (None, None)),
    ],
)
def test_sides_are_read_without_running_code(test: str, sides: tuple[str | None, str | None]) -> None:
    class Property:
        @property
        def value(self) -> int:
            calls.append(1)
            return 1

    calls: list[int] = []
    event = run_plain(
        f"with bg.check('c'):\n    assert (\n        {test}\n    )\n",
        x=3,
        items=[1, 2],
        point=SimpleNamespace(x=5),
        prop=Property(),
    )
    assert (event.get("actualRepr"), event.get("expectedRepr")) == sides
    assert event["message"] == f"assert {test}"
    assert len(calls) <= 1


def test_a_raised_assertion_error_is_a_fail_too() -> None:
    assert run_plain("with bg.check('c'):\n    raise AssertionError\n")["message"] == "assertion failed"
    assert run_plain("with bg.check('c'):\n    raise AssertionError('why')\n")["message"] == "why"


def test_another_exception_is_an_error_with_its_traceback() -> None:
    with bg.check("c"):
        raise LookupError("where")
    event = only()
    assert (event["kind"], event["message"]) == ("error", "LookupError: where")
    assert "test_check.py" in event["traceback"]
    assert "_check.py" not in event["traceback"].replace("test_check.py", "")


def test_an_exception_whose_text_fails_is_an_error() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise ValueError

    with bg.check("c"):
        raise Broken
    assert only()["message"] == "Broken: <str failed: ValueError>"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_what_ends_more_than_the_block_goes_on(error: type[BaseException]) -> None:
    with pytest.raises(error), bg.check("c"):
        raise error
    assert only()["kind"] == "error"


def test_a_decorated_function_reports_each_call() -> None:
    @bg.check("c")
    def halve(number: int) -> int:
        """Half."""
        assert number % 2 == 0
        return number // 2

    assert (halve(4), halve(3)) == (2, None)
    assert [event["kind"] for event in bg.results()] == ["pass", "fail"]
    assert (halve.__name__, halve.__doc__) == ("halve", "Half.")


def test_a_decorated_coroutine_function_is_awaited_inside() -> None:
    @bg.check("c")
    async def divide(a: int, b: int) -> float:
        await asyncio.sleep(0)
        return a / b

    async def main() -> list[float | None]:
        return list(await asyncio.gather(divide(1, 2), divide(1, 0)))  # type: ignore[call-overload]  # coroutines

    assert asyncio.run(main()) == [0.5, None]
    assert sorted(event["kind"] for event in bg.results()) == ["error", "pass"]
    error = next(event for event in bg.results() if event["kind"] == "error")
    assert "run_async" not in error["traceback"]


def test_checks_nest_and_are_used_again() -> None:
    outer = bg.check("outer")
    with outer, bg.check("inner"), outer:
        pass
    assert [event["name"] for event in bg.results()] == ["outer", "inner", "outer"]


def test_generator_functions_are_refused() -> None:
    with pytest.raises(TypeError, match="generator"):

        @bg.check("c")
        def numbers() -> Any:
            yield 1


@pytest.mark.parametrize(
    ("code", "said"), [("pass", "well done"), ("assert 0", "look at zero"), ("1 / 0", "look at zero")]
)
def test_feedback_fits_the_outcome(code: str, said: str) -> None:
    event = run_plain(
        f"import browsergrad as bg\nwith bg.check('c', feedback_pass='well done', feedback_fail='look at zero'):\n    {code}\n"
    )
    assert event["feedback"] == said


def test_feedback_of_one_outcome_is_not_shown_with_the_other_and_holds_for_functions() -> None:
    @bg.check("c", feedback_fail="look at zero")
    def test(value: int) -> None:
        assert value

    test(1)
    test(0)
    assert [each.get("feedback") for each in bg.results()] == [None, "look at zero"]


def test_feedback_is_a_text_that_is_not_empty() -> None:
    with pytest.raises(TypeError, match="feedback_fail must be a string, not int"):
        bg.check("c", feedback_fail=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="feedback must not be empty"):
        bg.assert_pass("c", feedback="")
    bg.assert_fail("a", "m", feedback="x")
    bg.assert_error("a", "m", feedback="y")
    assert [each["feedback"] for each in bg.results()] == ["x", "y"]
