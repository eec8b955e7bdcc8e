"""One end of the line between the rubric's interpreter and the student's: calls, and stand-ins for objects of the other side.

Both ends are alike but for a `Rules` object. A side asks, and answers what the other asks meanwhile, so that calls and callbacks
nest as they would in one interpreter. Each object that stays where it is has a number; the other side has one stand-in for it, an
instance of a class made after the object's own, whose special methods and attributes are questions.
"""

from __future__ import annotations

import inspect
import json
import traceback
import types
from collections.abc import Callable, Iterator
from typing import Any

from .values import (
    GENUINE,
    MUTABLE_BASES,
    PLAIN_BASES,
    Decoder,
    Encoder,
    ProtocolError,
    TooLarge,
    base_of,
    copy_of,
    mutable_base_of,
)

#: Calls within calls, from side to side.
MAX_NESTING = 60
MAX_TEXT = 10_000
#: Frames of a traceback that are shown, at each of its ends.
SHOWN = 10
_ID = "_browsergrad_id"

COMPARISONS = ("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__")
_BINARY = [
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "divmod",
    "pow",
    "lshift",
    "rshift",
    "and",
    "or",
    "xor",
    "matmul",
]
ARITHMETIC = tuple(
    f"__{prefix}{name}__" for name in _BINARY for prefix in ("", "r", "i") if (prefix, name) != ("i", "divmod")
)
PROTOCOLS = tuple(
    f"__{name}__"
    for name in [
        "len",
        "length_hint",
        "iter",
        "next",
        "reversed",
        "bool",
        "str",
        "repr",
        "format",
        "abs",
        "neg",
        "pos",
        "invert",
        "float",
        "int",
        "index",
        "complex",
        "round",
        "trunc",
        "floor",
        "ceil",
        "enter",
        "exit",
        "call",
        "getitem",
        "setitem",
        "delitem",
        "contains",
        "missing",
        "fspath",
        "bytes",
    ]
)
SPECIAL = (*COMPARISONS, *ARITHMETIC, *PROTOCOLS)
#: Attributes with two underscores on each side that may be asked for.
READABLE = frozenset(
    f"__{name}__"
    for name in [
        "name",
        "qualname",
        "doc",
        "module",
        "annotations",
        "defaults",
        "kwdefaults",
        "wrapped",
        "dataclass_fields",
        "dataclass_params",
        "match_args",
        "closure",
        "code",
        "slots",
        "members",
        "func",
        "self",
        "notes",
        "version",
        "author",
        "all",
        "abstractmethods",
        "cause",
        "context",
        "post_init",
        "required_keys",
        "optional_keys",
        "type_params",
    ]
)
#: Built-in classes that a stand-in says to be of, so that `inspect` and `isinstance` know it.
FLAVOURS: dict[str, type] = {
    "function": types.FunctionType,
    "generator": types.GeneratorType,
    "coroutine": types.CoroutineType,
    "method": types.MethodType,
    "builtin_function_or_method": types.BuiltinFunctionType,
    "module": types.ModuleType,
}
_FLAVOUR_NAMES = {kind: name for name, kind in FLAVOURS.items()}
#: These end more than a call, so that a stand-in of another kind takes their place.
_ENDING = {"KeyboardInterrupt", "GeneratorExit"}


class Ended(BaseException):
    """The other side is gone, or the time is over."""


class Rules:
    """What a side lets the other one do; this one: everything."""

    #: Seen in tracebacks' headings.
    other = "the other side"

    def may_ask(self, op: str, target: Any, name: str | None) -> None:
        """Raise AttributeError or TypeError for what the other side may not do with an object of ours."""

    def special(self, link: Link, name: str, stand_in: Any, arguments: tuple[Any, ...]) -> Any:
        """What a special method of a stand-in gives; `ask` of the link asks the other side."""
        return link.ask("special", number_of(stand_in), name, arguments)

    def attribute(self, link: Link, name: str, stand_in: Any) -> Any:
        """An attribute of a stand-in, object or class."""
        return link.ask("get", number_of(stand_in), name)


