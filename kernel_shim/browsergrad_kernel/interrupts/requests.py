"""Tells the worker about the beginning and the end of a request, and about its time limit."""

from __future__ import annotations

import signal

from .._host import host
from .handler import on_sigint
from .state import current


def begin(epoch: int, request: bool = False) -> None:
    """Accept interrupts for `epoch` from now on.

    Parameters
    ----------
    epoch
        Number of the request. Numbers increase and are never 0.
    request
        True for requests that do not run a cell. IPython's completer swallows KeyboardInterrupt. So the interrupt of such a
        request is offered again until the request ends.
    """
    current.clear()
    current.epoch = epoch
    if current.is_active:
        if signal.getsignal(signal.SIGINT) is not on_sigint:
            signal.signal(signal.SIGINT, on_sigint)
        host.begin(epoch, request)


def end(epoch: int) -> None:
    """Stop accepting interrupts for `epoch`."""
    current.epoch = 0
    current.clear()
    if current.is_active and host.end(epoch):
        current.interrupted_epochs.add(epoch)


def cell_starts_now() -> None:
    """Tell the worker that user code starts. The worker lets CPython ask for signals often until it knows how fast the code is."""
    if current.is_active:
        host.user_start()


def limit(seconds: float) -> None:
    """End the running cell with `CellTimeoutError` after `seconds`."""
    if current.is_active:
        host.limit(max(1, round(seconds * 1000)))
