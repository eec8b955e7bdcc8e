"""The form in which values are sent between the rubric's interpreter and the student's: JSON, in which each list begins with a tag.

None, booleans, strings, integers below 2**53 and finite floats are sent as they are. The other values:

=====================  =============================================================================
``["i", hex]``         an integer of any size
``["f", text]``        ``nan``, ``inf``, ``-inf``
``["c", re, im]``      complex
``["b", base64]``      bytes; ``["B", n, base64]`` bytearray
``["l", n, [item…]]``  list; ``d`` dict (``[key, value, key, value…]``), ``s`` set
``["q", n, name, [item…], more]``  a mutable container of the standard library, see `CONTAINERS`
``["t", [item…]]``     tuple; ``z`` frozenset
``["r", n]``           the mutable container that has the number n in this question and its answer
``["x", name, [argument…]]``  an immutable value of the standard library, see `VALUES`
``["k", name]``        a class or function of `GENUINE`, which both sides have
``["m", name]``        a module that both sides have
``["a", dtype, shape, base64]``  a NumPy array; ``["A", shape, [item…]]`` one of objects; ``["g", dtype, base64]`` a scalar
``["v", value, id, class id]``  an instance of a subclass of an immutable type that the sender has defined, with the value of that type
``["e", {…}]``         an exception
``["C", id]``          a class of the sender
``["h", id, class id]``  anything else: an object that stays with the sender
``["o", id]``          an object of the receiver's own
=====================  =============================================================================

A message never contains code, nor a name that the receiver imports unchecked.
"""

from __future__ import annotations

import base64
import builtins
import collections
import datetime
import decimal
import fractions
import pathlib
import re
import sys
import types
import uuid
from typing import Any

#: How deeply a value may be nested, and how many parts one message may have.
MAX_DEPTH = 100
MAX_NODES = 300_000
#: Characters and bytes of all texts, integers and arrays of one message.
MAX_SIZE = 2_000_000
#: Characters of a text that only describes, such as a docstring or a traceback.
MAX_TEXT = 10_000
#: Integers below this are sent as JSON numbers, since every JSON reader keeps them exact.
SMALL = 1 << 53


class ProtocolError(Exception):
    """A message that our code never writes."""


class TooLarge(OverflowError):
    """A value that is too large, or nested too deeply, to be sent."""


def _timedelta(value: datetime.timedelta) -> list[Any]:
    return [value.days, value.seconds, value.microseconds]


def _offset(value: Any) -> Any:
    """Seconds from UTC of an aware time; None for a naive one."""
    offset = value.utcoffset()
    return None if offset is None else offset.total_seconds()


def _zone(seconds: Any) -> datetime.timezone | None:
    return None if seconds is None else datetime.timezone(datetime.timedelta(seconds=seconds))


#: Immutable values of the standard library: name to the exact class, the function that takes a value apart, and the one that makes it.
VALUES: dict[str, tuple[type, Any, Any]] = {
    "range": (range, lambda v: [v.start, v.stop, v.step], range),
    "slice": (slice, lambda v: [v.start, v.stop, v.step], slice),
    "date": (datetime.date, lambda v: [v.year, v.month, v.day], datetime.date),
    "time": (
        datetime.time,
        lambda v: [v.hour, v.minute, v.second, v.microsecond, _offset(v)],
        lambda h, m, s, us, zone: datetime.time(h, m, s, us, _zone(zone)),
    ),
    "datetime": (
        datetime.datetime,
        lambda v: [v.year, v.month, v.day, v.hour, v.minute, v.second, v.microsecond, _offset(v)],
        lambda y, mo, d, h, m, s, us, zone: datetime.datetime(y, mo, d, h, m, s, us, _zone(zone)),
    ),
    "timedelta": (datetime.timedelta, _timedelta, datetime.timedelta),
    "timezone": (
        datetime.timezone,
        lambda v: _timedelta(v.utcoffset(None)),
        lambda *v: datetime.timezone(datetime.timedelta(*v)),
    ),
    "Decimal": (decimal.Decimal, lambda v: [str(v)], decimal.Decimal),
    "Fraction": (fractions.Fraction, lambda v: [v.numerator, v.denominator], fractions.Fraction),
    "UUID": (uuid.UUID, lambda v: [str(v)], uuid.UUID),
    "Path": (type(pathlib.Path()), lambda v: [str(v)], pathlib.Path),
    "PurePath": (type(pathlib.PurePath()), lambda v: [str(v)], pathlib.PurePath),
    "Pattern": (re.Pattern, lambda v: [v.pattern, v.flags], re.compile),
    "GenericAlias": (types.GenericAlias, lambda v: [v.__origin__, v.__args__], types.GenericAlias),
}
_VALUE_NAMES = {entry[0]: name for name, entry in VALUES.items()}

