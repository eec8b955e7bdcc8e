"""The page of packages is what the stored results make, and its script works."""

from __future__ import annotations

import subprocess
import sys

import pytest

from scripts import package_table, packages_page


def test_the_page_is_made_from_the_results() -> None:
    made = packages_page.page(packages_page.load())
    assert packages_page.PAGE.read_text("utf-8") == made, "run python scripts/packages_page.py"


def test_every_package_was_tried_and_works() -> None:
    tables = packages_page.load()
    for title, cases, _ in package_table.TABLES.values():
        rows = tables[title]["rows"]
        assert [(row["package"], row["code"]) for row in rows] == [(case.entry, case.code) for case in cases]
        assert [row["problem"] for row in rows if row["problem"]] == []
        assert [row["value"] for row in rows] == [case.expected for case in cases]


@pytest.mark.release
def test_the_script_tries_packages() -> None:
    done = run("humanize", "tabulate")
    assert done.stdout.splitlines() == ["humanize: works", "tabulate: works", "all work"], done.stderr
    assert done.returncode == 0


def test_an_unknown_package_is_named() -> None:
    done = run("no-such-package")
    assert done.returncode == 2 and "no case for no-such-package" in done.stderr


def run(*names: str) -> subprocess.CompletedProcess[str]:
    """Run the script in a process of its own, since Playwright takes over the event loop."""
    command = [sys.executable, package_table.__file__, *names]
    return subprocess.run(command, capture_output=True, text=True, check=False)
