"""Finds the student of each submission, by the names that platforms give to files when all submissions are downloaded.

==========  ==================================================================================
platform    name of a file, or of the folder it lies in
==========  ==================================================================================
Moodle      ``Full Name_1234567_assignsubmission_file`` (a folder, or before the file's name)
Canvas      ``lovelaceada_LATE_1234_56789_lab.ipynb``; ``LATE`` only where it is
Blackboard  ``Assignment_username_attempt_2026-01-31-12-00-00_lab.ipynb``
plain       the file's name; or the folder's, where files of several folders have one name
==========  ==================================================================================
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

__all__ = ["Handed", "who"]

_MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)(?:_.*)?")
_CANVAS = re.compile(r"(?P<name>[^_]+)_(?P<late>LATE_)?(?P<id>\d+)_(?P<attempt>\d+)_(?P<file>.+)")
_BLACKBOARD = re.compile(r"(?P<task>.+)_(?P<user>[^_]+)_attempt_(?P<time>\d{4}(?:-\d{2}){5})(?:_.*|\.\w+)?")


@dataclass(frozen=True)
class Handed:
    """What a submission's path says about its student.

    Attributes
    ----------
    key
        Identifies the student: the id if there is one.
    order
        Sorts the attempts of a student, the last one highest. Empty if the names do not say the order.
    late
        Whether the name says that the submission is late, as Canvas's names do.
    """

    platform: str
    key: str
    name: str = ""
    id: str = ""
    username: str = ""
    time: datetime | None = None
    order: tuple[int, ...] = ()
    late: bool = False


def who(submissions: Iterable[str]) -> dict[str, Handed]:
    """Return the student of each submission, by path."""
    paths = list(submissions)
    stems = Counter(PurePosixPath(path).stem for path in paths)
    return {path: _by_platform(path) or _plain(path, stems) for path in paths}


def _by_platform(path: str) -> Handed | None:
    parts = PurePosixPath(path)
    for part in (parts.name, *(folder.name for folder in parts.parents)):
        if found := _MOODLE.fullmatch(part):
            return Handed("moodle", found["id"], found["name"], found["id"])
        if found := _BLACKBOARD.fullmatch(part):
            try:
                time = datetime.strptime(found["time"], "%Y-%m-%d-%H-%M-%S")
            except ValueError:
                continue
            return Handed(
                "blackboard", found["user"], username=found["user"], time=time, order=tuple(time.timetuple()[:6])
            )
    if found := _CANVAS.fullmatch(parts.name):
        return Handed(
            "canvas", found["id"], found["name"], found["id"], order=(int(found["attempt"]),), late=bool(found["late"])
        )
    return None


def _plain(path: str, stems: Counter[str]) -> Handed:
    parts = PurePosixPath(path)
    key = parts.parent.name if stems[parts.stem] > 1 and parts.parent.name else parts.stem
    return Handed("plain", key, name=key, username=key)