#: Mutable containers of the standard library: name to exact class.
CONTAINERS: dict[str, type] = {
    "Counter": collections.Counter,
    "OrderedDict": collections.OrderedDict,
    "defaultdict": collections.defaultdict,
    "deque": collections.deque,
}
_CONTAINER_NAMES = {kind: name for name, kind in CONTAINERS.items()}
#: Exact classes whose objects get a number in a question and its answer, so that each is sent once and changes are sent back.
MUTABLE = (list, dict, set, bytearray, *CONTAINERS.values())

#: Built-in functions that act on the interpreter or the machine, not on values. They are never sent by name: each side uses its own.
_PRIVATE = {"exec", "eval", "compile", "globals", "locals", "vars", "dir", "breakpoint", "exit", "quit", "help", "copyright",
            "credits", "license", "input", "open", "print", "get_ipython", "display"}  # fmt: skip


def _genuine() -> dict[str, Any]:
    """Built-in classes and functions, and classes of the standard library that values have, by name."""
    found = {
        name: value
        for name, value in vars(builtins).items()
        if not name.startswith("_") and name not in _PRIVATE and isinstance(value, (type, types.BuiltinFunctionType))
    }
    found |= {f"value {name}": kind for name, (kind, *_) in VALUES.items() if kind.__name__ not in found}
    found |= CONTAINERS
    found |= {
        "NoneType": type(None),
        "function": types.FunctionType,
        "generator": types.GeneratorType,
        "module": types.ModuleType,
        "method": types.MethodType,
        "coroutine": types.CoroutineType,
        "ellipsis": type(...),
    }
    return found


#: Classes and functions that are sent by name. The receiver uses its own of that name.
GENUINE = _genuine()
_GENUINE_NAMES = {id(value): name for name, value in GENUINE.items()}

#: Immutable built-in types, and how to get the plain value of an instance of a subclass without calling a method of the subclass.
_BASES: dict[type, Any] = {
    int: int.__int__,
    float: float.__float__,
    complex: complex.__complex__,
    str: str.__str__,
    bytes: lambda value: bytes.__getitem__(value, slice(None)),
    tuple: lambda value: tuple.__getitem__(value, slice(None)),
    frozenset: lambda value: frozenset.__or__(value, frozenset()),
}
PLAIN_BASES = {kind.__name__: kind for kind in _BASES}
MUTABLE_BASES = {"list": list, "dict": dict, "set": set, "bytearray": bytearray}


def base_of(kind: type) -> type | None:
    """The immutable built-in type that a class derives from."""
    for base in _BASES:
        if issubclass(kind, base):
            return base
    return None


def mutable_base_of(kind: type) -> type | None:
    """The mutable built-in type that a class derives from."""
    for base in MUTABLE_BASES.values():
        if issubclass(kind, base):
            return base
    return None


def copy_of(value: Any) -> Any:
    """The content of an instance of a subclass of list, dict, set or bytearray. Does not call methods of the subclass."""
    if isinstance(value, list):
        return list.__getitem__(value, slice(None))
    if isinstance(value, dict):
        return dict(zip(dict.keys(value), dict.values(value), strict=True))
    if isinstance(value, set):
        return {*set.__iter__(value)}
    return bytearray(bytearray.__getitem__(value, slice(None)))


