"""Cells that run: counts, results, history flags, payloads, expressions, questions."""

from __future__ import annotations

import contextvars
from pathlib import Path
from typing import Any

import pytest
from browsergrad_kernel import blocking

from .conftest import Client


def test_a_cell_is_echoed_before_its_output_and_answered_after_it(client: Client) -> None:
    answer = client.run("print('out')\n6 * 7")
    assert answer.types == ["status", "execute_input", "stream", "execute_result", "execute_reply", "status"]
    assert answer.result == "42"


def test_every_message_names_its_request_and_the_front_ends_session(client: Client) -> None:
    answer = client.run("print(1)\n2")
    assert {message["parent_header"]["msg_id"] for message in answer.messages} == {answer.request["header"]["msg_id"]}
    assert {message["header"]["session"] for message in answer.messages} == {"front-end"}
    assert len({message["header"]["msg_id"] for message in answer.messages}) == len(answer.messages)


def test_the_count_is_one_number_in_input_result_and_reply(client: Client) -> None:
    client.run("1")
    answer = client.run("'two'")
    counts = [answer.contents(kind)[0]["execution_count"] for kind in ("execute_input", "execute_result")]
    assert [*counts, answer.reply["execution_count"]] == [2, 2, 2]


def test_a_silent_cell_shows_and_counts_nothing(client: Client) -> None:
    answer = client.run("x = 5\nx", silent=True)
    assert answer.types == ["status", "execute_reply", "status"]
    assert client.run("x").reply["execution_count"] == 1


def test_a_cell_without_history_keeps_the_count(client: Client) -> None:
    client.run("'unstored'", store_history=False)
    assert client.run("'stored'").reply["execution_count"] == 1


def test_a_semicolon_hides_the_result_of_its_own_cell_only(client: Client) -> None:
    assert client.run("1;").result is None
    assert client.run("2", store_history=False).result == "2"


def test_names_live_from_cell_to_cell(client: Client) -> None:
    client.run("a = 20")
    assert client.run("a + 1").result == "21"
    assert client.run("_ + 1").result == "22"


def test_await_works_at_top_level(client: Client) -> None:
    assert client.run("import asyncio\nawait asyncio.sleep(0, 'slept')").result == "'slept'"


def test_a_background_task_writes_to_the_cell_that_created_it(client: Client) -> None:
    first = client.run(
        "import asyncio\ngate = asyncio.Event()\n"
        "async def later():\n    await gate.wait()\n    print('late')\n    display('shown')\n"
        "task = asyncio.create_task(later())"
    )
    second = client.run("gate.set()\nawait task")
    parents = {
        message["header"]["msg_type"]: message["parent_header"]["msg_id"]
        for message in second.messages
        if message["header"]["msg_type"] in ("stream", "display_data")
    }
    assert set(parents) == {"stream", "display_data"}
    assert set(parents.values()) == {first.request["header"]["msg_id"]}


def test_user_expressions_are_answered_one_by_one(client: Client) -> None:
    expressions = client.run("x = 3", user_expressions={"good": "x * 2", "bad": "nope"}).reply["user_expressions"]
    assert expressions["good"]["data"]["text/plain"] == "6"
    assert (expressions["bad"]["status"], expressions["bad"]["ename"]) == ("error", "NameError")


def test_expressions_are_not_evaluated_after_an_error(client: Client) -> None:
    assert client.run("1/0", user_expressions={"x": "1"}).reply["user_expressions"] == {}


@pytest.mark.parametrize(("code", "source"), [("len?", "page"), ("exit", "ask_exit"), ("quit()", "ask_exit")])
def test_pages_and_exits_are_payloads(client: Client, code: str, source: str) -> None:
    assert [payload["source"] for payload in client.run(code).reply["payload"]] == [source]


def test_the_next_input_is_a_payload_and_payloads_do_not_linger(client: Client) -> None:
    (payload,) = client.run("get_ipython().set_next_input('x = 1')").reply["payload"]
    assert payload == {"source": "set_next_input", "text": "x = 1", "replace": False}
    assert client.run("pass").reply["payload"] == []


