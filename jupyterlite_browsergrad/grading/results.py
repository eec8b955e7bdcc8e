"""The file of results: one JSON object a line, each complete in itself."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import GradingError

__all__ = ["ResultsFile"]

#: What makes two results the same work: a re-run skips it.
KEY = ("submission", "sha256", "lab_sha256", "package_version")


class ResultsFile:
    """Appends results, and knows those of earlier runs.

    Parameters
    ----------
    path
        Made when missing. A last line that an earlier run did not finish is cut off; anything else that is no
        result is an error, so that a wrong file is never written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.done: dict[tuple[str, ...], dict[str, Any]] = {}
        try:
            self._file = path.open("r+b" if path.exists() else "x+b")
        except OSError as error:
            raise GradingError(f"{path} cannot be written: {error.strerror}") from error
        try:
            self._read()
        except BaseException:
            self._file.close()
            raise

    def _read(self) -> None:
        content = self._file.read()
        end = content.rfind(b"\n") + 1
        for number, line in enumerate(content[:end].splitlines(), 1):
            try:
                result = json.loads(line)
                key = tuple(str(result[name]) for name in KEY)
            except (ValueError, LookupError, TypeError) as error:
                raise GradingError(
                    f"{self.path}, line {number}, is no result of this command: give another file with --out"
                ) from error
            self.done[key] = result
        if content[end:] and not content[end:].startswith(b"{"):
            raise GradingError(f"{self.path} holds no results of this command: give another file with --out")
        self._file.seek(end)
        self._file.truncate()

    def finished(self, key: tuple[str, ...]) -> dict[str, Any] | None:
        """The result of an earlier run; None when there is none, or when its sandbox could not be started."""
        result = self.done.get(key)
        return None if result is None or (result["error"] or {}).get("kind") == "sandbox" else result

    def add(self, result: dict[str, Any]) -> None:
        """Append a line, at once and whole."""
        self._file.write(json.dumps(result, ensure_ascii=True, allow_nan=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> ResultsFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        self._file.close()
