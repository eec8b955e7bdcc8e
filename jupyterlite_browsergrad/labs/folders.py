"""Labs on disk: finds their manifests, and checks them and the files that they name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

from browsergrad.hosting import visible

from .._version import __version__
from ..hashing import sha256_of
from .manifest_rules import Manifest, ManifestError, is_semver_compatible, parse_manifest
from .notebook_metadata import named_manifest

__all__ = ["MANIFEST_NAME", "Finding", "Lab", "examine", "find_manifests"]

MANIFEST_NAME = "manifest.json"
#: Folders in which authors have no labs.
SKIPPED = frozenset({".git", ".ipynb_checkpoints", "__pycache__", "node_modules", ".venv"})
#: End of the name of the folder beside a lab's folder that holds the rubric for grading. It is never published.
HIDDEN = ".hidden"
#: In that folder, the questions that a person grades.
MANUAL = "manual.json"
PATHS = ("rubric_path", "starter_path", "reference_path")


@dataclass(frozen=True)
class Finding:
    """A problem of a lab that its author should know.

    Attributes
    ----------
    file
        The manifest or notebook.
    path
        JSON pointer to the wrong value in the file; empty for the whole file.
    code
        The kind of problem, for programs: those of `manifest.Code`, and ``read``, ``missing-file``, ``outside``,
        ``wrong-hash``, ``same-file``, ``off-site``, ``incompatible``, ``unknown-import``.
    message
        The problem, for people.
    severity
        Errors fail a build.
    """

    file: Path
    path: str
    code: str
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        # This text, with names of files and values from the manifest, is written to terminals and logs.
        return visible(f"{self.file}: {self.path or '(document)'}: {self.message}", keep="")


@dataclass
class Lab:
    """One manifest on disk, and its problems. `manifest` is None if it breaks the rules.

    `packages` are the packages of Pyodide's release that the lab imports. `validate` sets them.
    """

    file: Path
    manifest: Manifest | None = None
    findings: list[Finding] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """The folder to which the paths in the manifest are relative."""
        return self.file.parent

    @property
    def errors(self) -> list[Finding]:
        """The findings that fail a build."""
        return [finding for finding in self.findings if finding.severity == "error"]


def find_manifests(root: Path, ignore: Iterable[str] = ()) -> tuple[list[Path], list[Finding]]:
    """Find the manifests below a folder: all ``manifest.json``, and those that notebooks name in their metadata.

    Parameters
    ----------
    root
        The folder.
    ignore
        Regular expressions. Files are left out if one is found in their path from `root`, such as ``/one/lab.ipynb``.

    Returns
    -------
    list of Path
        Sorted.
    list of Finding
        Notebooks that name a manifest which does not exist.
    """
    found: set[Path] = set()
    findings: list[Finding] = []
    patterns = [re.compile(text) for text in ignore]
    for path in _files(root):
        if any(pattern.search(f"/{path.relative_to(root).as_posix()}") for pattern in patterns):
            continue
        if path.name == MANIFEST_NAME:
            found.add(path)
        elif path.suffix == ".ipynb":
            named, problem = manifest_of(path)
            if problem is not None:
                findings.append(problem)
            elif named is not None:
                found.add(named)
    return sorted(found), findings


def _files(root: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in SKIPPED)
        yield from (Path(folder, name) for name in sorted(files))


def manifest_of(notebook: Path) -> tuple[Path | None, Finding | None]:
    """Find the manifest that a notebook names, or the problem with that name."""
    pointer = "/metadata/browsergrad/manifest"
    try:
        named = named_manifest(notebook)
    except (OSError, ValueError, RecursionError):
        return None, None  # other parts check whether the notebook is valid
    if named is None:
        return None, None
    if named.file is None:
        message = f"{named.problem}; it must be a path inside the notebook's folder"
        return None, Finding(notebook, pointer, "path", message)
    if not named.file.is_file():
        message = f"there is no file {named.name}: the notebook's cells would not run"
        return None, Finding(notebook, pointer, "missing-file", message)
    return named.file, None


def examine(file: Path) -> Lab:
    """Check a manifest and the files that it names. Never raises."""
    lab = Lab(file)
    if not _is_inside(file, file.parent):
        lab.findings.append(Finding(file, "", "outside", "is a link out of the lab's folder"))
        return lab
    try:
        lab.manifest = parse_manifest(file.read_bytes())
    except OSError as error:
        lab.findings.append(Finding(file, "", "read", f"could not be read: {error.strerror or error}"))
    except ManifestError as error:
        lab.findings += [Finding(file, item.path, item.code, item.message) for item in error.errors]
    else:
        lab.findings += _beyond(lab.file, lab.manifest)
    return lab


def _beyond(file: Path, manifest: Manifest) -> Iterator[Finding]:
    """Check what the rules alone do not: versions, and files."""
    if not is_semver_compatible(manifest.requires_browsergrad, __version__):
        message = (
            f"the lab requires {manifest.requires_browsergrad} and this is {__version__}: its notebooks would not run"
        )
        yield Finding(file, "/requires_browsergrad", "incompatible", message, "warning")
    named: dict[str, str] = {}
    for name in PATHS:
        path = getattr(manifest, name)
        yield from _file(file, f"/{name}", path)
        if path in named:
            message = f"{name} and {named[path]} are one file, {path}: a reference must be no part of what students get"
            yield Finding(file, f"/{name}", "same-file", message)
        named[path] = name
    for index, dataset in enumerate(manifest.datasets):
        pointer = f"/datasets/{index}/url"
        if dataset.url.lower().startswith("https:"):
            message = f"the dataset {dataset.name} comes from another site: {dataset.url}"
            yield Finding(file, pointer, "off-site", message, "warning")
            continue
        path = unquote(dataset.url)
        problems = list(_file(file, pointer, path))
        yield from problems
        if dataset.hash and not problems:
            actual = f"sha256:{sha256_of(file.parent / path)}"
            if actual != dataset.hash:
                message = f"{path} has {actual}, the manifest says {dataset.hash}"
                yield Finding(file, f"/datasets/{index}/hash", "wrong-hash", message, "warning")


def _file(file: Path, pointer: str, path: str) -> Iterator[Finding]:
    target = file.parent / path
    if not _is_inside(target, file.parent):
        yield Finding(file, pointer, "outside", f"{path} is a link out of the lab's folder")
    elif not target.is_file():
        yield Finding(file, pointer, "missing-file", f"there is no file {path}", "warning")


def _is_inside(path: Path, folder: Path) -> bool:
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a loop of links
        return False


def as_json(labs: Iterable[Lab], findings: Iterable[Finding]) -> dict[str, Any]:
    """The data that ``validate --format json`` prints."""
    labs = list(labs)
    everything = [*findings, *(finding for lab in labs for finding in lab.findings)]
    return {
        "labs": [
            {
                "file": str(lab.file),
                "id": lab.manifest.id if lab.manifest else None,
                "version": lab.manifest.version if lab.manifest else None,
                "ok": not lab.errors,
                "packages": lab.packages,
            }
            for lab in labs
        ],
        "findings": [
            {
                "file": str(finding.file),
                "path": finding.path,
                "code": finding.code,
                "message": finding.message,
                "severity": finding.severity,
            }
            for finding in everything
        ],
        "errors": sum(finding.severity == "error" for finding in everything),
        "warnings": sum(finding.severity == "warning" for finding in everything),
    }
