"""Keeps files in step, so that rubric and student see the same ones although each has a folder of its own."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

__all__ = ["FilesInStep"]

#: Most files and bytes that are copied for one submission.
MAX_FILES = 2000
MAX_BYTES = 64 << 20

#: Path to time, size and mode.
_State = dict[str, tuple[int, int, int]]


class FilesInStep:
    """Copies new and changed files between two folders. Never copies one of the lab's own files to the rubric.

    Parameters
    ----------
    student, rubric
        Their folders.
    own
        Paths of the lab's files. The rubric's copies stay as they are.
    """

    def __init__(self, student: Path, rubric: Path, own: set[str]) -> None:
        self._folders = {"student": student, "rubric": rubric}
        self._own = {os.path.normcase(path) for path in own}
        # Files of each folder that the other one has too. At first these are the lab's own files.
        self._seen: dict[str, _State] = {
            name: {path: state for path, state in _state(folder).items() if os.path.normcase(path) in self._own}
            for name, folder in self._folders.items()
        }
        # Files and bytes copied so far.
        self._files = self._bytes = 0

    def to_student(self) -> None:
        """Copy the files that the rubric has written."""
        self._carry("rubric", "student")

    def to_rubric(self) -> None:
        """Copy the files that the student's code has written, except changes of the lab's own files."""
        self._carry("student", "rubric")

    def _carry(self, source: str, target: str) -> None:
        """Copy what has changed in a folder since the last time, and remove what is gone."""
        now, before = _state(self._folders[source]), self._seen[source]
        if now == before:
            return
        self._seen[source] = now
        changed = [path for path, state in now.items() if before.get(path) != state]
        gone = sorted(before.keys() - now.keys(), reverse=True)
        if target == "rubric":
            changed, gone = (
                [path for path in paths if os.path.normcase(path) not in self._own] for paths in (changed, gone)
            )
        for path in changed:
            self._copy(path, now[path], source, target)
        for path in gone:
            self._remove(path, target)
        # Files that were copied need not be copied back.
        after = _state(self._folders[target])
        for path in (*changed, *gone):
            if path in after:
                self._seen[target][path] = after[path]
            else:
                self._seen[target].pop(path, None)

    def _copy(self, path: str, state: tuple[int, int, int], source: str, target: str) -> None:
        place = self._folders[target] / path
        self._files += 1
        self._bytes += state[1]
        if self._files > MAX_FILES or self._bytes > MAX_BYTES:
            return
        try:
            if stat.S_ISDIR(state[2]):
                place.mkdir(exist_ok=True)
            else:
                shutil.copyfile(self._folders[source] / path, place, follow_symlinks=False)
        except OSError:  # for example, the other side has a file where this is a folder
            return

    def _remove(self, path: str, target: str) -> None:
        place = self._folders[target] / path
        try:
            place.rmdir() if place.is_dir() and not place.is_symlink() else place.unlink(missing_ok=True)
        except OSError:  # a folder that is not empty
            return


def _state(folder: Path) -> _State:
    """Time, size and mode of all regular files and folders, by path. A folder comes before its content."""
    found: _State = {}
    waiting = [""]
    while waiting and len(found) <= 2 * MAX_FILES:
        here = waiting.pop()
        try:
            with os.scandir(folder / here) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    path = f"{here}/{entry.name}" if here else entry.name
                    if stat.S_ISDIR(status.st_mode):
                        found[path] = (0, 0, stat.S_IFDIR)
                        waiting.append(path)
                    elif stat.S_ISREG(status.st_mode):
                        found[path] = (status.st_mtime_ns, status.st_size, stat.S_IFREG)
        except OSError:  # removed meanwhile
            continue
    return found
