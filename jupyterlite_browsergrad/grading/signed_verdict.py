"""Runs inside the sandbox: restores everything on which a verdict depends to its state before the student's code, and signs the verdict.

Only the text of this module is used: it is sent into a new kernel before the student's first cell. It imports nothing from this package.

Student code and rubric share one interpreter. So code that searches frames and closures can reach everything here. This module stops what
students usually try: replaced built-ins, a patched `browsergrad`, printed or invented results, `sys.exit`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

#: The module in which the grader finds its entry. A student's replacement cannot sign.
ENTRY = "_browsergrad_grader"
#: Characters of assertions in a result. Counts are always exact.
MAX_ASSERTIONS = 4 << 20
#: Modules that are made again from their code for the rubric.
FRESH = ("browsergrad", "json")
#: Modules whose names get their original values back.
RESTORED = (
    "_json",
    "ast",
    "asyncio",
    "base64",
    "builtins",
    "collections",
    "contextlib",
    "copy",
    "dataclasses",
    "functools",
    "hashlib",
    "importlib",
    "inspect",
    "io",
    "itertools",
    "linecache",
    "math",
    "operator",
    "os",
    "random",
    "re",
    "string",
    "time",
    "traceback",
    "types",
    "typing",
)


#: Modules of the standard library that are not restored: they hold a cell's own state.
UNTOUCHED = frozenset({"__main__", "linecache"})
#: Names in a class that belong to Python itself.
CLASS_OWN = frozenset(
    {
        "__dict__",
        "__weakref__",
        "__abstractmethods__",
        "__annotations__",
        "__annotations_cache__",
        "__static_attributes__",
    }
)
#: Flags of a class made by Python code, and of a class that cannot be changed.
HEAP_TYPE, IMMUTABLE_TYPE = 1 << 9, 1 << 8


class Kept:
    """The values of names before the student's first cell, and how to restore them.

    This uses only dictionaries, functions and code objects that were stored then. It looks up no attribute of a module later.

    Parameters
    ----------
    imports
        Modules that the rubric imports. Those of the standard library and of the lab are loaded now.
    own
        The lab's modules: name to source.
    handed
        Path and content of the file that tells `browsergrad` about the lab.
    fresh
        Modules of `FRESH`: name -> path, whether it is a package, and code.
    """

    def __init__(
        self,
        imports: list[str],
        own: dict[str, str],
        handed: tuple[str, str],
        fresh: dict[str, tuple[str, bool, CodeType]],
    ) -> None:
        import gc
        import importlib
        import os
        import threading

        import browsergrad.hosting  # noqa: F401  so that its code is at hand

        for name in (*RESTORED, *(each for each in imports if each.partition(".")[0] in sys.stdlib_module_names)):
            _try_import(importlib.import_module, name)
        self._code = fresh
        self._own = {name: _make_own(name, source) for name, source in own.items() if name.partition(".")[0] in imports}
        self._modules, self._loaded = sys.modules, dict(sys.modules)
        known = sys.stdlib_module_names
        self._saved = [
            (name, module, module.__dict__, dict(module.__dict__))
            for name, module in self._loaded.items()
            if (name.partition(".")[0] in known and name not in UNTOUCHED) or name in self._own
            if type(module) is ModuleType
        ]
        self._functions, self._classes = _inner_of(
            [names for name, _, _, names in self._saved if name in self._deep(imports)]
        )
        self._lists: list[tuple[list[Any], list[Any]]] = [
            (each, list(each)) for each in (sys.meta_path, sys.path_hooks, sys.path)
        ]
        self._importers = sys.path_importer_cache
        self._here = {"", ".", os.getcwd()}
        self._handed = handed
        self._known = known
        self._builtins = dict(vars(sys.modules["builtins"]))
        self._functions_used = (
            sys.settrace, sys.setprofile, sys.setrecursionlimit, sys.getrecursionlimit(), threading.settrace, threading.setprofile,
            gc.callbacks, open, object.__setattr__, type.__setattr__, type.__delattr__, dict.update, list, isinstance, type,
        )  # fmt: skip
        self._monitoring = _Monitoring()
        self._audit = _hold_audit_hooks()
        self._old = (sys.modules["browsergrad"], dict(vars(sys.modules["browsergrad"])))

    def _deep(self, imports: list[str]) -> set[str]:
        """Modules whose functions and classes are stored too, not only their names."""
        return {*RESTORED, *imports, "unittest.mock", "statistics"} & set(self._loaded)

    def restore(self) -> None:
        """Restore everything."""
        (settrace, setprofile, set_limit, limit, thread_trace, thread_profile, callbacks, read, set_attribute, set_class,
         delete_class, update, as_list, is_a, kind_of) = self._functions_used  # fmt: skip
        settrace(None)
        setprofile(None)
        self._monitoring.free()
        self._audit.clear()
        callbacks.clear()
        for _, module, here, names in self._saved:
            if kind_of(module) is not ModuleType:
                set_attribute(module, "__class__", ModuleType)
            update(here, names)
        here = self._builtins_dict()
        for extra in [each for each in here if each not in self._builtins]:
            del here[extra]
        for function, code, defaults, kwdefaults in self._functions:
            if function.__code__ is not code:
                function.__code__ = code
            if function.__defaults__ is not defaults:
                function.__defaults__ = defaults
            if function.__kwdefaults__ is not kwdefaults:
                function.__kwdefaults__ = kwdefaults
        for kind, names in self._classes:
            now = kind.__dict__
            for name in [each for each in now if each not in names and each not in CLASS_OWN]:
                delete_class(kind, name)
            for name, value in names.items():
                if now.get(name) is not value:
                    set_class(kind, name, value)
        set_limit(limit)
        thread_trace(None)
        thread_profile(None)
        sys.modules = self._modules
        for each, content in self._lists:
            each[:] = content
        sys.meta_path, sys.path_hooks, sys.path = (each for each, _ in self._lists)
        sys.path[:] = [each for each in sys.path if each not in self._here]
        self._importers.clear()
        sys.path_importer_cache = self._importers
        for name in as_list(self._modules):
            first = name.partition(".")[0] if is_a(name, str) else ""
            if name not in self._loaded and (first in self._known or first in FRESH or not is_a(name, str)):
                del self._modules[name]
        update(self._modules, self._loaded)
        update(self._modules, {name: module for name, module in self._own.items()})
        path, text = self._handed
        with read(path, "w", encoding="utf-8") as file:
            file.write(text)
        self._renew()

    def _builtins_dict(self) -> dict[str, Any]:
        return next(here for name, _, here, _ in self._saved if name == "builtins")

    def _renew(self) -> None:
        """Make `browsergrad` and `json` again from their code, without the import system."""
        fresh: dict[str, ModuleType] = {}

        def find(name: str) -> ModuleType:
            if name not in self._code:
                return self._loaded[name]
            if name not in fresh:
                place, package, code = self._code[name]
                module = fresh[name] = self._modules[name] = ModuleType(name)
                module.__file__ = place
                module.__package__ = name if package else name.rpartition(".")[0]
                if package:
                    module.__path__ = []
                vars(module)["__builtins__"] = {**self._builtins, "__import__": load}
                exec(code, vars(module))
                parent, _, last = name.rpartition(".")
                if parent:
                    setattr(find(parent), last, module)
            return fresh[name]

        def load(name: str, names: Any = None, local: Any = None, wanted: Any = (), level: int = 0) -> Any:
            base = names["__package__"] if level else ""
            whole = f"{base}.{name}" if base and name else base or name
            if whole not in self._code and whole not in self._loaded:
                return self._builtins["__import__"](name, names, local, wanted, level)
            module = find(whole)
            for each in wanted or ():
                if each not in vars(module) and f"{whole}.{each}" in self._code:
                    find(f"{whole}.{each}")
            return module if wanted or level else find(whole.partition(".")[0])

        for name in list(self._code):
            if name in self._modules:
                del self._modules[name]
        for name in self._code:
            find(name)

    def replaced(self, names: Mapping[str, Any]) -> dict[str, Any]:
        """A student's names, with new objects for those that come from `browsergrad`."""
        module, old = self._old
        fresh = self._modules["browsergrad"]
        there = {id(value): vars(fresh).get(name, value) for name, value in old.items() if not name.startswith("__")}
        there[id(module)] = fresh
        return {name: there.get(id(value), value) for name, value in names.items()}

    def module(self, name: str) -> ModuleType:
        """A module that is made again."""
        return self._modules[name]


