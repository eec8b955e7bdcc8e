"""The message tests of ipykernel's own suite, over three hosts: this kernel in the browser, this kernel on a server, and
ipykernel itself, which says what is right. What differs is listed with its reason in docs/reference/conformance.md.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Lab
from hangs import HANG_S
from jupyter_client.manager import start_new_kernel

pytestmark = [
    pytest.mark.pages("plain"),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
DOCUMENT = Path(__file__).parents[2] / "docs/reference/conformance.md"

Answer = tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]


class JupyterHost:
    """A kernel in a process, by its kernelspec's name."""

    def __init__(self, name: str) -> None:
        self.manager, self.client = start_new_kernel(kernel_name=name, startup_timeout=HANG_S)

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def _send(self, msg_type: str, content: dict[str, Any]) -> str:
        message = self.client.session.msg(msg_type, content)
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def _collect(self, ids: list[str], inputs: list[str], interrupt: str = "") -> list[Answer]:
        """The answers to all requests in `ids`. Presses Stop when a message of the type `interrupt` comes."""
        replies: dict[str, Any] = {}
        messages: dict[str, list[tuple[str, dict[str, Any]]]] = {msg_id: [] for msg_id in ids}
        idle: set[str] = set()
        deadline = time.monotonic() + HANG_S
        while len(replies) < len(ids) or len(idle) < len(ids):
            assert time.monotonic() < deadline, "no complete answer"
            for channel in (self.client.stdin_channel, self.client.iopub_channel, self.client.shell_channel):
                while channel.msg_ready():
                    message = channel.get_msg(timeout=1)
                    msg_id, content = message["parent_header"].get("msg_id"), message["content"]
                    if msg_id not in messages:
                        continue
                    if channel is self.client.shell_channel:
                        replies[msg_id] = content
                        continue
                    messages[msg_id].append((message["msg_type"], content))
                    if message["msg_type"] == "input_request" and inputs:
                        self.client.input(inputs.pop(0))
                    if content.get("execution_state") == "idle":
                        idle.add(msg_id)
                    if message["msg_type"] == interrupt:
                        interrupt = ""
                        self.manager.interrupt_kernel()
            time.sleep(0.002)  # The three sockets are read in turn.
        return [(replies[msg_id], messages[msg_id]) for msg_id in ids]

    def request(self, msg_type: str, content: dict[str, Any], inputs: list[str]) -> Answer:
        return self._collect([self._send(msg_type, content)], inputs)[0]

    def burst(self, contents: list[dict[str, Any]]) -> list[Answer]:
        return self._collect([self._send("execute_request", content) for content in contents], [])

    def interrupted(self, content: dict[str, Any], upon: str = "stream") -> Answer:
        return self._collect([self._send("execute_request", content)], [], interrupt=upon)[0]


