"""Stop without shared memory and without stack switching: Python asks the site's service worker."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import STACK_SWITCHING, Lab, open_lab, served, stop_cases, without
from playwright.sync_api import Browser
from recursion.table import PROGRAMS, on_one_stack, problems_in, short


@pytest.fixture(scope="module")
def base(site: Path, static: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The site without isolation, whose worker cannot switch stacks."""
    with served(without(site, static, tmp_path_factory.mktemp("no-jspi"), STACK_SWITCHING), isolated=False) as address:
        yield address


@pytest.fixture(scope="module")
def lab(browser: Browser, base: str) -> Iterator[Lab]:
    lab = open_lab(browser, base)
    lab.start("sub")
    lab.add_stop_driver()
    yield lab
    assert lab.foreign == []
    lab.page.context.close()


@pytest.mark.parametrize("kind", ["busy", "waits", "request"])
def test_stop_ends_the_cell_and_keeps_the_variables(lab: Lab, base: str, kind: str) -> None:
    cases = [case for case in stop_cases(base) if case["kind"] == kind and case.get("needs") != "jspi"]
    rows = lab.js("([cases, seed]) => stop.table(stopHost, cases, 1, seed)", [cases, random.randrange(2**31)])
    assert {row["name"]: row["bad"] for row in rows if row["bad"]} == {}
    assert len(rows) == len(cases)


@pytest.mark.timeout(900)
def test_too_deep_a_recursion_is_an_error_and_the_variables_stay(lab: Lab) -> None:
    """The whole table runs only before a release."""
    programs = [program for program in PROGRAMS if not program.get("slow")]
    assert problems_in(lab, on_one_stack(programs if os.environ.get("ALL_STARTS") else short())) == []


def test_input_and_the_drive_work(lab: Lab) -> None:
    assert lab.run("input()", ["line"]).result == "'line'"
    assert lab.run("open('data.txt').read()").result == "'hello'"


def test_output_without_end_waits_for_the_page(lab: Lab) -> None:
    assert lab.run("for i in range(30): print('x' * 100_000)\n1").result == "1"


def test_code_that_never_asks_is_ended_by_restart_now(lab: Lab) -> None:
    lab.js("async () => { window.running = bg.run('sum(range(3 * 10**8))'); await busy; await kernel.interrupt(); }")
    lab.page.get_by_role("button", name="Restart now").click()
    result = lab.js("() => running")
    assert result["reply"]["content"]["ename"] == "KernelRestarted"
    lab.page.wait_for_function("statuses.includes('autorestarting')")
    assert lab.run("1 + 1").result == "2"
