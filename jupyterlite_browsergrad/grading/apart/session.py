"""Runs one submission's rubric in an interpreter of its own."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from pathlib import Path
from typing import Any

from ...errors import GradingError
from ..assertions import is_content
from ..replies import text_of
from . import pool
from .files import FilesInStep
from .relay import Exchange, Outcome
from .values import words_of

__all__ = ["ApartRubric", "Tampered", "TimeOver"]


class TimeOver(Exception):
    """The submission reached its time limit while the rubric ran."""


class Tampered(Exception):
    """The submission's side has sent something that our code never sends."""


class ApartRubric:
    """The rubric's interpreter for one job. It starts at once, while the student's cells run.

    Parameters
    ----------
    job
        The submission, with its lab and limits.
    python
        Arguments for the sandbox: where Pyodide and packages are.
    """

    def __init__(self, job: Any, python: dict[str, Any]) -> None:
        from ...server_kernel.sandbox import Limits, Sandbox

        self._job = job
        limits = Limits(
            cell_s=None,  # the exchange has its own limit
            memory_bytes=job.limits.memory_bytes,
            output_bytes=job.limits.output_bytes,
            disk_bytes=job.limits.disk_bytes,
            files=2000,
        )
        wanted = pool.Wanted(
            job.lab.sha256, job.limits.memory_bytes, job.limits.disk_bytes, job.from_files, job.lab.site, job.imports
        )
        self._box: pool.RubricBox | None = pool.take(
            wanted, job.lab, lambda folder: Sandbox(folder, limits=limits, from_files=job.from_files, **python).start()
        )

        #: Its sandbox.
        self.sandbox = self._box.sandbox

    def begin(self, made: str) -> None:
        """Start to prepare the interpreter, with the code of `prepared`. Does not wait for the end."""
        assert self._box is not None
        self._box.begin(made)

    def wait_ready(self) -> None:
        """Wait until a rubric can run. Raises as `RubricBox.wait_ready` does."""
        assert self._box is not None
        self._box.wait_ready()

    def run(self, sandbox: Any, folder: Path, entry: str, key: str, cells: list[str]) -> dict[str, Any]:
        """Run the rubric against what the cells have left in the student's sandbox.

        Parameters
        ----------
        sandbox, folder
            The student's sandbox and its folder.
        entry
            Name of the module in the student's sandbox that serves the student's names.
        key
            The secret with which that module signs its greeting.
        cells
            Sources of the submission's code cells.

        Returns
        -------
        dict
            The content of an assertions bundle; or ``reply``, with the content of the reply from a side that ended before the rubric
            was done.

        Raises
        ------
        TimeOver
            The student's turns took too long.
        Tampered
            The student's side sent something that our code never sends.
        GradingError
            The rubric's interpreter failed.
        """
        box, job = self._box, self._job
        assert box is not None
        self._box = None
        box.uses += 1
        challenge = secrets.token_hex(32)
        files = FilesInStep(folder, box.folder, set(job.lab.files))
        files.to_rubric()
        exchange = Exchange(sandbox, box.sandbox, job.limits.cell_s, files.to_student, files.to_rubric)
        start = {
            "rubric": job.lab.rubric,
            "filename": job.lab.rubric_path,
            "cells": cells,
            "seed": secrets.randbits(64),
            "imports": [line.partition(" ")[2] for line in pool.imports_of(job.lab.rubric)],
        }
        words = json.dumps(words_of(job.lab.rubric))
        outcome = None
        try:
            outcome = exchange.run(
                f"__import__({entry!r}).grade({words!r}, {job.lab.rubric_path!r}, {challenge!r})",
                _proof(key, challenge, words),
                f"__import__('sys').modules[{pool.ENTRY!r}].box.grade()",
                start,
            )
        finally:
            told = _told(outcome)
            if told and told.get("clean") and box.sandbox.is_alive:
                pool.release(box)
            else:
                box.close()
        return _content(outcome, told)

    def close(self) -> None:
        """End an interpreter that ran nothing for this job, or keep it for the next one."""
        if self._box is not None:
            box, self._box = self._box, None
            pool.release(box) if box.sandbox.is_alive else box.close()


def _proof(key: str, challenge: str, words: str) -> str:
    """The signature that the student's side has to send. Computed as `signed_verdict` does."""
    secret = key.encode()
    inner = hashlib.sha256(secret + f"{challenge}\n{hashlib.sha256(words.encode()).hexdigest()}".encode()).digest()
    return hashlib.sha256(secret + inner).hexdigest()


def _told(outcome: Outcome | None) -> dict[str, Any] | None:
    """The result that the rubric's interpreter has sent at its end, from `Box.grade`; None if it did not get that far."""
    if outcome is None or outcome.side != "rubric":
        return None
    text = text_of(outcome.content)
    if text is None:
        return None
    told = json.loads(base64.b64decode(text))
    return told if isinstance(told, dict) else None


def _content(outcome: Outcome, told: dict[str, Any] | None) -> dict[str, Any]:
    """The result of `ApartRubric.run` for an outcome, or the error that it raises."""
    match outcome.side:
        case "time":
            raise TimeOver
        case "tampered":
            raise Tampered(outcome.why)
        case "student":
            return {"reply": _failure(outcome.content)}
    if told is None:
        reply = _failure(outcome.content)
        if reply.get("ename") in ("KernelDied", "OutputLimitError", "MemoryError"):
            return {"reply": reply}
        raise GradingError(f"the rubric's interpreter failed: {reply.get('ename')}: {reply.get('evalue')}")
    if not is_content(told.get("content")):
        raise Tampered(
            str(told.get("tampered", told.get("ended", "the rubric reports something that is not an assertion")))
        )
    return dict(told["content"])


def _failure(content: dict[str, Any]) -> dict[str, Any]:
    """The error in a reply's content: that of its expression, if the expression failed."""
    try:
        result = content["user_expressions"]["result"]
    except (LookupError, TypeError):
        return content
    return result if isinstance(result, dict) and result.get("status") == "error" else content