class Mirror(type):
    """Class of the classes that stand for classes of the other side."""

    _browsergrad_link: Any
    _browsergrad_class: int
    _browsergrad_made = False

    def __new__(
        mcs, name: str, bases: tuple[type, ...], names: dict[str, Any], *, made: bool = False, **more: Any
    ) -> Any:
        if not made:
            raise TypeError(f"a rubric that runs apart cannot derive {name} from a class of the student's")
        return super().__new__(mcs, name, bases, names)

    def __init__(cls, name: str, bases: tuple[type, ...], names: dict[str, Any], **more: Any) -> None:
        super().__init__(name, bases, names)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls._browsergrad_link.ask("call", cls._browsergrad_class, None, args, kwargs)

    def __getattr__(cls, name: str) -> Any:
        if _is_special(name) and name not in READABLE:
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        return cls._browsergrad_link.rules.attribute(cls._browsergrad_link, name, cls)

    def __setattr__(cls, name: str, value: Any) -> None:
        if not cls.__dict__.get("_browsergrad_made") or _is_special(name):
            type.__setattr__(cls, name, value)
        else:
            cls._browsergrad_link.ask("set", cls._browsergrad_class, name, (value,))

    def __delattr__(cls, name: str) -> None:
        cls._browsergrad_link.ask("delete", cls._browsergrad_class, name)

    def __iter__(cls) -> Any:
        return cls._browsergrad_link.ask("special", cls._browsergrad_class, "__iter__")

    def __len__(cls) -> int:
        return cls._browsergrad_link.ask("special", cls._browsergrad_class, "__len__")

    def __bool__(cls) -> bool:
        return True

    def __getitem__(cls, key: Any) -> Any:
        return cls._browsergrad_link.ask("item", cls._browsergrad_class, None, (key,))

    def __contains__(cls, value: Any) -> bool:
        return cls._browsergrad_link.rules.special(cls._browsergrad_link, "__contains__", cls, (value,))


def number_of(stand_in: Any) -> int:
    """The other side's number of what a stand-in, object or class, stands for."""
    if issubclass(type(stand_in), Mirror):
        return int(type.__getattribute__(stand_in, "_browsergrad_class"))
    return int(object.__getattribute__(stand_in, _ID))


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