class Encoder:
    """Writes the values of one message.

    Parameters
    ----------
    link
        Knows which side an object belongs to. ``home(value)`` gives the other side's number of an object of its own;
        ``export(value)`` and ``export_class(kind)`` give a number to an object or class of ours.
    containers
        Mutable containers that this question and its answer have so far, in the order of their numbers.
    """

    def __init__(self, link: Any, containers: list[Any] | None = None) -> None:
        self._link = link
        self.containers = list(containers or [])
        self._numbers = {id(value): number for number, value in enumerate(self.containers)}
        self._nodes = 0
        self._size = 0

    def __call__(self, value: Any, depth: int = 0) -> Any:
        """Return a value in the form of JSON. Raises `TooLarge`."""
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            raise TooLarge("the value is too large, or nested too deeply, to travel between student and rubric")
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is str:
            return self._sized(value)
        if kind is int:
            return value if -SMALL < value < SMALL else ["i", self._sized(hex(value))]
        if kind is float:
            return value if value - value == 0 else ["f", repr(value)]
        if kind in MUTABLE:
            return self._container(value, kind, depth)
        if kind is tuple:
            return ["t", [self(item, depth + 1) for item in value]]
        if kind is frozenset:
            return ["z", [self(item, depth + 1) for item in value]]
        if kind is complex:
            return ["c", self(value.real, depth), self(value.imag, depth)]
        if kind is bytes:
            return ["b", self._bytes(value)]
        return self._rare(value, kind, depth)

    def _sized(self, text: Any) -> Any:
        """Return a text, or bytes, after its size was added to the message's."""
        self._size += len(text)
        if self._size > MAX_SIZE:
            raise TooLarge(
                f"more than {MAX_SIZE:,} characters or bytes cannot travel between student and rubric at once"
            )
        return text

    def _bytes(self, data: Any) -> str:
        return base64.b64encode(self._sized(bytes(data))).decode("ascii")

    def _container(self, value: Any, kind: type, depth: int) -> Any:
        number = self._numbers.get(id(value))
        if number is not None:
            return ["r", number]
        number = self._numbers[id(value)] = len(self.containers)
        self.containers.append(value)
        content = self.content(value, depth)
        if kind is list:
            return ["l", number, content]
        if kind is dict:
            return ["d", number, content]
        if kind is set:
            return ["s", number, content]
        if kind is bytearray:
            return ["B", number, content]
        more = value.maxlen if kind is collections.deque else None
        if kind is collections.defaultdict:
            more = self(value.default_factory, depth + 1)
        return ["q", number, _CONTAINER_NAMES[kind], content, more]

    def content(self, value: Any, depth: int = 0) -> Any:
        """Return the content of a mutable container: its items, or keys and values in turn, or base64 for a bytearray."""
        if isinstance(value, bytearray):
            return self._bytes(value)
        if len(value) > MAX_NODES:
            raise TooLarge(f"a container of more than {MAX_NODES:,} items cannot travel between student and rubric")
        if isinstance(value, dict):
            return [self(part, depth + 1) for pair in list(value.items()) for part in pair]
        return [self(item, depth + 1) for item in list(value)]

    def _rare(self, value: Any, kind: type, depth: int) -> Any:
        home = self._link.home(value)
        if home is not None:
            return ["o", home]
        if value is ... or value is NotImplemented:
            return ["k", "Ellipsis" if value is ... else "NotImplemented"]
        name = _VALUE_NAMES.get(kind)
        if name is not None:
            return ["x", name, [self(part, depth + 1) for part in VALUES[name][1](value)]]
        name = _GENUINE_NAMES.get(id(value))
        if name is not None and GENUINE[name] is value:
            return ["k", name]
        if kind is types.ModuleType and self._link.is_shared(value):
            return ["m", value.__name__]
        if isinstance(value, type):
            return ["C", self._link.export_class(value)]
        if isinstance(value, BaseException):
            return ["e", self._link.exception(value, self, depth + 1)]
        numpy = sys.modules.get("numpy")
        if numpy is not None and (found := self._numpy(value, kind, depth, numpy)) is not None:
            return found
        base = base_of(kind)
        if base is not None and not self._link.is_live(value):
            plain = _BASES[base](value)
            return ["v", self(plain, depth + 1), self._link.export(value), self._link.export_class(kind)]
        return ["h", self._link.export(value), self._link.export_class(kind)]

    def _numpy(self, value: Any, kind: type, depth: int, numpy: Any) -> Any:
        if kind is numpy.ndarray:
            if value.dtype.hasobject:
                if value.dtype != object:
                    return None
                return ["A", list(value.shape), [self(item, depth + 1) for item in value.ravel().tolist()]]
            if value.dtype.kind in "biufcSUMm":
                return ["a", value.dtype.str, list(value.shape), self._bytes(value.tobytes())]
        elif issubclass(kind, numpy.generic) and kind.__module__ == "numpy" and value.dtype.kind in "biufcSUMm":
            return ["g", value.dtype.str, self._bytes(value.tobytes())]
        return None


