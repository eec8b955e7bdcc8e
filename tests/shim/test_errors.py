"""Cells that fail: one error message, then a reply with the same error, and always an idle status."""

from __future__ import annotations

import re

import pytest

from .conftest import Client

BROKEN_STR = "class E(Exception):\n    def __str__(self): raise RuntimeError\nraise E"
BROKEN_REPR = "class E(Exception):\n    def __repr__(self): raise RuntimeError\nraise E('text')"


def plain(lines: list[str]) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(lines))


@pytest.mark.parametrize(
    ("code", "ename", "evalue"),
    [
        ("raise ValueError('wrong')", "ValueError", "wrong"),
        ("1/0", "ZeroDivisionError", "division by zero"),
        ("nope", "NameError", "name 'nope' is not defined"),
        ("import sys; sys.exit(3)", "SystemExit", "3"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt", ""),
        ("raise BaseException('base')", "BaseException", "base"),
        ("raise GeneratorExit", "GeneratorExit", ""),
        ("import asyncio; raise asyncio.CancelledError", "CancelledError", ""),
        ("raise ExceptionGroup('many', [ValueError(1)])", "ExceptionGroup", "many (1 sub-exception)"),
        (BROKEN_STR, "E", "<str() of the exception raised RuntimeError>"),
        (BROKEN_REPR, "E", "text"),
        ("x = (", "SyntaxError", None),
        ("if 1:\nx", "IndentationError", None),
        ("def f(): f()\nf()", "RecursionError", None),
        ("%no_such_magic", "UsageError", None),
        ("class Bad:\n    def __repr__(self): raise LookupError('shown')\nBad()", "LookupError", "shown"),
        ("import bdb; raise bdb.BdbQuit", "BdbQuit", ""),
    ],
)
@pytest.mark.filterwarnings("ignore:To exit")
def test_an_error_is_shown_once_and_replied(client: Client, code: str, ename: str, evalue: str | None) -> None:
    answer = client.run(code)
    (shown,) = answer.contents("error")
    reply = answer.reply
    assert reply["status"] == "error"
    assert {key: reply[key] for key in shown} == shown
    assert shown["ename"] == ename
    if evalue is not None:
        assert shown["evalue"] == evalue
    assert shown["traceback"]
    assert client.run("'alive'").result == "'alive'"


def test_a_traceback_is_coloured_and_shows_the_line(client: Client) -> None:
    traceback = client.run("def f():\n    return 1/0\nf()").reply["traceback"]
    assert "\x1b[" in "".join(traceback)
    assert "----> 2     return 1/0" in plain(traceback)
    assert "browsergrad_kernel" not in plain(traceback)


def test_the_traceback_of_a_group_shows_its_members_and_none_of_our_frames(client: Client) -> None:
    answer = client.run("raise ExceptionGroup('many', [KeyError('inner')])")
    text = plain(answer.reply["traceback"])
    assert "KeyError: 'inner'" in text
    assert "interactiveshell" not in text
    assert answer.text("stderr") == ""


def test_an_error_shown_while_a_cell_goes_on_does_not_fail_it(client: Client) -> None:
    answer = client.run("try:\n    1/0\nexcept ZeroDivisionError:\n    get_ipython().showtraceback()\n'went on'")
    assert (len(answer.of("error")), answer.reply["status"], answer.result) == (1, "ok", "'went on'")


def test_a_failing_callback_does_not_fail_the_cell(client: Client) -> None:
    client.run("def broken(*args): raise RuntimeError('callback')")
    client.run("get_ipython().events.register('post_execute', broken)")
    answer = client.run("5")
    assert (answer.reply["status"], answer.contents("error")[0]["evalue"]) == ("ok", "callback")


@pytest.mark.parametrize("damage", ["None", "__import__('io').StringIO()", "object()"])
def test_idle_follows_whatever_a_cell_does_to_stdout(client: Client, damage: str) -> None:
    client.run(f"import sys\nsys.stdout = {damage}")
    client.run("sys.stdout.close() if hasattr(sys.stdout, 'close') else None")
    assert client.run("1 + 1").reply["status"] == "ok"


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({}, "content.code"),
        ({"code": 5}, "content.code"),
        ({"code": None}, "content.code"),
        ([], "content"),
        ({"code": "1", "silent": "yes"}, "content.silent"),
        ({"code": "1", "store_history": 1}, "content.store_history"),
        ({"code": "1", "user_expressions": []}, "content.user_expressions"),
        ({"code": "1", "allow_stdin": "no"}, "content.allow_stdin"),
    ],
)
def test_a_malformed_execute_request_is_answered_naming_the_field(client: Client, content: object, field: str) -> None:
    answer = client.send("execute_request", content)
    assert answer.reply["status"] == "error"
    assert answer.reply["evalue"].startswith(f"{field} ")
    assert answer.contents("error")[0]["evalue"] == answer.reply["evalue"]


