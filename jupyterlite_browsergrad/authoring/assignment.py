"""Makes a lab from one source: the students' notebook, the reference, the rubrics and the manifest.

The lab can be made again after each edit of the source. A file is only overwritten if it was made here and not edited since. The manifest
belongs to the teacher: once it exists, only its paths are updated.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import AuthoringError
from ..exit_status import FAULTS
from ..hashing import sha256_of
from ..labs.folders import HIDDEN, MANIFEST_NAME, MANUAL
from ..whole_files import file_in_the_way, write_all
from .new_lab import pin
from .notebooks import cell, lab_id, notebook, notebook_text
from .plan import Piece, Plan, placed
from .questions import plan_of
from .rubrics import rubric_text
from .source import Problems, read_source

__all__ = ["Made", "assign", "lab_of"]

#: File with the hashes of the files that were made. It is in the lab's hidden folder, which is not published.
RECORD = "assign.json"


@dataclass(frozen=True)
class Made:
    """The result of `assign`.

    Attributes
    ----------
    written
        The files that were new or have changed.
    plan
        The lab's tests and questions, and notes for the teacher.
    points
        The points of all tests.
    """

    folder: Path
    written: list[Path]
    plan: Plan
    points: float
    #: The points of all questions that a person grades.
    manual_points: float = 0


def lab_of(source: Path) -> Path:
    """Return the folder of the lab that is made from a source: ``search`` for both ``search.hidden/any.ipynb`` and ``search.ipynb``."""
    parent = source.absolute().parent
    if parent.name.endswith(HIDDEN) and parent.name != HIDDEN:
        return source.parent.parent / parent.name.removesuffix(HIDDEN)
    return source.parent / source.stem


def assign(source: Path, folder: Path | None = None, *, force: bool = False, test_cells: bool = True) -> Made:
    """Make the lab of a source.

    Parameters
    ----------
    folder
        The lab's folder. If None, that of `lab_of`.
    force
        Overwrite files that were edited, or that were not made here.
    test_cells
        Whether the students' notebook has the tests that are not hidden.

    Raises
    ------
    AuthoringError
        The source has broken markers, all of which the message names, or a file would be overwritten. Nothing was written.
    """
    folder = folder or lab_of(source)
    if (there := file_in_the_way(folder)) is not None:
        raise AuthoringError(f"{there} is a file: give another folder for the lab with --out")
    name = lab_id(folder)
    plan = plan_of(read_source(source))
    plan.student = placed(plan.student, test_cells)
    files = _files(source, folder, name, plan)
    record = folder.with_name(folder.name + HIDDEN) / RECORD
    known = _known(record)
    _refuse(files, known, force)
    written = _write(files)
    made = {_key(path, folder): _hash(text) for path, text in files.items() if path.name != MANIFEST_NAME}
    for key in known.keys() - made.keys():  # files made earlier that are no longer part of the lab
        old = folder.parent / key
        if old.is_file() and _hash_of(old) == known[key]:
            old.unlink()
    _write({record: json.dumps({"source": source.name, "files": made}, indent=1) + "\n"})
    return Made(
        folder, written, plan, sum(test.points or 0 for test in plan.tests), sum(each.points for each in plan.manual)
    )


def _files(source: Path, folder: Path, name: str, plan: Plan) -> dict[Path, str]:
    if not plan.tests and not plan.manual:
        raise AuthoringError(
            f"{source}: it has no tests, so nothing would be checked. A test is a code cell that begins with `# TEST name (2 points)`",
            exit_status=FAULTS,
        )
    if plan.tests and not any(test.shown for test in plan.tests):
        raise AuthoringError(
            f"{source}: every test is hidden, so *Check my work* would show nothing: leave one test visible",
            exit_status=FAULTS,
        )
    student, reference = (
        [(each.kind, each.text) for each in cells if "test" not in each.marks]
        for cells in (plan.student, plan.reference)
    )
    if student == reference:
        raise AuthoringError(
            f"{source}: nothing is marked as a solution, so students would get all of it: "
            "write ### BEGIN SOLUTION above and ### END SOLUTION below what they are to find",
            exit_status=FAULTS,
        )
    problems = Problems()
    shown = rubric_text(
        plan, f"Checks of {name}, made from {source.name}: change them there.", hidden=False, problems=problems
    )
    whole = rubric_text(plan, f"Checks for grading {name}, made from {source.name}.", hidden=True, problems=problems)
    problems.check()
    files = {
        folder / MANIFEST_NAME: _manifest(folder / MANIFEST_NAME, name),
        folder / f"{name}.ipynb": _notebook(plan.student),
        folder / "reference.ipynb": _notebook(plan.reference),
        folder / "rubric.py": shown,
    }
    hidden = folder.with_name(folder.name + HIDDEN)
    if any(test.shown != test.whole for test in plan.tests):
        files[hidden / "rubric.py"] = whole
    if plan.manual:
        files[hidden / MANUAL] = _manual(name, plan)
    return files


def _manual(name: str, plan: Plan) -> str:
    questions = [
        {"name": each.name, "points": each.points, "task": each.is_task, "guide": "\n\n".join(each.guide)}
        for each in plan.manual
    ]
    return json.dumps({"lab": name, "questions": questions}, indent=1, ensure_ascii=False) + "\n"


def _notebook(cells: list[Piece]) -> str:
    made = []
    for number, each in enumerate(cells):
        metadata: dict[str, Any] = {"browsergrad": each.marks} if each.marks else {}
        if "test" in each.marks:
            metadata |= {"editable": False, "deletable": False}
        made.append(cell(each.kind, each.text, number, metadata))
    return notebook_text(notebook(made))


def _manifest(path: Path, name: str) -> str:
    paths = {"rubric_path": "rubric.py", "starter_path": f"{name}.ipynb", "reference_path": "reference.ipynb"}
    fields: dict[str, Any] = {"id": name, "version": "1.0.0", "requires_browsergrad": pin(), "required_ops": []}
    try:
        before = json.loads(path.read_text("utf-8"))
        if not isinstance(before, dict):
            raise ValueError("it is not an object")
    except FileNotFoundError:
        before = {}
    except OSError as error:
        raise AuthoringError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise AuthoringError(
            f"{path} cannot be read: {error}. Mend it, or remove it, and run the command again",
            exit_status=FAULTS,
        ) from error
    return json.dumps(fields | before | paths, indent=2, ensure_ascii=False) + "\n"


def _known(record: Path) -> dict[str, str]:
    try:
        files = json.loads(record.read_text("utf-8"))["files"]
        return {str(key): str(value) for key, value in files.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise AuthoringError(
            f"{record} cannot be read ({error}); it knows which files were made. Remove it and give --force to make all of them again"
        ) from error


def _refuse(files: dict[Path, str], known: dict[str, str], force: bool) -> None:
    """Raise `AuthoringError` if a file would be overwritten that was edited, or not made here."""
    folder = next(iter(files)).parent
    problems = []
    for path, text in files.items():
        if force or path.name == MANIFEST_NAME or not path.exists():
            continue
        actual, before = _hash_of(path), known.get(_key(path, folder))
        if actual in (before, _hash(text)):
            continue
        said = "was not made by this command" if before is None else "was edited since it was made"
        problems.append(f"- {path} {said}: move what you need into the source, then give --force")
    if problems:
        raise AuthoringError("nothing was written:\n" + "\n".join(problems), exit_status=FAULTS)


def _key(path: Path, folder: Path) -> str:
    return path.relative_to(folder.parent).as_posix()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _hash_of(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise AuthoringError(f"{path} cannot be read: {error.strerror or error}") from error


def _write(files: dict[Path, str]) -> list[Path]:
    """Write the files whose content differs, all or none of them, and return their paths."""
    contents = {path: text.encode() for path, text in files.items()}
    try:
        changed = {
            path: content for path, content in contents.items() if not path.is_file() or path.read_bytes() != content
        }
        write_all(changed)
    except OSError as error:
        raise AuthoringError(f"{error.filename} cannot be written: {error.strerror or error}") from error
    return list(changed)
