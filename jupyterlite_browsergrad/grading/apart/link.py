"""One end of the line between the rubric's interpreter and the student's: calls, and stand-ins for objects of the other side.

Both ends run this code; only their `Rules` objects differ. While a side waits for an answer, it answers the other side's questions.
So calls and callbacks nest as they would in one interpreter.

An object that cannot be copied stays where it is and gets a number. The other side makes one stand-in for it: an instance of a class
that imitates the object's class. Each special method and attribute of a stand-in asks the object's side.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any

from . import answers, raised
from .answers import do
from .mirrors import Mirror, make_mirror, number_of
from .protocols import ID
from .values import (
    Decoder,
    Encoder,
    ProtocolError,
    TooLarge,
)

#: How deeply calls from side to side may nest.
MAX_NESTING = 60
#: Files of the line itself. Their frames are cut from the start of a traceback that is sent.
_OURS = frozenset({__file__, answers.__file__})


class Ended(BaseException):
    """The other side is gone, or the time is over. Not an `Exception`, so that a rubric does not catch it by accident."""


class Rules:
    """What a side lets the other side do. This class allows everything."""

    def may_ask(self, op: str, target: Any, name: str | None) -> None:
        """Check whether the other side may do an operation with an object of ours.

        Raises
        ------
        AttributeError, TypeError
            It may not. The other side gets this error as the answer.
        """

    def special(self, link: Link, name: str, stand_in: Any, arguments: tuple[Any, ...]) -> Any:
        """Return the result of a stand-in's special method, by asking the other side."""
        return link.ask("special", number_of(stand_in), name, arguments)

    def attribute(self, link: Link, name: str, stand_in: Any) -> Any:
        """Return an attribute of a stand-in, which may be an object or a class."""
        return link.ask("get", number_of(stand_in), name)


