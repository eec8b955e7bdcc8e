"""Grade submissions to a lab, each in a sandbox of its own.

Writes one JSON object per line. A second run grades only what is new or has changed. With ``--manual`` nothing runs: the answers
that a person grades are collected. Exit status: 0 if every submission has a result, whatever its verdict; 1 if some have none, or the lab
has faults, so that nothing was graded; 2 if something else keeps the command from grading.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import GradingError
from ..exit_status import DONE, FAULTS
from ..grading import scratch
from ..grading.bundle import LabBundle, load_lab
from ..grading.forms import FORMS, jobs_of, reference_imports, why_shared
from ..grading.job_runner import JobRunner, open_runner
from ..grading.results_file import ResultsFile
from ..grading.run import Job, JobLimits
from ..grading.submissions import Submission, find_submissions
from ..labs.manifest_rules import Manifest
from ..terminal import ending_on_sigterm, say, shown
from .grading_options import add_key, add_limits, add_rubric, keys_of, limits_of, require_sandbox

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("lab", metavar="LAB", type=Path, help="the lab's folder, or its manifest")
    parser.add_argument(
        "submissions",
        metavar="SUBMISSION",
        nargs="+",
        type=Path,
        help="a notebook, a Python file, a hand-in file (.bglab), or a folder of them",
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        default=Path("results.jsonl"),
        help="file for the results; submissions that it already has are not graded again (default: results.jsonl)",
    )
    parser.add_argument(
        "--dask", metavar="ADDRESS", help="run on the Dask cluster with this scheduler, instead of this machine"
    )
    parser.add_argument(
        "--rubric",
        choices=FORMS,
        help="where the rubric runs: apart, in an interpreter that submissions cannot reach, or in one shared with the submission "
        "(default: apart, if the reference and the starter have the same results there)",
    )
    parser.add_argument(
        "--manual",
        metavar="DIR",
        type=Path,
        help="run nothing; write the answers that a person grades as a page to read, manual.html, and a sheet to fill in, manual.csv, "
        "which keeps what is filled in already",
    )
    add_key(parser)
    add_rubric(parser)
    add_limits(parser)


def run(options: argparse.Namespace) -> int:
    """Grade, and return the exit status: 0 if every submission has a result, whatever its verdict."""
    if options.manual is not None:
        from .grade_manual import collect

        limit = limits_of(options).submission_bytes
        return collect(options.lab, options.submissions, options.manual, limit, keys_of(options))
    lab, manifest, folder = load_lab(options.lab, options.site, options.rubric_file)
    submissions = find_submissions(options.submissions)
    limits, keys = limits_of(options), keys_of(options)
    if options.dask is None:
        require_sandbox()
    with ending_on_sigterm(), ResultsFile(options.out) as results:
        if results.mended:
            say(f"{options.out}: the last line was not finished and has been removed", sys.stderr)
        work = _Work(lab, submissions, limits, results, options.rubric, keys)
        verdicts: Counter[str] = Counter()
        if work.is_anything_new():
            with scratch.kept(), open_runner(options.jobs, options.dask) as runner:
                work.prepare(runner, manifest, folder)
                verdicts = _grade(runner, work, results)
    said = ", ".join(f"{number} {name}" for name, number in sorted(verdicts.items())) or "nothing new"
    say(f"{options.out}: {said}" + (f"; {work.skipped} were there already" if work.skipped else ""))
    return FAULTS if verdicts["not graded"] else DONE


class _Work:
    """The submissions to grade. Each is read when its turn comes."""

    def __init__(
        self,
        lab: LabBundle,
        submissions: list[Submission],
        limits: JobLimits,
        results: ResultsFile,
        wanted: str | None,
        keys: list[Any],
    ) -> None:
        self.lab = lab
        self.submissions = submissions
        self.limits = limits
        self.expected: dict[str, int] | None = None
        #: Points that the reference is worth.
        self.possible: float | None = None
        #: The form that was asked for.
        self._wanted = wanted
        self.form = wanted or "apart"
        #: Why the rubric does not run apart, if the user did not choose the form.
        self.why: str | None = None
        self.imports: tuple[str, ...] = ()
        #: How many submissions an earlier run has graded.
        self.skipped = 0
        self._results = results
        self._keys = keys

    def is_anything_new(self) -> bool:
        """Whether a sandbox is needed at all. If so, `skipped` starts at 0 again."""
        found = next(self.jobs(), None) is not None
        self.skipped = 0 if found else self.skipped
        return found

    def prepare(self, runner: JobRunner, manifest: Manifest, folder: Path) -> None:
        """Find out which assertions the reference passes, and in which form the rubric runs: the one chosen, else the strongest that works."""
        wanted = self._wanted
        trials = jobs_of(self.lab, manifest, folder, self.limits)
        if wanted is not None:
            trials = {key: job for key, job in trials.items() if key == ("reference", wanted)}
        results = _results(runner, trials)
        self.why = why_shared(results) if wanted is None else None
        self.form = wanted or ("shared" if self.why else "apart")
        self.imports = reference_imports(folder / manifest.reference_path)
        if self.why:
            say(
                f"jupyter browsergrad grade: the rubric shares an interpreter with each submission: {self.why}",
                sys.stderr,
            )
        reference = results.get(("reference", self.form))
        self.expected = _expected(reference, folder / manifest.reference_path)
        self.possible = reference["points"]["possible"] if reference and reference["points"] else None

    def jobs(self) -> Iterator[Job]:
        """The jobs that no earlier run has done."""
        for each in self.submissions:
            read = each.read(self.limits.submission_bytes, self._keys)
            done = self._results.finished((each.name, read.sha256, self.lab.sha256, __version__), self._wanted)
            # What could not be read has another result if that is for another reason now, such as a wrong key.
            if done is None or (read.problem is not None and done["error"]["evalue"] != read.problem):
                yield Job(
                    self.lab,
                    each.name,
                    read.content,
                    self.limits,
                    self.expected,
                    self.possible,
                    problem=read.problem,
                    form=self.form,
                    why=self.why,
                    imports=self.imports,
                )
            else:
                self.skipped += 1


def _results(runner: JobRunner, trials: dict[tuple[str, str], Job]) -> dict[tuple[str, str], dict[str, Any]]:
    keys = {id(job): key for key, job in trials.items()}
    found = {}
    for job, result in runner.run(partial(_same, job) for job in trials.values()):
        if isinstance(result, Exception):
            raise GradingError(f"the {keys[id(job)][0]} could not be graded: {result}") from result
        found[keys[id(job)]] = result
    return found


def _expected(result: dict[str, Any] | None, reference: Path) -> dict[str, int] | None:
    """The assertions that the reference passes. A submission must pass all of them."""
    if result is None:
        say(
            f"jupyter browsergrad grade: {reference} is not there, so checks that never ran cannot be noticed",
            sys.stderr,
        )
        return None
    if not result["passed"]:
        raise GradingError(
            f"the reference {reference} does not pass the rubric, so nothing is graded. "
            f"`jupyter browsergrad check` tells more: {result['error'] or result['counts']}",
            exit_status=FAULTS,
        )
    return Counter(each["name"] for each in result["assertions"] if each["kind"] == "pass")


def _grade(runner: JobRunner, work: _Work, results: ResultsFile) -> Counter[str]:
    from tqdm import tqdm

    verdicts: Counter[str] = Counter()
    # Submissions are read here, one by one, until one is new. So a maker only has to return its job.
    makers: Iterator[Callable[[], Job]] = (partial(_same, job) for job in work.jobs())
    with tqdm(total=len(work.submissions), unit="submission", disable=None) as bar:
        for done, result in runner.run(makers):
            if isinstance(result, Exception):
                text = f"{done.name}: not graded: {type(result).__name__}: {result}"
                tqdm.write(shown(text, sys.stderr, keep=""), file=sys.stderr)
                verdicts["not graded"] += 1
            else:
                results.add(result)
                verdicts[_verdict(result)] += 1
            bar.update(work.skipped + verdicts.total() - bar.n)
            bar.set_postfix({name: number for name, number in sorted(verdicts.items())}, refresh=False)
    return verdicts


def _same(job: Job) -> Job:
    return job


def _verdict(result: dict[str, Any]) -> str:
    if (result["error"] or {}).get("kind") == "sandbox":
        return "not graded"
    return "passed" if result["passed"] else "did not pass"
