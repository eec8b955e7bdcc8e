"""The values that are sent between a rubric and a submission, and which side decides. Both ends of the line run in one Python."""

from __future__ import annotations

import dataclasses
import decimal
import inspect
import json
import math
import operator
import re
from collections import Counter, OrderedDict, defaultdict, deque
from pathlib import Path, PurePath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterlite_browsergrad.grading.apart.link import Ended, Link, Rules
from jupyterlite_browsergrad.grading.apart.relay import OutOfTurn, checked
from jupyterlite_browsergrad.grading.apart.values import Decoder, Encoder, ProtocolError, TooLarge

from .pair import Pair

STUDENT = """
import enum
from collections import Counter, namedtuple
from dataclasses import dataclass, field


class Value:
    "A value."
    def __init__(self, data): self.data, self.items = data, []
    def __mul__(self, other): return Value(self.data * (other.data if isinstance(other, Value) else other))
    __rmul__ = __mul__
    def __len__(self): return 3
    def __eq__(self, other): return isinstance(other, Value) and other.data == self.data
    def add(self, item):
        self.items.append(item)
        return self


class Color(enum.Enum):
    RED = 1
    BLUE = 2


class Number(enum.IntEnum):
    ONE = 1


class MyError(ValueError):
    def __init__(self, number):
        super().__init__(number)
        self.number = number


@dataclass
class Data:
    x: int = 1
    y: list = field(default_factory=list)


class Evil:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __gt__ = __le__ = __ge__ = __lt__
    def __sub__(self, other): return 0
    __rsub__ = __add__ = __radd__ = __sub__
    def __contains__(self, other): return True
    def __hash__(self): return hash(1)
    def startswith(self, *arguments): return True
    def index(self, *arguments): return 0


class EvilInt(int):
    def __eq__(self, other): return True
    __hash__ = int.__hash__


class EvilList(list):
    def __eq__(self, other): return True
    def __contains__(self, other): return True


Point = namedtuple("Point", "x y")
history = []


def evil(): return Evil()
def evil_int(): return EvilInt(4)
def evil_list(): return EvilList([1, 2])
def evil_class(): return Evil
def sort(items):
    items.sort()
    return items
def apply(function, value): return function(value)
def point(): return Point(1, 2)
def red(): return Color.RED
def fail(): raise MyError(7)
def stop(kind): raise kind
def generate():
    yield 1
    yield 2
def count(words): return Counter(words)
def note(item): history.append(item)
def described(a, b=3, *c, d: int = 4, **e) -> str: "What it does."
def same(value): return value
def show(text): print(text)
def ask(): return input("Who? ")
def read(file):
    with file as opened:
        return opened.read()
def pry(thing, name): return getattr(thing, name)
def put(thing, name, value): setattr(thing, name, value)
"""


@pytest.fixture
def student() -> Any:
    with Pair(STUDENT) as pair:
        yield pair


def test_classes_objects_and_operators_are_the_students(student: Any) -> None:
    value_class = student["Value"]
    value = value_class(3.0)
    assert (value * 2).data == (2 * value).data == 6.0
    assert len(value) == 3 and value == value_class(3.0) and value != value_class(4.0)
    assert isinstance(value, value_class) and type(value) is value_class and value_class.__name__ == "Value"
    assert value.add(5) is value and value.items == [5]
    value.data = 8.0
    assert value.data == 8.0 and vars(value) == {"data": 8.0, "items": [5]}
    assert not hasattr(value, "missing") and not isinstance(value, (int, float, str))
    with pytest.raises(TypeError, match="cannot derive"):
        type("Own", (value_class,), {})


def test_what_the_standard_library_makes_of_classes_works(student: Any) -> None:
    data = student["Data"]()
    assert dataclasses.is_dataclass(data) and data == student["Data"](1) and data.x == 1
    assert student["red"]() is student["Color"].RED and [each.name for each in student["Color"]] == ["RED", "BLUE"]
    assert student["Color"]["BLUE"].value == 2 and len(student["Color"]) == 2
    assert student["Number"].ONE == 1 and student["Number"].ONE.name == "ONE"
    point = student["point"]()
    assert point == (1, 2) and point.x == 1 and isinstance(point, tuple) and point._asdict() == {"x": 1, "y": 2}
    assert student["count"]("aab") == {"a": 2, "b": 1} and isinstance(student["count"]("aab"), Counter)


