"""A kernel on CPython, with a host that records the messages that it publishes."""

from __future__ import annotations

import asyncio
import atexit
import json
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_kernel_test.msgspec_v5 import schema_fragments, validate_message

SHIM = Path(__file__).resolve().parents[2] / "kernel_shim"
sys.path.insert(0, str(SHIM))


class FakeHost:
    """The functions that the worker offers. They record their calls."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.parent: dict[str, Any] = {}
        self.pending: list[list[Any]] = []
        self.imports: list[str] = []
        self.logged: list[str] = []
        self.load: Callable[[str], None] = lambda code: None

    def publish(self, message_json: str, buffers: list[bytes] | None) -> None:
        self.flush()
        *ahead, last = (json.loads(line, parse_constant=_no_constant) for line in message_json.split("\n"))
        self.messages += [{**message, "buffers": []} for message in ahead] + [{**last, "buffers": buffers or []}]

    def stream_parent(self, header_json: str, newest: bool = False) -> None:
        self.parent = json.loads(header_json)

    def log(self, text: str) -> None:
        self.logged.append(text)

    def write(self, name: str, text: str) -> int:
        last = self.pending[-1] if self.pending else None
        if last is not None and last[0] == name and last[2] == self.parent:
            last[1] += text
        else:
            self.pending.append([name, text, self.parent])
        return 0

    def flush(self, end: bool = False) -> None:
        for name, text, parent in self.pending:
            self.messages.append(
                {
                    "channel": "iopub",
                    "header": {**header("stream"), "session": parent.get("session", "")},
                    "parent_header": parent,
                    "metadata": {},
                    "content": {"name": name, "text": text},
                    "buffers": [],
                }
            )
        self.pending.clear()

    def background_offers(self, module: str) -> bool:
        return False

    def package_of(self, module: str) -> None:
        """Claims that no package waits to be loaded."""

    async def packages_from_imports(self, code: str) -> None:
        self.imports.append(code)
        self.load(code)


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


def header(msg_type: str) -> dict[str, Any]:
    return {
        "msg_id": uuid.uuid4().hex,
        "msg_type": msg_type,
        "session": "front-end",
        "username": "student",
        "date": "2026-01-01T00:00:00.000000Z",
        "version": "5.4",
    }


class Answer:
    """All messages that were published while one request was handled."""

    def __init__(self, request: dict[str, Any], messages: list[dict[str, Any]]) -> None:
        self.request = request
        self.messages = messages

    def of(self, msg_type: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["header"]["msg_type"] == msg_type]

    def contents(self, msg_type: str) -> list[dict[str, Any]]:
        return [message["content"] for message in self.of(msg_type)]

    @property
    def types(self) -> list[str]:
        return [message["header"]["msg_type"] for message in self.messages]

    @property
    def states(self) -> list[str]:
        return [content["execution_state"] for content in self.contents("status")]

    @property
    def reply(self) -> dict[str, Any]:
        (message,) = [message for message in self.messages if message["header"]["msg_type"].endswith("_reply")]
        content: dict[str, Any] = message["content"]
        return content

    def text(self, name: str = "stdout") -> str:
        return "".join(content["text"] for content in self.contents("stream") if content["name"] == name)

    @property
    def result(self) -> str | None:
        found = self.contents("execute_result")
        return found[0]["data"]["text/plain"] if found else None


class Client:
    """Sends requests to a kernel and collects the answers."""

    def __init__(self, kernel: Any, host: FakeHost) -> None:
        self.kernel = kernel
        self.host = host
        self.loop = asyncio.new_event_loop()
        self.epoch = 0
        # pytest restores its own streams between a fixture and its test.
        self.streams = sys.stdout, sys.stderr

    def raw(self, message_json: str, buffers: list[bytes] | None = None, request: Any = None) -> Answer:
        self.epoch += 1
        start = len(self.host.messages)
        outside = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = self.streams
        try:
            self.loop.run_until_complete(self.kernel.dispatch(message_json, buffers or [], self.epoch))
        finally:
            self.streams = sys.stdout, sys.stderr
            sys.stdout, sys.stderr = outside
        self.host.flush()
        answer = Answer(request or {}, self.host.messages[start:])
        for message in answer.messages:
            # The schema requires a number for `password`; the specification and ipykernel say bool.
            if message["header"]["msg_type"] in schema_fragments.keys() - {"input_request"}:
                validate_message(message)
        assert answer.states == ["busy", "idle"]
        assert answer.types[0] == answer.types[-1] == "status"
        return answer

    def send(
        self,
        msg_type: str,
        content: Any = None,
        *,
        channel: str = "shell",
        buffers: list[bytes] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> Answer:
        request = {
            "channel": channel,
            "header": header(msg_type),
            "parent_header": {},
            "metadata": metadata or {},
            "content": {} if content is None else content,
        }
        return self.raw(json.dumps(request), buffers, request)

    def run(self, code: str, **fields: Any) -> Answer:
        return self.send("execute_request", {"code": code, **fields})


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Client]:
    """A kernel with an empty namespace. All tests share one shell, since IPython expects a single one."""
    import builtins
    import getpass
    import warnings

    from browsergrad_kernel import _host, comms, startup
    from IPython.core.history import HistoryManager
    from IPython.core.interactiveshell import InteractiveShell

    host = FakeHost()
    kept = sys.stdout, sys.stderr, builtins.input, getpass.getpass, list(sys.path), list(sys.meta_path)
    real = sys.__stdout__, sys.__stderr__
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.chdir(tmp_path)
    _host.install(host)
    main_module = sys.modules["__main__"]
    InteractiveShell.clear_instance()
    HistoryManager._instances.clear()
    comms._manager = None
    with warnings.catch_warnings():
        kernel = startup.start({"session_id": "kernel", "cwd": None, "piplite_urls": [], "disable_pypi": False})
        client = Client(kernel, host)
        yield client
    for comm in list(comms.manager().comms.values()):
        comm.close()
    client.loop.run_until_complete(client.loop.shutdown_asyncgens())
    client.loop.close()
    # Otherwise each shell would collect all garbage when the session ends, which takes minutes in sum.
    atexit.unregister(kernel.shell.atexit_operations)
    type(kernel.shell).clear_instance()
    InteractiveShell.clear_instance()
    sys.modules["__main__"] = main_module
    sys.stdout, sys.stderr, builtins.input, getpass.getpass = kept[:4]
    sys.path[:], sys.meta_path[:] = kept[4:]
    sys.__stdout__, sys.__stderr__ = real  # type: ignore[misc]
