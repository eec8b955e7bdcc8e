"""``check``: report the outcome of a block or a function as one assertion."""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, ParamSpec, TypeVar, cast

from . import _sink
from ._points import add_worth, checked_points, plain
from ._report import add_feedback, checked_name
from ._text import encodable, limited_repr, limited_str, limited_traceback

_P = ParamSpec("_P")
_R = TypeVar("_R")


class check:
    """Report the outcome of a block, or of each call of a function, and how long it took.

    Use ``with check(name):`` or ``@check(name)``, which also decorates coroutine functions. If the block
    reaches its end, the assertion is a pass. An `AssertionError` makes it a fail, with both sides of ``==``
    if they can be read without running code. Any other exception makes it an error. The exception is
    caught, unless it is meant to end more than the block, like `KeyboardInterrupt` and `SystemExit`. If the
    call of a decorated function fails, it returns None.

    Parameters
    ----------
    name
        What is checked; not empty.
    points
        Points for a pass. Otherwise the check earns the points that were given to `earn`.
    group
        The exercise that the check belongs to; points are added up for each.
    feedback_pass, feedback_fail
        Texts for the student: the first is shown with a pass, the second with a fail or an error.
    """

    def __init__(
        self,
        name: str,
        points: float | None = None,
        group: str | None = None,
        *,
        feedback_pass: str | None = None,
        feedback_fail: str | None = None,
    ) -> None:
        self.name = checked_name(name)
        self.points = points
        self.group = group
        # A wrong number raises an error here, and not only when the check fails.
        add_worth({"kind": "pass"}, points, group)
        for what, text in (("feedback_pass", feedback_pass), ("feedback_fail", feedback_fail)):
            add_feedback({}, text, what)
        self.feedback_pass = feedback_pass
        self.feedback_fail = feedback_fail
        self._starts: list[float] = []
        #: Points that the running blocks have earned so far, the innermost block last.
        self._earned: list[float] = []

    def __enter__(self) -> check:
        self._starts.append(time.perf_counter())
        self._earned.append(0)
        return self

    def earn(self, points: float) -> None:
        """Give a part of the points before the block ends. The block keeps them if it fails later.

        ``with bg.check("sorts", points=3) as part:`` and then ``part.earn(1)`` after the first assert. It may be called more than
        once; together it gives no more than the check is worth.

        Raises
        ------
        TypeError, ValueError
            `points` is not a number from 0 on, or the check has no points.
        RuntimeError
            It is called outside the block.
        """
        more = checked_points(points)
        if self.points is None:
            raise ValueError("earn needs a check with points, such as bg.check(name, points=2)")
        if not self._earned:
            raise RuntimeError("earn works inside the block of `with bg.check(…) as part:`")
        self._earned[-1] = min(plain(self._earned[-1] + more), checked_points(self.points))

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        frames: TracebackType | None,
    ) -> bool:
        event: dict[str, Any] = {"name": self.name, "durationMs": (time.perf_counter() - self._starts.pop()) * 1000}
        earned = self._earned.pop()
        if exc is None:
            event["kind"] = "pass"
        elif isinstance(exc, AssertionError):
            event["kind"] = "fail"
            event.update(_failure(exc, frames))
        else:
            event["kind"] = "error"
            text = limited_str(exc)
            event["message"] = f"{type(exc).__name__}: {text}" if text else type(exc).__name__
            event["traceback"] = limited_traceback(exc, _without_ours(frames))
        add_feedback(event, self.feedback_pass if exc is None else self.feedback_fail)
        _sink.emit("assertion", add_worth(event, self.points, self.group, None if self.points is None else earned))
        return isinstance(exc, Exception)

    def _again(self) -> check:
        """The same check, for one call of a function."""
        texts = {"feedback_pass": self.feedback_pass, "feedback_fail": self.feedback_fail}
        return check(self.name, self.points, self.group, **texts)

    def __call__(self, function: Callable[_P, _R]) -> Callable[_P, _R | None]:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError("@check takes no generator function: use `with check(name):` inside it")
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def run_async(*args: _P.args, **kwargs: _P.kwargs) -> Any:
                with self._again():
                    return await function(*args, **kwargs)
                return None

            return cast("Callable[_P, _R | None]", run_async)

        @functools.wraps(function)
        def run(*args: _P.args, **kwargs: _P.kwargs) -> _R | None:
            with self._again():
                return function(*args, **kwargs)
            return None

        return run


