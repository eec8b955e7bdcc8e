"""Every request gets an answer and an idle status, whatever it contains."""

from __future__ import annotations

import pytest
from conftest import Lab

pytestmark = pytest.mark.pages("plain")


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


@pytest.mark.thinned(3)
@pytest.mark.parametrize(
    ("msg_type", "content"),
    [
        ("complete_request", {"code": 5, "cursor_pos": 0}),
        ("complete_request", {"code": "abc", "cursor_pos": -7}),
        ("complete_request", {"code": "abc", "cursor_pos": 10**9}),
        ("complete_request", {"code": "a", "cursor_pos": "x"}),
        ("inspect_request", {"code": None, "cursor_pos": 0, "detail_level": 9}),
        ("is_complete_request", {}),
        ("history_request", {"hist_access_type": "all"}),
        ("history_request", {"hist_access_type": "range", "session": "x", "start": [], "stop": {}}),
        ("comm_info_request", {"target_name": 5}),
        ("interrupt_request", {"unknown": 1}),
        ("execute_request", []),
        ("execute_request", "text"),
        ("execute_request", None),
    ],
)
def test_malformed_requests_are_answered(lab: Lab, msg_type: str, content: object) -> None:
    run = lab.request(msg_type, content)
    # A reply to is_complete_request has other statuses.
    assert run.content["status"] in ("ok", "error", "unknown")
    assert run.idle
    assert lab.run("1 + 1").result == "2"


@pytest.mark.parametrize(
    ("msg_type", "content"),
    [
        ("comm_open", {}),
        ("comm_open", {"comm_id": 5, "target_name": [], "data": 3}),
        ("comm_msg", {"comm_id": "nobody", "data": {}}),
        ("comm_msg", {"comm_id": None}),
        ("comm_close", {"comm_id": "nobody"}),
        ("made_up", {}),
    ],
)
def test_messages_nobody_waits_for_end_idle(lab: Lab, msg_type: str, content: object) -> None:
    lab.js("() => { window.statuses.length = 0; }")
    lab.js("([type, content]) => { void bg.request(type, content); }", [msg_type, content])
    assert lab.run("1 + 1").result == "2"
    lab.page.wait_for_function("statuses.at(-1) === 'idle'")


@pytest.mark.parametrize(
    "code", ["print('x' * 50_000_000)", "'x' * 50_000_000", "display({'text/plain': 'x' * 50_000_000}, raw=True)"]
)
def test_fifty_megabytes_at_once_arrive(lab: Lab, code: str) -> None:
    status, characters, state = lab.js(
        """async code => { const { messages, reply } = await bg.run(code);
        const size = c => (c.text ?? c.data?.['text/plain'] ?? '').length;
        return [reply.content.status, messages.reduce((n, m) => n + (m.type === 'execute_input' ? 0 : size(m.content)), 0), messages.at(-1).content.execution_state]; }""",
        code,
    )
    assert (status, state) == ("ok", "idle")
    assert characters >= 50_000_000


def test_fifty_megabytes_of_output_arrive(lab: Lab) -> None:
    length = lab.js(
        """async () => { const { messages } = await bg.run("for i in range(50): print('x' * 1_000_000)");
        return messages.filter(m => m.type === 'stream').reduce((n, m) => n + m.content.text.length, 0); }"""
    )
    assert length == 50 * 1_000_001


@pytest.mark.thinned(3)
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
        ("open('/drive/broken.txt', encoding='utf-8').read()", "UnicodeDecodeError"),
        ("class C:\n  def __repr__(self): return self.__repr__()\nC()", "RecursionError"),
        ("a = []\nfor i in range(100_000): a = [a]\nimport copy; copy.deepcopy(a)", "RecursionError"),
        ("import sys\nsys.exit('because')", "SystemExit"),
        ("import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()", "RecursionError"),
        ("class E(Exception):\n  def _render_traceback_(self): raise ValueError('v')\nraise E('e')", "E"),
    ],
)
def test_strange_failures_are_answered(lab: Lab, code: str, ename: str) -> None:
    run = lab.run(code)
    assert run.idle
    shown = [error["ename"] for error in run.of("error")] or [run.content.get("ename")]
    assert ename in shown
    assert lab.run("1 + 1").result == "2"


def test_a_file_that_is_not_utf8_can_be_shown(lab: Lab) -> None:
    run = lab.run(
        "text = open('/drive/broken.txt', encoding='utf-8', errors='surrogateescape').read()\nprint(text)\ntext"
    )
    assert run.content["status"] == "ok" and run.idle
    assert run.text() == "caf\\udce9 \\udcff\\udcfe\n"
    assert run.result == r"'caf\udce9 \udcff\udcfe'"


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
