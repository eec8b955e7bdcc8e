"""Check that labs do what they should: the reference passes its rubric, the starter does not.

Both run in the sandbox, like submissions. They run once with a Python that starts from its memory snapshot, and once with one that
starts from its files. The results must be the same. They run once more with the rubric in an interpreter of its own. If the results
are the same, submissions are graded in this form. Exit status: 0 if all labs are good, 1 if one is not, 2 if nothing could be checked.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import GradingError
from ..exit_status import DONE, FAULTS
from ..grading import scratch
from ..grading.bundle import LabBundle, hidden_folder, load_lab
from ..grading.forms import FORMS, jobs_of, outcome, why_shared
from ..grading.job_runner import open_runner
from ..grading.run import Job, JobLimits
from ..labs import folders
from ..labs.manifest_rules import Manifest
from ..terminal import one_line, say
from .grading_options import add_limits, add_rubric, limits_of, require_sandbox

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "labs", metavar="LAB", nargs="+", type=Path, help="a lab's folder, its manifest, or a folder of labs"
    )
    add_rubric(parser)
    add_limits(parser)


def run(options: argparse.Namespace) -> int:
    """Check, print, and return the exit status."""
    require_sandbox()
    manifests = list(dict.fromkeys(each for path in options.labs for each in _manifests(path)))
    limits = limits_of(options)
    problems: dict[Path, list[str]] = {file: [] for file in manifests}
    forms: dict[Path, list[str]] = {file: [] for file in manifests}
    trials: list[_Trial] = []
    for file in manifests:
        for rubric in _rubrics(file, options.rubric_file):
            try:
                lab, manifest, folder = load_lab(file, options.site, rubric)
            except GradingError as error:
                if error.exit_status != FAULTS:
                    raise
                problems[file].append(str(error))
                break
            trials.append(_Trial(file, lab, manifest, folder, limits, rubric is not None))
    owners = {id(job): (trial, key) for trial in trials for key, job in trial.jobs.items()}
    with scratch.kept(), open_runner(options.jobs) as runner:
        for job, result in runner.run([partial(_same, job) for trial in trials for job in trial.jobs.values()]):
            trial, key = owners[id(job)]
            trial.take(job, key, result)
    for trial in trials:
        problems[trial.file] += trial.judge()
        forms[trial.file].append(trial.form())
    for file in manifests:
        for said in dict.fromkeys(forms[file]):
            say(f"{one_line(file)}: {said}")
        say(f"{one_line(file)}: {'ok' if not problems[file] else 'NOT OK'}")
        for problem in dict.fromkeys(problems[file]):
            say("  - " + problem.replace("\n", "\n    "))
    return FAULTS if any(problems.values()) else DONE


def _rubrics(file: Path, given: Path | None) -> list[Path | None]:
    """The rubrics to check: the published one, and one that grading uses instead, if there is one. None: the lab's own."""
    lab = folders.examine(file)
    if lab.manifest is None:
        return [None]
    hidden = hidden_folder(lab.folder.resolve()) / "rubric.py"
    instead = given or (hidden if hidden.is_file() else None)
    return [None] if instead is None else [lab.folder / lab.manifest.rubric_path, instead]


class _Trial:
    """The runs of a lab with one rubric: reference and starter, from the snapshot and from files, with the rubric shared and apart."""

    def __init__(
        self, file: Path, lab: LabBundle, manifest: Manifest, folder: Path, limits: JobLimits, named: bool
    ) -> None:
        self.file = file
        #: Names the rubric in messages, if the lab has more than one.
        self._of = f" of {lab.rubric_path}" if named else ""
        self._problems: list[str] = []
        self._results: dict[tuple[str, str, bool], dict[str, Any]] = {}
        for role, path in (
            ("reference", folder / manifest.reference_path),
            ("starter", folder / manifest.starter_path),
        ):
            if not path.is_file():
                self._problems.append(f"the {role} {path} cannot be read: No such file or directory")
        trials = jobs_of(lab, manifest, folder, limits)
        self.jobs = {(role, form, False): job for (role, form), job in trials.items()}
        self.jobs |= {
            (role, form, True): replace(job, from_files=True)
            for (role, form), job in trials.items()
            if form == "shared"
        }

    def take(self, job: Job, key: tuple[str, str, bool], result: dict[str, Any] | Exception) -> None:
        """Keep a result."""
        if isinstance(result, Exception):
            self._problems.append(f"the {key[0]} {job.name} could not be run: {type(result).__name__}: {result}")
        else:
            self._results[key] = result

    def judge(self) -> list[str]:
        """The problems of the lab."""
        found = self._problems
        for role in ("reference", "starter"):
            both = [
                self._results[key] for key in ((role, "shared", False), (role, "shared", True)) if key in self._results
            ]
            found = found + _judge(role, sorted(both, key=lambda result: result["started_from"] != "snapshot"))
        return found

    def form(self) -> str:
        """Says in which form the rubric runs, and why."""
        results = {(role, form): result for (role, form, files), result in self._results.items() if not files}
        complete = all((role, form) in results for role, _ in results for form in FORMS)
        why = why_shared(results) if complete else "it could not be tried"
        return (
            f"the rubric{self._of} runs apart from submissions"
            if why is None
            else f"the rubric{self._of} shares an interpreter with submissions: {why}"
        )


def _same(job: Job) -> Job:
    return job


def _manifests(path: Path) -> list[Path]:
    if path.is_dir():
        found, _ = folders.find_manifests(path)
        if found:
            return found
    elif path.is_file():
        return [path]
    raise GradingError(f"there is no lab at {path}: give a folder that holds {folders.MANIFEST_NAME}")


def _judge(role: str, results: list[dict[str, Any]]) -> list[str]:
    """Problems of a role's runs. The run from the snapshot comes first in `results`."""
    found = list(dict.fromkeys(problem for result in results for problem in _problems(role, result)))
    if len(results) < 2 or any(result["started_from"] is None for result in results):
        return found  # one of them could not be run, which has been reported
    name = results[0]["submission"]
    if results[0]["started_from"] != "snapshot":
        return [
            *found,
            f"no Python started from its memory snapshot for the {role} {name}: install the package, or build the site, again",
        ]
    snapshot, files = (outcome(result) for result in results)
    for what, value in snapshot.items():
        if files[what] != value:
            found.append(
                f"the {role} {name} comes out differently when Python starts from its files: "
                f"{what}: {value!r} from the snapshot, {files[what]!r} from the files. Does it depend on the order of a set, or on hash()?"
            )
    return found


def _problems(role: str, result: dict[str, Any]) -> list[str]:
    name, error = result["submission"], result["error"]
    said = f"{error['kind']}: {error['ename']}: {error['evalue']}" if error else ""
    if role == "starter":
        if error and error["kind"] in ("sandbox", "unreadable"):
            return [f"the starter {name} could not be run: {said}"]
        worth_nothing = (
            result["points"] is not None and not result["points"]["possible"]
        )  # such a lab is graded by hand
        shows_nothing = result["passed"] and not worth_nothing
        return [f"the starter {name} passes the rubric, which therefore shows nothing"] if shows_nothing else []
    found = [f"the reference {name} ends with an error, {said}"] if error else []
    for each in result["assertions"]:
        if each["kind"] != "pass":
            more = f" (expected {each['expectedRepr']}, got {each['actualRepr']})" if "actualRepr" in each else ""
            found.append(f"the reference {name} does not pass {each['name']!r}: {each['message']}{more}")
    if not found and not result["passed"]:
        found.append(f"the reference {name} passes nothing")
    return found