def test_the_reply_says_when_the_cell_started(client: Client) -> None:
    (reply,) = client.run("pass").of("execute_reply")
    assert reply["metadata"]["started"] <= reply["header"]["date"]


def test_the_cells_id_reaches_callbacks(client: Client) -> None:
    client.run("seen = []\nget_ipython().events.register('pre_run_cell', lambda info: seen.append(info.cell_id))")
    request = {"code": "seen[-1]"}
    assert client.send("execute_request", request, metadata={"cellId": "abc"}).result == "'abc'"


def test_callbacks_run_after_each_cell_even_a_failing_one(client: Client) -> None:
    client.run(
        "ran = []\nfor e in 'post_execute', 'post_run_cell': "
        "get_ipython().events.register(e, lambda *a, e=e: ran.append(e))"
    )
    client.run("1/0")
    assert client.run("ran[-2:]").result == "['post_execute', 'post_run_cell']"


def test_input_asks_on_stdin_and_returns_the_line(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(prompt: str, password: bool, publish: Any) -> str:
        publish(prompt, password)
        return "typed"

    monkeypatch.setattr(blocking, "read_line", answer)
    done = client.run("import getpass\n[input('Name? '), getpass.getpass()]", allow_stdin=True)
    asked = done.of("input_request")
    assert [message["content"] for message in asked] == [
        {"prompt": "Name? ", "password": False},
        {"prompt": "Password: ", "password": True},
    ]
    assert {message["channel"] for message in asked} == {"stdin"}
    assert done.result == "['typed', 'typed']"


def test_input_fails_at_once_where_questions_are_not_allowed(client: Client) -> None:
    assert client.run("input()", allow_stdin=False).reply["ename"] == "StdinNotImplementedError"


@pytest.mark.parametrize(
    "code",
    ["!ls -l", "files = !ls", "%%bash\nls", "%%script perl\n1", "!!ls", "%system ls", "%sx ls"],
)
def test_commands_say_that_a_browser_has_no_processes(client: Client, code: str) -> None:
    reply = client.run(code).reply
    assert reply["ename"] == "OSError"
    assert "no processes" in reply["evalue"]
    assert len(reply["traceback"]) == 1


@pytest.mark.parametrize(
    "code",
    ["%timeit -n1 -r1 pass", "%%time\npass", "%time 1", "%load_ext autoreload", "%who", "%config IPCompleter.greedy"],
)
def test_magics_work(client: Client, code: str) -> None:
    assert client.run(code).reply["status"] == "ok"


def test_files_of_the_working_folder_can_be_imported(client: Client) -> None:
    Path("beside_notebook.py").write_text("value = 7", "utf-8")
    assert client.run("import beside_notebook\nbeside_notebook.value").result == "7"


def test_classes_of_cells_can_be_pickled(client: Client) -> None:
    code = "import pickle\nclass Point: pass\ntype(pickle.loads(pickle.dumps(Point()))) is Point"
    assert client.run(code).result == "True"


def test_output_outside_any_task_goes_to_the_newest_request(client: Client) -> None:
    answer = client.run("from IPython.display import display")
    start = len(client.host.messages)
    client.kernel.shell.display_pub.publish({"text/plain": "from a callback"})
    (message,) = client.host.messages[start:]
    assert message["parent_header"]["msg_id"] == answer.request["header"]["msg_id"]


def test_text_of_a_callback_that_no_task_has_made_belongs_to_the_newest_cell(client: Client) -> None:
    client.run("import contextvars, sys\nout = sys.stdout\ndef callback():\n    print('late', file=out)")
    callback = client.kernel.shell.user_ns["callback"]
    answer = client.run("pass")
    # JavaScript calls back in a context in which no request was set.
    contextvars.Context().run(callback)
    client.host.flush()
    late = client.host.messages[-1]
    assert late["content"] == {"name": "stdout", "text": "late\n"}
    assert late["parent_header"]["msg_id"] == answer.request["header"]["msg_id"]