@pytest.mark.parametrize(
    ("msg_type", "content", "field"),
    [
        ("complete_request", {"cursor_pos": 1}, "content.code"),
        ("complete_request", {"code": "a", "cursor_pos": "1"}, "content.cursor_pos"),
        ("complete_request", {"code": "a", "cursor_pos": True}, "content.cursor_pos"),
        ("inspect_request", {"code": []}, "content.code"),
        ("history_request", {"hist_access_type": "all"}, "content.hist_access_type"),
        ("history_request", {"hist_access_type": "tail", "n": "3"}, "content.n"),
        ("comm_info_request", {"target_name": 3}, "content.target_name"),
        ("shutdown_request", {"restart": "please"}, "content.restart"),
        ("debug_request", {}, "header.msg_type"),
        ("no_such_request", {}, "header.msg_type"),
    ],
)
def test_other_malformed_requests_are_answered_naming_the_field(
    client: Client, msg_type: str, content: dict[str, object], field: str
) -> None:
    answer = client.send(msg_type, content)
    assert answer.reply["status"] == "error"
    assert answer.reply["evalue"].startswith(f"{field} ")
    assert answer.types[1] == msg_type.removesuffix("_request") + "_reply"


@pytest.mark.parametrize("text", ["{", "", "3", "[]", '{"header": 3}', '{"header": {}}', '{"header": {"msg_type": 7}}'])
def test_what_is_no_message_ends_in_idle(client: Client, text: str) -> None:
    assert client.raw(text).states == ["busy", "idle"]


@pytest.mark.parametrize("msg_type", ["comm_open", "comm_msg", "comm_close", "unknown_note"])
def test_a_malformed_message_without_a_reply_ends_in_idle(client: Client, msg_type: str) -> None:
    assert client.send(msg_type, {"comm_id": 4}).types == ["status", "status"]


def test_a_missing_module_is_explained_to_student_and_author(client: Client) -> None:
    note = plain(client.run("import sklearn").reply["traceback"])
    assert "%pip install scikit-learn" in note
    assert "BrowsergradAddon.packages = ['scikit-learn']" in note


def test_a_missing_part_of_a_present_package_is_not_explained(client: Client) -> None:
    assert "this site" not in plain(client.run("import json.no_such_part").reply["traceback"])


def test_no_frame_of_ours_is_shown_between_the_users_and_a_librarys(client: Client) -> None:
    code = (
        "import sys\ntry:\n    sys.stdout.write(5)\nexcept TypeError as error:\n    raise KeyError('outer') from error"
    )
    text = plain(client.run(code).reply["traceback"])
    assert "TypeError" in text and "KeyError: 'outer'" in text
    assert "browsergrad_kernel" not in text and "hidden" not in text


@pytest.mark.parametrize("call", ["input()", "__import__('getpass').getpass()"])
def test_a_question_nobody_can_answer_fails_at_the_users_line(client: Client, call: str) -> None:
    reply = client.run(f"line = {call}", allow_stdin=False).reply
    assert reply["ename"] == "StdinNotImplementedError"
    assert reply["evalue"].startswith("getpass()" if "getpass" in call else "input()")
    text = plain(reply["traceback"])
    assert "----> 1 line" in text
    assert "browsergrad_kernel" not in text and "hidden" not in text


def test_members_of_a_group_keep_only_the_users_frames(client: Client) -> None:
    code = "def f():\n    input()\ntry:\n    f()\nexcept Exception as e:\n    raise ExceptionGroup('many', [e])"
    text = plain(client.run(code, allow_stdin=False).reply["traceback"])
    assert "in f" in text and "browsergrad_kernel" not in text


def test_syntax_trees_of_old_tracebacks_are_forgotten(client: Client) -> None:
    trees = "import ast, gc\ngc.collect()\nsum(isinstance(o, ast.Module) for o in gc.get_objects())"
    before = int(client.run(trees).result or 0)
    for number in range(200):
        client.run(f"def f():\n    return {number} / 0\nf()")
    assert int(client.run(trees).result or 0) - before < 120


def test_an_interrupt_around_a_cell_shows_no_frames_of_ipythons(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(client.kernel.shell.history_manager, "store_inputs", stop)
        reply = client.run("1").reply
    assert (reply["ename"], reply["traceback"]) == ("KeyboardInterrupt", ["KeyboardInterrupt"])
    client.run("def stop(lines):\n    raise KeyboardInterrupt\nget_ipython().input_transformers_post.append(stop)")
    shown = plain(client.run("1").reply["traceback"])
    assert "in stop" in shown
    assert "raise KeyboardInterrupt" in shown
    assert "interactiveshell" not in shown
    client.kernel.shell.input_transformers_post.clear()
    assert client.run("'alive'").result == "'alive'"


@pytest.mark.parametrize(
    "code",
    [
        "raise MemoryError",
        "def f():\n    raise MemoryError\nf()",
        "raise MemoryError('Unable to allocate 8 GiB for an array')",
    ],
)
def test_a_memory_error_gives_the_reserve_back_and_says_what_to_do(client: Client, code: str) -> None:
    from browsergrad_kernel import reserve

    client.run("1")
    assert reserve._held is not None
    answer = client.run(code)
    assert reserve._held is None
    assert answer.reply["ename"] == "MemoryError"
    assert plain(answer.reply["traceback"]).count("Delete what you no longer need (`del name`)") == 1
    client.run("1")
    assert reserve._held is not None


def test_a_memory_error_of_code_that_raises_one_says_what_that_code_says(client: Client) -> None:
    assert plain(client.run("raise MemoryError('why')").reply["traceback"]).endswith("MemoryError: why")
