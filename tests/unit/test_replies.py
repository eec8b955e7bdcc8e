"""The parts of a reply that the grader reads: a text, which one look recognizes, and JSON that follows the schema."""

from __future__ import annotations

import base64
import json
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyterlite_browsergrad.grading.replies import MAX_REPLY, content_of, read_text, text_of

CONTENT = {"assertions": [{"kind": "pass", "name": "ädds"}], "counts": {"pass": 1, "fail": 0, "error": 0}}


def reply(text: Any) -> dict[str, Any]:
    return {"user_expressions": {"result": {"status": "ok", "data": {"text/plain": text}, "metadata": {}}}}


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_text_comes_back_and_so_does_its_content() -> None:
    text = packed(json.dumps(CONTENT))
    assert text_of(reply(repr(text))) == text
    assert content_of(text) == CONTENT
    assert text_of(reply(repr("3.14.2+"))) == "3.14.2+"


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        ["a"],
        "",
        "a",
        "'",
        "'a",
        "'a'\n",
        "'a' 'b'",
        "('a')",
        "'\\ud800'",
        "'\ud800'",
        "'é'",
        "b'a'",
        '"a"',
        "__import__('os')",
        "[" * 100_000,
    ],
)
def test_anything_else_is_no_text(text: Any) -> None:
    assert text_of(reply(text)) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["user_expressions", "result", "data", "text/plain", "ename"]), inner, max_size=3
        )
    ),
)


@given(st.dictionaries(st.sampled_from(["user_expressions", "ename", "evalue", "status"]), JSON))
def test_no_reply_raises(content: dict[str, Any]) -> None:
    found = text_of(content)
    assert found is None or isinstance(found, str)
    assert isinstance(read_text(content, "ename", "none"), str)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_noise_holds_no_content(data: bytes) -> None:
    assert content_of(base64.b64encode(data).decode()) is None
    assert content_of(data.decode("latin-1")) is None


@pytest.mark.parametrize(
    "text", ["[" * 1_000_000, '{"a":' * 200_000, json.dumps(CONTENT).replace("1", "NaN"), "9" * 5000, "1"]
)
def test_json_that_is_deep_or_no_json_holds_no_content(text: str) -> None:
    assert content_of(packed(text)) is None


def test_a_huge_reply_costs_nothing_to_refuse() -> None:
    huge = reply("[" + "0," * 30_000_000 + "]")
    tracemalloc.start()
    started = time.process_time()
    assert text_of(huge) is None
    assert time.process_time() - started < 5
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    assert len("'" + "a" * MAX_REPLY + "'") > MAX_REPLY and text_of(reply("'" + "a" * MAX_REPLY + "'")) is None


def test_a_text_can_be_written_whatever_it_holds() -> None:
    assert read_text({"evalue": "a\ud800"}, "evalue", "") == "a\\ud800"
    assert read_text({"evalue": {"a": 1}}, "evalue", "none") == "none"
