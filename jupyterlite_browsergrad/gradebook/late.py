"""The rule for late submissions, and their times."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from browsergrad.hosting import plain

from ..errors import GradingError
from .csv_files import rows_of

__all__ = ["LateRule", "read_times"]


@dataclass(frozen=True)
class LateRule:
    """The rule for late submissions: after some free days, each day that has begun costs a percentage of the earned points.

    Attributes
    ----------
    per_day, most
        Percentage for each day, and for all days together.
    """

    due: datetime
    per_day: float = 0.0
    free_days: int = 0
    most: float = 100.0

    def days(self, time: datetime | None) -> int:
        """Number of days late, including the day that has begun; 0 if the time is not known."""
        if time is None:
            return 0
        due, time = (
            each if each.tzinfo is None else each.astimezone().replace(tzinfo=None) for each in (self.due, time)
        )
        return max(0, math.ceil((time - due) / timedelta(days=1)))

    def factor(self, days: int) -> float:
        """The fraction of the points that is kept, from 0 to 1."""
        return plain(1 - min(self.most, self.per_day * max(0, days - self.free_days), 100) / 100)


def read_times(path: Path) -> dict[str, datetime]:
    """Read the times of submissions from a CSV file with the columns ``submission`` and ``time`` (ISO 8601).

    Raises
    ------
    GradingError
        The file cannot be read, or a line has no time.
    """
    rows = rows_of(path)
    head = [name.strip().casefold() for name in next(rows, (1, []))[1]]
    found: dict[str, datetime] = {}
    for number, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        row = dict(zip(head, cells, strict=False))
        try:
            name, time = row["submission"].strip(), datetime.fromisoformat(row["time"].strip())
        except (KeyError, ValueError, AttributeError) as error:
            raise GradingError(
                f"{path}, line {number}: it needs the columns submission and time, such as 2026-01-31T23:59"
            ) from error
        if name in found:
            raise GradingError(f"{path}, line {number}: {name!r} comes a second time: remove one of the lines")
        found[name] = time
    return found
