"""The kernel beside a real ipykernel: the same requests get the same answers."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hangs import HANG_S
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from .conftest import Client

SNIPPETS = (
    "1 + 1",
    "'text'",
    "None",
    "5;",
    "x = 3",
    "x",
    "print('out')",
    "import sys; print('err', file=sys.stderr)",
    "1/0",
    "raise ValueError('wrong')",
    "int('a')",
    "{}['key']",
    "[][1]",
    "nope",
    "None.attribute",
    "raise BaseException('base')",
    "raise KeyboardInterrupt",
    "class E(Exception): pass\nraise E(1, 2)",
    "try:\n    1/0\nexcept ZeroDivisionError as e:\n    raise RuntimeError('second') from e",
    "x = (",
    "if True:\npass",
    "def f(:",
    "import asyncio\nawait asyncio.sleep(0, 'awaited')",
    "[i async for i in range(3)]",
    "assert 1 == 2, 'unequal'",
    "def deep(n):\n    return deep(n - 1) if n else 1/0\ndeep(3)",
    "import json; json.loads('{')",
    "exec('1/0')",
    "display({'text/plain': 'shown'}, raw=True)",
    "%lsmagic_missing",
    "%%missing\n1",
    "eval('1 +')",
    "'\\u00e9\\U0001f600'",
    "_ = 5",
    "import nowhere_at_all",
)
EXPRESSIONS = {"good": "1 + 1", "bad": "1/0", "syntax": "1 +", "name": "nope"}
COMPLETENESS = (
    *("1", "for i in x:", "x = (", "x = )", "'''", "def f():\n    pass"),
    *("%%time", "", "!ls", "a = \\", "if x:\n    y\n", "try:"),
)
COMPLETIONS = (
    ("impor", 5),
    ("import sy", 9),
    ("import os; os.path.jo", 21),
    ("'a'.upp", 7),
    ("print(le", 8),
    ("'😀'.upp", 7),
    ("%timei", 6),
    ("zzz_no_such", 11),
)
#: These answers differ on purpose: ipykernel writes a usage error to stderr, and our kernel explains missing modules.
USAGE = ("%lsmagic_missing", "%%missing\n1")


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("oracle")
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    argv += ["--HistoryManager.hist_file=:memory:"]
    (folder / "kernels" / "oracle").mkdir(parents=True)
    spec = {"argv": argv, "display_name": "oracle", "language": "python", "env": {"IPYTHONDIR": str(folder)}}
    (folder / "kernels" / "oracle" / "kernel.json").write_text(json.dumps(spec), "utf-8")
    specs = KernelSpecManager(kernel_dirs=[str(folder / "kernels")])
    manager = KernelManager(kernel_name="oracle", kernel_spec_manager=specs)
    manager.start_kernel(cwd=str(folder))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=HANG_S)
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    manager.cleanup_resources()


def ask(oracle: Any, msg_type: str, content: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The reply's content, and the messages on IOPub until the idle status."""
    message = oracle.session.msg(msg_type, content)
    oracle.shell_channel.send(message)
    while True:
        reply = oracle.get_shell_msg(timeout=HANG_S)
        if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
            break
    published = []
    while True:
        found = oracle.get_iopub_msg(timeout=HANG_S)
        if found["parent_header"].get("msg_id") != message["header"]["msg_id"]:
            continue
        published.append(found)
        if found["content"].get("execution_state") == "idle":
            return reply["content"], published


