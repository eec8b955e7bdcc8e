"""Submissions: notebooks, Python files and hand-in files. They are found first, and each is read when its turn comes.

Students may also hand in links, pipes and sparse files. Only ordinary files of a limited size are read. Links that a student may have
made are not followed: they may lead to the work of another student.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import GradingError
from ..labs.folders import SKIPPED
from ..labs.notebook_metadata import marks_of_cell
from . import hand_in_file
from .hand_in_file import BadHandIn, read_hand_in

__all__ = ["NOTEBOOKS", "SUFFIXES", "Read", "Submission", "Unreadable", "cells_of", "find_submissions"]

#: Endings of submissions that are read as notebooks.
NOTEBOOKS = (".ipynb", hand_in_file.SUFFIX)
SUFFIXES = (*NOTEBOOKS, ".py")
#: Most brackets, commas and similar signs in a notebook's JSON: each may need a hundred bytes once it is parsed.
MAX_SIGNS = 2_000_000
#: Matches a line that calls otter, which no sandbox has. The rubric checks instead.
_OTTER = re.compile(
    r"^[ \t]*(import otter|from otter import Notebook|\w+ *= *(otter\.)?Notebook\(.*\)|grader\.(check|check_all|export)\(.*\)) *;?[ \t]*$",
    re.MULTILINE,
)
_LINK = "it is a symbolic link, which is not followed: the work behind it may be somebody else's"
#: Parsing JSON briefly needs many times its size in memory, so only one submission is parsed at a time.
_parsing = threading.Lock()


class Unreadable(ValueError):
    """A submission is neither a notebook nor a Python file."""


@dataclass(frozen=True)
class Read:
    """A submission's bytes with their hash, in hexadecimal digits, or the problem that kept them from being read.

    Of a hand-in file, these are the bytes of its notebook.
    """

    content: bytes = b""
    sha256: str = ""
    problem: str | None = None


@dataclass(frozen=True)
class Submission:
    """One file. `name` is its path as it was given, with forward slashes; `problem` says why it must not be read."""

    path: Path
    problem: str | None = None

    @property
    def name(self) -> str:
        return self.path.as_posix()

    def read(self, most_bytes: int, keys: Sequence[Any] = ()) -> Read:
        """Read the file as it is now. The result is a problem if it is not an ordinary file, or is too large, or a bad hand-in file.

        Parameters
        ----------
        keys
            Private keys for encrypted hand-in files.
        """
        if self.problem:
            return Read(problem=self.problem)
        try:
            opened = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ValueError) as error:
            return Read(
                problem=_kind_of(self.path) or f"it cannot be read: {getattr(error, 'strerror', None) or error}"
            )
        with open(opened, "rb") as file:
            found = os.fstat(opened)
            problem = _problem_of(found) or _too_large(found, most_bytes)
            if problem:
                return Read(problem=problem)
            try:
                content = file.read(most_bytes + 1)
            except OSError as error:
                return Read(problem=f"it cannot be read: {error.strerror}")
        if len(content) > most_bytes:
            return Read(problem=f"it is longer than the limit of {most_bytes:,} bytes")
        if self.path.suffix == hand_in_file.SUFFIX:
            try:
                content = read_hand_in(content, keys, most_bytes).notebook
            except BadHandIn as error:
                return Read(problem=str(error))
        return Read(content, hashlib.sha256(content).hexdigest())


def find_submissions(paths: Iterable[Path]) -> list[Submission]:
    """Find the files. In folders, find those that end in `SUFFIXES`, without hidden files and checkpoints.

    Anything that is not an ordinary file is found too, with its problem, so that it gets a result like all others.

    Raises
    ------
    GradingError
        A path does not exist, or nothing was found.
    """
    given = list(paths)
    # If a shell has expanded a pattern, such as submissions/*/solution.py, the part after the common folder comes from students.
    common = os.path.commonpath([path.absolute().parent for path in given]) if given else ""
    found: dict[Path, Submission] = {}
    for path in given:
        if not os.path.lexists(path):
            raise GradingError(
                f"there is no file or folder {path}: give notebooks, Python files, hand-in files, or folders that hold some"
            )
        link = next((each for each in (path, *path.parents) if _is_below(each, common) and each.is_symlink()), None)
        if link is not None:
            said = _LINK if link == path else f"its folder {link} is a symbolic link, which is not followed"
            found[path] = Submission(path, said)
        elif path.is_dir():
            found |= {each.path: each for each in _below(path)}
        else:
            found[path] = Submission(path, _kind_of(path))
    if not found:
        names = ", ".join(map(str, given)) or "what was given"
        raise GradingError(
            f"no submissions in {names}: give notebooks, Python files, hand-in files, or folders that hold some"
        )
    return list(found.values())


def _is_below(path: Path, folder: str) -> bool:
    absolute = str(path.absolute())
    return absolute != folder and os.path.commonpath([absolute, folder]) == folder


def _below(folder: Path) -> Iterator[Submission]:
    """The submissions in a folder, and links to folders: without a result for those, their files would be missed silently."""
    waiting = [folder]
    while waiting:  # not by recursion: a student can nest a thousand folders
        path = waiting.pop()
        if os.path.islink(path):
            if path.suffix in SUFFIXES or os.path.isdir(path):
                yield Submission(path, _LINK)
        elif os.path.isdir(path):
            try:
                entries = [
                    each for each in path.iterdir() if each.name not in SKIPPED and not each.name.startswith(".")
                ]
            except OSError as error:
                yield Submission(path, f"the folder cannot be read: {error.strerror}")
            else:
                waiting += sorted(entries, reverse=True)
        elif path.suffix in SUFFIXES:
            yield Submission(path, _kind_of(path))


def _kind_of(path: Path) -> str | None:
    """Why the entry at `path` is not read; None for an ordinary file."""
    try:
        return _problem_of(os.stat(path, follow_symlinks=False))
    except (OSError, ValueError) as error:
        return f"it cannot be read: {getattr(error, 'strerror', None) or error}"


def _problem_of(found: os.stat_result) -> str | None:
    if stat.S_ISREG(found.st_mode):
        return None
    if stat.S_ISLNK(found.st_mode):
        return _LINK
    for is_kind, name in _KINDS:
        if is_kind(found.st_mode):
            return f"it is {name}, and only ordinary files are read"
    return "it is not an ordinary file"


_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISDIR, "a folder"),
)


def _too_large(found: os.stat_result, most_bytes: int) -> str | None:
    if found.st_size <= most_bytes:
        return None
    on_disk = found.st_blocks * 512
    sparse = f" (a sparse file, {on_disk:,} bytes of it on the disk)" if on_disk < found.st_size else ""
    return f"it is {found.st_size:,} bytes long{sparse}, more than the limit of {most_bytes:,} (--submission-size)"


def cells_of(name: str, content: bytes) -> list[str]:
    """Return the code of a submission, cell by cell. A Python file is one cell.

    Cells with tests that `assign` or nbgrader put into the notebook are left out: the rubric has them, and when one fails that is not an error of
    the student's code. So are the lines with which otter's notebooks call otter.

    Raises
    ------
    Unreadable
        The message says why.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is not UTF-8 text: {error}") from error
    if not name.endswith(NOTEBOOKS):
        return [text]
    signs = sum(content.count(sign) for sign in (b"{", b"[", b":", b","))
    if signs > MAX_SIGNS:
        raise Unreadable(f"it holds more than {MAX_SIGNS:,} values, too many for a notebook")
    try:
        with _parsing:
            notebook = json.loads(text)
            cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and not _is_test(cell)]
            del notebook
            texts = [source if isinstance(source := cell["source"], str) else "".join(source) for cell in cells]
    except RecursionError as error:
        raise Unreadable("it is not a notebook: it is nested too deeply") from error
    except (ValueError, LookupError, TypeError) as error:
        raise Unreadable(f"it is not a notebook of format 4: {type(error).__name__}: {error}") from error
    is_otters = any("otter" in text and "Notebook(" in text for text in texts)
    return [_OTTER.sub("", text) for text in texts] if is_otters else texts


def _is_test(cell: dict[str, Any]) -> bool:
    """Whether a cell is a test of `assign`, or one of nbgrader's."""
    ours, theirs = marks_of_cell(cell, "browsergrad"), marks_of_cell(cell, "nbgrader")
    return isinstance(ours.get("test"), str) or (theirs.get("grade") is True and theirs.get("solution") is not True)
