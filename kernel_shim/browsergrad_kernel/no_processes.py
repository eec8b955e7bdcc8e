"""The error for cells that try to run a program."""

from __future__ import annotations


class NoProcessesError(OSError):
    """A cell tried to run a program."""

    def __init__(self, command: str) -> None:
        program = (command.split() or [command])[0]
        super().__init__(
            f"cannot run {program!r}: Python in WebAssembly has no processes. "
            "Use Python instead (os, pathlib, shutil); packages install with %pip install"
        )

    def _render_traceback_(self) -> list[str]:
        # Without frames: those of IPython would not help.
        return [f"OSError: {self}"]


NoProcessesError.__name__ = NoProcessesError.__qualname__ = "OSError"
