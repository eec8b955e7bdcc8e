"""The page of browsers is what the stored results make."""

from __future__ import annotations

from scripts import browsers_page


def test_the_page_is_made_from_the_results() -> None:
    made = browsers_page.page(browsers_page.load())
    assert browsers_page.PAGE.read_text("utf-8") == made, "run python scripts/browsers_page.py"


def test_every_engine_has_results_and_all_checks_passed() -> None:
    results = browsers_page.load()
    assert {mode.partition("-")[0] for mode in results} == set(browsers_page.ENGINES)
    assert [
        (mode, check) for mode, found in results.items() for check, passed in found["checks"].items() if not passed
    ] == []