def neutral(text: str) -> str:
    """A text without colours, and without the parts that name a process or a file."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    text = re.sub(r"(<ipython-input-\d+-\w+>|\S*ipykernel_\d+/\d+\.py|\b\d{6,}\.py)", "<cell>", text)
    return re.sub(r"In\[\d+\]", "In[n]", text)


def outputs(messages: list[dict[str, Any]]) -> list[Any]:
    found: list[Any] = []
    for message in messages:
        kind, content = message["header"]["msg_type"], message["content"]
        if kind == "stream":
            found.append((kind, content["name"], content["text"]))
        elif kind in ("execute_result", "display_data"):
            found.append((kind, content["data"]))
        elif kind == "error":
            found.append((kind, content["ename"], neutral(content["evalue"])))
    return found


def test_cells_end_as_in_ipykernel(client: Client, oracle: Any) -> None:
    differing = []
    for code in SNIPPETS:
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        theirs, published = ask(oracle, "execute_request", {**content, "stop_on_error": False})
        answer = client.send("execute_request", content)
        ours = answer.reply
        compared = [
            (
                reply["status"],
                reply.get("ename"),
                neutral(reply.get("evalue", "")),
                [] if code in USAGE else outputs(messages),
            )
            for reply, messages in ((theirs, published), (ours, answer.messages))
        ]
        if compared[0] != compared[1]:
            differing.append((code, *compared))
    assert differing == []


def test_tracebacks_read_as_in_ipykernel(client: Client, oracle: Any) -> None:
    for code in ("1/0", "def f():\n    return 1/0\nf()", "x = (", "exec('1/0')"):
        theirs, _ = ask(oracle, "execute_request", {"code": code, "stop_on_error": False, "allow_stdin": False})
        ours = client.run(code).reply
        assert neutral("\n".join(ours["traceback"])) == neutral("\n".join(theirs["traceback"]))


def test_user_expressions_answer_as_in_ipykernel(client: Client, oracle: Any) -> None:
    content = {"code": "pass", "user_expressions": EXPRESSIONS, "allow_stdin": False}
    theirs, _ = ask(oracle, "execute_request", content)
    ours = client.send("execute_request", content).reply
    for name in EXPRESSIONS:
        parts = [
            {key: value for key, value in reply["user_expressions"][name].items() if key != "traceback"}
            for reply in (ours, theirs)
        ]
        assert parts[0] == parts[1]


def test_completeness_is_judged_as_in_ipykernel(client: Client, oracle: Any) -> None:
    for code in COMPLETENESS:
        theirs, _ = ask(oracle, "is_complete_request", {"code": code})
        assert (code, client.send("is_complete_request", {"code": code}).reply) == (code, theirs)


def test_completions_are_those_of_ipykernel(client: Client, oracle: Any) -> None:
    for code, position in COMPLETIONS:
        content = {"code": code, "cursor_pos": position}
        theirs, _ = ask(oracle, "complete_request", content)
        ours = client.send("complete_request", content).reply
        missing = set(theirs["matches"]) - set(ours["matches"])
        assert (code, missing) == (code, set())
        assert (ours["cursor_start"], ours["cursor_end"]) == (theirs["cursor_start"], theirs["cursor_end"])


def test_history_answers_as_in_ipykernel(client: Client, oracle: Any) -> None:
    ask(oracle, "execute_request", {"code": "%reset -f in", "silent": True})
    cells = ("1 + 1", "a = 2", "1 + 1", "%who_ls", "a")
    for code in cells:
        ask(oracle, "execute_request", {"code": code, "allow_stdin": False})
        client.run(code)
    for content in (
        {"hist_access_type": "tail", "n": 3},
        {"hist_access_type": "tail", "n": 2, "raw": False},
        {"hist_access_type": "search", "pattern": "1 +*", "n": 5},
        {"hist_access_type": "search", "pattern": "1 + ?", "unique": True, "n": 5},
    ):
        content = {"output": False, "raw": True, **content}
        theirs, _ = ask(oracle, "history_request", content)
        ours = client.send("history_request", content).reply
        assert [entry[2] for entry in ours["history"]][-2:] == [entry[2] for entry in theirs["history"]][-2:]


@pytest.mark.parametrize("code", ["len", "no_such_name", "str.upper", "%timeit"])
def test_inspection_finds_what_ipykernel_finds(client: Client, oracle: Any, code: str) -> None:
    content = {"code": code, "cursor_pos": len(code), "detail_level": 0}
    theirs, _ = ask(oracle, "inspect_request", content)
    ours = client.send("inspect_request", content).reply
    assert (ours["found"], ours["data"].keys()) == (theirs["found"], theirs["data"].keys())


def test_kernel_info_has_every_field_of_ipykernels(client: Client, oracle: Any) -> None:
    theirs, _ = ask(oracle, "kernel_info_request", {})
    ours = client.send("kernel_info_request").reply
    assert theirs.keys() <= ours.keys()
    assert {key: ours["language_info"][key] for key in theirs["language_info"]} == theirs["language_info"]
