"""Points of one assertion, and sums over many."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from ._text import MAX_NAME, cut

#: Decimal places of a sum: 0.1 + 0.2 is 0.3.
_PLACES = 9
#: Decimal places of one check: more than of a sum, so that three thirds are 1.
_PLACES_OF_ONE = 12
#: Most points of one check, so that sums stay finite.
MAX_POINTS = 1e9


def checked_points(value: object, what: str = "points") -> float | int:
    """`value` as an int or float that is not negative.

    Raises
    ------
    TypeError, ValueError
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{what} must be a number, not {type(value).__name__}")
    if not (math.isfinite(value) and 0 <= value <= MAX_POINTS):
        raise ValueError(f"{what} must be 0 or more and at most {MAX_POINTS:,.0f}, not {value!r}")
    return plain(value, _PLACES_OF_ONE)


def plain(value: float, places: int = _PLACES) -> float | int:
    """A number without rounding errors of sums; an int if it is whole."""
    rounded = round(float(value), places)
    return int(rounded) if rounded.is_integer() else rounded


def add_worth(event: dict[str, Any], points: object, group: object, earned: object = None) -> dict[str, Any]:
    """Add ``points``, ``earned`` and ``group`` to an assertion, if they are given.

    Parameters
    ----------
    earned
        Points of an assertion that did not pass; None means none.

    Raises
    ------
    TypeError, ValueError
        A value has the wrong type, or `earned` is more than `points`.
    """
    if points is not None:
        worth = checked_points(points)
        event["points"] = worth
        event["earned"] = worth if event["kind"] == "pass" else checked_points(earned or 0, "earned")
        if event["earned"] > worth:
            raise ValueError(f"earned is {event['earned']}, more than the {worth} points that the check is worth")
    elif earned is not None:
        raise ValueError("earned needs points: what the whole check is worth")
    if group is not None:
        if not isinstance(group, str):
            raise TypeError(f"group must be a string, not {type(group).__name__}")
        if not group:
            raise ValueError("group must not be empty: it names the exercise that checks belong to")
        event["group"] = cut(group, MAX_NAME)
    return event


def add_up(assertions: Iterable[dict[str, Any]]) -> dict[str, float | int] | None:
    """Sums ``earned`` and ``possible`` over the assertions that have points; None if none has."""
    worth = [each for each in assertions if "points" in each]
    if not worth:
        return None
    earned = math.fsum(each.get("earned", each["points"] if each["kind"] == "pass" else 0) for each in worth)
    return {"earned": plain(earned), "possible": plain(math.fsum(each["points"] for each in worth))}


class Tally:
    """A sum to which assertions are added one by one."""

    def __init__(self) -> None:
        self._earned: float = 0
        self._possible: float = 0
        self._any = False

    @property
    def points(self) -> dict[str, float | int] | None:
        """In the form that `add_up` returns."""
        return {"earned": plain(self._earned), "possible": plain(self._possible)} if self._any else None

    def add(self, event: dict[str, Any]) -> None:
        """Add one assertion."""
        if "points" in event:
            self._any = True
            self._earned += event.get("earned", event["points"] if event["kind"] == "pass" else 0)
            self._possible += event["points"]