def test_functions_can_be_looked_at(student: Any) -> None:
    described = student["described"]
    assert str(inspect.signature(described)) == "(a, b=3, *c, d: int = 4, **e) -> str"
    assert described.__doc__ == "What it does." and described.__name__ == "described"
    assert inspect.isfunction(described) and callable(described)
    assert described.__code__.co_varnames[:2] == ("a", "b")
    assert list(student["generate"]()) == [1, 2] and inspect.isgenerator(student["generate"]())


def test_arguments_that_a_function_changes_are_changed_here(student: Any) -> None:
    items = [3, 1, 2]
    assert student["sort"](items) is items == [1, 2, 3]
    student["note"](1)
    assert student["history"] == [1]
    student["history"].clear()
    student["note"](2)
    assert student["history"] == [2]


def test_exceptions_are_caught_by_their_class(student: Any) -> None:
    with pytest.raises(student["MyError"]) as caught:
        student["fail"]()
    assert caught.value.number == 7 and caught.value.args == (7,) and isinstance(caught.value, ValueError)
    with pytest.raises(SystemExit):
        student["stop"](SystemExit(3))
    # No exception of a submission ends the rubric as Ctrl-C would.
    for kind in (KeyboardInterrupt, GeneratorExit):
        with pytest.raises(Exception, match="In the submission") as other:
            student["stop"](kind)
        assert type(other.value).__name__ == kind.__name__


def test_the_rubrics_functions_and_files_can_be_called_back(student: Any, tmp_path: Path, capsys: Any) -> None:
    calls: list[Any] = []
    assert student["apply"](lambda value: calls.append(value) or value + 1, 41) == 42 and calls == [41]
    (tmp_path / "text").write_text("hello")
    file = (tmp_path / "text").open()
    assert student["read"](file) == "hello" and file.closed
    own = object()
    assert student["same"](own) is own and student["same"](student["Evil"]) is student["Evil"]
    with pytest.raises(KeyError, match="inner"):
        student["apply"]({}.__getitem__, "inner")
    student["show"]("printed there")
    assert capsys.readouterr().out == "printed there\n"


def test_input_is_what_the_rubric_feeds(student: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", lambda prompt: asked.append(prompt) or "Ada")
    # The student's end has an `input` of its own only while it serves in another interpreter.
    assert student.link.services["input"]("Who? ") == "Ada" and asked == ["Who? "]


def test_no_object_of_the_students_is_equal_to_a_value() -> None:
    with Pair(STUDENT, "evil evil_int evil_list") as student:
        _compare(student)


def _compare(student: Any) -> None:
    evil = student["evil"]()
    for answer in (operator.eq(evil, 0), operator.eq(0, evil), [evil] == [0]):
        assert answer is False
    assert evil != 0
    assert evil not in (0, 1) and evil not in {1} and {1: 2}.get(evil) is None
    assert student["evil_int"]() != 3 and student["evil_int"]() == 4
    made = student["evil_list"]()
    assert made == [1, 2] and made != [1] and 3 not in made and 1 in made and made.index(2) == 1


@pytest.mark.parametrize(
    "expression",
    [
        "e < 1",
        "1 > e",
        "e - 1",
        "1 - e",
        "abs(e - 3)",
        "sum([e])",
        "3 in e",
        "e.startswith('a')",
        "e.index(3)",
        "C.startswith('a')",
    ],
)
def test_an_object_the_rubric_does_not_name_decides_nothing(expression: str) -> None:
    with Pair(STUDENT, "evil evil_class") as student, pytest.raises((TypeError, AttributeError)):
        eval(expression, {"e": student["evil"](), "C": student["evil_class"]()})


def test_an_object_the_rubric_names_calculates_but_gives_no_plain_value(student: Any) -> None:
    with pytest.raises(TypeError, match="it would decide the check"):
        student["Evil"]() - 3


@pytest.mark.parametrize(
    "name", ["__globals__", "__code__", "__dict__", "__closure__", "gi_frame", "f_globals", "_private"]
)
def test_a_submission_sees_no_more_of_the_rubrics_objects_than_their_attributes(student: Any, name: str) -> None:
    class Own:
        shown = 1
        _private = 2

    def function() -> None: ...

    for thing in (Own(), function, (each for each in "a")):
        with pytest.raises(AttributeError):
            student["pry"](thing, name)
    assert student["pry"](Own(), "shown") == 1 and student["pry"](function, "__name__") == "function"


def test_a_submission_cannot_change_what_mocks_have_seen(student: Any) -> None:
    from unittest import mock

    thing = mock.Mock()
    for name in ("call_count", "assert_called_once", "configure_mock", "side_effect"):
        with pytest.raises(AttributeError):
            student["put"](thing, name, 1)
        with pytest.raises(AttributeError):
            student["pry"](thing, name)
    student["apply"](thing, 3)
    thing.assert_called_once_with(3)


def test_recursion_from_side_to_side_ends(student: Any) -> None:
    def again(value: int) -> Any:
        return student["apply"](again, value + 1)

    with pytest.raises(RecursionError):
        again(0)


# --- values

PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text(), st.binary(), st.binary().map(bytearray),
    st.dates(), st.times(), st.datetimes(), st.timedeltas(), st.decimals(), st.fractions(), st.uuids(),
    st.builds(range, st.integers(), st.integers(), st.integers(1)), st.just(...), st.sampled_from([int, ValueError, len, range(3)]),
    st.integers(2**60).map(lambda number: number**20), st.sampled_from([Path("a/b"), PurePath("."), re.compile("a+", re.I), slice(1, None)]),
)  # fmt: skip
KEYS = st.one_of(st.integers(), st.text(), st.booleans(), st.none(), st.tuples(st.integers(), st.text()))
ANY = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner), st.lists(inner).map(tuple), st.dictionaries(KEYS, inner), st.sets(KEYS), st.frozensets(KEYS),
        st.lists(inner).map(deque), st.dictionaries(KEYS, inner).map(OrderedDict), st.lists(KEYS).map(Counter),
        st.dictionaries(KEYS, inner).map(lambda found: defaultdict(list, found)),
    ),
    max_leaves=30,
)  # fmt: skip


