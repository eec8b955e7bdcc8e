"""The file of results: each line is a JSON object, complete by itself."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import GradingError

__all__ = ["ResultsFile"]

#: Two results with equal values of these fields are of the same work, which a later run skips.
KEY = ("submission", "sha256", "lab_sha256", "package_version")
#: The beginning of every line.
_START = b'{"submission": "'
#: Form that is asked for -> values of `_form` of the results that can be used.
_FORMS: dict[str | None, tuple[str, ...]] = {
    "apart": ("apart",),
    "shared": ("shared", "shared, since it cannot be apart"),
    None: ("apart", "shared, since it cannot be apart"),
}


def _form(result: dict[str, Any]) -> str:
    """The form in which the rubric ran, and whether the user chose it."""
    form = str(result.get("rubric", "shared"))
    return "shared, since it cannot be apart" if form == "shared" and result.get("rubric_why") else form


class ResultsFile:
    """Appends results, and knows the results of earlier runs. Only one process can have the file open.

    Parameters
    ----------
    path
        The file, which is made if it is missing. A last line that an earlier run did not finish is removed. Anything else that is
        not a result is an error, so that a wrong file is never changed.

    Attributes
    ----------
    mended
        Whether such a line was removed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        #: The last result for each work and `_form`.
        self.done: dict[tuple[str, ...], dict[str, Any]] = {}
        self.mended = False
        try:
            opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise GradingError(f"{path} cannot be written: {error.strerror}") from error
        self._file = open(opened, "r+b", buffering=0)  # noqa: SIM115 - open as long as this object is
        try:
            self._take()
            self._read()
        except BaseException:
            self._file.close()
            raise

    def _take(self) -> None:
        import fcntl  # not on Windows, where only the commands that need no sandbox work

        if not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            raise GradingError(f"{self.path} is not an ordinary file: give another one with --out")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise GradingError(
                f"another run is writing to {self.path}: wait for its end, or give another file with --out"
            ) from error
        except OSError as error:
            raise GradingError(
                f"{self.path} cannot be locked: {error.strerror}; give a file on another disk with --out"
            ) from error

    def _read(self) -> None:
        content = self._file.read()
        *lines, last = content.split(b"\n")
        if not last and lines:
            last = lines.pop()
        for number, line in enumerate(lines, 1):
            self._keep(line, number)
        end = len(content) - (len(last) + content.endswith(b"\n"))
        if last and self._is_torn(last):
            self.mended = True
            self._cut(end)
        elif last:
            self._keep(last, len(lines) + 1)
            if not content.endswith(b"\n"):
                self._append(b"\n")

    def _keep(self, line: bytes, number: int) -> None:
        try:
            result = json.loads(line)
            key = (*(str(result[name]) for name in KEY), _form(result))
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise GradingError(
                f"{self.path}, line {number}, is not a result of this command: give another file with --out"
            ) from error
        self.done[key] = result

    def _is_torn(self, line: bytes) -> bool:
        """Whether a last line is the beginning of a result. After a power failure, its end or all of it may be zeros."""
        try:
            json.loads(line)
        except (ValueError, RecursionError):
            written = line.rstrip(b"\0")
            return bool(self.done) or written.startswith(_START) or _START.startswith(written)
        return False

    def _cut(self, end: int) -> None:
        try:
            self._file.truncate(end)
        finally:
            self._file.seek(end)

    def finished(self, key: tuple[str, ...], form: str | None = None) -> dict[str, Any] | None:
        """The result of an earlier run; None if there is none, or its sandbox could not be started.

        Parameters
        ----------
        form
            The form in which the rubric must have run; None means the form that the lab can have.
        """
        for each in _FORMS[form]:
            result = self.done.get((*key, each))
            if result is not None and (result["error"] or {}).get("kind") != "sandbox":
                return result
        return None

    def add(self, result: dict[str, Any]) -> None:
        """Append a complete line, or nothing.

        Raises
        ------
        GradingError
            It could not be written, for example because the disk is full. Earlier lines are intact.
        """
        self._append(json.dumps(result, ensure_ascii=True, allow_nan=False).encode() + b"\n")

    def _append(self, data: bytes) -> None:
        start = self._file.seek(0, os.SEEK_END)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):  # if this fails too, the next run removes the incomplete line
                self._cut(start)
            raise GradingError(
                f"{self.path} cannot be written: {error.strerror}. The results before are whole; "
                "make room and run the command again to go on"
            ) from error

    def __enter__(self) -> ResultsFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        self._file.close()