class Link:
    """One end of the line.

    Parameters
    ----------
    exchange
        Sends a text and returns the text that comes back.
    rules
        What the other side may do.

    Attributes
    ----------
    stand_ins
        The stand-ins made so far, by the other side's number.
    """

    def __init__(self, exchange: Callable[[str], str], rules: Rules) -> None:
        self._exchange = exchange
        self.rules = rules
        # Our objects that the other side has stand-ins for. An object's place in this list is its number.
        self._objects: list[Any] = []
        # Those numbers, by the object's id.
        self._numbers: dict[int, int] = {}
        # Classes that stand for the other side's classes, by the other side's number.
        self._mirrors: dict[int, Mirror] = {}
        self.stand_ins: dict[int, Any] = {}
        # Questions of the other side that are being answered, and questions to it that are open.
        self._nesting = 0
        self._open_asks = 0
        #: The reason why no more questions are asked.
        self.broken: ProtocolError | None = None
        #: Finds the module for a name that the other side has sent; None: there is none, or it is not shared.
        self.modules: Callable[[str], Any] = lambda name: None
        #: Whether a module is sent as its name, since the other side has it too.
        self.is_shared: Callable[[Any], bool] = lambda module: False
        #: Add the state that both sides keep in step to each message, and take it from each message that comes.
        self.outgoing: Callable[[dict[str, Any]], None] = lambda message: None
        self.incoming: Callable[[dict[str, Any]], None] = lambda message: None
        #: Further questions that this side answers. Each function gets the question's arguments.
        self.services: dict[str, Callable[..., Any]] = {}

    # --- numbers of objects, for `Encoder` and `Decoder`

    def export(self, value: Any) -> int:
        """Return the number of one of our objects. Gives it one, and keeps the object alive, at the first call."""
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self._objects)
            self._objects.append(value)  # kept alive, so that no other object gets its id
        return number

    export_class = export

    def come_home(self, number: int) -> Any:
        """Return our object for a number that the other side sends back."""
        return self._objects[number]

    def home(self, value: Any) -> int | None:
        """Return the other side's number of a stand-in; None for anything else."""
        kind = type(value)
        return number_of(value) if isinstance(kind, Mirror) or issubclass(kind, Mirror) else None

    def is_live(self, value: Any) -> bool:
        """Whether an instance of a subclass of an immutable type stays here, instead of being sent with its value."""
        return False

    def module(self, name: Any) -> Any:
        """Return the module that the other side has sent by name."""
        assert type(name) is str
        found = self.modules(name)
        if found is None:
            raise ProtocolError("a module that is not shared")
        return found

    # --- stand-ins

    def adopt(self, number: int, kind: int) -> Any:
        """Return the stand-in for an object of the other side.

        Parameters
        ----------
        number, kind
            The other side's numbers of the object and of its class.

        Raises
        ------
        ProtocolError
            Objects of this class are sent in another form: as values or as exceptions.
        """
        found = self.stand_ins.get(number)
        if found is None:
            mirror = self.mirror(kind)
            if mirror._browsergrad_plain is not None or issubclass(mirror, BaseException):
                raise ProtocolError("a handle of a class whose objects travel otherwise")
            found = object.__new__(mirror)
            object.__setattr__(found, ID, number)
            self.stand_ins[number] = found
        return found

    def adopt_value(self, number: int, kind: int, value: Any) -> Any:
        """Return the stand-in for an instance of a subclass of an immutable built-in type. It has the instance's value.

        Parameters
        ----------
        number, kind
            The other side's numbers of the object and of its class.
        value
            The value, of exactly the built-in type.
        """
        found = self.stand_ins.get(number)
        if found is None:
            mirror = self.mirror(kind)
            base = mirror._browsergrad_plain
            if base is None or type(value) is not base:
                raise ProtocolError("a value that is not of its class")
            found = base.__new__(mirror, value)  # type: ignore[call-overload]
            object.__setattr__(found, ID, number)
            self.stand_ins[number] = found
        return found

    def adopt_class(self, number: int) -> Any:
        """Return the stand-in for a class of the other side."""
        return self.mirror(number)

    def mirror(self, number: int) -> Mirror:
        """Return the class that stands for the other side's class of that number. Asks for its description at the first call."""
        found = self._mirrors.get(number)
        if found is None:
            told = self.ask("describe", number)
            if (found := self._mirrors.get(number)) is None:
                found = self._mirrors[number] = make_mirror(self, number, told)
        return found

    def compare(self, name: str, stand_in: Any, other: Any) -> Any:
        """Return the result of ``__eq__`` or ``__ne__`` of a stand-in. An object equals itself, and the other side is not asked."""
        if stand_in is other:
            return name == "__eq__"
        return self.rules.special(self, name, stand_in, (other,))

    def content(self, stand_in: Any) -> Any:
        """Return the content of a stand-in for an instance of a subclass of list, dict, set or bytearray, as the built-in type."""
        found = self.ask("content", object.__getattribute__(stand_in, ID))
        if type(found) is not type(stand_in)._browsergrad_mutable:
            raise ProtocolError("a content of another kind")
        return found

    def signature(self, stand_in: Any) -> inspect.Signature:
        """Return the signature of a function of the other side. Raises AttributeError where it has none."""
        told = self.ask("signature", object.__getattribute__(stand_in, ID))
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
        """Return the parts of an exception that are sent."""
        return raised.exception(self, error, encode, depth, _OURS)

    def adopt_exception(self, entry: dict[str, Any], decode: Decoder, depth: int) -> BaseException:
        """Return the exception that stands for one of the other side."""
        return raised.adopt_exception(self, entry, decode, depth)

    # --- questions

    def ask(
        self,
        op: str,
        number: int | None,
        name: str | None = None,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Ask the other side, answer its questions meanwhile, and return or raise what it answers.

        Parameters
        ----------
        op
            The operation, such as ``get`` or ``call``: one of those in `answers.do`, or a service of the other side.
        number
            The other side's number of the object; None for a service.
        name
            Name of the attribute or special method.
        args, kwargs
            Arguments of the call. Lists and other mutable containers in them are sent back if the other side changes them.

        Raises
        ------
        Ended
            The other side is gone, or has sent something that our code never sends.
        RecursionError
            Too many questions are open.
        """
        if self.broken is not None:
            raise Ended(str(self.broken))
        if self._open_asks >= MAX_NESTING:
            raise RecursionError("calls between student and rubric are nested too deeply")
        self._open_asks += 1
        try:
            error, value = self._ask(op, number, name, args, kwargs or {})
        except ProtocolError as broken:  # becomes `Ended`, which an `except Exception` in a rubric does not catch
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
        """Return the error that the other side raised, or None, and the value that it returned."""
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
        """Send a question and answer the other side's questions until the answer comes. Returns the answer."""
        while True:
            self.outgoing(message)
            received = self.read(self._exchange(json.dumps(message, separators=(",", ":"))))
            self.incoming(received)
            if "ask" not in received:
                return received
            message = self.answer(received)

    def read(self, text: str) -> dict[str, Any]:
        """Read a message from its text. Raises `ProtocolError` if it is not one, and `Ended` if it is the last one."""
        try:
            received = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ProtocolError("a message that is not JSON") from error
        if type(received) is not dict:
            raise ProtocolError("a message that is not an object")
        if "end" in received:
            raise Ended(str(received["end"]))
        return received

    def serve(self, message: dict[str, Any]) -> None:
        """Send a first message, then answer questions until the other side ends."""
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
        """Answer a question of the other side.

        Parameters
        ----------
        received
            The question, as `_ask` of the other side has written it.

        Returns
        -------
        dict
            The reply: ``ok`` with the result or ``error`` with an exception, and ``back`` with the new content of each container that
            came as an argument and was changed.

        Raises
        ------
        ProtocolError
            The question cannot be read.
        """
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
            result = do(self.services, op, target, name, args, kwargs)
            return self._written({"ok": result}, containers, before)
        except (Ended, ProtocolError):
            raise
        except BaseException as error:
            return self._written({"error": error}, containers, before)
        finally:
            self._nesting -= 1

    def _written(self, reply: dict[str, Any], containers: list[Any], before: list[Any]) -> dict[str, Any]:
        """Encode a reply, with the containers whose parts are not those of `before`. A result that is too large becomes an error."""
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


def _parts(container: Any) -> list[Any]:
    """The objects in a container, to compare by identity; the content of a bytearray is one object."""
    if isinstance(container, bytearray):
        return [bytes(container)]
    if isinstance(container, dict):
        return [part for pair in container.items() for part in pair]
    return list(container)


def _same(one: list[Any], other: list[Any]) -> bool:
    return len(one) == len(other) and all(
        a is b or (type(a) is type(b) is bytes and a == b) for a, b in zip(one, other, strict=True)
    )