class BrowserHost:
    """A kernel in a page."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    @staticmethod
    def _answer(result: dict[str, Any]) -> Answer:
        return result["reply"]["content"], [(m["type"], m["content"]) for m in result["messages"]]

    def request(self, msg_type: str, content: dict[str, Any], inputs: list[str]) -> Answer:
        if msg_type != "execute_request":
            return self._answer(self.lab.js("([t, c]) => bg.request(t, c)", [msg_type, content]))
        code = "([c, inputs]) => bg.run(c.code, c, inputs)"
        return self._answer(self.lab.js(code, [content, inputs]))

    def burst(self, contents: list[dict[str, Any]]) -> list[Answer]:
        # JupyterLab's client ends the futures of aborted cells itself, so `bg.run` reports their replies in the same way.
        found = self.lab.js("cs => Promise.all(cs.map(c => bg.run(c.code, c)))", contents)
        return [self._answer(result) for result in found]

    def interrupted(self, content: dict[str, Any], upon: str = "stream") -> Answer:
        code = """async ([c, upon]) => {
          const running = bg.run(c.code, c);
          await window.busy;
          const printed = new Promise(resolve => {
            const look = (_, { msg }) => msg.header.msg_type === upon && resolve();
            kernel.anyMessage.connect(look);
            setTimeout(resolve, 3000);
          });
          await printed;
          await kernel.interrupt();
          return running;
        }"""
        return self._answer(self.lab.js(code, [content, upon]))


def execute(code: str, **more: Any) -> dict[str, Any]:
    return {
        "code": code,
        "silent": False,
        "store_history": True,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": True,
    } | more


def run(code: str, inputs: list[str] | None = None, **more: Any) -> Callable[[Any], list[Answer]]:
    return lambda host: [host.request("execute_request", execute(code, **more), list(inputs or []))]


def ask(msg_type: str, **content: Any) -> Callable[[Any], list[Answer]]:
    return lambda host: [host.request(msg_type, content, [])]


def then(*steps: Callable[[Any], list[Answer]]) -> Callable[[Any], list[Answer]]:
    return lambda host: [answer for step in steps for answer in step(host)]


def burst(*contents: dict[str, Any]) -> Callable[[Any], list[Answer]]:
    return lambda host: host.burst(list(contents))


HISTORY = {"raw": True, "output": False}
CASES: dict[str, Callable[[Any], list[Answer]]] = {
    "execute a result": run("6 * 7"),
    "execute a statement": run("a = 1"),
    "execute nothing": run(""),
    "execute white space": run("  \n"),
    "print": run("print('hello, world')"),
    "print to stderr": run("import sys; print('test', file=sys.stderr)"),
    "display": run("display('x')"),
    "an error": run("1 / 0"),
    "a syntax error": run("1 +"),
    "an error of one's own": run("class Mine(Exception): pass\nraise Mine('why')"),
    "sys.exit": run("import sys; sys.exit(3)"),
    "silent": then(run("7", silent=True), run("x")),
    "silent error": run("1 / 0", silent=True),
    "silent output": run("print(1)", silent=True),
    "store_history off": then(run("n = 1", store_history=False), run("n")),
    # All of them have arrived by the time when the first one fails.
    "stop_on_error": burst(execute("import time\ntime.sleep(1)\n1 / 0"), execute("2"), execute("3")),
    "stop_on_error off": burst(execute("1 / 0", stop_on_error=False), execute("2")),
    "non-execute after an error": then(burst(execute("1 / 0")), ask("is_complete_request", code="1")),
    "user_expressions": run("u = 1", user_expressions={"a": "u + 1", "b": "u"}),
    "failing user_expressions": run("u = 1", user_expressions={"bad": "1 / 0", "good": "u"}),
    "user_expressions after an error": run("1 / 0", user_expressions={"a": "1"}),
    "history tail": then(run("h = 'tail'"), ask("history_request", hist_access_type="tail", n=1, **HISTORY)),
    "history search": then(
        run("h = 'find me'"), ask("history_request", hist_access_type="search", pattern="*find me*", n=1, **HISTORY)
    ),
    "history with output": then(
        run("'shown'"), ask("history_request", hist_access_type="tail", n=1, raw=True, output=True)
    ),
    "history range": ask("history_request", hist_access_type="range", session=0, start=1, stop=3, **HISTORY),
    "history of nothing": ask("history_request", hist_access_type="search", pattern="no such thing*", n=1, **HISTORY),
    "complete code": ask("is_complete_request", code="a = 1"),
    "incomplete code": ask("is_complete_request", code="if True:"),
    "incomplete string": ask("is_complete_request", code="'''a"),
    "invalid code": ask("is_complete_request", code="import = 7q"),
    "completion": then(run("mine_only = 1"), ask("complete_request", code="mine_o", cursor_pos=6)),
    "inspection": then(run("seen = 1"), ask("inspect_request", code="seen", cursor_pos=4, detail_level=0)),
    "inspection in detail": ask("inspect_request", code="seen", cursor_pos=4, detail_level=1),
    "inspection of nothing": ask("inspect_request", code="nosuch", cursor_pos=6, detail_level=0),
    "comm_info": ask("comm_info_request"),
    "comm_info of a target": then(
        run("from comm import create_comm\nc = create_comm(target_name='t', comm_id='fixed')"),
        ask("comm_info_request", target_name="t"),
        ask("comm_info_request", target_name="none"),
    ),
    "input": run("input('name? ')", ["Ada"], allow_stdin=True),
    "getpass": run("import getpass; getpass.getpass('word? ')", ["secret"], allow_stdin=True),
    "input that is not allowed": run("input('name? ')"),
    "interrupt a loop": lambda host: [host.interrupted(execute("print('started', flush=True)\nwhile True: pass"))],
    "interrupt a sleep": lambda host: [
        host.interrupted(execute("import time; print('started', flush=True)\ntime.sleep(600)"))
    ],
    "interrupt a question": lambda host: [
        host.interrupted(execute("input('name? ')", allow_stdin=True), "input_request")
    ],
    "a payload": run("get_ipython().set_next_input('next')"),
    "clear_output": run("from IPython.display import clear_output; clear_output(wait=True)"),
    "an update of a display": run("from IPython.display import display; h = display(1, display_id='d'); h.update(2)"),
    "top-level await": run("import asyncio; await asyncio.sleep(0)\n5"),
}


def seen(answers: list[Answer]) -> list[Any]:
    """The parts of the answers that must be equal."""
    first: int | None = None
    found = []
    for reply, messages in answers:
        parts = []
        # Messages of different channels have no fixed order.
        ordered = sorted(messages, key=lambda message: message[0] != "input_request")
        for msg_type, content in [*ordered, ("reply", reply)]:
            kept = {key: value for key, value in content.items() if key not in ("traceback", "metadata")}
            if isinstance(kept.get("execution_count"), int):
                first = kept["execution_count"] if first is None else first
                kept["execution_count"] -= first
            if msg_type == "reply" and "history" in kept:
                kept["history"] = [entry[2:] for entry in kept["history"]]
            if msg_type == "reply" and "found" in kept:
                kept = {"found": kept["found"], "data": sorted(kept["data"])}
            if msg_type == "reply" and "matches" in kept:
                kept["matches"] = sorted(kept["matches"])
            if "comms" in kept:
                kept["comms"] = {key: value for key, value in kept["comms"].items() if key == "fixed"}
            if "user_expressions" in kept:
                kept["user_expressions"] = {
                    name: {key: value for key, value in entry.items() if key != "traceback"}
                    for name, entry in kept["user_expressions"].items()
                }
            for key in ("engine_info", "engine_id", "engine_uuid"):
                kept.pop(key, None)
            last = parts[-1] if parts else None
            if msg_type == "stream" and last and last[0] == "stream" and last[1]["name"] == kept["name"]:
                last[1]["text"] += kept["text"]
            else:
                parts.append((msg_type, kept))
        found.append(parts)
    return found


def documented() -> dict[tuple[str, str], str]:
    """Case and host of each line of the document's table, with the reason that the table gives."""
    rows = re.findall(r"^\| ([^|]+?) \| (browser|server) \| ([^|]+?) \|$", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    return {(case, host): reason for case, host, reason in rows}


@pytest.fixture(scope="module")
def oracle() -> Iterator[dict[str, list[Any]]]:
    """The answers of ipykernel."""
    host = JupyterHost("python3")
    answers = {name: seen(case(host)) for name, case in CASES.items()}
    question = "interrupt a question"
    while "Interrupted by user" not in str(answers[question]):  # it says so if it waits for the answer already
        answers[question] = seen(CASES[question](host))
    yield answers
    host.close()


def compare(host: Any, name: str, oracle: dict[str, list[Any]]) -> list[str]:
    """Cases that differ although the document does not say so, or that the document lists although they do not differ."""
    known = documented()
    wrong = []
    for case, steps in CASES.items():
        found = seen(steps(host))
        if (found == oracle[case]) == ((case, name) in known):
            wrong.append(f"{case}\n  ipykernel: {oracle[case]}\n  {name}:    {found}")
    return wrong


def test_the_document_names_cases_that_exist() -> None:
    assert {case for case, _ in documented()} <= set(CASES)


def test_the_server_kernel_answers_as_ipykernel_does(oracle: dict[str, list[Any]]) -> None:
    host = JupyterHost("browsergrad")
    try:
        wrong = compare(host, "server", oracle)
    finally:
        host.close()
    assert not wrong, "\n".join(wrong)


def test_the_browser_kernel_answers_as_ipykernel_does(lab: Lab, oracle: dict[str, list[Any]]) -> None:
    wrong = compare(BrowserHost(lab), "browser", oracle)
    assert not wrong, "\n".join(wrong)
