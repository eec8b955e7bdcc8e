"""The six functions of the module, and the arguments that they refuse."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import enum
import inspect
import math
import sys
from typing import Any
from unittest import mock

import browsergrad as bg
import pytest
from browsergrad import _json, _mime, _text
from hypothesis import given
from hypothesis import strategies as st

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
Events = list[dict[str, Any]]


def test_signatures_are_those_of_the_design() -> None:
    functions = {name: getattr(bg, name) for name in bg.__all__ if name.islower() and name[0] != "_" and name != "lab"}
    shown = {name: list(inspect.signature(function).parameters) for name, function in functions.items()}
    assert shown == {
        "assert_pass": ["name", "duration_ms", "points", "group", "feedback"],
        "assert_fail": [
            "name",
            "message",
            "expected",
            "actual",
            "duration_ms",
            "points",
            "earned",
            "group",
            "feedback",
        ],
        "assert_error": ["name", "message", "exc", "duration_ms", "points", "earned", "group", "feedback"],
        "check": ["name", "points", "group", "feedback_pass", "feedback_fail"],
        "in_place": ["function"],
        "dataset": ["name"],
        "emit_image": ["name", "mime", "data_base64"],
        "emit_json": ["name", "data"],
        "log": ["name", "data", "level"],
        "results": [],
    }
    assert bg.__version__


def test_each_function_sends_one_event(events: Events) -> None:
    bg.assert_pass("p", 1)
    bg.assert_fail("f", "no", expected=1, actual="a", duration_ms=2.5)
    bg.assert_error("e", "broken")
    bg.log("l", {"a": [1]}, "warn")
    bg.emit_json("j", (1, None))
    bg.emit_image("i", "image/png", PNG)
    assert events == [
        {"type": "assertion", "event": {"kind": "pass", "name": "p", "durationMs": 1.0}},
        {
            "type": "assertion",
            "event": {
                "kind": "fail",
                "name": "f",
                "message": "no",
                "expectedRepr": "1",
                "actualRepr": "'a'",
                "durationMs": 2.5,
            },
        },
        {"type": "assertion", "event": {"kind": "error", "name": "e", "message": "broken"}},
        {"type": "artifact", "event": {"kind": "log", "name": "l", "level": "warn", "data": {"a": [1]}}},
        {"type": "artifact", "event": {"kind": "json", "name": "j", "data": [1, None]}},
        {"type": "artifact", "event": {"kind": "image", "name": "i", "mime": "image/png", "dataBase64": PNG}},
    ]


def test_none_given_is_a_value_and_nothing_given_is_none(events: Events) -> None:
    bg.assert_fail("f", "m", expected=None)
    assert events[0]["event"]["expectedRepr"] == "None"
    assert "actualRepr" not in events[0]["event"]


def test_an_exception_keeps_its_traceback(events: Events) -> None:
    try:
        raise KeyError("k") from ValueError("cause")
    except KeyError as error:
        bg.assert_error("e", "m", error)
    text = events[0]["event"]["traceback"]
    assert "KeyError: 'k'" in text
    assert "ValueError: cause" in text
    assert "test_report.py" in text


def test_results_are_copies_of_assertions_alone(events: Events) -> None:
    bg.assert_pass("p")
    bg.log("l", 1)
    bg.results()[0]["name"] = "other"
    assert bg.results() == [{"kind": "pass", "name": "p"}]


@pytest.mark.parametrize("report", [bg.assert_pass, bg.check])
def test_names_are_strings_that_are_not_empty(report: Any, events: Events) -> None:
    with pytest.raises(ValueError, match="name must not be empty"):
        report("")
    for name in (None, 1, b"a"):
        with pytest.raises(TypeError, match="name must be a string"):
            report(name)
    assert events == []


@pytest.mark.parametrize("duration", [-1, math.nan, math.inf, 10**400])
def test_durations_are_finite(duration: float, events: Events) -> None:
    with pytest.raises(ValueError, match="duration_ms"):
        bg.assert_pass("p", duration)
    with pytest.raises(TypeError, match="duration_ms"):
        bg.assert_pass("p", "1")  # type: ignore[arg-type]  # what a user may do
    assert events == []


def test_levels_are_three(events: Events) -> None:
    with pytest.raises(ValueError, match="info, warn, error"):
        bg.log("l", 1, "debug")  # type: ignore[arg-type]  # what a user may do
    assert events == []


def test_a_log_keeps_the_repr_of_what_json_cannot_hold(events: Events) -> None:
    bg.log("l", {"a": {1}})
    bg.log("l", math.nan)
    assert [message["event"]["data"] for message in events] == ["{'a': {1}}", "nan"]


def test_bidirectional_and_nul_characters_are_kept_and_lone_surrogates_escaped(events: Events) -> None:
    bg.assert_pass("a\u202eb\0\ud800")
    assert events[0]["event"]["name"] == "a\u202eb\0\\ud800"


# --- emit_json


class Colour(enum.IntEnum):
    RED = 1


@pytest.mark.parametrize(
    ("data", "error", "path"),
    [
        (object(), TypeError, "$ is"),
        ({"a": [0, 1, 2, {1}]}, TypeError, "$.a[3] is of type set"),
        ({"a b": b""}, TypeError, '$["a b"] is of type bytes'),
        ({"a": {1: 2}}, TypeError, "$.a has the key 1"),
        ([complex(1)], TypeError, "$[0] is of type complex"),
        ([[math.nan]], ValueError, "$[0][0] is nan"),
        ({"x": -math.inf}, ValueError, "$.x is -inf"),
        (["\ud800"], ValueError, "$[0] holds a lone surrogate"),
        ([10**400], ValueError, "$[0] is an integer larger"),
        ([10**5000], ValueError, "$[0] is an integer larger"),
    ],
)
def test_emit_json_names_the_culprit(data: Any, error: type[Exception], path: str, events: Events) -> None:
    with pytest.raises(error) as caught:
        bg.emit_json("j", data)
    assert str(caught.value).startswith(path)
    assert events == []


def test_emit_json_refuses_cycles_and_depths(events: Events) -> None:
    cyclic: dict[str, Any] = {}
    cyclic["a"] = [cyclic]
    with pytest.raises(ValueError, match=r"^\$\.a\[0\] holds itself"):
        bg.emit_json("j", cyclic)
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(ValueError, match="deeper than 100"):
        bg.emit_json("j", deep)
    shared = [1]
    bg.emit_json("j", [shared, shared])
    assert len(events) == 1


def test_emit_json_copies(events: Events) -> None:
    data = {"a": [Colour.RED]}
    bg.emit_json("j", data)
    data["a"].clear()
    copy = events[0]["event"]["data"]
    assert copy == {"a": [1]}
    assert type(copy["a"][0]) is int


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**1000), 2**1000)
    | st.floats(allow_nan=False, allow_infinity=False)
    # Lone surrogates are refused.
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)


@given(JSON)
def test_json_is_copied_unchanged(data: Any) -> None:
    assert _json.json_copy(data) == data


# --- emit_image


@pytest.mark.parametrize(
    "mime", ["", "png", "image/", "image/PNG", "text/html", "image/png\n", "image/png;a=b", None, 1, b"a", []]
)
def test_the_mime_type_is_that_of_an_image(mime: Any, events: Events) -> None:
    with pytest.raises(ValueError, match="mime must be one of"):
        bg.emit_image("i", mime, PNG)
    assert events == []


@pytest.mark.parametrize(
    "data",
    ["", "=", "a", "ab", "abc", "ab=c", "abcd=", "====", "abc!", "ab-_", "abcd\n", " abcd", "ab cd", "äöüß",
     f"data:image/png;base64,{PNG}", None, b"abcd", bytearray(b"abcd"), 1, "\ud800"],
)  # fmt: skip
def test_the_data_is_base64(data: Any, events: Events) -> None:
    with pytest.raises(ValueError, match="data_base64"):
        bg.emit_image("i", "image/png", data)
    assert events == []


@given(st.binary(min_size=1))
def test_all_that_base64_encodes_is_taken(data: bytes) -> None:
    record: Events = []
    bg._sink.install(record.append)
    bg.emit_image("i", "image/webp", base64.b64encode(data).decode())
    assert base64.b64decode(record[0]["event"]["dataBase64"]) == data


# --- reprs


class Broken:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __repr__(self) -> str:
        raise self.error


@dataclasses.dataclass
class Holder:
    item: Any


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.binary()
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.tuples(inner, inner)
    | st.dictionaries(st.integers() | st.text(st.characters(codec="utf-8")), inner)
    | st.sets(st.integers()) | st.frozensets(st.integers()) | st.builds(Holder, inner),
)  # fmt: skip


@given(VALUES)
def test_short_reprs_are_those_of_python(value: Any) -> None:
    if len(repr(value)) <= _text.MAX_REPR:
        assert _text.limited_repr(value) == repr(value)


@given(VALUES, st.integers(0, 200))
def test_reprs_are_the_same_whether_written_at_once_or_item_by_item(value: Any, limit: int) -> None:
    with mock.patch.object(_text._ReprWriter, "_is_short", return_value=False):
        slowly = _text.limited_repr(value, limit)
    assert _text.limited_repr(value, limit) == slowly


@pytest.mark.parametrize(
    "value",
    ["a" * 10**6, b"a" * 10**6, [0] * 10**7, {"a": [[1] * 10**6]}, set(range(10**5)), Holder("a" * 10**5)],
    ids=["str", "bytes", "list", "dict", "set", "dataclass"],
)
def test_long_reprs_are_cut(value: Any) -> None:
    text = _text.limited_repr(value)
    assert text.endswith("… (cut at 10,000 characters)")
    assert len(text) < 10_100
    assert text[:5000] == repr(value)[:5000]


def test_reprs_of_cycles_and_depths_end() -> None:
    cyclic: list[Any] = [1]
    cyclic.append(cyclic)
    assert _text.limited_repr(cyclic) == "[1, [...]]"
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert "[...]" in _text.limited_repr(deep)
    while deep:  # freed level by level, since a deep recursion would end Python
        deep = deep.pop()


@pytest.mark.parametrize("error", [ValueError(), SystemExit(), RecursionError(), GeneratorExit()])
def test_a_repr_that_raises_is_named(error: BaseException) -> None:
    assert _text.limited_repr(Broken(error)) == f"<repr failed: {type(error).__name__}>"
    assert _text.limited_repr([1, Broken(error)]) == f"[1, <repr failed: {type(error).__name__}>]"


def test_an_interrupt_in_a_repr_goes_through() -> None:
    with pytest.raises(KeyboardInterrupt):
        _text.limited_repr([Broken(KeyboardInterrupt())])


def test_a_huge_integer_has_a_repr() -> None:
    assert _text.limited_repr(10**5000) == "<int of 16610 bits>"


class Endless:
    def __repr__(self) -> str:
        while True:
            with contextlib.suppress(Exception):
                sum(range(10))


def test_a_repr_that_never_ends_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_text, "REPR_SECONDS", 0.05)
    assert _text.limited_repr([1, Endless(), 2]) == "[1, … (repr took longer than 0.05 seconds)"
    assert sys.gettrace() is None
    assert _text.limited_repr(Holder(1)) == "Holder(item=1)"


def test_names_messages_and_logs_have_limits(events: Events) -> None:
    huge = "a" * 10**7
    bg.assert_fail(huge, huge, huge, [huge])
    bg.assert_error("e", huge)
    bg.log(huge, huge)
    bg.log("l", [huge])
    assert all(len(repr(event)) < 50_000 for event in events)
    assert events[0]["event"]["name"].endswith("… (cut at 1,000 characters)")
    assert events[0]["event"]["message"].endswith("… (cut at 10,000 characters)")


def test_a_huge_datum_is_not_repeated_in_the_fallbacks() -> None:
    bundle = _mime.artifact_bundle({"kind": "json", "name": "j", "data": "a" * 10**6})
    assert len(bundle["text/html"]) + len(bundle["text/plain"]) < 50_000
    assert bundle["application/json"] == "a" * 10**6
