"""Values as JSON."""

from __future__ import annotations

import base64
import json
from collections import OrderedDict
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from browsergrad_kernel.jsonutil import dumps, encode_images, json_clean

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        ([1, "a", None, True, 1.5], [1, "a", None, True, 1.5]),
        ([NAN, float("inf"), -float("inf")], ["nan", "inf", "-inf"]),
        ((1, {2}), [1, [2]]),
        ({2: NAN, None: 2, True: 3}, {"2": "nan", "null": 2, "true": 3}),
        ({(1, 2): 3}, {"(1, 2)": 3}),
        (b"\0\1", base64.b64encode(b"\0\1").decode()),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        (Fraction(1, 2), 0.5),
        ((n for n in range(3)), [0, 1, 2]),
        (OrderedDict(a=range(2)), {"a": [0, 1]}),
        ("\ud800", "\ud800"),
    ],
)
def test_a_value_becomes_what_json_can_hold(value: Any, clean: Any) -> None:
    assert json.loads(dumps(value)) == clean


@pytest.mark.parametrize("value", [object(), {"a": [object()]}, Decimal(1)])
def test_what_has_no_form_in_json_is_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError, match="has no form in JSON"):
        dumps(value)


def test_a_list_that_holds_itself_is_a_value_error() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="holds itself"):
        dumps(loop)


def test_cleaning_makes_a_copy() -> None:
    value = {"a": [NAN]}
    json_clean(value)
    assert value["a"][0] is NAN


def test_only_known_binary_formats_are_taken_for_images() -> None:
    data = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8", "text/plain": "x", "application/x": b"raw"}
    encoded = encode_images(data)
    assert {mime for mime in data if encoded[mime] != data[mime]} == {"image/png", "image/jpeg"}