class Decoder:
    """Reads the values of one message. Raises `ProtocolError` for anything that `Encoder` does not write.

    Parameters
    ----------
    link
        Makes stand-ins for the other side's objects, and finds our own objects by their numbers.
    containers
        Mutable containers that this question and its answer have so far, in the order of their numbers.
    """

    def __init__(self, link: Any, containers: list[Any] | None = None) -> None:
        self._link = link
        self.containers = list(containers or [])

    def __call__(self, node: Any, depth: int = 0) -> Any:
        """Return the value that a part of a message stands for."""
        if type(node) is not list:
            if node is None or type(node) in (bool, int, float, str):
                return node
            raise ProtocolError("a value that is none")
        if depth > MAX_DEPTH + 10:
            raise ProtocolError("a value nested too deeply")
        try:
            read = getattr(self, "_read_" + _READERS[node[0]])
            return read(depth, *node[1:])
        except ProtocolError:
            raise
        except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, AssertionError) as error:
            raise ProtocolError(f"a value that cannot be read: {type(error).__name__}") from error

    def _items(self, items: Any, depth: int) -> list[Any]:
        assert type(items) is list
        return [self(item, depth + 1) for item in items]

    def _read_int(self, depth: int, text: str) -> int:
        return int(text, 16)

    def _read_float(self, depth: int, text: str) -> float:
        assert text in ("nan", "inf", "-inf")
        return float(text)

    def _read_complex(self, depth: int, real: Any, imaginary: Any) -> complex:
        parts = self(real, depth + 1), self(imaginary, depth + 1)
        assert all(type(part) is float for part in parts)
        return complex(*parts)

    def _read_bytes(self, depth: int, text: str) -> bytes:
        return base64.b64decode(text, validate=True)

    def _keep(self, number: Any, value: Any) -> Any:
        """Number a container, before its items are read: they may refer to it."""
        assert number == len(self.containers)
        self.containers.append(value)
        return value

    def _read_bytearray(self, depth: int, number: int, text: str) -> bytearray:
        return self._keep(number, bytearray(base64.b64decode(text, validate=True)))

    def _read_list(self, depth: int, number: int, items: Any) -> list[Any]:
        value = self._keep(number, [])
        value.extend(self._items(items, depth))
        return value

    def _read_dict(self, depth: int, number: int, items: Any) -> dict[Any, Any]:
        value = self._keep(number, {})
        self._fill(value, items, depth)
        return value

    def _read_set(self, depth: int, number: int, items: Any) -> set[Any]:
        value = self._keep(number, set())
        value.update(self._items(items, depth))
        return value

    def _read_other(self, depth: int, number: int, name: str, items: Any, more: Any) -> Any:
        kind = CONTAINERS[name]
        if kind is collections.deque:
            assert more is None or type(more) is int
            value = self._keep(number, collections.deque(maxlen=more))
            value.extend(self._items(items, depth))
            return value
        value = self._keep(number, kind())
        self._fill(value, items, depth)
        if kind is collections.defaultdict:
            value.default_factory = self(more, depth + 1)
        return value

    def _fill(self, value: Any, items: Any, depth: int) -> None:
        """Put keys and values, which take turns in `items`, into a dict."""
        parts = iter(self._items(items, depth))
        for key, part in zip(parts, parts, strict=True):
            value[key] = part

    def replace(self, value: Any, content: Any) -> None:
        """Replace the content of a container that the other side has changed; the container stays the same object."""
        if isinstance(value, bytearray):
            value[:] = base64.b64decode(content, validate=True)
        elif isinstance(value, dict):
            parts = iter(self._items(content, 0))
            pairs = list(zip(parts, parts, strict=True))
            value.clear()
            for key, part in pairs:
                value[key] = part
        else:
            items = self._items(content, 0)
            value.clear()
            value.update(items) if isinstance(value, set) else value.extend(items)

    def _read_tuple(self, depth: int, items: Any) -> tuple[Any, ...]:
        return tuple(self._items(items, depth))

    def _read_frozenset(self, depth: int, items: Any) -> frozenset[Any]:
        return frozenset(self._items(items, depth))

    def _read_reference(self, depth: int, number: int) -> Any:
        assert type(number) is int and number >= 0
        return self.containers[number]

    def _read_value(self, depth: int, name: str, arguments: Any) -> Any:
        return VALUES[name][2](*self._items(arguments, depth))

    def _read_genuine(self, depth: int, name: str) -> Any:
        return (
            {"Ellipsis": ..., "NotImplemented": NotImplemented}[name]
            if name in ("Ellipsis", "NotImplemented")
            else GENUINE[name]
        )

    def _read_module(self, depth: int, name: str) -> Any:
        return self._link.module(name)

    def _read_array(self, depth: int, dtype: str, shape: list[int], text: str) -> Any:
        import numpy

        return (
            numpy.frombuffer(base64.b64decode(text, validate=True), _dtype(numpy, dtype)).reshape(_shape(shape)).copy()
        )

    def _read_objects(self, depth: int, shape: list[int], items: Any) -> Any:
        import numpy

        found = self._items(items, depth)
        value = numpy.empty(len(found), object)
        for place, item in enumerate(found):
            value[place] = item
        return value.reshape(_shape(shape))

    def _read_scalar(self, depth: int, dtype: str, text: str) -> Any:
        import numpy

        (value,) = numpy.frombuffer(base64.b64decode(text, validate=True), _dtype(numpy, dtype))
        return value

    def _read_subclass(self, depth: int, value: Any, number: int, kind: int) -> Any:
        return self._link.adopt_value(_id(number), _id(kind), self(value, depth + 1))

    def _read_exception(self, depth: int, entry: Any) -> BaseException:
        assert type(entry) is dict
        return self._link.adopt_exception(entry, self, depth + 1)

    def _read_class(self, depth: int, number: int) -> Any:
        return self._link.adopt_class(_id(number))

    def _read_handle(self, depth: int, number: int, kind: int) -> Any:
        return self._link.adopt(_id(number), _id(kind))

    def _read_home(self, depth: int, number: int) -> Any:
        return self._link.come_home(_id(number))