def _try_import(load: Callable[[str], Any], name: str) -> None:
    try:
        load(name)
    except ImportError:  # the rubric reports it
        return


def _make_own(name: str, source: str) -> ModuleType:
    """A module of the lab, from its text."""
    module = ModuleType(name)
    module.__file__ = f"{name.replace('.', '/')}.py"
    sys.modules[name] = module
    exec(compile(source, module.__file__, "exec", dont_inherit=True), vars(module))
    return module


def _inner_of(names: list[dict[str, Any]]) -> tuple[list[Any], list[Any]]:
    """The inner parts of functions, and the contents of classes."""
    functions: dict[int, Any] = {}
    classes: dict[int, Any] = {}

    def add(value: Any) -> None:
        value = getattr(value, "__func__", value) if type(value) in (classmethod, staticmethod) else value
        if type(value) is FunctionType:
            functions[id(value)] = (value, value.__code__, value.__defaults__, value.__kwdefaults__)

    for module in names:
        for value in list(module.values()):
            add(value)
            if isinstance(value, type) and value.__flags__ & HEAP_TYPE and id(value) not in classes:
                inside = {name: part for name, part in value.__dict__.items() if name not in CLASS_OWN}
                if not value.__flags__ & IMMUTABLE_TYPE:
                    classes[id(value)] = (value, inside)
                for part in inside.values():
                    add(part)
    return list(functions.values()), list(classes.values())