class Link:
    """One end.

    Parameters
    ----------
    exchange
        Sends a text and waits for the one that comes back.
    rules
        What the other side may do.
    """

    def __init__(self, exchange: Callable[[str], str], rules: Rules) -> None:
        self._exchange = exchange
        self.rules = rules
        self._objects: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._mirrors: dict[int, Mirror] = {}
        self._stand_ins: dict[int, Any] = {}
        self._nesting = 0
        self._open_asks = 0
        #: Why nothing more is asked.
        self.broken: ProtocolError | None = None
        #: Modules whose names both sides have, by name.
        self.modules: Callable[[str], Any] = lambda name: None
        self.is_shared: Callable[[Any], bool] = lambda module: False
        #: Adds to each message what both sides keep in step, and takes it from the other's.
        self.outgoing: Callable[[dict[str, Any]], None] = lambda message: None
        self.incoming: Callable[[dict[str, Any]], None] = lambda message: None
        #: More questions this side answers: name to function of the arguments.
        self.services: dict[str, Callable[..., Any]] = {}

    # --- numbers of objects, for `Encoder` and `Decoder`

    def export(self, value: Any) -> int:
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self._objects)
            self._objects.append(value)  # kept, so that its id stays its own
        return number

    export_class = export

    def come_home(self, number: int) -> Any:
        return self._objects[number]

    def home(self, value: Any) -> int | None:
        """The other side's number of a stand-in; None for anything else."""
        kind = type(value)
        return number_of(value) if isinstance(kind, Mirror) or issubclass(kind, Mirror) else None

    def is_live(self, value: Any) -> bool:
        return False

    def module(self, name: Any) -> Any:
        assert type(name) is str
        found = self.modules(name)
        if found is None:
            raise ProtocolError("a module that is not shared")
        return found

    # --- stand-ins

    def adopt(self, number: int, kind: int) -> Any:
        found = self._stand_ins.get(number)
        if found is None:
            mirror = self.mirror(kind)
            if mirror._browsergrad_plain is not None or issubclass(mirror, BaseException):
                raise ProtocolError("a handle of a class whose objects travel otherwise")
            found = object.__new__(mirror)
            object.__setattr__(found, _ID, number)
            self._stand_ins[number] = found
        return found

    def adopt_value(self, number: int, kind: int, value: Any) -> Any:
        found = self._stand_ins.get(number)
        if found is None:
            mirror = self.mirror(kind)
            base = mirror._browsergrad_plain
            if base is None or type(value) is not base:
                raise ProtocolError("a value that is not of its class")
            found = base.__new__(mirror, value)  # type: ignore[call-overload]
            object.__setattr__(found, _ID, number)
            self._stand_ins[number] = found
        return found

    def adopt_class(self, number: int) -> Any:
        return self.mirror(number)

    def mirror(self, number: int) -> Mirror:
        """The class that stands for the other side's class of that number."""
        found = self._mirrors.get(number)
        if found is None:
            told = self.ask("describe", number)
            if (found := self._mirrors.get(number)) is None:
                found = self._mirrors[number] = self._make_mirror(number, told)
        return found

    def _make_mirror(self, number: int, told: Any) -> Mirror:
        try:
            name, qualname, module, doc, bases, special, plain, mutable, flavour, genuine = told
            texts = (name, qualname, module, *special)
            if not all(type(each) is str and "\0" not in each and len(each) < 500 for each in texts) or type(
                doc
            ) not in (str, type(None)):
                raise ProtocolError("a class whose names are none")
        except (TypeError, ValueError) as error:
            raise ProtocolError("a class that cannot be read") from error
        names = self._methods(frozenset(special))
        names |= {
            "__module__": module,
            "__qualname__": qualname,
            "__doc__": doc,
            "_browsergrad_link": self,
            "_browsergrad_class": number,
            "_browsergrad_plain": PLAIN_BASES[plain] if plain else None,
            "_browsergrad_mutable": MUTABLE_BASES[mutable] if mutable else None,
        }
        if flavour:
            names["__class__"] = property(_always(FLAVOURS[flavour]))
            names |= {each: property(_reader(self, each)) for each in ("__doc__", "__module__")}
        derived: list[type] = [base for base in bases if isinstance(base, Mirror)]
        root = GENUINE.get(genuine) if genuine else None
        if root is not None:
            if not (isinstance(root, type) and issubclass(root, BaseException)):
                raise ProtocolError("a class derived from what it cannot be")
            if not derived or not any(issubclass(base, BaseException) for base in derived):
                derived.append(self._raisable(root))
            names |= {"__str__": _text_of, "__hash__": BaseException.__hash__}
        elif plain and not any(issubclass(base, PLAIN_BASES[plain]) for base in derived):
            derived.append(PLAIN_BASES[plain])
        if plain:  # values compare and calculate as the built-in type does
            kept = {"__getattr__", "__setattr__", "__delattr__", "__call__", "__enter__", "__exit__"}
            names = {
                key: value
                for key, value in names.items()
                if not _is_special(key) or key in kept | {"__module__", "__qualname__", "__doc__"}
            }
        if root is not None:
            for each in (*COMPARISONS, "__reduce_ex__", "__getattribute__"):
                names.pop(each, None)
        try:
            made = Mirror(name, tuple(derived), names, made=True)
        except TypeError:  # orders of bases that do not go together here
            made = Mirror(name, tuple(derived[:1]), names, made=True)
        type.__setattr__(made, "_browsergrad_made", True)
        return made

    def _raisable(self, root: type) -> type:
        return Exception if root.__name__ in _ENDING else root

    def _methods(self, special: frozenset[str]) -> dict[str, Any]:
        names: dict[str, Any] = {each: _forward(self, each) for each in SPECIAL if each in special}
        link = self

        def get(stand_in: Any, name: str) -> Any:
            if _is_special(name) and name not in READABLE:
                if name == "__signature__" and callable(stand_in):
                    return link.signature(stand_in)
                raise AttributeError(f"{type(stand_in).__name__!r} object has no attribute {name!r}")
            return link.rules.attribute(link, name, stand_in)

        def put(stand_in: Any, name: str, value: Any) -> None:
            if _is_special(name) and isinstance(stand_in, BaseException):
                object.__setattr__(stand_in, name, value)  # the interpreter's own, such as __traceback__
                return
            link.ask("set", object.__getattribute__(stand_in, _ID), name, (value,))

        def remove(stand_in: Any, name: str) -> None:
            link.ask("delete", object.__getattribute__(stand_in, _ID), name)

        def copied(stand_in: Any) -> Any:
            return link.ask("copy", object.__getattribute__(stand_in, _ID))

        def deeply(stand_in: Any, memo: Any) -> Any:
            return link.ask("deepcopy", object.__getattribute__(stand_in, _ID))

        def no_pickle(stand_in: Any, protocol: Any) -> Any:
            raise TypeError("an object of the other interpreter cannot be pickled")

        names |= {
            "__getattr__": get,
            "__setattr__": put,
            "__delattr__": remove,
            "__copy__": copied,
            "__deepcopy__": deeply,
            "__reduce_ex__": no_pickle,
            "__dict__": property(lambda stand_in: link.ask("vars", object.__getattribute__(stand_in, _ID))),
            "__eq__": lambda stand_in, other: link.compare("__eq__", stand_in, other),
            "__ne__": lambda stand_in, other: link.compare("__ne__", stand_in, other),
            "__hash__": None
            if "unhashable" in special
            else _forward(self, "__hash__")
            if "__hash__" in special
            else object.__hash__,
        }
        if "__repr__" not in special:
            names["__repr__"] = _forward(self, "__repr__")
        if "awaitable" in special:
            names |= {
                "send": lambda stand_in, value: _finish(link, stand_in),
                "throw": _throw,
                "close": lambda stand_in: None,
                "__await__": lambda stand_in: _awaiting(link, stand_in),
            }
        return names

    def compare(self, name: str, stand_in: Any, other: Any) -> Any:
        if stand_in is other:
            return name == "__eq__"
        return self.rules.special(self, name, stand_in, (other,))

    def content(self, stand_in: Any) -> Any:
        """The content of a stand-in for an instance of a subclass of list, dict, set or bytearray."""
        found = self.ask("content", object.__getattribute__(stand_in, _ID))
        if type(found) is not type(stand_in)._browsergrad_mutable:
            raise ProtocolError("a content of another kind")
        return found

    def signature(self, stand_in: Any) -> inspect.Signature:
        """The signature of a function of the other side."""
        told = self.ask("signature", object.__getattribute__(stand_in, _ID))
        if told is None:
            raise AttributeError("__signature__")
        empty = inspect.Parameter.empty
        try:
            parameters, returned = told
            made = [
                inspect.Parameter(
                    name,
                    inspect._ParameterKind(kind),
                    default=default[0] if default else empty,
                    annotation=annotation[0] if annotation else empty,
                )
                for name, kind, default, annotation in parameters
            ]
            return inspect.Signature(made, return_annotation=returned[0] if returned else empty)
        except (TypeError, ValueError, LookupError) as error:
            raise ProtocolError("a signature that cannot be read") from error

    # --- exceptions

    def exception(self, error: BaseException, encode: Encoder, depth: int) -> dict[str, Any]:
        """What of an exception travels."""
        try:
            text = str(error)
            text = text if type(text) is str else str.__str__(text)
        except BaseException as broken:
            text = f"<str failed: {type(broken).__name__}>"
        arguments: list[Any] = []
        parts = error.args[:20] if type(error.args) is tuple else ()
        if isinstance(error, OSError) and len(parts) == 2 and error.filename is not None:
            parts = (*parts, error.filename)
        for part in parts:
            alone = Encoder(self)
            try:
                node = alone(part, depth)
            except TooLarge:
                node = _short(part)
            # Numbers of containers would be those of another message.
            arguments.append(_short(part) if alone.containers else node)
        kind = type(error)
        return {
            "class": encode(kind, depth),
            "args": arguments,
            "text": text[:MAX_TEXT],
            "traceback": _traceback(error),
            "id": self.export(error),
        }

    def adopt_exception(self, entry: dict[str, Any], decode: Decoder, depth: int) -> BaseException:
        number, text, shown = entry["id"], entry["text"], entry["traceback"]
        kind = decode(entry["class"], depth)
        arguments = tuple(decode(each, depth) for each in entry["args"])
        if type(number) is not int or type(text) is not str or type(shown) is not str:
            raise ProtocolError("an exception that cannot be read")
        found = self._stand_ins.get(number)
        if found is not None:
            return found
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise ProtocolError("an exception of no such class")
        if isinstance(kind, Mirror):
            made: Any = kind.__new__(kind, *arguments)  # type: ignore[arg-type]
            BaseException.__init__(made, *arguments)
            object.__setattr__(made, _ID, number)
            object.__setattr__(made, "_browsergrad_text", text)
        else:
            made = self._genuine_exception(kind, arguments, text)
        self._stand_ins[number] = made
        if shown:
            made.add_note(f"In the submission:\n{shown.rstrip()}")
        return made

    def _genuine_exception(self, kind: type[BaseException], arguments: tuple[Any, ...], text: str) -> BaseException:
        if kind.__name__ in _ENDING:
            kind = type(kind.__name__, (Exception,), {"__module__": "builtins"})
        try:
            return kind(*arguments)
        except Exception:  # such as a UnicodeDecodeError without its parts
            return type(kind.__name__, (Exception,), {"__module__": "builtins"})(text)

    # --- questions

    def ask(
        self,
        op: str,
        number: int | None,
        name: str | None = None,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Ask the other side, answer its questions meanwhile, and return or raise what it answers."""
        if self.broken is not None:
            raise Ended(str(self.broken))
        if self._open_asks >= MAX_NESTING:
            raise RecursionError("calls between student and rubric are nested too deeply")
        self._open_asks += 1
        try:
            error, value = self._ask(op, number, name, args, kwargs or {})
        except ProtocolError as broken:  # no `except Exception` of a rubric may go on with what comes from there
            self.broken = broken
            raise Ended(str(broken)) from broken
        finally:
            self._open_asks -= 1
        if error is not None:
            raise error
        return value

    def _ask(
        self, op: str, number: int | None, name: str | None, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[BaseException | None, Any]:
        """The error that the other side raised, and what it returned."""
        encode = Encoder(self)
        message: dict[str, Any] = {"ask": op, "of": number, "name": name}
        if args:
            message["args"] = [encode(each) for each in args]
        if kwargs:
            message["kwargs"] = {str(key): encode(each) for key, each in kwargs.items()}
        reply = self._talk(message)
        decode = Decoder(self, encode.containers)
        try:
            for place, content in reply.get("back", ()):
                decode.replace(encode.containers[place], content)
            if "error" in reply:
                error = decode(reply["error"])
                if not isinstance(error, BaseException):
                    raise ProtocolError("an error that is none")
                return error, None
            return None, decode(reply["ok"])
        except (TypeError, ValueError, LookupError, AttributeError) as broken:
            raise ProtocolError(f"an answer that cannot be read: {type(broken).__name__}") from broken

    def _talk(self, message: dict[str, Any]) -> dict[str, Any]:
        while True:
            self.outgoing(message)
            received = self.read(self._exchange(json.dumps(message, separators=(",", ":"))))
            self.incoming(received)
            if "ask" not in received:
                return received
            message = self.answer(received)

    def read(self, text: str) -> dict[str, Any]:
        try:
            received = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ProtocolError("a message that is not JSON") from error
        if type(received) is not dict:
            raise ProtocolError("a message that is no object")
        if "end" in received:
            raise Ended(str(received["end"]))
        return received

    def serve(self, message: dict[str, Any]) -> None:
        """Send a first message, and answer questions until the other side ends."""
        try:
            while True:
                message = self.answer(self._talk_once(message))
        except Ended:
            return

    def _talk_once(self, message: dict[str, Any]) -> dict[str, Any]:
        self.outgoing(message)
        received = self.read(self._exchange(json.dumps(message, separators=(",", ":"))))
        self.incoming(received)
        return received

    # --- answers

    def answer(self, received: dict[str, Any]) -> dict[str, Any]:
        """What the other side asks, done."""
        decode = Decoder(self)
        try:
            op, number, name = received["ask"], received["of"], received["name"]
            args = [decode(each) for each in received.get("args", ())]
            kwargs = {str(key): decode(each) for key, each in received.get("kwargs", {}).items()}
            if type(op) is not str or type(name) not in (str, type(None)):
                raise ProtocolError("a question that cannot be read")
            if number is not None and (type(number) is not int or number < 0):
                raise ProtocolError("a question about no object")
            target = self._objects[number] if number is not None else None
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise ProtocolError(f"a question that cannot be read: {type(error).__name__}") from error
        containers = decode.containers
        before = [_parts(each) for each in containers]
        self._nesting += 1
        try:
            if self._nesting > MAX_NESTING:
                raise RecursionError("calls between student and rubric are nested too deeply")
            self.rules.may_ask(op, target, name)
            result = self._do(op, target, name, args, kwargs)
            return self._written({"ok": result}, containers, before)
        except (Ended, ProtocolError):
            raise
        except BaseException as error:
            return self._written({"error": error}, containers, before)
        finally:
            self._nesting -= 1

    def _written(self, reply: dict[str, Any], containers: list[Any], before: list[Any]) -> dict[str, Any]:
        try:
            encode = Encoder(self, containers)
            changed = [place for place, each in enumerate(containers) if not _same(before[place], _parts(each))]
            written: dict[str, Any] = {}
            if changed:
                written["back"] = [[place, encode.content(containers[place])] for place in changed]
            ((what, value),) = reply.items()
            return {**written, what: encode(value)}
        except TooLarge as error:
            return {"error": Encoder(self)(error)}

    def _do(self, op: str, target: Any, name: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        match op:
            case "call":
                return target(*args, **kwargs)
            case "get":
                return getattr(target, name)
            case "set":
                return setattr(target, name, *args)
            case "delete":
                return delattr(target, name)
            case "special":
                return self._special(target, name, args)
            case "item":
                return target[args[0]]
            case "content":
                return copy_of(target)
            case "vars":
                return dict(vars(target))
            case "copy" | "deepcopy":
                import copy

                return getattr(copy, op)(target)
            case "describe":
                return self._describe(target)
            case "signature":
                return _signature(target)
            case "finish":
                return self.services["finish"](target)
        if op in self.services:
            return self.services[op](*args)
        raise ProtocolError("a question of no such kind")

    def _special(self, target: Any, name: str | None, args: list[Any]) -> Any:
        if name not in SPECIAL and name != "__hash__":
            raise ProtocolError("no such special method")
        match name:  # as the interpreter does it, with its own fallbacks
            case "__repr__":
                return repr(target)
            case "__str__":
                return str(target)
            case "__iter__":
                return iter(target)
            case "__hash__":
                return hash(target)
        return getattr(type(target), name)(target, *args)

    def _describe(self, kind: Any) -> list[Any]:
        if not isinstance(kind, type):
            raise ProtocolError("no class")
        root = kind.__mro__
        special = [
            name
            for name in SPECIAL
            if (found := _of_class(root, name)) is not None and found is not getattr(object, name, None)
        ]
        hashed = _of_class(root, "__hash__")
        if hashed is None:
            special.append("unhashable")
        elif hashed is not object.__hash__:
            special.append("__hash__")
        if issubclass(kind, types.CoroutineType):
            special.append("awaitable")
        plain, mutable = base_of(kind), mutable_base_of(kind)
        genuine = next(
            (each.__name__ for each in root if GENUINE.get(each.__name__) is each and issubclass(each, BaseException)),
            None,
        )
        named = [_text(getattr(kind, each, ""), 200) for each in ("__name__", "__qualname__", "__module__")]
        doc = getattr(kind, "__doc__", None)
        bases = tuple(base for base in kind.__bases__ if base.__module__ != "builtins")
        return [
            *named,
            _text(doc, MAX_TEXT) if isinstance(doc, str) else None,
            bases,
            special,
            plain and plain.__name__,
            mutable and mutable.__name__,
            _FLAVOUR_NAMES.get(kind),
            genuine,
        ]


def _of_class(classes: tuple[type, ...], name: str) -> Any:
    for each in classes:
        if name in each.__dict__:
            return each.__dict__[name]
    return None


def _forward(link: Link, name: str) -> Any:
    def method(stand_in: Any, *args: Any, **kwargs: Any) -> Any:
        if name == "__call__":
            return link.ask("call", object.__getattribute__(stand_in, _ID), None, args, kwargs)
        return link.rules.special(link, name, stand_in, args)

    method.__name__ = name
    return method


def _reader(link: Link, name: str) -> Any:
    return lambda stand_in: link.ask("get", object.__getattribute__(stand_in, _ID), name)


def _always(value: Any) -> Callable[[Any], Any]:
    return lambda stand_in: value


def _text_of(error: Any) -> str:
    return str(object.__getattribute__(error, "_browsergrad_text"))


def _finish(link: Link, stand_in: Any) -> Any:
    raise StopIteration(link.ask("finish", object.__getattribute__(stand_in, _ID)))


def _awaiting(link: Link, stand_in: Any) -> Iterator[Any]:
    return link.ask("finish", object.__getattribute__(stand_in, _ID))
    yield


def _throw(stand_in: Any, kind: Any, value: Any = None, frames: Any = None) -> Any:
    raise kind if isinstance(kind, BaseException) else kind(value) if value is not None else kind()


def _short(value: Any) -> str:
    try:
        return repr(value)[:MAX_TEXT]
    except BaseException as error:
        return f"<repr failed: {type(error).__name__}>"


def _text(value: Any, limit: int) -> str:
    return str.__str__(value)[:limit].replace("\0", "") if isinstance(value, str) else ""


def _traceback(error: BaseException) -> str:
    """The traceback from the first frame that is not of this file."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    entries = []
    while frames is not None:
        entries.append(frames)
        frames = frames.tb_next
    try:
        # Of a deep recursion only the ends: formatting all of it would take seconds.
        lines = [line for entry in entries[:SHOWN] for line in traceback.format_tb(entry, 1)]
        if len(entries) > 2 * SHOWN:
            lines.append("…\n")
        lines += [line for entry in entries[SHOWN:][-SHOWN:] for line in traceback.format_tb(entry, 1)]
    except BaseException:
        return ""
    return "".join(lines)[:MAX_TEXT]


def _parts(container: Any) -> list[Any]:
    """The very objects a container holds."""
    if isinstance(container, bytearray):
        return [bytes(container)]
    if isinstance(container, dict):
        return [part for pair in container.items() for part in pair]
    return list(container)


def _same(one: list[Any], other: list[Any]) -> bool:
    return len(one) == len(other) and all(
        a is b or (type(a) is type(b) is bytes and a == b) for a, b in zip(one, other, strict=True)
    )


def _signature(target: Any) -> Any:
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):
        return None
    empty = inspect.Parameter.empty

    def boxed(value: Any) -> Any:
        return [] if value is empty else [value]

    parameters = [
        [each.name, int(each.kind), boxed(each.default), boxed(each.annotation)]
        for each in signature.parameters.values()
    ]
    return [parameters, boxed(signature.return_annotation)]
