"""Grades one submission in one sandbox. `run_job` takes and returns plain values, so that any runner can call it anywhere."""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from browsergrad.hosting import add_up, plain

from .. import PYODIDE_VERSION, __version__
from ..errors import BrowsergradError, GradingError
from . import programs, scratch, signed_verdict
from .apart.pool import imports_of
from .apart.session import ApartRubric, Tampered, TimeOver
from .bundle import LabBundle
from .moments import Moment, moments_of, notebook_cells
from .prepared import PACKAGE, SHARED, STUDENT, install_code, prepare
from .replies import MAX_REPLY, content_of, read_text, text_of
from .site_python import python_of
from .submissions import Unreadable, cells_of

__all__ = ["Job", "JobLimits", "end_sandboxes", "run_job"]

MEGABYTE = 1 << 20
#: Longest text in a result, such as an error's value, in characters.
MAX_TEXT = 2000
#: Cause of a sandbox's end -> kind of error.
_CAUSES = {"time": "timeout", "memory": "memory", "output": "output"}


@dataclass(frozen=True)
class JobLimits:
    """The limits of one submission."""

    #: Seconds from the first cell to the end of the rubric, without the start of the rubric's interpreter.
    total_s: float = 60.0
    #: Seconds a cell may run, and all that the rubric calls of the submission's; in the shared form the rubric.
    cell_s: float = 10.0
    memory_bytes: int = 1024 * MEGABYTE
    #: Bytes a cell may write.
    output_bytes: int = 4 * MEGABYTE
    #: Bytes it may write to its copy of the lab's folder.
    disk_bytes: int = 64 * MEGABYTE
    #: Bytes of the submission's file.
    submission_bytes: int = 16 * MEGABYTE


@dataclass(frozen=True)
class Job:
    """One submission to one lab.

    Attributes
    ----------
    expected
        Names of the assertions that the reference passes, with their numbers; None if not known.
    possible
        Points of the reference; None if not known, or if the rubric has none.
    from_files
        Whether Python starts from its files even if there is a memory snapshot.
    form
        ``apart``: the rubric runs in an interpreter of its own; ``shared``: in the student's.
    why
        Why it is shared, if the user did not choose that.
    imports
        Import statements whose packages the rubric's interpreter needs beside the rubric's own.
    problem
        Why the submission was not read. It then gets a result without a sandbox.
    """

    lab: LabBundle
    name: str
    content: bytes
    limits: JobLimits
    expected: dict[str, int] | None = None
    possible: float | None = None
    from_files: bool = False
    problem: str | None = None
    form: str = "shared"
    why: str | None = None
    imports: tuple[str, ...] = ()


#: Running sandboxes of this process.
_at_work: set[Any] = set()


def end_sandboxes() -> None:
    """End all sandboxes of this process, whose results are no longer needed."""
    for sandbox in list(_at_work):
        sandbox.kill("grading was interrupted")


def run_job(job: Job) -> dict[str, Any]:
    """Run the submission's cells, then the rubric, and return the line of the result. Never raises: a failure is a result too."""
    started = time.monotonic()
    result: dict[str, Any] = {
        "submission": job.name,
        "sha256": "" if job.problem else hashlib.sha256(job.content).hexdigest(),
        "lab": job.lab.manifest["id"],
        "lab_version": job.lab.manifest["version"],
        "lab_sha256": job.lab.sha256,
        "passed": False,
        "counts": {"pass": 0, "fail": 0, "error": 0},
        "points": None,
        "assertions": [],
        "missing": [],
        "error": None,
        "cells": 0,
        "package_version": __version__,
        "pyodide_version": PYODIDE_VERSION,
        "python_version": None,
        "started_from": None,
        "rubric": job.form,
        "rubric_why": job.why,
        "start_s": 0.0,
        "cells_s": 0.0,
        "rubric_s": 0.0,
    }
    try:
        if job.problem:
            raise Unreadable(job.problem)
        cells = cells_of(job.name, job.content)
        _run(job, cells, result)
        for moment in moments_of(job.name, notebook_cells(job.content), job.lab.rubric):
            early = {**result, "counts": {}, "points": None, "assertions": [], "error": None, "cells": 0}
            _run(job, cells[: moment.cells], early)
            _replace(result, early, moment)
    except Unreadable as error:
        result["error"] = _error("unreadable", "Unreadable", str(error))
    except (
        Exception
    ) as error:  # an error of ours or of this machine must not keep the other submissions from being graded
        kind = "crash" if result["cells"] else "sandbox"
        result["error"] = _error(kind, type(error).__name__, str(error))
    expected = Counter(job.expected or {})
    passes = Counter(each["name"] for each in result["assertions"] if each["kind"] == "pass")
    result["missing"] = sorted((expected - passes).elements())
    result["points"] = _points(result["points"], job.possible)
    counts = result["counts"]
    result["passed"] = bool(counts["pass"] and not counts["fail"] and not counts["error"] and not result["missing"])
    result["duration_s"] = round(time.monotonic() - started, 3)
    return result


