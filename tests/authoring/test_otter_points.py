"""Points of otter's questions are shared as otter 7 shares them. The table was computed with otter's own function."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jupyterlite_browsergrad.authoring.otter import Question
from jupyterlite_browsergrad.authoring.source import Problems, SourceCell


@pytest.mark.parametrize(
    ("total", "own", "shared"),
    [
        (None, [None, None], [0.5, 0.5]),
        (None, [0, None], [0, 1]),
        (None, [2, None], [2, 0]),
        (None, [0, 0], [0, 0]),
        (3, [None, None], [1.5, 1.5]),
        (3, [1, None, None], [1, 1, 1]),
        (3, [1, 1], [1, 1]),
        (0, [None], [0]),
        ([1, 2], [None, 5], [1, 2]),
        ([0, 0.5], [None, None], [0, 0.5]),
        ({"each": 2}, [None, None], [2, 2]),
        ([1], [None, None], None),
        (1, [2], None),
    ],
)
def test_points_of_a_question_are_shared_by_its_tests(total: Any, own: list[Any], shared: list[float] | None) -> None:
    tests, problems = [SimpleNamespace(points=points) for points in own], Problems()
    Question("q", total, cell=SourceCell(Path("hw.ipynb"), "raw", "", 1)).share_points(tests, problems)
    assert (None if problems.found else [test.points for test in tests]) == shared