def _link() -> Link:
    def nobody(text: str) -> str:
        raise AssertionError("nothing is asked")

    return Link(nobody, Rules())


def _there_and_back(value: Any) -> Any:
    return Decoder(_link())(json.loads(json.dumps(Encoder(_link())(value))))


def _alike(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, (float, complex, decimal.Decimal)):
        return repr(one) == repr(other)
    if isinstance(one, (list, tuple, deque)):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(_alike(one[key], other[key]) for key in one)
    return bool(one == other)


@settings(deadline=None)
@given(ANY)
def test_values_arrive_as_they_were(value: Any) -> None:
    assert _alike(_there_and_back(value), value)


def test_sharing_and_cycles_arrive_too() -> None:
    shared: list[Any] = [1]
    cycle: list[Any] = [shared, shared]
    cycle.append(cycle)
    found = _there_and_back(cycle)
    assert found[0] is found[1] and found[2] is found


@pytest.mark.parametrize("value", [10**3_000_000, "x" * 3_000_000, [0] * 400_000, bytearray(3_000_000)], ids=type)
def test_what_is_too_large_is_refused_where_it_is(value: Any) -> None:
    with pytest.raises(TooLarge):
        Encoder(_link())(value)


def test_what_is_nested_too_deeply_is_refused_where_it_is() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(TooLarge):
        Encoder(_link())(value)


NODES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(st.sampled_from(["class", "args", "text", "id", "traceback"]), inner),
        st.tuples(st.sampled_from(list("ifcbBldsqtzrxkmaAgveCho")), st.lists(inner, max_size=4)).map(
            lambda pair: [pair[0], *pair[1]]
        ),
    ),
    max_leaves=20,
)


@settings(deadline=None, max_examples=300)
@given(NODES)
def test_whatever_a_message_holds_it_is_read_or_refused(node: Any) -> None:
    link = _link()
    try:
        Decoder(link)(node)
    except (ProtocolError, Ended):
        return
    except AssertionError as error:
        assert str(error) == "nothing is asked"  # a class whose description would have to be asked for


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "1",
        "null",
        '{"a": 1}',
        '{"ok": 1, "end": 2}',
        '{"ok": "é"}',
        "[" * 100_000,
        '{"ok":' + "[" * 1000,
        None,
        7,
    ],
)
def test_the_relay_takes_only_messages_of_known_form(text: Any) -> None:
    with pytest.raises(OutOfTurn):
        checked(text)


def test_an_answer_that_no_link_writes_ends_the_rubric() -> None:
    spoilt = iter(range(1000))

    def spoil(text: str) -> str:
        return text if "hello" in text or next(spoilt) < 3 else '{"ok": ["h", "x", {}]}'

    with Pair(STUDENT, "same", spoil) as student:
        with pytest.raises(Ended):
            for _ in range(5):
                student["same"](math.pi)
        assert student.link.broken is not None
        with pytest.raises(Ended):
            student["same"](1)
