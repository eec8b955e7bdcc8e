"""Makes labs from a course in nbgrader's or otter's form: one from each notebook. Reports what could not be carried over."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from browsergrad.hosting import plain

from ..errors import AuthoringError
from ..labs.folders import HIDDEN, SKIPPED
from ..whole_files import file_in_the_way
from .assignment import Made, assign
from .notebooks import kebab_case
from .otter import is_otter, unfenced
from .otter_output import Generated, generated_in
from .source import SourceCell, read_source

__all__ = ["UNREADABLE", "Imported", "import_course", "report_text"]

#: Kind of a file that is not a notebook.
UNREADABLE = "unreadable"

#: Folders of nbgrader and otter that do not hold master notebooks.
_OTHER = {"release", "submitted", "autograded", "feedback", "dist", "tests", *SKIPPED}
#: Files that belong to the tools, not to students.
_TOOLS = {"nbgrader_config.py", "gradebook.db", "otter_config.json", "environment.yml", "header.ipynb"}


@dataclass
class Imported:
    """The result for one notebook: `made` is the lab, or `problem` says why there is none."""

    notebook: Path
    kind: str
    made: Made | None = None
    problem: str = ""
    #: Files beside the notebook that were copied into the lab.
    files: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def import_course(paths: list[Path], out: Path, *, force: bool = False, test_cells: bool = True) -> list[Imported]:
    """Make a lab from each notebook of nbgrader or otter in some paths.

    Copies the notebook into the folder ``LAB.hidden``, so that `assign` can make the lab again, and the files beside it into the lab.

    Parameters
    ----------
    paths
        Notebooks, or folders to search.
    out
        The folder for the labs.
    force, test_cells
        As in `assign`.

    Raises
    ------
    AuthoringError
        A path does not exist, or no such notebook was found.
    """
    if (there := file_in_the_way(out)) is not None:
        raise AuthoringError(f"{there} is a file: give another folder for the labs with --out")
    found = [each for path in paths for each in _notebooks(path)]
    outputs = [each for path in paths for each in _outputs(path, {path.stem for path, _, _ in found})]
    if not found and not outputs:
        raise AuthoringError(
            f"{', '.join(map(str, paths))}: no notebook there has nbgrader's metadata or otter's blocks: give the folder source of a course, "
            "or the master notebooks"
        )
    found += [(each.solved, "otter's output", "") for each in outputs]
    generated = {each.solved: each for each in outputs}
    names = Counter(kebab_case(path.stem) for path, _, _ in found)
    done = []
    taken: dict[str, Path] = {}
    for path, kind, problem in found:
        name = kebab_case(path.stem)
        if names[name] > 1 or not name:  # for example, several assignments have a notebook problem1
            name = kebab_case(f"{path.absolute().parent.name} {path.stem}")
        if taken.setdefault(name, path) != path and not problem:
            problem = f"{path}: its lab would be called {name!r}, as that of {taken[name]}: rename one of them, or import it into another folder"
        done.append(
            _import(path, kind, out / name, force, test_cells, generated.get(path))
            if not problem
            else Imported(path, kind, problem=problem)
        )
    return done


def _notebooks(root: Path) -> Iterator[tuple[Path, str, str]]:
    """Find master notebooks: path, kind, and the reason why it cannot be read or an empty text."""
    if not root.exists():
        raise AuthoringError(f"there is no file or folder {root}: give the folder of a course, or notebooks")
    if root.is_file():
        files = [root]
    else:
        files = []
        for folder, names, inside in os.walk(root):
            names[:] = sorted(name for name in names if name not in _OTHER and not name.endswith(HIDDEN))
            files += [Path(folder, name) for name in sorted(inside) if name.endswith(".ipynb") and name not in _TOOLS]
    for file in files:
        try:
            kind = _kind(read_source(file))
        except AuthoringError as error:
            yield file, UNREADABLE, str(error)
            continue
        if kind:
            yield file, kind, ""


def _kind(cells: list[SourceCell]) -> str:
    """Whose notebook it is: ``otter``, ``nbgrader``, or an empty text for any other notebook."""
    if is_otter(unfenced(cells)):
        return "otter"
    return "nbgrader" if any("nbgrader" in cell.metadata for cell in cells) else ""


def _outputs(root: Path, masters: set[str]) -> Iterator[Generated]:
    """Assignments that otter has generated and whose master notebook was not found."""
    if root.is_dir():
        for folder, names, _ in os.walk(root):
            names[:] = sorted(name for name in names if name not in SKIPPED and not name.endswith(HIDDEN))
            for each in generated_in(Path(folder)):
                if each.solved.stem not in masters:
                    yield each


def _import(
    path: Path, kind: str, folder: Path, force: bool, test_cells: bool, generated: Generated | None
) -> Imported:
    done = Imported(path, kind)
    source = folder.with_name(folder.name + HIDDEN) / path.name
    try:
        content = path.read_bytes() if generated is None else generated.source_text().encode()
        if source.exists() and not force and source.read_bytes() != content:
            raise AuthoringError(
                f"{source} differs from it: it was edited since it was imported; --force overwrites it"
            )
        if generated is None:
            made = assign(path, folder, force=force, test_cells=test_cells)
        else:
            made = _assign_text(content, path, folder, force, test_cells)
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_bytes(content)
        done.made = made
        done.notes += made.plan.notes + (generated.notes if generated else [])
        _copy_files(path if generated is None else generated.student, folder, done)
    except OSError as error:
        done.problem = f"{error.filename}: {error.strerror or error}"
    except AuthoringError as error:
        done.problem = str(error)
    return done


def _assign_text(content: bytes, path: Path, folder: Path, force: bool, test_cells: bool) -> Made:
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary, path.name)
        source.write_bytes(content)
        try:
            return assign(source, folder, force=force, test_cells=test_cells)
        except AuthoringError as error:
            raise AuthoringError(str(error).replace(str(source), f"the source made of {path}")) from error


def _copy_files(path: Path, folder: Path, done: Imported) -> None:
    """Copy files beside a notebook, such as data and pictures. Files that are in the lab already are not overwritten."""
    for file in sorted(path.parent.rglob("*")):
        inside = file.relative_to(path.parent)
        if any(part.startswith(".") or part in _OTHER or part.endswith(HIDDEN) for part in inside.parts):
            continue
        if file.suffix == ".ipynb" or file.name in _TOOLS or file.is_symlink() or not file.is_file():
            continue
        if folder.absolute() in file.absolute().parents:
            continue
        target = folder / inside
        if target.exists():
            if target.read_bytes() != file.read_bytes():
                done.notes.append(f"{file}: {target} is another file and stays as it is")
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        done.files.append(target)


def report_text(done: list[Imported]) -> str:
    """Return the report, in Markdown."""
    made = sum(each.made is not None for each in done)
    parts = [f"# Import\n\n{made} of {len(done)} notebooks became labs.\n"]
    for each in done:
        parts.append(f"\n## {each.notebook}\n\n")
        if each.made is None or each.problem:
            parts.append(f"- not imported ({each.kind}): {each.problem}\n")
        else:
            tests = each.made.plan.tests
            parts.append(
                f"- {each.kind}, now {each.made.folder}: {len(tests)} tests, "
                f"{sum(not test.shown for test in tests)} of them hidden, {plain(each.made.points)} points\n"
            )
            if each.made.plan.manual:
                names = ", ".join(f"{by_hand.name} ({plain(by_hand.points)})" for by_hand in each.made.plan.manual)
                parts.append(f"- to grade by hand, {plain(each.made.manual_points)} points: {names}\n")
        parts += [f"- copied: {path}\n" for path in each.files]
        parts += [f"- did not carry over: {note}\n" for note in each.notes]
    return "".join(parts)
