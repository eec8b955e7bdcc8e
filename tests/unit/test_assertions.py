"""Contents of assertions that others have made: our check accepts the same ones as the JSON Schema."""

from __future__ import annotations

import json
import math
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from jupyterlite_browsergrad.grading.assertions import is_content

SCHEMA = json.loads(resources.files("browsergrad").joinpath("schemas/assertions.v1.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
COUNTS = {"pass": 1, "fail": 0, "error": 0}
PASS = {"kind": "pass", "name": "adds"}

#: Values that are often right, and values that are often almost right.
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-2, 3)
    | st.floats(-1, 2)
    | st.sampled_from(["", "a", "pass", "fail", "error"])
)
KEYS = st.sampled_from(
    [
        "kind",
        "name",
        "message",
        "expectedRepr",
        "actualRepr",
        "traceback",
        "durationMs",
        "points",
        "earned",
        "group",
        "feedback",
        "more",
    ]
)
EVENTS = st.dictionaries(KEYS, SCALARS) | st.builds(
    lambda kind, more: {"kind": kind, "name": "n", "message": "m", **more},
    st.sampled_from(["pass", "fail", "error"]),
    st.dictionaries(KEYS, SCALARS, max_size=2),
)
CONTENTS = st.builds(
    lambda assertions, counts, more: {"assertions": assertions, "counts": counts, **more},
    st.lists(EVENTS | SCALARS, max_size=3) | SCALARS,
    st.just(COUNTS) | st.dictionaries(st.sampled_from(["pass", "fail", "error", "x"]), SCALARS) | SCALARS,
    st.just({}) | st.dictionaries(KEYS, SCALARS, max_size=1),
)


@given(CONTENTS | SCALARS | st.lists(SCALARS))
def test_the_written_rules_are_those_of_the_schema(content: Any) -> None:
    if isinstance(content, dict) and isinstance(content.get("counts"), dict):
        # One difference is intended: for the schema, a count such as 1.0 is an integer.
        content["counts"] = {
            key: int(value) if isinstance(value, float) and value.is_integer() else value
            for key, value in content["counts"].items()
        }
    assert is_content(content) == VALIDATOR.is_valid(content)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1, True, "1", None, [1]])
def test_a_duration_is_a_number_from_zero_on(value: Any) -> None:
    assert not is_content({"assertions": [{**PASS, "durationMs": value}], "counts": COUNTS})
    assert is_content({"assertions": [{**PASS, "durationMs": 1.5}], "counts": COUNTS})


@pytest.mark.parametrize(
    ("points", "good"),
    [
        ({"earned": 1, "possible": 2.5}, True),
        ({"earned": 1}, False),
        ({"earned": -1, "possible": 2}, False),
        ({"earned": "1", "possible": 2}, False),
        ({"earned": 1, "possible": 2, "more": 3}, False),
        (None, False),
    ],
)
def test_sums_of_points_follow_the_schema(points: Any, good: bool) -> None:
    content = {"assertions": [{**PASS, "points": 1, "earned": 1, "group": "a"}], "counts": COUNTS, "points": points}
    assert is_content(content) == VALIDATOR.is_valid(content) == good


@pytest.mark.parametrize(
    "event",
    [
        {"kind": "pass"},
        {"name": "x"},
        {"kind": ["pass"], "name": "x"},
        {**PASS, "name": 1},
        {**PASS, "more": 1},
        [],
        None,
    ],
)
def test_an_event_that_lacks_or_adds_something_is_refused(event: Any) -> None:
    assert not is_content({"assertions": [PASS, event], "counts": COUNTS})
