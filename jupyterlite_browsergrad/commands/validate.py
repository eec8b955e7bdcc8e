"""Check the manifests of labs, the files they name, and what their notebooks and modules import.

Exit status: 0 if there are no errors, though perhaps warnings; 1 if a manifest has errors; 2 if there was nothing to check,
or a path does not exist.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .. import paths
from ..exit_status import DONE, FAULTS, UNUSABLE
from ..labs.folders import Finding, Lab, as_json, examine, find_manifests, manifest_of
from ..site.choice import SiteImports, explain_unknown
from ..site.imports import files_of
from ..site.release import embedded_lock
from ..terminal import json_shown, say

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", type=Path, help="a manifest, a notebook, or a folder of labs"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="what to print (default: text)")


def run(options: argparse.Namespace) -> int:
    """Check, print, and return the exit status."""
    manifests: dict[Path, Lab] = {}
    findings: list[Finding] = []
    for path in options.paths:
        found, problems = _manifests(path)
        findings += problems
        if not found and not problems:
            say(f"jupyter browsergrad validate: {_nothing(path)}", sys.stderr, keep="")
            return UNUSABLE
        manifests |= {file: examine(file) for file in found if file not in manifests}
    labs = list(manifests.values())
    for lab in labs:
        _add_imports(lab)
    report = as_json(labs, findings)
    if options.format == "json":
        print(json_shown(report, indent=1))
    else:
        _print(labs, findings)
    return FAULTS if report["errors"] else DONE


def _manifests(path: Path) -> tuple[list[Path], list[Finding]]:
    if path.is_dir():
        return find_manifests(path)
    if path.suffix == ".ipynb" and path.is_file():
        named, problem = manifest_of(path)
        beside = path.parent / "manifest.json"
        if named is None and problem is None and beside.is_file():
            named = beside
        return [named] if named else [], [problem] if problem else []
    return ([path] if path.is_file() else []), []


def _add_imports(lab: Lab) -> None:
    """Note the packages of Pyodide's release that a lab imports, and modules that neither the release nor the kernel has."""
    imports = SiteImports(files_of([lab.folder]), paths.static("kernel"))
    lock = embedded_lock(paths.static("pyodide"), {"packages": {}})
    lab.packages = sorted(imports.choose(lock).packages)
    for message in explain_unknown(imports.missing([lock])):
        lab.findings.append(Finding(lab.file, "", "unknown-import", message, "warning"))


def _nothing(path: Path) -> str:
    if not path.exists():
        return f"there is no file or folder {path}"
    if path.is_dir():
        return f"{path} holds no lab: there is no manifest.json in it or below"
    return f"{path} belongs to no lab: there is no manifest.json beside it, and its metadata names none"


def _print(labs: list[Lab], findings: list[Finding]) -> None:
    for finding in [*findings, *(finding for lab in labs for finding in lab.findings)]:
        say(f"{finding.severity}: {finding}", keep="")
    for lab in labs:
        if not lab.errors and lab.manifest:
            needs = f", with {', '.join(lab.packages)}" if lab.packages else ""
            say(f"ok: {lab.file}: {lab.manifest.id} {lab.manifest.version}{needs}", keep="")