def _replace(result: dict[str, Any], early: dict[str, Any], moment: Moment) -> None:
    """Put the checks of a moment into the result in place of those at the end."""
    new = [each for each in early["assertions"] if each["name"] in moment.names]
    old = [each for each in result["assertions"] if each["name"] in moment.names]
    for each in old:
        result["counts"][each["kind"]] -= 1
    for each in new:
        result["counts"][each["kind"]] += 1
    waiting = list(new)
    result["assertions"] = [
        replaced
        for each in result["assertions"]
        for replaced in ([waiting.pop(0)] if each in old and waiting else [] if each in old else [each])
    ] + waiting
    given, taken = add_up(new), add_up(old)
    if result["points"] or given:
        before = result["points"] or {"earned": 0, "possible": 0}
        result["points"] = {
            key: plain(before[key] + (given or {}).get(key, 0) - (taken or {}).get(key, 0)) for key in before
        }
    for key in ("cells_s", "rubric_s"):
        result[key] = round(result[key] + early[key], 3)
    if early["error"] is not None and (result["error"] is None or early["error"]["kind"] == "sandbox"):
        result["error"] = early["error"]


def _points(found: dict[str, Any] | None, possible: float | None) -> dict[str, Any] | None:
    """The points of a result. ``possible`` is the points of the reference, even if some checks never ran."""
    if possible is None:
        return found
    earned = found["earned"] if found else 0
    return {"earned": min(earned, possible), "possible": possible}


def _run(job: Job, cells: list[str], result: dict[str, Any]) -> None:
    from ..server_kernel.sandbox import Limits, Sandbox

    largest = max(map(len, job.lab.files.values()), default=0)
    limits = Limits(
        memory_bytes=job.limits.memory_bytes,
        output_bytes=job.limits.output_bytes,
        disk_bytes=job.limits.disk_bytes,
        file_bytes=max(largest, job.limits.disk_bytes),
        files=1000,
        reply_bytes=MAX_REPLY,
    )
    python = python_of(job.lab.site)
    with scratch.folder() as folder:
        for path, content in job.lab.files.items():
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        apart = None
        with Sandbox(folder, limits=limits, from_files=job.from_files, brief=True, **vars(python)) as sandbox:
            _at_work.add(sandbox)
            try:
                if job.form == "apart":
                    apart = ApartRubric(job, vars(python))
                    _at_work.add(apart.sandbox)
                _Grading(job, sandbox, result, folder, apart).run(cells)
            finally:
                _at_work.discard(sandbox)
                if apart is not None:
                    _at_work.discard(apart.sandbox)
                    apart.close()


class _Clock:
    """Calls `end`, in a thread of its own, when all blocks of `running` together have taken a number of seconds."""

    def __init__(self, seconds: float, end: Callable[[], None]) -> None:
        self._left = seconds
        self._end = end

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        timer = threading.Timer(max(self._left, 0.0), self._end)
        timer.daemon = True
        begun = time.monotonic()
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self._left -= time.monotonic() - begun


