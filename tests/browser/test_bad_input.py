"""Whatever comes: an answer and an idle status."""

from __future__ import annotations

import pytest
from conftest import Lab


def test_an_unknown_request_gets_an_error_reply(lab: Lab) -> None:
    run = lab.request("made_up_request", {})
    assert run.content["status"] == "error"
    assert run.idle


@pytest.mark.parametrize(
    "content", [{}, {"code": 5}, {"code": "1", "silent": "yes"}, {"code": "1", "user_expressions": 3}]
)
def test_malformed_content_is_refused_by_field(lab: Lab, content: dict[str, object]) -> None:
    run = lab.request("execute_request", content)
    assert run.content["status"] == "error"
    assert (
        "code" in run.content["evalue"]
        or "silent" in run.content["evalue"]
        or "user_expressions" in run.content["evalue"]
    )
    assert lab.run("1 + 1").result == "2"


def test_fifty_megabytes_of_output_arrive(lab: Lab) -> None:
    length = lab.js(
        """async () => { const { messages } = await bg.run("for i in range(50): print('x' * 1_000_000)");
        return messages.filter(m => m.type === 'stream').reduce((n, m) => n + m.content.text.length, 0); }"""
    )
    assert length == 50 * 1_000_001


@pytest.mark.parametrize(
    ("code", "ename"),
    [
        (
            "class E(Exception):\n  def __repr__(self): raise RuntimeError('r')\n  def __str__(self): raise RuntimeError('s')\nraise E()",
            "E",
        ),
        ("import sys\nsys.exit(3)", "SystemExit"),
        ("def f(): f()\nf()", "RecursionError"),
        ("raise BaseException('odd')", "BaseException"),
        ("class C:\n  def __repr__(self): raise ValueError('no repr')\nC()", "ValueError"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("import asyncio\nraise asyncio.CancelledError()", "CancelledError"),
        ("'\\ud800'.encode()", "UnicodeEncodeError"),
        ("def f(:", "SyntaxError"),
    ],
)
def test_strange_failures_are_answered(lab: Lab, code: str, ename: str) -> None:
    run = lab.run(code)
    assert run.idle
    shown = [error["ename"] for error in run.of("error")] or [run.content.get("ename")]
    assert ename in shown
    assert lab.run("1 + 1").result == "2"


def test_lone_surrogates_can_be_printed(lab: Lab) -> None:
    assert lab.run("print('a\\ud800b')").text() == "a\\ud800b\n"


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos._exit(1)",
        "import pyodide_js\npyodide_js._api.fatal_error(pyodide_js._api.Exit if False else __import__('js').Error.new('boom'))",
    ],
)
def test_a_kernel_that_dies_says_so_and_comes_back(lab: Lab, code: str) -> None:
    lab.run("gone = 1")
    run = lab.run(code)
    assert run.content["ename"] == "KernelDied"
    assert "variables are lost" in run.of("error")[0]["evalue"]
    lab.page.wait_for_function("statuses.includes('autorestarting') || statuses.includes('restarting')")
    lab.js("async () => { await kernel.info; }")
    assert lab.run("'gone' in globals()").result == "False"