def _without_ours(frames: TracebackType | None) -> TracebackType | None:
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    return frames


def _failure(exc: AssertionError, frames: TracebackType | None) -> dict[str, str]:
    """Message, ``expectedRepr`` and ``actualRepr`` of a failed ``assert``."""
    event = {"message": limited_str(exc)}
    statement = None
    if frames is not None:
        while frames.tb_next is not None:
            frames = frames.tb_next
        statement = _assert_at(frames)
    if frames is not None and statement is not None:
        event.update(_sides(statement.test, frames.tb_frame))
        event["message"] = event["message"] or encodable(f"assert {ast.unparse(statement.test)}")
    event["message"] = event["message"] or "assertion failed"
    return event


def _assert_at(frames: TracebackType) -> ast.Assert | None:
    """The ``assert`` statement that raised, read from its source."""
    filename = frames.tb_frame.f_code.co_filename
    source = "".join(linecache.getlines(filename, frames.tb_frame.f_globals))
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        tree = compile(source, filename, "exec", flags, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found = None
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and node.lineno <= frames.tb_lineno <= (node.end_lineno or 0):
            found = node
    return found


def _sides(test: ast.expr, frame: FrameType) -> dict[str, str]:
    if not (isinstance(test, ast.Compare) and len(test.ops) == 1):
        return {}
    if not isinstance(test.ops[0], (ast.Eq, ast.Is)):
        return {}
    actual, expected = test.left, test.comparators[0]
    if isinstance(actual, ast.Constant) and not isinstance(expected, ast.Constant):
        actual, expected = expected, actual
    sides: dict[str, str] = {}
    for key, node in (("expectedRepr", expected), ("actualRepr", actual)):
        try:
            sides[key] = limited_repr(_read(node, frame))
        except _Unreadable:
            continue
    return sides


class _Unreadable(Exception):
    """A value cannot be read without running the user's code again."""


def _read(node: ast.expr, frame: FrameType) -> Any:
    """The value of an expression, computed without running user code.

    Raises
    ------
    _Unreadable
        Computing it would run user code.
    """
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            for scope in (frame.f_locals, frame.f_globals, frame.f_builtins):
                if node.id in scope:
                    return scope[node.id]
        case ast.List():
            return [_read(item, frame) for item in node.elts]
        case ast.Tuple():
            return tuple(_read(item, frame) for item in node.elts)
        case ast.Dict() if None not in node.keys:
            keys = [_plain(_read(key, frame)) for key in node.keys if key is not None]
            return dict(zip(keys, [_read(value, frame) for value in node.values], strict=True))
        case ast.Set():
            return {_plain(_read(item, frame)) for item in node.elts}
        case ast.UnaryOp(op=ast.USub()):
            value = _read(node.operand, frame)
            if type(value) in (int, float, complex):
                return -value
        case ast.Attribute():
            return _attribute(_read(node.value, frame), node.attr)
        case ast.Subscript():
            return _item(_read(node.value, frame), _plain(_read(node.slice, frame)))
        case ast.NamedExpr():
            return _read(node.target, frame)
    raise _Unreadable


def _plain(key: Any) -> Any:
    """`key`, if hashing and comparing it run no user code."""
    if type(key) in (str, bytes, int, float, bool, type(None)):
        return key
    raise _Unreadable


def _attribute(owner: Any, name: str) -> Any:
    try:
        found = inspect.getattr_static(owner, name)
    except Exception:  # a broken class body or metaclass: nothing to read
        raise _Unreadable from None
    if hasattr(type(found), "__get__"):  # a property or method: reading it runs code
        raise _Unreadable
    return found


def _item(owner: Any, key: Any) -> Any:
    if type(owner) not in (list, tuple, dict, str, bytes):
        raise _Unreadable
    if type(owner) is dict and not all(type(other) in (str, bytes, int, float, bool) for other in owner):
        raise _Unreadable
    try:
        return owner[key]
    except (LookupError, TypeError):
        raise _Unreadable from None
