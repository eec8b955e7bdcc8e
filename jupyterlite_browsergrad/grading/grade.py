"""Grade submissions to a lab, each in a sandbox of its own.

Writes one JSON object a line. A second run does only what is new or changed.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import GradingError
from .bundle import LabBundle, load_lab
from .engine import Engine, open_engine
from .options import add_limits, limits_of, require_sandbox
from .results import ResultsFile
from .run import Job, JobLimits
from .submissions import Submission, find_submissions

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("lab", metavar="LAB", type=Path, help="the lab's folder, or its manifest")
    parser.add_argument(
        "submissions", metavar="SUBMISSION", nargs="+", type=Path, help="a notebook, a Python file, or a folder of them"
    )
    parser.add_argument(
        "--out",
        metavar="FILE",
        type=Path,
        default=Path("results.jsonl"),
        help="where results go; what it holds already is not graded again (default: results.jsonl)",
    )
    parser.add_argument("--dask", metavar="ADDRESS", help="run on the Dask cluster with this scheduler, not here")
    add_limits(parser)


def run(options: argparse.Namespace) -> int:
    """Grade, and return the exit status: 0 when every submission has a result, whatever its verdict."""
    lab, manifest, folder = load_lab(options.lab, options.site)
    submissions = find_submissions(options.submissions)
    limits = limits_of(options)
    if options.dask is None:
        require_sandbox()
    with ResultsFile(options.out) as results:
        work = [each for each in submissions if results.finished(_key(each, lab)) is None]
        skipped = len(submissions) - len(work)
        verdicts: Counter[str] = Counter()
        if work:
            with open_engine(options.jobs, options.dask) as engine:
                expected = _expected(engine, lab, folder / manifest.reference_path, limits)
                verdicts = _grade(engine, lab, work, limits, expected, results)
    said = ", ".join(f"{number} {name}" for name, number in sorted(verdicts.items())) or "nothing new"
    print(f"{options.out}: {said}" + (f"; {skipped} were there already" if skipped else ""))
    return 1 if verdicts["not graded"] else 0


def _key(submission: Submission, lab: LabBundle) -> tuple[str, ...]:
    return submission.name, submission.sha256, lab.sha256, __version__


def _expected(engine: Engine, lab: LabBundle, reference: Path, limits: JobLimits) -> dict[str, int] | None:
    """What the reference passes: a submission passes when it does no less."""
    if not reference.is_file():
        print(
            f"jupyter browsergrad grade: {reference} is not there, so checks that never ran cannot be noticed",
            file=sys.stderr,
        )
        return None
    ((_, result),) = engine.run([partial(Job, lab, reference.name, reference.read_bytes(), limits)])
    if isinstance(result, Exception):
        raise GradingError(f"the reference could not be graded: {result}") from result
    if not result["passed"]:
        raise GradingError(
            f"the reference {reference} does not pass the rubric, so nothing is graded. "
            f"`jupyter browsergrad check` tells more: {result['error'] or result['counts']}"
        )
    return Counter(each["name"] for each in result["assertions"] if each["kind"] == "pass")


def _grade(
    engine: Engine,
    lab: LabBundle,
    work: list[Submission],
    limits: JobLimits,
    expected: dict[str, int] | None,
    results: ResultsFile,
) -> Counter[str]:
    from tqdm import tqdm

    def job(submission: Submission) -> Job:
        return Job(lab, submission.name, submission.path.read_bytes(), limits, expected)

    makers: list[Callable[[], Job]] = [partial(job, submission) for submission in work]
    verdicts: Counter[str] = Counter()
    with tqdm(total=len(work), unit="submission", disable=None) as bar:
        for done, result in engine.run(makers):
            if isinstance(result, Exception):
                tqdm.write(f"{done.name}: not graded: {type(result).__name__}: {result}", file=sys.stderr)
                verdicts["not graded"] += 1
            else:
                results.add(result)
                verdicts[_verdict(result)] += 1
            bar.update()
            bar.set_postfix({name: number for name, number in sorted(verdicts.items())}, refresh=False)
    return verdicts


def _verdict(result: dict[str, Any]) -> str:
    if (result["error"] or {}).get("kind") == "sandbox":
        return "not graded"
    return "passed" if result["passed"] else "did not pass"
