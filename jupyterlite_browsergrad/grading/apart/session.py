"""One submission's rubric, run in an interpreter of its own."""

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
    """The rubric reached its limit of time."""


class Tampered(Exception):
    """The submission's side has sent something that our code never sends."""


class ApartRubric:
    """The rubric's interpreter for one job; it starts at once, while the student's cells run.

    Parameters
    ----------
    job
        The submission, for its lab and limits.
    python
        Arguments of the sandbox that name Pyodide and packages.
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
        """Have the interpreter prepared, with the code of `prepared`."""
        assert self._box is not None
        self._box.begin(made)

    def wait_ready(self) -> None:
        """Wait until a rubric can run."""
        assert self._box is not None
        self._box.wait_ready()

    def run(self, sandbox: Any, folder: Path, entry: str, key: str, cells: list[str]) -> dict[str, Any]:
        """Run the rubric against what the cells have left in the student's sandbox.

        Returns
        -------
        dict
            The content of an assertions bundle; or the content of the reply of a student's side that ended before.

        Raises
        ------
        TimeOver, Tampered
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
    """What `signed_verdict` makes of the same."""
    secret = key.encode()
    inner = hashlib.sha256(secret + f"{challenge}\n{hashlib.sha256(words.encode()).hexdigest()}".encode()).digest()
    return hashlib.sha256(secret + inner).hexdigest()


def _told(outcome: Outcome | None) -> dict[str, Any] | None:
    """What the rubric's interpreter says at its end."""
    if outcome is None or outcome.side != "rubric":
        return None
    text = text_of(outcome.content)
    if text is None:
        return None
    told = json.loads(base64.b64decode(text))
    return told if isinstance(told, dict) else None


def _content(outcome: Outcome, told: dict[str, Any] | None) -> dict[str, Any]:
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
    """What a reply says of its error, or of that of its expression."""
    try:
        result = content["user_expressions"]["result"]
    except (LookupError, TypeError):
        return content
    return result if isinstance(result, dict) and result.get("status") == "error" else content
