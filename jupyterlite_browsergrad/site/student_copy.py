"""Copies labs as students may have them: without reference solutions and rubrics for grading, by the same rule as a site."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ..errors import ConfigurationError, LabsError
from ..labs.folders import MANIFEST_NAME, SKIPPED
from ..whole_files import replacing
from . import published_labs

__all__ = ["StudentCopy", "copy_for_students"]


@dataclass
class StudentCopy:
    """What a copy has done.

    Attributes
    ----------
    labs
        Number of labs.
    files
        All files of the copy, as they are in the target.
    changed
        Those that are new there, or have changed.
    left_out
        Files and folders of the source that were not copied.
    removed
        Files and folders of the target that an earlier copy had, and that students must not have.
    warnings
        Texts for the author: what the labs' checks found, and copies of solutions in other files.
    """

    labs: int = 0
    files: list[Path] = field(default_factory=list)
    changed: list[Path] = field(default_factory=list)
    left_out: list[Path] = field(default_factory=list)
    removed: list[Path] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def copy_for_students(sources: Sequence[Path], target: Path, *, keep_references: bool = False) -> StudentCopy:
    """Copy labs to a folder. Other files in that folder stay.

    Parameters
    ----------
    sources
        A lab's folder becomes a folder in `target`. The contents of any other folder are copied into `target` itself.
    target
        Is made if it does not exist. It must not be in a source, nor a source in it.
    keep_references
        Whether reference solutions are copied.

    Raises
    ------
    LabsError
        A lab has errors. Nothing has been copied.
    ConfigurationError
        There is no lab in a source, a link leads out of it, two sources have different files of one name, or a file cannot be written.
    """
    done = StudentCopy()
    plan: dict[Path, Path] = {}
    secrets: list[Path] = []
    solutions: list[Path] = []
    errors: list[str] = []
    for source in sources:
        _check_place(source, target)
        labs = published_labs.collect([source], ())
        if not labs.labs and not labs.errors:
            raise ConfigurationError(f"{source} holds no lab: there is no {MANIFEST_NAME} in it or below")
        errors += [str(finding) for finding in labs.errors]
        done.warnings += [str(finding) for finding in labs.warnings]
        done.labs += len(labs.labs)
        place = target / source.resolve().name if (source / MANIFEST_NAME).is_file() else target
        references = labs.references()
        left_out = {path for path, _ in [*labs.hidden(), *([] if keep_references else references)]}
        solutions += [path for _, path in references if path.is_file()]
        secrets += [place / path for path in left_out]
        done.left_out += sorted(source / path for path in left_out if (source / path).exists())
        for path in _files(source, left_out):
            other = plan.setdefault(place / path, source / path)
            if other != source / path and not filecmp.cmp(other, source / path, shallow=False):
                raise ConfigurationError(
                    f"{other} and {source / path} would both become {place / path}: rename one of them"
                )
    if errors:
        raise LabsError(errors)
    _write(plan, secrets, done)
    if not keep_references:
        for solution in solutions:
            for leak in published_labs.leaks(solution.read_bytes(), target):
                done.warnings.append(f"the reference solution {solution} can be read in the copy: {leak}")
    return done


def _check_place(source: Path, target: Path) -> None:
    if not source.is_dir():
        problem = "is a file" if source.exists() else "does not exist"
        raise ConfigurationError(f"{source} {problem}: give the folder of a lab, or a folder of labs")
    inner, outer = source.resolve(), target.resolve()
    if inner.is_relative_to(outer) or outer.is_relative_to(inner):
        raise ConfigurationError(f"{target} and {source} contain one another: give another folder with --to")


def _files(source: Path, left_out: set[PurePosixPath]) -> Iterator[PurePosixPath]:
    """The files to copy, relative to `source`."""
    root = source.resolve()
    for folder, names, files in os.walk(source):
        here = PurePosixPath(Path(folder).relative_to(source).as_posix())
        names[:] = sorted(name for name in names if name not in SKIPPED and here / name not in left_out)
        for name in (*names, *sorted(files)):
            path = Path(folder, name)
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                raise ConfigurationError(f"{path} is a link out of {source}: replace it by what it leads to")
        yield from (here / name for name in sorted(files) if here / name not in left_out)


def _write(plan: dict[Path, Path], secrets: list[Path], done: StudentCopy) -> None:
    try:
        for path in secrets:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.exists() or path.is_symlink():
                path.unlink()
            else:
                continue
            done.removed.append(path)
        for path, source in plan.items():
            done.files.append(path)
            if path.is_file() and filecmp.cmp(path, source, shallow=False):
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as fresh:
                shutil.copy2(source, fresh)
            done.changed.append(path)
    except OSError as error:
        raise ConfigurationError(f"{error.filename} cannot be written: {error.strerror or error}") from error
