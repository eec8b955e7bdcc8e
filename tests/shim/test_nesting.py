"""Sources that nest too deeply for the compiler are refused before it sees them."""

from __future__ import annotations

import pytest
from browsergrad_kernel import nesting


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1", (0, 0)),
        ("1 + 2 + 3", (2, 0)),
        ("[(1), {2: 3}]", (2, 2)),
        ("a, b + c, d", (1, 0)),
        ("if a: pass\nelif b: pass\nelif c: pass", (2, 0)),
        ("'((((' # ((((", (0, 0)),
        ("1 + \\\n 2", (1, 0)),
    ],
)
def test_depth_and_brackets_are_estimated(source: str, expected: tuple[int, int]) -> None:
    assert nesting.depths(source) == expected


@pytest.mark.parametrize("source", ["+".join(["1"] * 2501), "[" + "1+2," * 5000 + "]", "(" * 199 + ")" * 199])
def test_a_source_that_can_be_compiled_passes(source: str) -> None:
    assert nesting.check(source) is source


def test_a_source_that_is_too_deep_is_refused() -> None:
    with pytest.raises(RecursionError, match=r"nests more than 2500 levels deep\. Build it up"):
        nesting.check("+".join(["1"] * 2502))


@pytest.mark.parametrize("source", ["+".join(["1"] * 1001), "[" + "f(1+2)," * 5000 + "]", "[" * 100 + "]" * 100])
def test_on_one_stack_a_source_of_moderate_depth_passes(source: str) -> None:
    assert nesting.check_on_one_stack(source) is source
    assert nesting.check_on_one_stack(source.encode()) == source.encode()


@pytest.mark.parametrize(
    ("source", "error", "text"),
    [
        ("+".join(["1"] * 1002), RecursionError, "more than 1000 levels deep, which is too deep for this browser"),
        ("-" * 5000 + "1", RecursionError, "more than 1000 levels"),
        ("if 0: pass\n" + "elif 0: pass\n" * 1001, RecursionError, "more than 1000 levels"),
        ("[" * 101 + "]" * 101, RecursionError, "more than 100 levels"),
        ("[" * 150, RecursionError, "more than 100 levels"),
        ("(" * 201 + ")" * 201, SyntaxError, "too many nested parentheses"),
    ],
)
def test_on_one_stack_less_is_compiled(source: str, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        nesting.check_on_one_stack(source)
