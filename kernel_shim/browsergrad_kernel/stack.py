"""The depth of calls: Python's own limit, and addresses of objects for the worker's stack guard (``stack_guard.ts``)."""

from __future__ import annotations

import _json
import _pickle
import ast
import builtins
import collections
import functools
import itertools
import sys
import types
from collections.abc import Iterable
from typing import Any

from . import nesting
from ._host import IN_PYODIDE

#: Depth of calls that fits into the memory of a page: so many calls, with a traceback, take about 500 MB.
MAX_CALLS = 1_000_000

_set_limit = sys.setrecursionlimit


def setrecursionlimit(limit: int, /) -> None:
    """Set the maximum depth of calls to `limit`, a million at most: more would end the page's memory."""
    _set_limit(min(limit, MAX_CALLS) if isinstance(limit, int) else limit)


def install() -> None:
    """Allow no recursion limit greater than memory allows. Does nothing on CPython."""
    if IN_PYODIDE:
        sys.setrecursionlimit = setrecursionlimit
        setrecursionlimit.__module__ = "sys"


def _holders() -> set[type]:
    """Return types whose objects can hold each other without end, at least one for each C function that deallocates."""
    errors = (BaseException, ImportError, NameError, AttributeError, OSError, StopIteration, SyntaxError, SystemExit)
    unicode_errors = (UnicodeDecodeError, UnicodeEncodeError, UnicodeTranslateError)
    iterators = (
        map,
        filter,
        zip,
        enumerate,
        reversed,
        itertools.chain,
        itertools.islice,
        itertools.cycle,
        itertools.starmap,
    )
    views: tuple[Any, ...] = ({}.keys(), {}.items(), {}.values())
    iterations = map(iter, ([], (), {}, "", set()))
    return {
        # All classes written in Python share these functions.
        type("Instance", (), {}), type("Error", (Exception,), {}), ast.Name, type,
        list, tuple, dict, set, frozenset, slice, property, staticmethod, classmethod, super, memoryview,
        collections.deque, collections.OrderedDict, collections.defaultdict, functools.partial, functools._lru_cache_wrapper,
        types.AsyncGeneratorType, types.BuiltinMethodType, types.CellType, types.CoroutineType, types.FrameType,
        types.FunctionType, types.GeneratorType, types.GenericAlias, types.MappingProxyType, types.MethodType,
        types.MethodWrapperType, types.SimpleNamespace, types.TracebackType, types.UnionType, BaseExceptionGroup,
        type(iter(int, 1)), *map(type, views), *map(type, iterations), *iterators, *errors, *unicode_errors,
    }  # fmt: skip


class _Finalized:
    def __del__(self) -> None:
        """Give the class the C function that CPython gives every class with this method."""


def guarded() -> dict[str, Any]:
    """Return the addresses, as `GuardedObjects` in ``stack_guard.ts`` describes them."""

    def each(objects: Iterable[Any]) -> list[int]:
        return [id(one) for one in objects]

    generators = (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)
    return {
        "dealloc": each(_holders()),
        "finalized": id(_Finalized),
        "compare": each((list, tuple, dict, collections.deque, types.SimpleNamespace)),
        "repr": each(
            (
                list,
                tuple,
                dict,
                set,
                frozenset,
                slice,
                collections.deque,
                functools.partial,
                types.MappingProxyType,
                types.SimpleNamespace,
                BaseException,
            )
        ),
        "str": each((BaseException,)),
        "hash": id(tuple),
        "function": id(types.FunctionType),
        "aFunction": id(guarded),
        "generators": each(generators),
        "builtins": each((builtins.__build_class__,)),
        "methods": each(
            (types.GeneratorType.send, types.GeneratorType.throw, types.CoroutineType.send, types.CoroutineType.throw)
        ),
        "evaluate": each((eval, exec)),
        "compile": id(compile),
        "pickle": each((_pickle.dumps, _pickle.dump)),
        "pickler": each((_pickle.Pickler.dump,)),
        "scanner": id(_json.make_scanner),
        "encoder": id(_json.make_encoder),
        "sources": each((str, bytes)),
        "check": id(nesting.check),
        "checkOnOneStack": id(nesting.check_on_one_stack),
        "prepareEval": id(nesting.prepare_eval),
        "prepareExec": id(nesting.prepare_exec),
    }
