"""The rubric's end of the line: runs a rubric against stand-ins for a student's names, in an interpreter that never runs student code."""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import json
import random
import re
import sys
import types
from binascii import b2a_base64
from collections.abc import Callable
from typing import Any
from unittest import mock

from .clean import Picture
from .link import Ended, Link, Rules
from .mirrors import Mirror, number_of
from .protocols import ARITHMETIC, COMPARISONS, PROTOCOLS
from .values import CONTAINERS, MUTABLE_BASES, PLAIN_BASES, Decoder, Encoder, ProtocolError, TooLarge, words_of

#: Modules in which a rubric may replace names, as `unittest.mock.patch` does. The student's code sees the replacements.
PATCHABLE = ("builtins", "time", "random", "math", "os", "sys", "datetime")
#: Names in these modules that each interpreter keeps for itself.
_OWN = {"stdout", "stderr", "stdin", "displayhook", "excepthook", "last_exc", "last_type", "last_value", "last_traceback", "ps1", "ps2",
        "ps3", "modules", "path", "meta_path", "path_hooks", "path_importer_cache", "_"}  # fmt: skip
#: Public methods of built-in values. A student's object whose class the rubric does not name is never asked for one of these. Otherwise
#: the submission could decide the result of a check such as `x.startswith("a")`.
VALUE_METHODS = frozenset(
    name
    for kind in (*PLAIN_BASES.values(), *MUTABLE_BASES.values(), *CONTAINERS.values())
    for name in dir(kind)
    if not name.startswith("_")
)
#: Prefixes of attributes that lead from an object to frames, code and other internals.
_LEADING = ("gi_", "cr_", "ag_", "tb_", "f_", "co_", "func_", "im_", "mock_", "side_effect")
#: Classes whose objects a submission may not use at all.
_CLOSED = (types.ModuleType, types.FrameType, types.CodeType, types.TracebackType)
#: Frames of our own code in a traceback.
_OURS = re.compile(r'  File "<browsergrad [\w.]+>", line \d+, in .*\n(?:    .*\n)*')
#: Special attributes of the rubric's objects that a submission may read.
_NAMING = {"__name__", "__qualname__", "__doc__", "__module__"}


