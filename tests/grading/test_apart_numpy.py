"""NumPy's arrays and scalars, sent between a rubric and a submission. Both ends of the line run in one Python, with real NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from jupyterlite_browsergrad.grading.apart.link import Ended, Link, Rules
from jupyterlite_browsergrad.grading.apart.values import MAX_NODES, MAX_SIZE, Decoder, ProtocolError

from .pair import Pair

STUDENT = """
import numpy as np

class Own(np.ndarray):
    def __eq__(self, other): return True

def same(value): return value
def made(expression): return eval(expression)
def double(a): return a * 2
def fill(a): a[...] = 7
def kind(a): return type(a).__name__, str(a.dtype), a.shape, a.tolist()
def own(): return np.arange(3).view(Own)
def masked(): return np.ma.masked_array([1, 2], [True, False])
"""
SHAPES = [(), (0,), (1,), (5,), (0, 3), (2, 3), (2, 0, 3), (2, 3, 4), (1,) * 20]
DTYPES = [
    *"?bBhHiIqQefdFDgG",
    "S3",
    "U3",
    ">U2",
    ">i4",
    "<i2",
    ">f8",
    "datetime64[ns]",
    "datetime64[D]",
    "timedelta64[s]",
]


@pytest.fixture(scope="module")
def student() -> Iterator[Any]:
    with Pair(STUDENT) as pair:
        yield pair


def alike(one: Any, other: Any) -> bool:
    """Whether both are equal to the last bit, with the same type, dtype and shape. C types of one size, such as long and long long, count as equal."""
    kind = type(other) if isinstance(other, np.ndarray) else np.dtype(other.dtype.str).type
    return (
        type(one) is kind and one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    )


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_an_array_of_any_dtype_and_shape_arrives_as_it_was(student: Any, dtype: str, shape: tuple[int, ...]) -> None:
    size = int(np.prod(shape))
    value = np.arange(size).astype("U3" if np.dtype(dtype).kind in "SU" else "i8").astype(dtype).reshape(shape)
    back = student["same"](value)
    assert alike(back, value) and back is not value and not np.shares_memory(back, value)
    assert tuple(student["kind"](value)) == ("ndarray", str(value.dtype), value.shape, value.tolist())


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_scalar_of_any_dtype_arrives_as_it_was(student: Any, dtype: str) -> None:
    value = np.array([1]).astype("U3" if np.dtype(dtype).kind in "SU" else "i8").astype(dtype)[0]
    back = student["same"](value)
    assert isinstance(value, np.generic) and alike(back, value)


@pytest.mark.parametrize(
    "expression",
    [
        "np.array([np.nan, -np.nan, np.inf, -np.inf, -0.0, 5e-324, 1.7976931348623157e308])",
        "np.array([complex(np.nan, -0.0), complex(np.inf, np.nan)])",
        "np.array(['NaT', '2026-11-28'], 'datetime64[s]')",
        "np.array([np.nan], 'f2')",
        "np.float64('nan')",
        "np.array(['', 'é', '\\U0001F600', 'a\\0b'])",
        "np.array([b'', b'\\xff\\0a'])",
    ],
)
def test_what_is_not_ordinary_arrives_bit_by_bit(student: Any, expression: str) -> None:
    assert alike(student["made"](expression), eval(expression, {"np": np}))


@pytest.mark.parametrize(
    "expression",
    [
        "np.asfortranarray(np.arange(6).reshape(2, 3))",
        "np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1)",
        "np.arange(10)[::-2]",
        "np.broadcast_to(np.arange(3), (4, 3))",
        "np.frombuffer(b'abcd', 'u1')",
    ],
)
def test_the_order_in_memory_does_not_travel_and_a_copy_can_be_written_to(student: Any, expression: str) -> None:
    value = eval(expression, {"np": np})
    for back in (student["same"](value), student["made"](expression)):
        assert np.array_equal(back, value) and back.dtype == value.dtype
        assert back.flags.c_contiguous and back.flags.writeable and back.flags.owndata
    read_only = value.copy()
    read_only.flags.writeable = False
    assert student["same"](read_only).flags.writeable and not read_only.flags.writeable


def test_what_a_function_does_to_an_array_it_was_given_stays_there(student: Any) -> None:
    value = np.zeros(3)
    student["fill"](value)
    assert value.tolist() == [0, 0, 0]
    assert student["double"](np.arange(3)).tolist() == [0, 2, 4]


def test_arrays_in_containers_arrive_in_them(student: Any) -> None:
    back = student["same"]({"a": [np.arange(3), np.float32(1.5)], "b": (np.eye(2),)})
    assert alike(back["a"][0], np.arange(3)) and alike(back["a"][1], np.float32(1.5)) and alike(back["b"][0], np.eye(2))


def test_arrays_of_objects_arrive_item_by_item(student: Any) -> None:
    value = np.array([[{"a": 1}, None], ["text", 10**30]], object)
    back = student["same"](value)
    assert back.dtype == object and back.shape == (2, 2) and back.tolist() == value.tolist()
    (found,) = student["made"]("np.array([Own], object)")
    assert found.__name__ == "Own" and not isinstance(found, (np.ndarray, int))


@pytest.mark.parametrize(
    "expression",
    [
        "np.zeros(2, [('x', 'i4'), ('y', 'f8')])",
        "np.zeros(2, [('x', object)])",
        "np.rec.array([(1, 2)])",
        "own()",
        "masked()",
    ],
)
def test_other_arrays_stay_where_they_are_and_are_equal_to_no_value(student: Any, expression: str) -> None:
    """Arrays of records and of subclasses stay with the student. Their stand-ins have attributes, and decide nothing."""
    found = student["made"](expression)
    assert not isinstance(found, np.ndarray) and len(found) in (1, 2, 3)
    assert found.shape == (len(found),)
    assert (found == 0) is False and (found != 0) is True
    assert student["same"](found) is found


@pytest.mark.parametrize(
    "expression", [f"np.zeros({MAX_SIZE + 1}, 'u1')", "np.zeros((600, 600))", f"np.zeros({MAX_NODES + 1}, object)"]
)
def test_an_array_that_is_too_large_is_refused_where_it_is_and_the_rubric_goes_on(
    student: Any, expression: str
) -> None:
    with pytest.raises(OverflowError, match=r"too large|cannot travel"):
        student["made"](expression)
    with pytest.raises(OverflowError, match=r"too large|cannot travel"):
        student["same"](eval(expression, {"np": np}))
    assert student["made"]("np.ones(2)").tolist() == [1, 1]


def test_the_largest_array_that_travels_arrives(student: Any) -> None:
    assert alike(student["made"](f"np.arange({MAX_SIZE // 8}, dtype='i8')"), np.arange(MAX_SIZE // 8, dtype="i8"))


@pytest.mark.parametrize(
    "node",
    [
        ["a", "|O", [1], "AAAAAAAAAAA="],
        ["a", "O8", [1], "AAAAAAAAAAA="],
        ["a", "<i8", [1], "AAAA"],
        ["a", "<i8", [-1], "AAAAAAAAAAA="],
        ["a", "<i8", [2], "AAAAAAAAAAA="],
        ["a", "<i8", [True], "AAAAAAAAAAA="],
        ["a", "<i8", [1] * 65, "AAAAAAAAAAA="],
        ["a", "<i8", "1", "AAAAAAAAAAA="],
        ["a", "<i8", [1], "no base64!"],
        ["a", "<i8", [1], 7],
        ["a", "<i3", [1], "AAAA"],
        ["a", "|V8", [1], "AAAAAAAAAAA="],
        ["a", "i4,i4", [1], "AAAAAAAAAAA="],
        ["a", ["<i8"], [1], "AAAAAAAAAAA="],
        ["a", "<U9999999", [1], "AAAA"],
        ["A", [2], [1]],
        ["A", [1], 1],
        ["g", "<i8", ""],
        ["g", "|O8", "AAAAAAAAAAA="],
        ["g", "<i4", "AAAAAAAAAAA="],
    ],
    ids=str,
)
def test_an_array_that_no_link_writes_is_refused(node: Any) -> None:
    def nobody(text: str) -> str:
        raise AssertionError("nothing is asked")

    with pytest.raises(ProtocolError):
        Decoder(Link(nobody, Rules()))(node)


def test_a_spoilt_array_ends_the_rubric() -> None:
    def spoil(text: str) -> str:
        return text.replace('["a","<i8",[3]', '["a","|O8",[3]')

    with Pair(STUDENT, "made", spoil) as student, pytest.raises(Ended):
        student["made"]("np.arange(3)")
