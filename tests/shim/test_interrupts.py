"""Interrupts on CPython, with a stand-in for the worker: Python's decisions, and its reports to the worker."""

from __future__ import annotations

import asyncio
import signal
import sys
import types
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from browsergrad_kernel import _host, interrupts
from browsergrad_kernel.interrupts import cell, frames, handler, installation
from browsergrad_kernel.interrupts.state import Snapshot, current

EPOCH = 7
CELL, LIBRARY = "<cell of a test>", "<library of a test>"


class Worker:
    """Records Python's reports. Answers with `known`, and says that there is no further interrupt."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []
        self.known = Snapshot(was_hit=0, is_storm=0, is_for_idle=0, is_watch=0, limit_ms=0, loop_ms=0)
        self.further = False
        self.calls = 0

    def knows(self, **fields: int) -> None:
        self.known = self.known._replace(**fields)

    def interrupt_snapshot(self) -> str:
        self.calls += 1
        return " ".join(map(str, self.known))

    def interrupt_outcome(self, outcome: str) -> bool:
        self.calls += 1
        self.outcomes.append(outcome)
        return outcome == "swallowed" or (outcome == "seen" and self.further)

    def take_interrupt(self) -> bool:
        return self.further

    def begin(self, epoch: int, request: bool) -> None:
        """Begin a request."""

    def schedule_first(self) -> None:
        """Let the reply come before other tasks."""

    def end(self, epoch: int) -> bool:
        return "raised" in self.outcomes or "thrown" in self.outcomes


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    kept = signal.getsignal(signal.SIGINT)
    worker = Worker()
    _host.install(worker)
    monkeypatch.setattr(current, "is_active", True)
    monkeypatch.setattr(current, "interrupted_epochs", set())
    installation.mark_ours()
    frames.mark_runs_cells(run_code)
    frames.register_cell_file(CELL)
    monkeypatch.setattr(frames, "soft_files", {LIBRARY})
    monkeypatch.setattr(cell, "eager_task", lazy_task)  # Python 3.11 does not have eager tasks.
    interrupts.begin(EPOCH)
    yield worker
    interrupts.end(EPOCH)
    signal.signal(signal.SIGINT, kept)


def lazy_task(coroutine: Any, context: Any = None) -> asyncio.Task[Any]:
    return asyncio.get_running_loop().create_task(coroutine, context=context)


def press() -> None:
    """Do what CPython does when the worker says SIGINT."""
    signal.raise_signal(signal.SIGINT)


def function(source: str, filename: str) -> Callable[..., Any]:
    """Return the function `f` that `source` defines in a file of that name."""
    namespace: dict[str, Any] = {"press": press, "asyncio": asyncio}
    exec(compile(source, filename, "exec"), namespace)
    found: Callable[..., Any] = namespace["f"]
    return found


USERS = function("def f(then=press): then()", CELL)
LIBRARYS = function("import signal\ndef f(): signal.raise_signal(signal.SIGINT)", LIBRARY)


def run_code(code: Callable[..., Any], *args: Any) -> Any:
    """Calls the user's code, as IPython's `run_code` does."""
    return code(*args)


def is_raised(call: Callable[..., Any], *args: Any) -> bool:
    try:
        call(*args)
    except KeyboardInterrupt:
        return True
    return False


def test_user_code_is_interrupted_and_libraries_that_it_calls(worker: Worker) -> None:
    worker.further = True
    assert is_raised(run_code, USERS)
    assert is_raised(run_code, USERS, function("def f(): press()", "<any other library>"))
    assert worker.outcomes == ["raised", "seen", "raised"]


@pytest.mark.parametrize("bookkeeping", [lambda: run_code(press), press])
def test_bookkeeping_is_not_interrupted(worker: Worker, bookkeeping: Callable[[], None]) -> None:
    assert not is_raised(bookkeeping)
    assert worker.outcomes == ["deferred"]


def test_a_call_may_be_interrupted_anywhere(worker: Worker) -> None:
    assert is_raised(interrupts.call, press)


def test_code_of_ours_that_is_protected_is_not_interrupted_but_user_code_that_it_calls_is(worker: Worker) -> None:
    def protected(then: Callable[[], None]) -> None:
        then()

    interrupts.protect(protected)
    assert not is_raised(run_code, USERS, lambda: protected(press))
    assert is_raised(run_code, lambda: protected(USERS))
    assert worker.outcomes == ["deferred", "raised"]


def test_nothing_is_interrupted_in_an_uninterruptible_block_until_its_limit(worker: Worker) -> None:
    with interrupts.uninterruptible():
        assert not is_raised(run_code, USERS)
    with interrupts.uninterruptible(limit=0):
        assert is_raised(run_code, USERS)


def test_an_interrupt_in_asyncios_own_code_waits_but_not_for_long_nor_in_a_storm(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not is_raised(run_code, USERS, LIBRARYS)
    worker.knows(is_storm=1)
    assert is_raised(run_code, USERS, LIBRARYS)
    worker.knows(is_storm=0)
    worker.further = True
    monkeypatch.setattr(handler, "SOFT_GRACE", 0)
    assert is_raised(run_code, USERS, LIBRARYS)


def test_the_handler_takes_two_calls_of_the_worker_to_decide(worker: Worker) -> None:
    run_code(press)
    assert worker.calls == 2
    assert is_raised(run_code, USERS)
    assert worker.calls == 4


def test_an_exception_that_was_seen_is_not_raised_again(worker: Worker) -> None:
    assert is_raised(run_code, USERS)
    assert not is_raised(run_code, USERS)
    assert worker.outcomes == ["raised", "seen"]


def test_a_further_press_is_decided_on_when_the_exception_before_was_seen(worker: Worker) -> None:
    assert is_raised(run_code, USERS)
    worker.further = True
    assert is_raised(run_code, USERS)
    assert worker.outcomes == ["raised", "seen", "raised"]


def test_an_exception_that_never_left_the_handler_is_raised_again(worker: Worker) -> None:
    with pytest.raises(KeyboardInterrupt) as raised:
        run_code(USERS)
    ours = raised.value.__traceback__
    while ours is not None and ours.tb_frame.f_code is not handler.on_sigint.__code__:
        ours = ours.tb_next
    raised.value.__traceback__ = ours  # as if C code had dropped the exception where it called the handler
    assert is_raised(run_code, USERS)
    assert worker.outcomes == ["raised", "swallowed", "raised"]


def test_an_exception_that_python_drops_is_reported_and_others_are_printed(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed: list[Any] = []
    monkeypatch.setattr(sys, "__unraisablehook__", printed.append)
    other = types.SimpleNamespace(exc_type=ValueError)
    handler.on_unraisable(types.SimpleNamespace(exc_type=KeyboardInterrupt))
    handler.on_unraisable(other)
    assert (worker.outcomes, printed) == (["lost"], [other])


def test_the_exception_at_a_time_limit_names_it(worker: Worker) -> None:
    worker.knows(limit_ms=1500)
    with pytest.raises(interrupts.CellTimeoutError, match=r"longer than its limit of 1\.5 s"):
        run_code(USERS)


def test_a_blocking_call_takes_an_interrupt_if_there_is_one(worker: Worker) -> None:
    assert not is_raised(run_code, USERS, interrupts.poll)
    worker.further = True
    assert is_raised(run_code, USERS, interrupts.poll)


def test_an_interrupt_that_came_through_javascript_or_c_code_is_recognised(worker: Worker) -> None:
    through_c = SystemError("a function returned a result with an exception set")
    through_c.__cause__ = KeyboardInterrupt()
    through_javascript = type("JsException", (Exception,), {"type": "KeyboardInterrupt"})()
    users = ValueError()
    worker.knows(was_hit=1)
    assert isinstance(interrupts.itself(through_c), KeyboardInterrupt)
    assert isinstance(interrupts.itself(through_javascript), KeyboardInterrupt)
    assert interrupts.itself(users) is users
    worker.knows(was_hit=0)
    assert interrupts.itself(through_c) is through_c


def in_loop(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run `main` in an event loop that leaves Ctrl+C to our handler."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(main())
    finally:
        loop.close()


def awaiting(source: str, worker: Worker, then: Callable[[], Any]) -> Any:
    """Run a cell that awaits, and `then` meanwhile. Return what the cell returns or raises, and what `then` returns."""

    async def main() -> Any:
        running = asyncio.ensure_future(interrupts.run_cell(function(source, CELL)()))
        while current.cell is None or not current.cell.is_started:
            await asyncio.sleep(0)
        said = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(
            lambda: said.set_result(then())
        )  # The worker calls it outside of all tasks.
        try:
            return await running, await said
        except BaseException as error:
            return error, await said

    return in_loop(main)


FOREVER = "async def f(): await asyncio.Event().wait()"


def test_a_cell_that_awaits_is_cancelled_and_gets_an_interrupt(worker: Worker) -> None:
    error, said = awaiting(FOREVER, worker, lambda: handler.on_idle(EPOCH))
    assert isinstance(error, KeyboardInterrupt) and isinstance(error, asyncio.CancelledError)
    assert (said, worker.outcomes) == ("wait", ["thrown"])


def test_a_further_press_does_not_wait_for_a_cancellation_that_is_ignored(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "CANCEL_GRACE", 0)
    stubborn = """
