"""Classes that stand for classes of the other side. Each special method and attribute of an instance asks the other side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .protocols import COMPARISONS, FLAVOURS, ID, READABLE, SPECIAL, is_special
from .values import GENUINE, MUTABLE_BASES, PLAIN_BASES, ProtocolError

#: Exceptions that would end more than the call that raises them. They arrive as an `Exception` of the same name.
ENDING = {"KeyboardInterrupt", "GeneratorExit"}


class Mirror(type):
    """Metaclass of the classes that stand for classes of the other side.

    The names of its attributes are long so that they do not collide with names of the student's class.
    """

    _browsergrad_link: Any
    #: The other side's number of the class.
    _browsergrad_class: int
    #: Whether the class is complete. From then on, setting an attribute sets it on the other side.
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
        if is_special(name) and name not in READABLE:
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        return cls._browsergrad_link.rules.attribute(cls._browsergrad_link, name, cls)

    def __setattr__(cls, name: str, value: Any) -> None:
        if not cls.__dict__.get("_browsergrad_made") or is_special(name):
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
    """The other side's number of the object or class that a stand-in stands for."""
    if issubclass(type(stand_in), Mirror):
        return int(type.__getattribute__(stand_in, "_browsergrad_class"))
    return int(object.__getattribute__(stand_in, ID))


def make_mirror(link: Any, number: int, told: Any) -> Mirror:
    """Make the class that stands for a class of the other side.

    Parameters
    ----------
    number
        The other side's number of the class.
    told
        Its description, from `answers._describe` of the other side. It is not trusted.

    Raises
    ------
    ProtocolError
        The description cannot be read.
    """
    try:
        name, qualname, module, doc, bases, special, plain, mutable, flavour, genuine = told
        texts = (name, qualname, module, *special)
        if not all(type(each) is str and "\0" not in each and len(each) < 500 for each in texts) or type(doc) not in (
            str,
            type(None),
        ):
            raise ProtocolError("a class whose names are none")
    except (TypeError, ValueError) as error:
        raise ProtocolError("a class that cannot be read") from error
    names = _methods(link, frozenset(special))
    names |= {
        "__module__": module,
        "__qualname__": qualname,
        "__doc__": doc,
        "_browsergrad_link": link,
        "_browsergrad_class": number,
        "_browsergrad_plain": PLAIN_BASES[plain] if plain else None,
        "_browsergrad_mutable": MUTABLE_BASES[mutable] if mutable else None,
    }
    if flavour:
        names["__class__"] = property(_always(FLAVOURS[flavour]))
        names |= {each: property(_reader(link, each)) for each in ("__doc__", "__module__")}
    derived: list[type] = [base for base in bases if isinstance(base, Mirror)]
    root = GENUINE.get(genuine) if genuine else None
    if root is not None:
        if not (isinstance(root, type) and issubclass(root, BaseException)):
            raise ProtocolError("a class derived from what it cannot be")
        if not derived or not any(issubclass(base, BaseException) for base in derived):
            derived.append(_raisable(root))
        names |= {"__str__": _text_of, "__hash__": BaseException.__hash__}
    elif plain and not any(issubclass(base, PLAIN_BASES[plain]) for base in derived):
        derived.append(PLAIN_BASES[plain])
    if plain:  # instances have their value here: they compare and calculate as the built-in type does
        kept = {"__getattr__", "__setattr__", "__delattr__", "__call__", "__enter__", "__exit__"}
        names = {
            key: value
            for key, value in names.items()
            if not is_special(key) or key in kept | {"__module__", "__qualname__", "__doc__"}
        }
    if root is not None:
        for each in (*COMPARISONS, "__reduce_ex__", "__getattribute__"):
            names.pop(each, None)
    try:
        made = Mirror(name, tuple(derived), names, made=True)
    except TypeError:  # Python finds no method resolution order for these bases
        made = Mirror(name, tuple(derived[:1]), names, made=True)
    type.__setattr__(made, "_browsergrad_made", True)
    return made


