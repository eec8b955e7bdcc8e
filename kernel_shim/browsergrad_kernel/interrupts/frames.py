"""Classifies the frame that a signal has interrupted, to decide whether an exception may be raised there."""

from __future__ import annotations

import contextvars
import enum
from types import CodeType, FrameType
from typing import Any

from .state import current


class FrameKind(enum.Enum):
    """Whose code was interrupted."""

    #: Code of a cell, or code that it calls.
    USER = "user"
    #: Bookkeeping of the kernel, of IPython or of the event loop. An exception would leave it incomplete.
    KERNEL = "kernel"
    #: Code of a cell, but called by the event loop: a task or a callback. An exception would not reach the cell.
    TASK = "task"


#: Epoch of the cell that created the running task.
cell_epoch: contextvars.ContextVar[int] = contextvars.ContextVar("browsergrad_cell_epoch", default=0)

#: File names of asyncio and other libraries: an interrupt there waits for a better moment, but not for long.
soft_files: set[str] = set()

#: Code of functions that call the user's compiled code directly.
_runs_cells: set[CodeType] = set()
#: Code of functions whose callees may be interrupted anywhere.
_regions: set[CodeType] = set()
#: Code of functions that must not be interrupted, and neither must the kernel's code that they call.
_protected: set[CodeType] = set()
#: Code of the signal handler.
_handler: set[CodeType] = set()
#: File names of the user's code.
_cell_files: set[str] = set()


def classify(frame: FrameType | None) -> FrameKind:
    """Return whose code `frame` runs. Looks at this frame and then at its callers, until one of them decides."""
    if current.is_protected():
        return FrameKind.KERNEL
    seen_user = False
    while frame is not None:
        code = frame.f_code
        if code in _protected and not seen_user:
            return FrameKind.KERNEL
        if code in _regions:
            return FrameKind.USER
        if code in _runs_cells:
            return FrameKind.USER if seen_user else FrameKind.KERNEL
        if not seen_user and code.co_filename in _cell_files:
            seen_user = True
        frame = frame.f_back
    return FrameKind.TASK if seen_user else FrameKind.KERNEL


def is_soft(frame: FrameType) -> bool:
    """Whether `frame` runs code of a library in which an interrupt waits for a better moment."""
    return frame.f_code.co_filename in soft_files


def _codes(functions: tuple[Any, ...]) -> set[CodeType]:
    return {function.__code__ for function in functions if hasattr(function, "__code__")}


def mark_runs_cells(*functions: Any) -> None:
    """Mark functions that call the user's compiled code directly."""
    _runs_cells.update(_codes(functions))


def mark_handler(*functions: Any) -> None:
    """Mark the functions of the signal handler. `has_left_handler` uses the marks."""
    _handler.update(_codes(functions))


def protect(*functions: Any) -> None:
    """Mark functions that must not be interrupted. User code that they call can be."""
    _protected.update(_codes(functions))


def protect_methods(owner: Any, *names: str) -> None:
    """Mark methods of another project that must not be interrupted. Skips methods that do not exist."""
    protect(*(getattr(owner, name, None) for name in names))


def has_left_handler(error: BaseException) -> bool:
    """Whether an exception that the handler raised has reached code outside of it.

    C code may drop the exception: ``int("a")`` formats its error, which asks for signals inside ``repr``, and the next
    ``PyErr_Format`` clears the exception. A traceback begins with its outermost frame. If that is a frame of the handler,
    the exception has never left it.
    """
    traceback = error.__traceback__
    return traceback is None or traceback.tb_frame.f_code not in _handler


def register_cell_file(filename: str) -> None:
    """Treat code with the file name `filename` as the user's."""
    _cell_files.add(filename)


def is_cell_file(filename: str) -> bool:
    """Whether code with the file name `filename` is the user's."""
    return filename in _cell_files


def forget_cell_files() -> None:
    """Forget all file names of cells."""
    _cell_files.clear()


def _region(function: Any, args: tuple[Any, ...]) -> Any:
    return function(*args)


_regions.add(_region.__code__)


def call(function: Any, *args: Any) -> Any:
    """Run a synchronous function that may be interrupted anywhere.

    Raises
    ------
    KeyboardInterrupt
        The function was interrupted.
    """
    return _region(function, args)
