"""Many cells in ipykernel and in this kernel: the answers are the same, except for a list of differences with reasons."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from jupyterlite_browsergrad.server_kernel.sandbox import Sandbox

from . import differences, hosts
from .cells import Case, cases
from .neutral import Comparable

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
#: Least number of cells that are compared.
FEWEST = 300

Outcome = list[list[Any]]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Case, Outcome, Outcome]]:
    """Each case, with the parts of ipykernel's answers and of ours that are compared."""
    theirs_in, ours_in = (tmp_path_factory.mktemp(name) / "work" for name in ("reference", "ours"))
    for folder in (theirs_in, ours_in):
        folder.mkdir()
    wanted = cases()
    # Both run at the same time, in two processes.
    with Sandbox(ours_in) as sandbox, hosts.reference(theirs_in) as reference, ThreadPoolExecutor() as pool:
        running = pool.submit(lambda: hosts.run_all(hosts.Ours(sandbox), wanted))
        theirs, ours = hosts.run_all(reference, wanted), running.result()
    their_way, our_way = Comparable(str(theirs_in)), Comparable("/drive")
    return [
        (case, [their_way.cell(answer) for answer in one], [our_way.cell(answer) for answer in two])
        for case, one, two in zip(wanted, theirs, ours, strict=True)
    ]


def test_cells_do_what_they_do_in_ipykernel(outcomes: list[tuple[Case, Outcome, Outcome]]) -> None:
    known = {one.code for one in differences.load()[1]}
    wrong = [
        f"{case.kind}: {case.name}\n  ipykernel: {theirs}\n  ours:      {ours}"[:5000]
        for case, theirs, ours in outcomes
        if theirs != ours and case.name not in known
    ]
    assert wrong == [], "\n".join(wrong)
    assert sum(len(case.cells) for case, _, _ in outcomes) - len(known) > FEWEST


def test_every_listed_difference_is_one(outcomes: list[tuple[Case, Outcome, Outcome]]) -> None:
    python, listed = differences.load()
    same_python = python == "{}.{}".format(*sys.version_info[:2])
    # ipykernel with another Python may word an error as ours does.
    strict = {one.code for one in listed if one.cause != "python" or same_python}
    assert [case.name for case, theirs, ours in outcomes if theirs == ours and case.name in strict] == []


def test_the_list_names_cells_that_are_compared_once() -> None:
    listed = [one.code for one in differences.load()[1]]
    assert len(listed) == len(set(listed))
    assert set(listed) <= {case.name for case in cases()}


def test_no_case_is_compared_twice() -> None:
    """A name identifies one case. A case that depends on those before it may occur again."""
    names = [case.name for case in cases()]
    known = {one.code for one in differences.load()[1]}
    assert {name for name in known if names.count(name) > 1} == set()


def test_the_document_shows_the_list() -> None:
    assert differences.documented() == differences.table(), "run: python -m tests.comparison.differences"