class Ignores(asyncio.Future):
    def cancel(self, msg=None): return True
async def f():
    await Ignores()
"""

    def twice() -> list[str]:
        return [handler.on_idle(EPOCH, True), handler.on_idle(EPOCH, False), handler.on_idle(EPOCH, True)]

    error, said = awaiting(stubborn, worker, twice)
    assert isinstance(error, KeyboardInterrupt)
    assert (said, worker.outcomes) == (["wait", "wait", "wait"], ["thrown"])


def test_on_idle_finds_nothing_to_stop_where_no_cell_of_that_request_awaits(worker: Worker) -> None:
    assert handler.on_idle(EPOCH + 1) == "drop"
    assert handler.on_idle(EPOCH) == "defer"  # The cell has not started.
    assert awaiting("async def f(): await asyncio.sleep(0)", worker, lambda: None) == (None, None)
    assert handler.on_idle(EPOCH) == "drop"


def test_on_idle_waits_for_an_uninterruptible_block(worker: Worker) -> None:
    with interrupts.uninterruptible():
        assert handler.on_idle(EPOCH) == "defer"


def task(worker: Worker, epoch: int) -> bool:
    """Interrupt a task that a cell of the request `epoch` has made. Return whether that raised an exception in the task."""

    async def main() -> bool:
        token = frames.cell_epoch.set(epoch)
        done = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(lambda: done.set_result(is_raised(USERS)))
        frames.cell_epoch.reset(token)
        return await done

    return bool(in_loop(main))


@pytest.mark.parametrize(
    ("epoch", "loop_ms", "raises", "outcome"),
    [
        (EPOCH, 2, False, "deferred"),
        (EPOCH, 3, True, "raised"),
        (EPOCH - 1, 500, False, "deferred"),
        (EPOCH - 1, 501, True, "deferred"),
    ],
)
def test_a_task_is_interrupted_only_if_it_blocks_the_loop(
    worker: Worker, epoch: int, loop_ms: int, raises: bool, outcome: str
) -> None:
    worker.knows(loop_ms=loop_ms)
    assert task(worker, epoch) is raises
    assert worker.outcomes == [outcome]


@pytest.mark.parametrize(
    ("known", "interrupted", "raises"),
    [
        ({"loop_ms": 501}, False, False),
        ({"loop_ms": 501}, True, True),
        ({"loop_ms": 500}, True, False),
        ({"loop_ms": 501, "is_for_idle": 1}, False, True),
    ],
)
def test_a_task_of_the_idle_kernel_is_stopped_if_somebody_wanted_that(
    worker: Worker, known: dict[str, int], interrupted: bool, raises: bool
) -> None:
    if interrupted:
        assert is_raised(run_code, USERS)
    interrupts.end(EPOCH)
    worker.outcomes.clear()
    worker.knows(**known)
    assert task(worker, EPOCH) is raises
    assert worker.outcomes == ["stopped-task" if raises else "ignored"]


@pytest.mark.parametrize(
    ("epoch", "loop_ms", "cancelling", "raises"),
    [
        (EPOCH - 1, 501, False, True),
        (EPOCH - 1, 500, False, False),
        (EPOCH, 501, False, False),
        (EPOCH, 501, True, True),
    ],
)
def test_a_task_that_blocks_the_end_of_an_interrupted_cell_is_stopped(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, epoch: int, loop_ms: int, cancelling: bool, raises: bool
) -> None:
    monkeypatch.setattr(current, "cell", types.SimpleNamespace(is_cancelling=cancelling))
    worker.knows(loop_ms=loop_ms, is_watch=1, was_hit=1)
    assert task(worker, epoch) is raises
    assert worker.outcomes == ["stopped-task" if raises else "ignored"]


def test_the_next_cell_need_not_wait_for_a_task_of_an_interrupted_one(worker: Worker) -> None:
    worker.knows(loop_ms=501, is_watch=1)
    assert not task(worker, EPOCH - 1)
    current.interrupted_epochs.add(EPOCH - 1)
    assert task(worker, EPOCH - 1)
    assert worker.outcomes == ["ignored", "stopped-task"]


def test_code_of_the_cell_itself_is_not_interrupted_for_tasks(worker: Worker) -> None:
    worker.knows(loop_ms=501, is_watch=1)
    assert not is_raised(run_code, USERS)
    assert worker.outcomes == ["ignored"]
