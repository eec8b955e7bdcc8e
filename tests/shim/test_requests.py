"""Requests other than execute, and the history."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .conftest import Client


def test_kernel_info_names_the_kernel_and_the_true_python(client: Client) -> None:
    reply = client.send("kernel_info_request").reply
    assert (reply["implementation"], reply["debugger"]) == ("browsergrad", False)
    assert reply["language_info"]["version"] == platform.python_version()
    assert reply["language_info"]["pygments_lexer"] == "ipython3"
    assert reply["language_info"]["nbconvert_exporter"] == "python"
    assert tuple(map(int, reply["protocol_version"].split("."))) >= (5, 3)


@pytest.mark.parametrize("channel", ["shell", "control"])
def test_a_reply_goes_out_on_the_channel_of_its_request(client: Client, channel: str) -> None:
    (reply,) = client.send("interrupt_request", channel=channel).of("interrupt_reply")
    assert (reply["channel"], reply["content"]) == (channel, {"status": "ok"})


@pytest.mark.parametrize("restart", [True, False])
def test_shutdown_is_acknowledged(client: Client, restart: bool) -> None:
    assert client.send("shutdown_request", {"restart": restart}).reply == {"status": "ok", "restart": restart}


def test_completion_offers_names_with_their_types(client: Client) -> None:
    client.run("alphabet = 'abc'")
    reply = client.send("complete_request", {"code": "alphab", "cursor_pos": 6}).reply
    assert (reply["matches"], reply["cursor_start"], reply["cursor_end"]) == (["alphabet"], 0, 6)
    assert reply["metadata"]["_jupyter_types_experimental"][0]["text"] == "alphabet"


def test_completion_counts_code_points(client: Client) -> None:
    client.run("alphabet = 'abc'")
    code = "'😀😀'; alphabet.upp"
    reply = client.send("complete_request", {"code": code, "cursor_pos": len(code)}).reply
    assert code[reply["cursor_start"] : reply["cursor_end"]] + "er" in ("upper", ".upper")


@pytest.fixture
def jedi_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    from browsergrad_kernel import completion

    monkeypatch.setattr(completion._readiness, "pieces", [completion._readiness._import])


@pytest.mark.parametrize(
    ("code", "match"),
    [
        ("import os; os.pat", "path"),
        ("import os.path\nos.path.joi", "join"),
        ("import os, os.path as p  # of files\nif True:\n    p.joi", "join"),
        ("from collections import OrderedDict as O\nO.fromk", "fromkeys"),
        ("from os import path\npath.joi", "join"),
        ("def f(:\nimport os\nos.pathse", "pathsep"),
    ],
)
def test_completion_knows_what_the_code_at_hand_imports(
    client: Client, jedi_is_not_ready: None, code: str, match: str
) -> None:
    reply = client.send("complete_request", {"code": code, "cursor_pos": len(code)}).reply
    assert match in reply["matches"]
    assert code[reply["cursor_start"] : reply["cursor_end"]] == code.rpartition(".")[2]


def test_completion_imports_nothing(client: Client, jedi_is_not_ready: None) -> None:
    code = "import this, no_such_module, antigravity as a; a."
    reply = client.send("complete_request", {"code": code, "cursor_pos": len(code)}).reply
    assert reply["matches"] == [] and not {"this", "antigravity"} & set(sys.modules)


def test_an_interrupted_completion_answers_with_what_it_has_found(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from browsergrad_kernel import completion

    def interrupted(completer: Any, code: str, position: int) -> Any:
        if completer.use_jedi:
            raise KeyboardInterrupt
        return found(completer, code, position)

    found = completion._found
    monkeypatch.setattr(completion, "_found", interrupted)
    reply = client.send("complete_request", {"code": "import os; os.pat", "cursor_pos": 17}).reply
    assert reply["status"] == "ok" and "path" in reply["matches"]


@pytest.mark.parametrize("position", [None, -5, 99])
def test_a_cursor_outside_the_code_is_taken_to_its_ends(client: Client, position: int | None) -> None:
    reply = client.send("complete_request", {"code": "pri", "cursor_pos": position}).reply
    assert reply["status"] == "ok"
    assert 0 <= reply["cursor_start"] <= reply["cursor_end"] <= 3


def test_inspection_finds_and_finds_not(client: Client) -> None:
    found = client.send("inspect_request", {"code": "len(x)", "cursor_pos": 2}).reply
    assert found["found"] and "Return the number of items" in found["data"]["text/plain"]
    assert client.send("inspect_request", {"code": "no_such", "cursor_pos": 3}).reply["found"] is False


def test_inspection_at_level_one_shows_the_source(client: Client) -> None:
    client.run("def twice(n):\n    return n * 2")
    reply = client.send("inspect_request", {"code": "twice", "cursor_pos": 5, "detail_level": 1}).reply
    assert "return" in reply["data"]["text/plain"]


@pytest.mark.parametrize(
    ("code", "reply"),
    [
        ("1 + 1", {"status": "complete"}),
        ("for i in x:", {"status": "incomplete", "indent": "    "}),
        ("x = (", {"status": "incomplete", "indent": ""}),
        ("x = )", {"status": "invalid"}),
        ("%%time", {"status": "incomplete", "indent": ""}),
        ("a\0b", {"status": "invalid"}),
    ],
)
def test_completeness_of_code(client: Client, code: str, reply: dict[str, str]) -> None:
    assert client.send("is_complete_request", {"code": code}).reply == reply


def history(client: Client, **content: Any) -> list[list[Any]]:
    content = {"raw": True, "output": False, **content}
    found: list[list[Any]] = client.send("history_request", content).reply["history"]
    return found


@pytest.fixture
def told(client: Client) -> Client:
    for code in ("1 + 1", "%who", "1 + 1", "x = 'unstored'", "y = 2"):
        client.run(code, store_history="unstored" not in code)
    return client


def test_the_tail_of_history_is_the_newest_cells_oldest_first(told: Client) -> None:
    assert [entry[1:] for entry in history(told, hist_access_type="tail", n=2)] == [[3, "1 + 1"], [4, "y = 2"]]


def test_a_range_of_history_has_lines_and_outputs(told: Client) -> None:
    found = history(told, hist_access_type="range", session=0, start=1, stop=3, output=True, raw=False)
    assert found == [[0, 1, ["1 + 1", "2"]], [0, 2, ["get_ipython().run_line_magic('who', '')", None]]]


def test_history_is_searched_by_glob(told: Client) -> None:
    assert [entry[1] for entry in history(told, hist_access_type="search", pattern="1*")] == [1, 3]
    assert [entry[1] for entry in history(told, hist_access_type="search", pattern="1*", unique=True)] == [3]
    assert [entry[1] for entry in history(told, hist_access_type="search", pattern="*", n=1)] == [4]


def test_history_outlives_a_reset(told: Client) -> None:
    told.run("%reset -f")
    texts = [entry[2] for entry in history(told, hist_access_type="tail", n=10)]
    assert texts[:4] == ["1 + 1", "%who", "1 + 1", "y = 2"]


def test_the_history_magic_lists_cells(told: Client) -> None:
    assert told.run("%history 1-2").text() == "1 + 1\n%who\n"


def test_starting_a_kernel_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "import conftest\nfrom browsergrad_kernel import _host, startup\n_host.install(conftest.FakeHost())\n"
        "startup.start({'session_id': 's'})\n"
        "heavy = {'jedi', 'prompt_toolkit', 'sqlite3', 'micropip', 'piplite', 'matplotlib'}\n"
        "sys.__stdout__.write(' '.join(heavy & set(sys.modules)))"
    )
    folders = [path for path in sys.path if path.endswith(("kernel_shim",))] + [str(Path(__file__).parent)]
    done = subprocess.run([sys.executable, "-c", code, *folders], capture_output=True, text=True, check=True)
    assert done.stdout == ""