def _id(number: Any) -> int:
    assert type(number) is int and number >= 0
    return number


def _shape(shape: Any) -> tuple[int, ...]:
    assert type(shape) is list and len(shape) <= 64 and all(type(each) is int and each >= 0 for each in shape)
    return tuple(shape)


def _dtype(numpy: Any, text: Any) -> Any:
    assert type(text) is str and re.fullmatch(r"[<>|=][biufcSUMm]\d{1,7}(\[\d*\w+\])?", text)
    return numpy.dtype(text)


#: Tag to the end of the name of the `Decoder`'s method that reads it.
_READERS = {
    "i": "int", "f": "float", "c": "complex", "b": "bytes", "B": "bytearray", "l": "list", "d": "dict", "s": "set",
    "q": "other", "t": "tuple", "z": "frozenset", "r": "reference", "x": "value", "k": "genuine", "m": "module", "a": "array",
    "A": "objects", "g": "scalar", "v": "subclass", "e": "exception", "C": "class", "h": "handle", "o": "home",
}  # fmt: skip

#: Words with which a rubric can reach any of the student's names.
_ALL_NAMES = {"student", "globals", "vars", "locals", "eval", "exec", "dir"}


def words_of(rubric: str) -> list[str] | None:
    """The words in a rubric, among them all of the student's names that it can use; None if it can use any name."""
    words = set(re.findall(r"\w+", rubric))
    return None if words & _ALL_NAMES else sorted(words)
