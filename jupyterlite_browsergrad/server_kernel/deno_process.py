"""The Deno process of a sandbox and the three pipes to it."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable
from threading import Event
from typing import IO, Any

from browsergrad.hosting import visible

from . import frames
from .deno import ENVIRONMENT, SandboxError, usage
from .outgoing import Outgoing

__all__ = ["DenoProcess"]


class DenoProcess:
    """One Deno process. Frames that are sent before `start` wait for it.

    Parameters
    ----------
    on_line
        Called with each line that Deno writes about itself.
    """

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._process: subprocess.Popen[bytes] | None = None
        self._outgoing = Outgoing()
        #: The last lines that Deno wrote about itself.
        self._lines: list[str] = []
        #: Set when Deno has written its last line about itself.
        self._said = Event()

    def start(self, command: list[str]) -> None:
        """Start Deno.

        Raises
        ------
        SandboxError
            It cannot be started.
        """
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=ENVIRONMENT,
                cwd="/",
                # Interrupts of the terminal or of Jupyter are meant for us, not for Deno.
                start_new_session=True,
            )
        except OSError as error:
            raise SandboxError(f"{command[0]} could not be started: {error}") from error

    @property
    def pid(self) -> int | None:
        """The id of the process; None before the start."""
        return self._process.pid if self._process else None

    @property
    def held_bytes(self) -> int:
        """Number of bytes that Deno has not taken yet."""
        return self._outgoing.held_bytes

    @property
    def output(self) -> IO[bytes]:
        """The pipe from which frames are read."""
        assert self._process is not None and self._process.stdout is not None
        return self._process.stdout

    def usage(self) -> tuple[int, int]:
        """Bytes of memory and number of threads."""
        assert self._process is not None
        return usage(self._process.pid)

    def send(
        self, frame: dict[str, Any], buffers: list[bytes] | None = None, taken: Callable[[], None] | None = None
    ) -> None:
        """Put a frame into the queue. `taken` is called once Deno has taken it."""
        self._outgoing.put(frames.pieces(frame, buffers), taken)

    def write(self) -> None:
        """Write frames until `close` is called. Runs in a thread."""
        assert self._process is not None and self._process.stdin is not None
        self._outgoing.write_to(self._process.stdin)

    def read_errors(self) -> None:
        """Read everything that Deno writes about itself. Runs in a thread."""
        assert self._process is not None and self._process.stderr is not None
        with contextlib.suppress(OSError, ValueError), self._process.stderr as pipe:
            while line := pipe.readline(4096):
                text = visible(line.decode(errors="replace").rstrip())
                self._lines = [*self._lines[-19:], text]
                self._on_line(text)
        self._said.set()

    def end(self, is_explained: Callable[[], bool]) -> tuple[str, str] | None:
        """End the process, and return reason and cause as Deno reports them. None if it hangs in the system, or was never started.

        Parameters
        ----------
        is_explained
            Tells whether the reason is known already. Then this does not wait for Deno's report.
        """
        if self._process is None:
            return None
        self._process.kill()
        try:
            status = self._process.wait(10)
        except subprocess.TimeoutExpired:  # nothing more can be done
            return None
        if not is_explained():
            self._said.wait(1)
        lines = self._lines
        said = next((f": {line}" for line in lines if line.startswith("error")), f": {lines[-1]}" if lines else "")
        if any("out of memory" in line.lower() for line in lines):
            return f"the sandbox ran out of memory{said}", "memory"
        return f"Deno ended with status {status}{said}", "crash"

    def close(self) -> None:
        """Make `write` return."""
        self._outgoing.close()