def _raisable(root: type) -> type:
    return Exception if root.__name__ in ENDING else root


def _methods(link: Any, special: frozenset[str]) -> dict[str, Any]:
    """The methods of a stand-in's class: the special methods in `special`, and those that every stand-in has."""
    names: dict[str, Any] = {each: _forward(link, each) for each in SPECIAL if each in special}

    def get(stand_in: Any, name: str) -> Any:
        if is_special(name) and name not in READABLE:
            if name == "__signature__" and callable(stand_in):
                return link.signature(stand_in)
            raise AttributeError(f"{type(stand_in).__name__!r} object has no attribute {name!r}")
        return link.rules.attribute(link, name, stand_in)

    def put(stand_in: Any, name: str, value: Any) -> None:
        if is_special(name) and isinstance(stand_in, BaseException):
            object.__setattr__(stand_in, name, value)  # set by the interpreter itself, such as __traceback__
            return
        link.ask("set", object.__getattribute__(stand_in, ID), name, (value,))

    def remove(stand_in: Any, name: str) -> None:
        link.ask("delete", object.__getattribute__(stand_in, ID), name)

    def copied(stand_in: Any) -> Any:
        return link.ask("copy", object.__getattribute__(stand_in, ID))

    def deeply(stand_in: Any, memo: Any) -> Any:
        return link.ask("deepcopy", object.__getattribute__(stand_in, ID))

    def no_pickle(stand_in: Any, protocol: Any) -> Any:
        raise TypeError("an object of the other interpreter cannot be pickled")

    names |= {
        "__getattr__": get,
        "__setattr__": put,
        "__delattr__": remove,
        "__copy__": copied,
        "__deepcopy__": deeply,
        "__reduce_ex__": no_pickle,
        "__dict__": property(lambda stand_in: link.ask("vars", object.__getattribute__(stand_in, ID))),
        "__eq__": lambda stand_in, other: link.compare("__eq__", stand_in, other),
        "__ne__": lambda stand_in, other: link.compare("__ne__", stand_in, other),
        "__hash__": None
        if "unhashable" in special
        else _forward(link, "__hash__")
        if "__hash__" in special
        else object.__hash__,
    }
    if "__repr__" not in special:
        names["__repr__"] = _forward(link, "__repr__")
    if "awaitable" in special:
        names |= {
            "send": lambda stand_in, value: _finish(link, stand_in),
            "throw": _throw,
            "close": lambda stand_in: None,
            "__await__": lambda stand_in: _awaiting(link, stand_in),
        }
    return names


def _forward(link: Any, name: str) -> Any:
    """A special method that asks the other side."""

    def method(stand_in: Any, *args: Any, **kwargs: Any) -> Any:
        if name == "__call__":
            return link.ask("call", object.__getattribute__(stand_in, ID), None, args, kwargs)
        return link.rules.special(link, name, stand_in, args)

    method.__name__ = name
    return method


def _reader(link: Any, name: str) -> Any:
    return lambda stand_in: link.ask("get", object.__getattribute__(stand_in, ID), name)


def _always(value: Any) -> Callable[[Any], Any]:
    return lambda stand_in: value


def _text_of(error: Any) -> str:
    return str(object.__getattribute__(error, "_browsergrad_text"))


def _finish(link: Any, stand_in: Any) -> Any:
    """``send`` of a stand-in for a coroutine: the other side runs the coroutine to its end at once."""
    raise StopIteration(link.ask("finish", object.__getattribute__(stand_in, ID)))


def _awaiting(link: Any, stand_in: Any) -> Iterator[Any]:
    return link.ask("finish", object.__getattribute__(stand_in, ID))
    yield


def _throw(stand_in: Any, kind: Any, value: Any = None, frames: Any = None) -> Any:
    raise kind if isinstance(kind, BaseException) else kind(value) if value is not None else kind()
