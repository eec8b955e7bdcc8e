"""Runs many jobs: in threads of this process, each of which watches one sandbox, or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

from ..errors import GradingError
from .apart.pool import close_all
from .run import Job, end_sandboxes, run_job

__all__ = ["JobRunner", "open_runner"]


class JobRunner:
    """Runs jobs with an executor.

    Parameters
    ----------
    executor
        Threads, or a cluster.
    window
        How many jobs are submitted at a time. Memory holds no more submissions than these.
    """

    def __init__(self, executor: Executor, window: int) -> None:
        self._executor = executor
        self._window = window
        self._running: dict[Future[dict[str, Any]], Job] = {}

    def run(self, jobs: Iterable[Callable[[], Job]]) -> Iterator[tuple[Job, dict[str, Any] | Exception]]:
        """Run jobs, and yield each with its result when it is done, in any order. An exception means that the runner failed."""
        waiting = iter(jobs)
        running = self._running
        try:
            while True:
                while len(running) < self._window and (make := next(waiting, None)) is not None:
                    job = make()
                    running[self._executor.submit(run_job, job)] = job
                if not running:
                    return
                # A wait without a timeout may not notice Ctrl-C.
                done, _ = wait(running, timeout=1, return_when=FIRST_COMPLETED)
                for future in done:
                    job = running.pop(future)
                    error = future.exception()
                    if error is not None and not isinstance(error, Exception):
                        raise error
                    yield job, future.result() if error is None else error
        finally:
            for future in running:
                future.cancel()

    def give_up(self) -> None:
        """End the jobs that run in this process: each could take a minute to its own end."""
        for future in self._running:
            future.cancel()
        close_all()
        while wait(self._running, timeout=0.1).not_done:
            end_sandboxes()


@contextmanager
def open_runner(jobs: int, dask: str | None = None) -> Iterator[JobRunner]:
    """Open a runner: for `jobs` sandboxes at a time in this process, or for the cluster whose scheduler has the address `dask`.

    Raises
    ------
    GradingError
        Dask is not installed, or does not answer.
    """
    if dask is None:
        with ThreadPoolExecutor(jobs, thread_name_prefix="grade") as executor:
            runner = JobRunner(executor, 2 * jobs)
            try:
                yield runner
            except BaseException:
                runner.give_up()
                raise
            finally:
                close_all()
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise GradingError('--dask needs Dask: pip install "jupyterlite-browsergrad[dask]"') from error
    try:
        client = Client(dask, set_as_default=False)
    except (OSError, ValueError) as error:
        raise GradingError(f"no Dask scheduler answers at {dask}: {error}") from error
    with client:
        threads = sum(client.nthreads().values())
        if not threads:
            raise GradingError(f"the Dask cluster at {dask} has no workers: start some")
        # Not pure, so that equal submissions are graded separately. No retries: they would not help after the death of a worker.
        with client.get_executor(pure=False, retries=0) as executor:
            yield JobRunner(executor, 4 * threads)
