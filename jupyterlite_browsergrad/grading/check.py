"""Check that labs do what they should: the reference passes its rubric, the starter does not.

Both run as submissions do, in the sandbox; once with a Python that starts from its memory snapshot, and once with one that
starts from its files. What comes out may not differ. Exit status: 0 all labs are well, 1 some are not.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from .. import labs
from ..errors import GradingError
from ..terminal import one_line, say
from .bundle import LabBundle, load_lab
from .engine import open_engine
from .options import add_limits, limits_of, require_sandbox
from .run import Job, JobLimits

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "labs", metavar="LAB", nargs="+", type=Path, help="a lab's folder, its manifest, or a folder of labs"
    )
    add_limits(parser)


def run(options: argparse.Namespace) -> int:
    """Check, print, and return the exit status."""
    require_sandbox()
    manifests = list(dict.fromkeys(each for path in options.labs for each in _manifests(path)))
    limits = limits_of(options)
    problems: dict[Path, list[str]] = {}
    jobs: list[Job] = []
    roles: dict[int, tuple[Path, str]] = {}
    results: dict[tuple[Path, str], list[dict[str, Any]]] = {}
    for file in manifests:
        problems[file] = []
        try:
            lab, manifest, folder = load_lab(file, options.site)
        except GradingError as error:
            problems[file].append(str(error))
            continue
        for role, path in (("reference", manifest.reference_path), ("starter", manifest.starter_path)):
            for job in _jobs(lab, folder / path, limits, problems[file], role):
                roles[id(job)] = (file, role)
                jobs.append(job)
    with open_engine(options.jobs) as engine:
        for job, result in engine.run([partial(_same, job) for job in jobs]):
            file, role = roles[id(job)]
            if isinstance(result, Exception):
                problems[file].append(f"the {role} {job.name} could not be run: {type(result).__name__}: {result}")
            else:
                results.setdefault((file, role), []).append(result)
    for (file, role), both in results.items():
        problems[file] += _judge(role, sorted(both, key=lambda result: result["started_from"] != "snapshot"))
    for file in manifests:
        say(f"{one_line(file)}: {'ok' if not problems[file] else 'NOT OK'}")
        for problem in dict.fromkeys(problems[file]):
            say("  - " + problem.replace("\n", "\n    "))
    return 1 if any(problems.values()) else 0


def _same(job: Job) -> Job:
    return job


def _manifests(path: Path) -> list[Path]:
    if path.is_dir():
        found, _ = labs.find_manifests(path)
        if found:
            return found
    elif path.is_file():
        return [path]
    raise GradingError(f"there is no lab at {path}: give a folder that holds {labs.MANIFEST_NAME}")


def _jobs(lab: LabBundle, path: Path, limits: JobLimits, problems: list[str], role: str) -> Iterator[Job]:
    """One for each way in which Python starts."""
    try:
        content = path.read_bytes()
    except OSError as error:
        problems.append(f"the {role} {path} cannot be read: {error.strerror}")
        return
    for from_files in (False, True):
        yield Job(lab, path.name, content, limits, from_files=from_files)


def _judge(role: str, results: list[dict[str, Any]]) -> list[str]:
    """Problems of a role's runs, of which the one from the snapshot comes first."""
    found = list(dict.fromkeys(problem for result in results for problem in _problems(role, result)))
    if len(results) < 2 or any(result["started_from"] is None for result in results):
        return found  # one of them could not be run, which has been said
    name = results[0]["submission"]
    if results[0]["started_from"] != "snapshot":
        return [*found, f"no Python started from its memory snapshot for the {role} {name}: install the package, or build the site, again"]
    snapshot, files = (_outcome(result) for result in results)
    for what, value in snapshot.items():
        if files[what] != value:
            found.append(
                f"the {role} {name} comes out differently when Python starts from its files: "
                f"{what}: {value!r} from the snapshot, {files[what]!r} from the files. Does it depend on the order of a set, or on hash()?"
            )
    return found


def _outcome(result: dict[str, Any]) -> dict[str, Any]:
    """What has to be the same however Python starts; texts may hold what is new each time, such as addresses."""
    error = result["error"]
    return {
        "error": error and (error["kind"], error["ename"]),
        "cells": result["cells"],
        "counts": result["counts"],
        "assertions": [(each["kind"], each["name"]) for each in result["assertions"]],
        "python_version": result["python_version"],
    }


def _problems(role: str, result: dict[str, Any]) -> list[str]:
    name, error = result["submission"], result["error"]
    said = f"{error['kind']}: {error['ename']}: {error['evalue']}" if error else ""
    if role == "starter":
        if error and error["kind"] in ("sandbox", "unreadable"):
            return [f"the starter {name} could not be run: {said}"]
        return [f"the starter {name} passes the rubric, which therefore shows nothing"] if result["passed"] else []
    found = [f"the reference {name} ends with an error, {said}"] if error else []
    for each in result["assertions"]:
        if each["kind"] != "pass":
            more = f" (expected {each['expectedRepr']}, got {each['actualRepr']})" if "actualRepr" in each else ""
            found.append(f"the reference {name} does not pass {each['name']!r}: {each['message']}{more}")
    if not found and not result["passed"]:
        found.append(f"the reference {name} passes nothing")
    return found