class _Grading:
    """One submission in a sandbox that is starting."""

    def __init__(self, job: Job, sandbox: Any, result: dict[str, Any], folder: Path, apart: ApartRubric | None) -> None:
        self.job = job
        self.folder = folder
        self.apart = apart
        self.sandbox = sandbox
        self.result = result
        self.key = secrets.token_hex(32)
        self.late = False
        self.clock = _Clock(job.limits.total_s, self._end)
        #: Whether the interpreter was replaced, so that the student's names and the grader are lost.
        self.lost = False

    def run(self, cells: list[str]) -> None:
        started = time.monotonic()
        self.sandbox.wait_ready()
        self.result["started_from"] = self.sandbox.started_from
        self._set_up()
        # The limits are the student's: what came before has that of the start.
        self.sandbox.limit_cells(self.job.limits.cell_s)
        self.result["start_s"] = round(time.monotonic() - started, 3)
        with self.clock.running():
            self._cells(cells)
        if self.lost or not self.sandbox.is_alive or not self._is_rubric_ready():
            return
        with self.clock.running():
            self._rubric(cells)

    def _is_rubric_ready(self) -> bool:
        """Wait until the rubric can run. It is not the submission's fault if the interpreter does not start."""
        try:
            if self.apart is not None:
                self.apart.wait_ready()
        except BrowsergradError as error:
            self.result["error"] = _error("sandbox", type(error).__name__, str(error))
            return False
        return True

    def _end(self) -> None:
        self.late = True
        self.sandbox.kill(f"the submission took longer than its limit of {self.job.limits.total_s:g} s")

    def _set_up(self) -> None:
        """Put the grader and the lab's data into the sandbox before the student's first cell."""
        handed = {"manifest": self.job.lab.manifest, "datasets": self.job.lab.datasets}
        lab = self.job.lab
        imports = [line.partition(" ")[2] for line in imports_of(lab.rubric)]
        own = {
            path[:-3].replace("/", "."): text.decode("utf-8", "replace")
            for path, text in lab.files.items()
            if path.endswith(".py")
        }
        made = prepare(python_of(lab.site), self._prepared)
        if self.apart is not None:
            self.apart.begin(made)
        code = programs.call(
            programs.set_up_submission, json.dumps(handed), imports, json.dumps(own), bool(self.apart), PACKAGE
        )
        self.result["python_version"] = self._prepared(
            install_code(made, STUDENT if self.apart else SHARED) + code,
            f"__import__('sys').modules[{PACKAGE!r}].begin({self.key!r})",
        )
        self._ask("", "None")  # so that nothing keeps the request with the key

    def _prepared(self, code: str, expression: str) -> str:
        """The text of an expression, evaluated before the student's first cell."""
        done = self._ask(code, expression)
        text = text_of(done)
        if text is None:
            raise GradingError(f"the sandbox could not be prepared: {read_text(done, 'evalue', 'no reply')}")
        return text

    def _cells(self, cells: list[str]) -> None:
        started = time.monotonic()
        for code in cells:
            if self.lost or not self.sandbox.is_alive:
                break
            content = self._execute(code)
            self.result["cells"] += 1
            if content.get("status") != "ok":
                self._failed(content)
        self.result["cells_s"] = round(time.monotonic() - started, 3)

    def _failed(self, content: dict[str, Any]) -> None:
        """Note the first cell that failed. The end of the sandbox has priority."""
        name = read_text(content, "ename", "NoReply")
        value = read_text(content, "evalue", "the sandbox sent an invalid reply")
        if self.lost or self.result["error"] is None:
            self.result["error"] = _error(self._kind(name, value), name, value)

    def _kind(self, name: str, value: str) -> str:
        if not self.sandbox.is_alive:
            return "timeout" if self.late else _CAUSES.get(self.sandbox.cause, "crash")
        if self.lost and name == "KernelDied":
            return "memory" if "memory" in value else "crash"
        return {
            "CellTimeoutError": "timeout",
            "NoReply": "tampered",
            "KeyboardInterrupt": "interrupted",
            "OutputLimitError": "output",
            "ReplyLimitError": "output",
            "MemoryError": "memory",
            "SyntaxError": "syntax",
            "IndentationError": "syntax",
            "TabError": "syntax",
        }.get(name, "runtime")

    def _rubric(self, cells: list[str]) -> None:
        self._put_back()
        if self.apart is not None:
            self._rubric_apart(self.apart, cells)
            return
        started = time.monotonic()
        challenge = secrets.token_hex(32)
        rubric = self.job.lab.rubric
        call = f"__import__({signed_verdict.ENTRY!r}).grade({rubric!r}, {self.job.lab.rubric_path!r}, {challenge!r})"
        done = self._ask("", call)
        self.result["rubric_s"] = round(time.monotonic() - started, 3)
        signed = text_of(done)
        content = None if signed is None else self._verified(signed, challenge)
        if content is not None:
            self.result["counts"] = content["counts"]
            self.result["points"] = content.get("points")
            self.result["assertions"] = content["assertions"]
        elif self.lost or done.get("ename") in ("CellTimeoutError", "OutputLimitError"):
            self._failed(done)
        elif self.result["rubric_s"] >= self.job.limits.cell_s and done.get("ename") != "ReplyLimitError":
            self._late_rubric()
        else:
            self._tampered("the results have no valid signature")

    def _put_back(self) -> None:
        """Restore the content of the lab's files, which the rubric reads."""
        for path, content in self.job.lab.files.items():
            target = self.folder / path
            with contextlib.suppress(OSError):
                if not target.is_file() or target.stat().st_size != len(content) or target.read_bytes() != content:
                    if target.is_dir():
                        shutil.rmtree(target)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content)

    def _rubric_apart(self, apart: ApartRubric, cells: list[str]) -> None:
        started = time.monotonic()
        self.sandbox.limit_cells(
            None
        )  # the request that answers the rubric also waits for it; what it takes itself, the exchange limits
        try:
            content = apart.run(self.sandbox, self.folder, signed_verdict.ENTRY, self.key, cells)
        except TimeOver:
            self._late_rubric("what the rubric called")
        except Tampered as error:
            self._tampered(f"the submission's side broke the rules of the exchange: {error}")
        else:
            if "reply" in content:
                self._ended_early(content["reply"])
            else:
                self.result["counts"] = content["counts"]
                self.result["points"] = content.get("points")
                self.result["assertions"] = content["assertions"]
        self.result["rubric_s"] = round(time.monotonic() - started, 3)

    def _ended_early(self, reply: dict[str, Any]) -> None:
        """The rubric, or the request that answers it, has ended without a result."""
        from ..server_kernel.pending import LOST

        self.lost = self.lost or not self.sandbox.is_alive
        if not self.lost and LOST in read_text(reply, "evalue", ""):
            self._ask("", "None")  # that the interpreter was replaced is said before the answer to another request
            self.lost = self.sandbox.restarts > 0
        if (
            not self.lost and self.apart is not None and self.apart.sandbox.cause not in (None, "asked")
        ):  # the rubric's: of what the submission sent it
            cause = self.apart.sandbox.cause
            self.result["error"] = _error(
                _CAUSES.get(cause, "crash"), "KernelDied", read_text(reply, "evalue", "it ended")
            )
        elif self.lost or reply.get("ename") in ("CellTimeoutError", "OutputLimitError", "MemoryError"):
            self._failed(reply)
        else:
            self._tampered(f"the submission's side did not answer the rubric: {read_text(reply, 'evalue', 'it ended')}")

    def _late_rubric(self, what: str = "the rubric") -> None:
        message = f"{what} ran longer than its limit of {self.job.limits.cell_s:g} s"
        self.result["error"] = _error("timeout", "CellTimeoutError", message)

    def _tampered(self, why: str) -> None:
        if self.result["error"] is None or self.result["error"]["kind"] in ("runtime", "syntax"):
            self.result["error"] = _error("tampered", "Tampered", why)

    def _verified(self, signed: str, challenge: str) -> dict[str, Any] | None:
        mark, text = signed[:64], signed[64:]
        digest = hashlib.sha256(self.job.lab.rubric.encode()).hexdigest()
        secret = self.key.encode()
        message = hashlib.sha256(secret + f"{challenge}\n{digest}\n{text}".encode()).digest()
        if not secrets.compare_digest(hashlib.sha256(secret + message).hexdigest().encode(), mark.encode()):
            return None
        return content_of(text)

    def _ask(self, code: str, expression: str) -> dict[str, Any]:
        return self._execute(code, silent=True, store_history=False, user_expressions={"result": expression})

    def _execute(self, code: str, **content: Any) -> dict[str, Any]:
        """Run a cell, and return the content of the reply."""
        done = self.sandbox.execute(code, stop_on_error=False, **content)
        self.lost = self.lost or done.lost
        reply: dict[str, Any] = done.content
        return reply


def _error(kind: str, name: str, value: str) -> dict[str, str]:
    short = value if len(value) <= MAX_TEXT else value[:MAX_TEXT] + "…"
    return {"kind": kind, "ename": name[:MAX_TEXT], "evalue": short}