class RubricRules(Rules):
    """Limits what a submission's code may do with the rubric's objects, and which results a submission's objects may decide.

    A check compares what the student's code returns with the rubric's values. If the student's object could answer such a comparison,
    it could claim to be equal to anything. So comparisons with the rubric's values are decided in this interpreter.
    """

    def __init__(self, filename: str) -> None:
        self._module = "__rubric__"
        self._filename = filename
        #: The student's numbers of the objects and classes that the rubric mentions by name.
        self.named: set[int] = set()

    # --- questions of the student's side

    def may_ask(self, op: str, target: Any, name: str | None) -> None:
        """Let a submission call the rubric's functions and read public attributes, and nothing that leads on to internals.

        Raises
        ------
        AttributeError, TypeError
            The submission may not do this.
        """
        if op in ("describe", "input", "output"):
            return
        if isinstance(target, type):
            if op != "call" or target.__module__ != self._module:
                raise TypeError(f"a class of the rubric's ({target.__name__}) is not for the submission")
            return
        if isinstance(target, _CLOSED) or op in ("vars", "delete", "content", "signature", "finish"):
            raise AttributeError("the rubric's objects show no more than their attributes")
        if op == "special" and name in (*PROTOCOLS, *ARITHMETIC, *COMPARISONS, "__hash__"):
            return
        if op in ("call", "copy", "deepcopy", "item"):
            return
        if op not in ("get", "set") or name is None:
            raise AttributeError("the rubric's objects cannot do that")
        if op == "get" and name in _NAMING:
            return
        known = hasattr(type(target), name)
        hidden = (
            name.startswith("_")
            or name.startswith(_LEADING)
            or isinstance(target, (types.FunctionType, types.MethodType))
        )
        if hidden or (isinstance(target, mock.NonCallableMock) and known):
            raise AttributeError(f"{type(target).__name__!r} object has no attribute {name!r} here")
        if op == "set" and (
            type(target).__module__ != self._module or known or isinstance(target, mock.NonCallableMock)
        ):
            raise AttributeError(f"{name!r} of the rubric's object cannot be set")

    # --- what the student's objects decide

    def knows(self, stand_in: Any) -> bool:
        """Whether the rubric names this object, or its class."""
        if number_of(stand_in) in self.named:
            return True
        classes = type(stand_in).__mro__ if not isinstance(stand_in, type) else stand_in.__mro__
        return any(isinstance(each, Mirror) and number_of(each) in self.named for each in classes)

    def special(self, link: Link, name: str, stand_in: Any, arguments: tuple[Any, ...]) -> Any:
        """Return the result of a stand-in's special method.

        Comparisons with the rubric's values are decided here. Arithmetic with them is left to the student's object only if the rubric
        mentions it, and then its result has to be an object of the student's again.
        """
        theirs = all(link.home(each) is not None for each in arguments)
        if name in COMPARISONS:
            if not theirs:
                return self._compare(link, name, stand_in, arguments[0])
            result = super().special(link, name, stand_in, arguments)
            if result is NotImplemented or type(result) is bool:
                return result
            raise TypeError(f"{name} of {type(stand_in).__name__} gave no truth value")
        if name == "__contains__":
            return self._contains(link, stand_in, arguments[0], theirs)
        if name in ARITHMETIC and not theirs:
            if not self.knows(stand_in):
                return NotImplemented
            result = super().special(link, name, stand_in, arguments)
            if result is not NotImplemented and link.home(result) is None:
                raise TypeError(
                    f"{name} of {type(stand_in).__name__} with a value of the rubric's gave a plain value: it would decide the check"
                )
            return result
        return super().special(link, name, stand_in, arguments)

    def _compare(self, link: Link, name: str, stand_in: Any, other: Any) -> Any:
        """Compare a stand-in with one of the rubric's values, without the student's methods."""
        if type(stand_in)._browsergrad_mutable is not None:
            return getattr(link.content(stand_in), name)(other)
        return NotImplemented

    def _contains(self, link: Link, stand_in: Any, value: Any, theirs: bool) -> bool:
        """Whether a stand-in contains a value. Asks the student's method only if the rubric knows the object, or the value is the student's."""
        if (
            not isinstance(stand_in, type)
            and type(stand_in)._browsergrad_mutable is not None
            and not self.knows(stand_in)
        ):
            return value in link.content(stand_in)
        if not theirs and not self.knows(stand_in):
            raise TypeError(
                f"whether {_kind(stand_in)} contains something would be decided by the submission: it is not a container that the rubric knows"
            )
        result = super().special(link, "__contains__", stand_in, (value,))
        if type(result) is not bool:
            raise TypeError(f"__contains__ of {_kind(stand_in)} gave no truth value")
        return result

    def attribute(self, link: Link, name: str, stand_in: Any) -> Any:
        """Return an attribute of a stand-in; for `VALUE_METHODS`, only of an object that the rubric knows or whose content is here."""
        if name in VALUE_METHODS and not self.knows(stand_in):
            mutable = None if isinstance(stand_in, type) else type(stand_in)._browsergrad_mutable
            if mutable is not None and hasattr(mutable, name):
                return getattr(link.content(stand_in), name)
            raise AttributeError(
                f"{_kind(stand_in)!r} object has no attribute {name!r}: it is neither a value nor of a class that the rubric knows"
            )
        return super().attribute(link, name, stand_in)


def _kind(stand_in: Any) -> str:
    return stand_in.__name__ if isinstance(stand_in, type) else type(stand_in).__name__


class _Line:
    """The state that both interpreters keep in step: replaced names of modules, random numbers, output, and global containers."""

    def __init__(self, link: Link) -> None:
        self.link = link
        modules = [importlib.import_module(name) for name in PATCHABLE]
        #: Each of these modules, with its names before the rubric ran.
        self.saved = [(module, dict(vars(module))) for module in modules]
        # By the module's name, from the last look at it: ids of its values, and the names that the rubric had replaced.
        self._ids: dict[str, list[int]] = {}
        self._changed: dict[str, dict[tuple[str, str], Any]] = {}
        #: Replaced names that the student's side knows of: (module, name) to value.
        self.patched: dict[tuple[str, str], Any] = {}
        #: State of the random numbers that the student's side has.
        self.random = random.getstate()
        #: The student's global containers that are kept in step, by name, and the form in which each was last sent or received.
        self.tracked: dict[str, Any] = {}
        self.seen: dict[str, Any] = {}

    def outgoing(self, message: dict[str, Any]) -> None:
        """Add what has changed here since the last message."""
        patches: list[Any] = []
        changed = self._replaced()
        if changed or self.patched:
            before, self.patched = self.patched, changed
            for (place, name), value in changed.items():
                if (place, name) not in before or before[place, name] is not value:
                    patches.append([place, name, [Encoder(self.link)(value)]])
            patches += [[place, name, None] for place, name in before if (place, name) not in changed]
        if patches:
            message["patch"] = patches
        if (state := random.getstate()) != self.random:
            self.random = state
            message["random"] = Encoder(self.link)(state)
        for name, value in self.tracked.items():
            try:
                text = repr(Encoder(self.link)(value))
            except TooLarge:
                continue
            if text != self.seen[name]:
                self.seen[name] = text
                message.setdefault("names", {})[name] = Encoder(self.link)(value)

    def _replaced(self) -> dict[tuple[str, str], Any]:
        """Names of modules that the rubric has replaced.

        Runs before each message. To be fast, it compares a module's values one by one only if any id has changed since the last look.
        """
        changed: dict[tuple[str, str], Any] = {}
        for module, names in self.saved:
            now, place = vars(module), module.__name__
            ids = [*map(id, now.values())]
            if ids != self._ids.get(place):
                self._ids[place] = ids
                self._changed[place] = {
                    (place, name): now.get(name)
                    for name, value in names.items()
                    if now.get(name) is not value and name not in _OWN
                }
            changed |= self._changed[place]
        return changed

    def incoming(self, message: dict[str, Any]) -> None:
        """Take over what has changed on the student's side: write its output, and refill the global containers."""
        try:
            for name, text in message.get("out", ()):
                if name not in ("stdout", "stderr") or type(text) is not str:
                    raise ProtocolError("output that is none")
                getattr(sys, name).write(text)
            for name, node in message.get("names", {}).items():
                value, kept = Decoder(self.link)(node), self.tracked[name]
                if type(kept) is type(value):
                    kept.clear()
                    kept.extend(value) if hasattr(kept, "extend") else kept.update(value)
                self.seen[name] = repr(Encoder(self.link)(kept))
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            raise ProtocolError(f"a message that cannot be read: {type(error).__name__}") from error


