"""Completion answers soon and does not delay cells, however slow jedi is."""

from __future__ import annotations

import pytest
from conftest import Lab

#: Replaces a part of jedi's preparation by one that does not end before `released` is true.
NEVER_READY = """
from browsergrad_kernel import completion
from js import console
released = False
def piece():
    console.log('piece begins')
    while not released: pass
kept = completion._readiness.pieces[:]
completion._readiness.pieces[:] = [piece]
"""
#: A jedi that is ready, but whose completion never ends.
NEVER_FOUND = """
completion._readiness.pieces.clear()
def search(completer, code, position):
    if not completer.use_jedi:
        return real(completer, code, position)
    console.log('search begins')
    while True: pass
completion._found, real = search, completion._found
"""
OS = {"code": "import os; os.pat", "cursor_pos": 17}


@pytest.fixture(scope="module")
def lab(lab_in_mode: Lab) -> Lab:
    assert lab_in_mode.run(NEVER_READY).content["status"] == "ok"
    return lab_in_mode


def matches(lab: Lab) -> list[str]:
    """Complete `OS`. There may be no match at first, if the machine is so busy that even names take too long."""
    while not (found := lab.request("complete_request", OS).content["matches"]):
        pass
    return found


@pytest.mark.thinned(3)
def test_modules_that_no_cell_has_imported_are_known_before_jedi_is(lab: Lab) -> None:
    """jedi loads in the background. Its preparation begins, begins again after each cell, and ends at last."""
    with lab.page.expect_console_message(lambda message: message.text == "piece begins"):
        assert "path" in matches(lab)
    with lab.page.expect_console_message(lambda message: message.text == "piece begins"):
        assert lab.run("1 + 1").result == "2"
    with lab.page.expect_console_message(lambda message: "jedi is ready" in message.text):
        lab.run("released = True")
    assert lab.run("completion._readiness.pieces").result == "[]"


def test_an_answer_comes_though_the_search_does_not_end(lab: Lab) -> None:
    lab.run(NEVER_FOUND)
    with lab.page.expect_console_message(lambda message: message.text == "search begins"):
        assert "path" in matches(lab)
    with lab.page.expect_console_message(lambda message: message.text == "search begins"):
        """It is searched on while nothing is asked."""
    assert lab.run("1 + 1").result == "2"


def test_a_cell_ends_the_search_and_runs(lab: Lab) -> None:
    with lab.page.expect_console_message(lambda message: message.text == "search begins"):
        lab.js(
            "content => { window.completing = bg.request('complete_request', content).then(({ reply }) => reply.content.matches); }",
            OS,
        )
    assert lab.run("1 + 1").result == "2"
    assert "path" in lab.js("() => completing")


@pytest.mark.thinned(3)
def test_jedi_knows_more_once_it_is_ready(lab: Lab) -> None:
    lab.run("completion._found = real\nfor piece in kept: piece()")
    request = {"code": "def f(n: int) -> str: ...\nf(1).upp", "cursor_pos": 35}
    while lab.request("complete_request", request).content["matches"] != ["upper"]:
        lab.page.wait_for_timeout(5000)  # The machine is slow, and the search goes on in the background.
