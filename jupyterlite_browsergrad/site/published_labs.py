"""The labs among a site's contents: finds them, and keeps their reference solutions out of the site."""

from __future__ import annotations

import re
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..labs.folders import HIDDEN, Finding, Lab, examine, find_manifests

__all__ = ["SiteLabs", "collect", "leaks"]

#: Shortest solution that is searched for, in bytes. A shorter one would be found by chance.
SHORTEST_LEAK = 32
ARCHIVES = (".zip", ".whl", ".tar", ".gz", ".tgz", ".bz2", ".xz")


@dataclass
class SiteLabs:
    """The labs of a site, and the problems that were found.

    Attributes
    ----------
    labs
        Each lab with its future folder in the site's ``files``.
    findings
        Notebooks that name a manifest that does not exist.
    """

    labs: list[tuple[PurePosixPath, Lab]]
    findings: list[Finding]

    @property
    def errors(self) -> list[Finding]:
        """The problems that make the build fail."""
        mine = [finding for finding in self.findings if finding.severity == "error"]
        return mine + [finding for _, lab in self.labs for finding in lab.errors]

    @property
    def warnings(self) -> list[Finding]:
        """The problems of which the build warns."""
        return [finding for _, lab in self.labs for finding in lab.findings if finding.severity == "warning"]

    def references(self) -> list[tuple[PurePosixPath, Path]]:
        """List the reference solutions: the path that each would have in the site's ``files``, and its present path."""
        return [
            (folder / lab.manifest.reference_path, lab.folder / lab.manifest.reference_path)
            for folder, lab in self.labs
            if lab.manifest is not None
        ]

    def hidden(self) -> list[tuple[PurePosixPath, Path]]:
        """List the folders beside labs that hold rubrics for grading, in the same form."""
        return [
            (folder.with_name(folder.name + HIDDEN), lab.folder.resolve().with_name(lab.folder.resolve().name + HIDDEN))
            for folder, lab in self.labs
            if folder.name
        ]


def collect(contents: list[Path], ignore: Iterable[str]) -> SiteLabs:
    """Examine the labs of a site's contents.

    Parameters
    ----------
    contents
        Folders, or single files, which go to the site's root.
    ignore
        Patterns of files that JupyterLite does not copy.
    """
    found = SiteLabs([], [])
    for root in contents:
        if root.is_dir():
            manifests, findings = find_manifests(root, ignore)
            found.findings += findings
            for file in manifests:
                found.labs.append((PurePosixPath(file.parent.relative_to(root).as_posix()), examine(file)))
        elif root.name == "manifest.json":
            found.labs.append((PurePosixPath("."), examine(root)))
    return found


def ignore_pattern(path: PurePosixPath) -> str:
    """Return the pattern that keeps JupyterLite from copying a file or a whole folder."""
    return f"^/{re.escape(str(path))}(?:/|$)"


def leaks(solution: bytes, folder: Path) -> Iterator[str]:
    """Find the files below `folder` that contain a solution's text, and such files in archives."""
    needle = solution.strip()
    if len(needle) < SHORTEST_LEAK:
        return
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if needle in path.read_bytes():
            yield str(path)
        elif path.suffix.lower() in ARCHIVES:
            yield from (f"{path}, in it {name}" for name, data in _members(path) if needle in data)


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield from ((name, archive.read(name)) for name in archive.namelist())
        elif tarfile.is_tarfile(path):
            with tarfile.open(path) as tar:
                for member in tar:
                    file = tar.extractfile(member)
                    if file is not None:
                        yield member.name, file.read()
    except (OSError, zipfile.BadZipFile, tarfile.TarError, RuntimeError, EOFError, NotImplementedError):
        return  # damaged or encrypted: it cannot be read