class Sources:
    """Finds the source of the student's functions and classes in the submission's cells."""

    def __init__(self, cells: list[str]) -> None:
        self._cells = cells
        self._trees: list[tuple[list[str], Any]] | None = None

    def find(self, target: Any) -> tuple[list[str], int] | None:
        """Return the source's lines and the number of its first line in the cell; None if it is not found."""
        try:
            path = str(target.__qualname__).replace(".<locals>", "").split(".")
        except AttributeError:
            return None
        for lines, tree in reversed(self._parsed()):
            node = _within(tree, path)
            if node is not None:
                first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                return lines[first - 1 : node.end_lineno], first
        return None

    def _parsed(self) -> list[tuple[list[str], Any]]:
        if self._trees is None:
            self._trees = []
            for cell in self._cells:
                try:
                    self._trees.append((cell.splitlines(keepends=True), ast.parse(_python(cell))))
                except (SyntaxError, ValueError, RecursionError, MemoryError):
                    continue
        return self._trees


def _python(cell: str) -> str:
    """A cell in which ``pass`` replaces each magic. The lines keep their numbers."""
    return "\n".join(
        re.sub(r"^(\s*)[%!?].*", r"\1pass", line) if not line.startswith("%%") else "pass" for line in cell.split("\n")
    )


def _within(tree: Any, path: list[str]) -> Any:
    """The last definition of a function or class, by its qualified name's parts; None: there is none."""
    node = tree
    for name in path:
        found = [
            each
            for each in ast.walk(node)
            if each is not node
            and isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            and each.name == name
        ]
        if not found:
            return None
        node = found[-1]
    return node


def _install_sources(holder: list[Sources]) -> None:
    """Make the functions of `inspect` find the source of stand-ins. The holder has the present submission's sources."""
    for name in ("getsourcelines", "getsource", "findsource", "getdoc", "getfile", "getsourcefile"):
        setattr(inspect, name, _source_function(holder, name, getattr(inspect, name)))