class _Monitoring:
    """The functions of `sys.monitoring`, stored at the start."""

    def __init__(self) -> None:
        tools = getattr(sys, "monitoring", None)
        self._tools = tools
        if tools is not None:
            self._calls = (tools.get_tool, tools.set_events, tools.register_callback, tools.free_tool_id)
            self._events = [value for name, value in vars(tools.events).items() if type(value) is int and value]

    def free(self) -> None:
        """Remove all tools."""
        if self._tools is None:
            return
        get_tool, set_events, register, free = self._calls
        for number in range(6):
            if get_tool(number) is not None:
                set_events(number, 0)
                for event in self._events:
                    if event & (event - 1) == 0:
                        register(number, event, None)
                free(number)


def _hold_audit_hooks() -> list[Any]:
    """Let audit hooks be added as usual, but so that they can be removed, which Python does not offer."""
    hooks: list[Any] = []
    add = sys.addaudithook
    held = False

    def run(event: str, arguments: tuple[Any, ...]) -> None:
        for hook in hooks[:]:
            hook(event, arguments)

    def addaudithook(hook: Any) -> None:
        nonlocal held
        if not held:
            add(run)
            held = True
        hooks.append(hook)

    sys.addaudithook = addaudithook
    return hooks


def make_grade(
    key: str, namespace: Callable[[], Mapping[str, Any]], own: dict[str, Any], kept: Kept
) -> Callable[[str, str, str], str]:
    """Return the function that runs the rubric here.

    Parameters
    ----------
    key
        Signs results.
    namespace
        Gives the student's names.
    own
        The very globals of the student's functions.
    kept
        Restores the original state before the rubric runs.
    """
    from binascii import b2a_base64

    from browsergrad_kernel.interrupts import CellTimeoutError

    sign = _signer(key)

    def grade(rubric: str, filename: str, challenge: str) -> str:
        kept.restore()
        names = kept.replaced(namespace())
        dumps = kept.module("json").dumps
        # Nobody presses Stop here: any other KeyboardInterrupt was raised by what the rubric called.
        content = kept.module("browsergrad.hosting").run_rubric(rubric, names, filename, CellTimeoutError, own)
        written, room = [], MAX_ASSERTIONS
        for each in map(dumps, content["assertions"]):
            room -= len(each)
            if room < 0:
                break
            written.append(each)
        whole = f'{{"assertions": [{", ".join(written)}], "counts": {dumps(content["counts"])}}}'
        if "points" in content:
            whole = f'{whole[:-1]}, "points": {dumps(content["points"])}}}'
        text = b2a_base64(whole.encode(), newline=False).decode()
        return sign(f"{challenge}\n", rubric, f"\n{text}") + text

    return grade


def make_serve(
    key: str, namespace: Callable[[], Mapping[str, Any]], kept: Kept, exchange: Callable[[str], str]
) -> Callable[[str, str, str], str]:
    """Return the function that answers a rubric which runs in another interpreter."""
    from json import loads

    from .student_side import serve  # type: ignore[import-not-found]  # a part of the program in the sandbox

    sign = _signer(key)

    def grade(words: str, filename: str, challenge: str) -> str:
        kept.restore()
        serve(exchange, namespace(), loads(words), sign(f"{challenge}\n", words, ""))
        return ""

    return grade


def _signer(key: str) -> Callable[[str, str, str], str]:
    from _sha2 import sha256  # type: ignore[import-not-found]  # since Python 3.12

    secret = key.encode()

    def sign(before: str, hashed: str, after: str) -> str:
        digest = sha256(hashed.encode()).hexdigest()
        inner = sha256(secret + f"{before}{digest}{after}".encode()).digest()
        signature: str = sha256(secret + inner).hexdigest()
        return signature

    return sign


def install(
    key: str,
    namespace: Callable[[], Mapping[str, Any]],
    own: dict[str, Any],
    kept: Kept,
    exchange: Callable[[str], str] | None = None,
) -> None:
    """Put the grader into the module `ENTRY`. With `exchange`, the rubric runs in another interpreter."""
    module = ModuleType(ENTRY)
    module.grade = (  # type: ignore[attr-defined]
        make_grade(key, namespace, own, kept) if exchange is None else make_serve(key, namespace, kept, exchange)
    )
    sys.modules[ENTRY] = module