def _source_function(holder: list[Sources], name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def function(target: Any, *args: Any) -> Any:
        mirror = target if isinstance(target, type) else type(target)
        if not isinstance(mirror, Mirror):
            return original(target, *args)
        if name == "getdoc":
            doc = target.__doc__
            return inspect.cleandoc(doc) if isinstance(doc, str) else None
        if name in ("getfile", "getsourcefile"):
            return "<submission>"
        inner = target.__func__ if isinstance(target, types.MethodType) else target
        found = holder[0].find(inspect.unwrap(inner) if not isinstance(inner, type) else inner) if holder else None
        if found is None:
            raise OSError("could not get source code")
        return "".join(found[0]) if name == "getsource" else found

    function.__name__ = name
    return function


def no_input(prompt: object = "", /) -> str:
    """``input`` for rubrics: reads from ``sys.stdin`` if the rubric has replaced it, and fails otherwise."""
    if sys.stdin is not _stdin:
        sys.stdout.write(str(prompt))
        line = sys.stdin.readline()
        if not line:
            raise EOFError("EOF when reading a line")
        return line.rstrip("\n")
    raise _NoInput("input() was called, but this front end does not support input requests here")


try:
    from IPython.core.error import StdinNotImplementedError as _NoInput
except ImportError:  # in tests without a kernel
    _NoInput = NotImplementedError  # type: ignore[assignment,misc]
_stdin = sys.stdin


class Rubric:
    """Runs rubrics, one submission after the other, in one interpreter.

    Parameters
    ----------
    exchange
        Sends a text to the grading process and returns the text that comes back.
    """

    def __init__(self, exchange: Callable[[str], str]) -> None:
        import browsergrad.hosting  # noqa: F401

        self._exchange = exchange
        self._sources: list[Sources] = []
        _install_sources(self._sources)
        builtins.input = no_input

    def run(self, rubric: str, filename: str, cells: list[str], hello: dict[str, Any]) -> dict[str, Any]:
        """Run a rubric against a student's names and return the content of an assertions bundle.

        Parameters
        ----------
        rubric, filename
            The rubric's source, and its name in tracebacks.
        cells
            Sources of the submission's code cells, for `inspect.getsource`.
        hello
            The greeting of the student's side, with the student's names.

        Raises
        ------
        ProtocolError
            The student's side has sent something that our code never sends.
        """
        from browsergrad.hosting import run_rubric

        rules = RubricRules(filename)
        link = Link(self._exchange, rules)
        line = _Line(link)
        link.modules = _module_finder(rubric)
        link.services = {"input": lambda prompt: builtins.input(prompt), "output": lambda: None}
        link.outgoing, link.incoming = line.outgoing, line.incoming
        self._sources[:] = [Sources(cells)]
        names = received_names(link, rules, line, hello, rubric)
        content = run_rubric(rubric, names, filename)
        if link.broken is not None:
            raise link.broken
        for each in content["assertions"]:
            if "traceback" in each:
                each["traceback"] = _OURS.sub("", each["traceback"])
        return content


def received_names(link: Link, rules: RubricRules, line: _Line, hello: dict[str, Any], rubric: str) -> dict[str, Any]:
    """Return the student's names from a greeting. Tells `rules` which of them the rubric mentions, and `line` which to keep in step."""
    words, mentioned = words_of(rubric), set(re.findall(r"\w+", rubric))
    given, steady = hello.get("given"), hello.get("steady")
    if type(given) is not dict or type(steady) is not list or not set(map(str, steady)) <= set(given):
        raise ProtocolError("a greeting that cannot be read")
    names: dict[str, Any] = {}
    for name, node in given.items():
        if words is not None and name not in words:
            raise ProtocolError("a name that nobody asked for")
        try:
            value = Decoder(link)(node)
        except ProtocolError:
            if type(node) is list and node and node[0] == "m":
                continue  # a module that is not here
            raise
        names[name] = value
        if link.home(value) is not None and name in mentioned:
            rules.named.add(number_of(value))
    for name in map(str, steady):
        if hasattr(names.get(name), "clear"):
            line.tracked[name] = names[name]
            line.seen[name] = repr(Encoder(link)(names[name]))
    return names


def _module_finder(rubric: str) -> Callable[[str], Any]:
    """A function that finds a module by name: one that is imported, or one of the standard library."""
    mentioned = set(re.findall(r"\w+", rubric))

    def find(name: str) -> Any:
        if name in sys.modules and not name.startswith("_"):
            return sys.modules[name]
        root = name.partition(".")[0]
        if root in sys.stdlib_module_names and mentioned:
            try:
                return importlib.import_module(name)
            except ImportError:
                return None
        return None

    return find


def _try_import(name: str) -> None:
    try:
        importlib.import_module(name)
    except Exception:  # fails again, with a message, when the rubric imports it
        return


class Box:
    """The object that the grading process calls in the rubric's interpreter.

    Parameters
    ----------
    exchange
        Sends a text to the grading process and returns the text that comes back.
    """

    def __init__(self, exchange: Callable[[str], str]) -> None:
        self._exchange = exchange
        self._rubric = Rubric(exchange)
        # The interpreter's modules before the first rubric ran.
        self._picture: Picture | None = None
        #: The changes that the last rubric left behind.
        self.left: list[str] = []

    def _is_clean(self) -> bool:
        """Whether the next rubric may run here."""
        if self._picture is None:
            return False
        self.left = self._picture.differences()
        return not self.left

    def grade(self) -> str:
        """Run a rubric, which the grading process sends first.

        Returns
        -------
        str
            JSON in base64. ``content`` is the content of the assertions bundle; without it, ``tampered`` or ``ended`` says why there is
            none. ``clean`` says whether the next rubric may run here, and ``left`` lists what was changed.
        """
        started = json.loads(self._exchange('{"hello": "rubric"}'))
        if self._picture is None:
            for name in started["imports"]:
                _try_import(name)
            self._picture = Picture()
        random.seed(started["seed"])
        told: dict[str, Any] = {}
        try:
            told["content"] = self._rubric.run(
                started["rubric"], started["filename"], started["cells"], started["hello"]
            )
        except ProtocolError as error:
            told["tampered"] = str(error)
        except Ended as error:
            told["ended"] = str(error)
        told["clean"] = "content" in told and self._is_clean()
        told["left"] = self.left
        return b2a_base64(json.dumps(told).encode(), newline=False).decode()
