"""Whatever a worker sends, in any order: requests are answered, files stay inside, and the sandbox can be ended."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterlite_browsergrad.server_kernel import file_requests, frames, request_log
from jupyterlite_browsergrad.server_kernel import sandbox as module
from jupyterlite_browsergrad.server_kernel.folder import Folder
from jupyterlite_browsergrad.server_kernel.sandbox import Limits, Sandbox

from .worker_messages import BUFFERS, BYTES, FRAMES, VALUES

#: Seconds after which a thread counts as one that will never end.
HANG_S = 60


class Deno:
    """Stands for the process: tests write its output, and it accepts all input."""

    def __init__(self, *command: object, **options: object) -> None:
        from_us, self._in = os.pipe()
        self._out, to_us = os.pipe()
        self._errors, to_us_too = os.pipe()
        self.pid = os.getpid()
        self.stdin, self.stdout, self.stderr = (
            os.fdopen(self._in, "wb"),
            os.fdopen(self._out, "rb"),
            os.fdopen(self._errors, "rb"),
        )
        self._taking = threading.Thread(target=self._take, args=(from_us,), daemon=True)
        self._taking.start()
        self._ours = [os.fdopen(to_us, "wb", buffering=0), os.fdopen(to_us_too, "wb", buffering=0)]
        self._lock = threading.Lock()
        Deno.last = self

    last: Deno

    @staticmethod
    def _take(pipe: int) -> None:
        with os.fdopen(pipe, "rb") as file:
            while file.read1(1 << 16):
                pass

    def say(self, data: bytes) -> None:
        with contextlib.suppress(OSError, ValueError):  # The sandbox has ended it.
            self._ours[0].write(data)

    def kill(self) -> None:
        with self._lock:
            for pipe in self._ours:
                pipe.close()

    def wait(self, timeout: float | None = None) -> int:
        return -9


@pytest.fixture(autouse=True)
def no_thread_dies(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    died: list[object] = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    yield
    assert not died, died


@pytest.fixture(scope="module")
def shared() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        outside, inside = Path(name, "outside"), Path(name, "inside")
        outside.mkdir()
        (outside / "secret").write_text("secret")
        (inside / "sub").mkdir(parents=True)
        (inside / "data.txt").write_text("data")
        (inside / "out").symlink_to(outside)
        yield inside


def talk(shared: Path, said: list[bytes], monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Let a sandbox with an open request read these bytes, and end it."""
    got: list[dict[str, Any]] = []
    limits = Limits(output_bytes=10_000, reply_bytes=10_000, file_bytes=10_000, disk_bytes=10_000, files=5)
    monkeypatch.setattr(module, "SLACK_BYTES", 1000)
    monkeypatch.setattr(file_requests, "TAKES_S", 1.0)
    monkeypatch.setattr(subprocess, "Popen", Deno)
    sandbox = Sandbox(shared, limits=limits, on_message=got.append, on_log=lambda level, text: None).start()
    deno = Deno.last
    message = sandbox.message("execute_request", {"code": ""})
    message["header"]["msg_id"] = "request"
    sandbox.send(message, got.append)
    for data in said:
        deno.say(data)
    if how == "end":
        deno.kill()
    else:
        sandbox.kill()
    assert sandbox._ending.reached.wait(HANG_S), "the sandbox goes on"
    sandbox.kill()
    answers = [each for each in got if each["parent_header"].get("msg_id") == "request"]
    deadline = time.monotonic() + HANG_S
    while not answered(answers):
        assert time.monotonic() < deadline, answers
        time.sleep(0.01)  # Another thread is handling it.
        answers = [each for each in got if each["parent_header"].get("msg_id") == "request"]
    assert sorted(os.listdir(shared.parent / "outside")) == ["secret"]
    assert (shared.parent / "outside" / "secret").read_text() == "secret"


def answered(messages: list[dict[str, Any]]) -> bool:
    replied = any(each["channel"] in ("shell", "control") for each in messages)
    return replied and any(each["content"].get("execution_state") == "idle" for each in messages)


@settings(deadline=None)
@given(st.lists(BYTES, max_size=8), st.sampled_from(["end", "kill"]))
def test_every_request_is_answered_whatever_comes(shared: Path, said: list[bytes], how: str) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        talk(shared, said, monkeypatch, how)


@settings(deadline=None)
@given(FRAMES | VALUES.map(lambda value: {"type": "drive", "method": value, "path": value}), BUFFERS)
def test_a_file_request_has_an_answer_that_can_be_sent(
    shared: Path, frame: dict[str, Any], buffers: list[bytes]
) -> None:
    folder = Folder(shared, quota_bytes=1000, quota_files=5, file_bytes=1000)
    answer, data = folder.answer(frame, buffers)
    assert frames.encode({"type": "drive", "id": 1, "answer": answer}, data)
    assert answer["ok"] or isinstance(answer["errno"], str)
    folder.close()
    assert folder.answer({"method": "lookup", "path": ""}, [])[0]["errno"] == "EBADF"
    assert sorted(os.listdir(shared.parent / "outside")) == ["secret"]


def frame(**fields: Any) -> bytes:
    return frames.encode(fields)


def test_kill_does_not_wait_for_a_file_request(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entered, leave = threading.Event(), threading.Event()

    def stuck(folder: Folder, frame: dict[str, Any], buffers: list[bytes]) -> Any:
        entered.set()
        assert leave.wait(HANG_S)
        return {"ok": True, "value": None}, []

    monkeypatch.setattr(Folder, "answer", stuck)
    monkeypatch.setattr(subprocess, "Popen", Deno)
    sandbox = Sandbox(shared).start()
    got: list[Any] = []
    sandbox.send(sandbox.message("execute_request", {"code": ""}), got.append)
    Deno.last.say(frame(type="drive", id=1, method="lookup", path=""))
    assert entered.wait(HANG_S)
    sandbox.kill()
    assert answered(got)
    leave.set()


def test_file_requests_are_answered_one_after_the_other(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that does not take an answer gets no further one, so that answers never pile up."""
    monkeypatch.setattr(Deno, "_take", staticmethod(lambda pipe: None))
    monkeypatch.setattr(file_requests, "TAKES_S", 0.2)
    monkeypatch.setattr(subprocess, "Popen", Deno)
    (shared / "big").write_bytes(bytes(1 << 20))
    ended: list[str] = []
    done = threading.Event()
    sandbox = Sandbox(shared, on_exit=lambda reason: (ended.append(reason), done.set())).start()
    for number in range(100):
        Deno.last.say(frame(type="drive", id=number, method="get", path="big"))
    assert done.wait(HANG_S)
    assert "before the answer to the last one was taken" in ended[0]
    assert sandbox._process.held_bytes < 3 << 20
    (shared / "big").unlink()


def test_output_is_counted_here_too(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages of every type, for any request. A worker that writes to the pipe itself avoids Deno's own counting."""
    for kind in ("stream", "status", "execute_reply", "made_up"):
        with monkeypatch.context() as patch:
            patch.setattr(subprocess, "Popen", Deno)
            patch.setattr(module, "SLACK_BYTES", 1000)
            sandbox = Sandbox(shared, limits=Limits(output_bytes=50_000, reply_bytes=50_000)).start()
            parts = {"header": {"msg_id": "a", "msg_type": kind}, "metadata": {}, "content": {"text": "x" * 900}}
            for number in range(200):
                message = {"channel": "iopub", "parent_header": {"msg_id": str(number)}, **parts}
                Deno.last.say(frame(type="message", message=message))
            assert sandbox._ending.reached.wait(HANG_S), kind
            assert sandbox.cause == "output", kind


def test_what_deno_says_can_not_move_a_cursor(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", Deno)
    said: list[str] = []
    reasons: list[str] = []
    ended = threading.Event()
    sandbox = Sandbox(
        shared,
        on_log=lambda level, text: said.append(text),
        on_exit=lambda reason: (reasons.append(reason), ended.set()),
    )
    sandbox.start()
    Deno.last.say(frame(type="log", level="error", text="\x1b]0;title\x07\x1b[2J\u202e"))
    Deno.last._ours[1].write(b"\x1b[31mred\n")
    Deno.last.say(frame(type="failed", message="\x9b2J"))
    assert ended.wait(HANG_S)
    assert all(text.isprintable() for text in [*said, *reasons]), (said, reasons)
    assert any("title" in text for text in said)


def test_a_log_without_end_is_cut(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", Deno)
    said: list[str] = []
    sandbox = Sandbox(shared, on_log=lambda level, text: said.append(text)).start()
    for _ in range(500):
        Deno.last._ours[1].write(b"x" * 4000 + b"\n")
    sandbox.kill()
    assert sum(map(len, said)) < request_log.MAX_LOG + 5000


def test_two_kernels_can_write_one_file_at_once(tmp_path: Path) -> None:
    """A reader sees one whole text or the other at any time, and an existing file never disappears."""
    one, other, reader = (Folder(tmp_path) for _ in range(3))
    texts = [bytes([65 + number]) * 20_000 for number in range(4)]
    one.answer({"method": "put", "path": "shared.txt"}, [texts[0]])
    wrong: list[Any] = []
    stop = threading.Event()

    def write(folder: Folder, seed: int) -> None:
        choose = random.Random(seed)
        for _ in range(300):
            answer, _ = folder.answer({"method": "put", "path": "shared.txt"}, [choose.choice(texts)])
            if not answer["ok"]:
                wrong.append(answer)

    def read() -> None:
        while not stop.is_set():
            answer, data = reader.answer({"method": "get", "path": "shared.txt"}, [])
            if not answer["ok"] or data[0] not in texts:
                wrong.append((answer, data and len(data[0])))

    reading = threading.Thread(target=read)
    reading.start()
    writing = [threading.Thread(target=write, args=(folder, seed)) for seed, folder in enumerate((one, other))]
    for thread in writing:
        thread.start()
    for thread in writing:
        thread.join()
    stop.set()
    reading.join()
    assert not wrong, wrong[:3]
    assert os.listdir(tmp_path) == ["shared.txt"]
    for folder in (one, other, reader):
        folder.close()


#: Messages that a worker has no reason to post, as JavaScript.
POSTED = [
    "undefined",
    "null",
    "'text'",
    "{type: 'call'}",
    "{type: 'call', id: -1, call: {kind: 'drive', request: null}}",
    "{type: 'call', id: 1e99, call: {kind: 'drive', request: {method: 'mknod', path: 'x', data: {mode: -1}}}}",
    "{type: 'call', id: 1, call: {kind: 'drive', request: {method: 'rename', path: '', data: {newPath: {}, type: 'failed', id: 7}}}}",
    "{type: 'call-large', id: 1, buffer: new SharedArrayBuffer(1)}",
    "{type: 'message', json: '{', buffers: [], bytes: 1}",
    '{type: \'message\', json: \'{"channel": "shell", "content": []}\', buffers: [], bytes: 1}',
    "{type: 'message', json: '[]\\\\n[]\\\\n7', buffers: 7, bytes: 'x'}",
    "{type: 'streams', chunks: [{name: 7, text: {}, parent: '['}], bytes: -1}",
    "{type: 'done', id: 1}",
    "{type: 'failed', id: 99, message: {}}",
    "{type: 'booted', info: null}",
    "{type: 'log', level: {}, text: 'x'.repeat(1e6)}",
    "{type: 'limit', ms: -1}",
    "{type: 'fatal', message: {}}",
]


@pytest.mark.timeout(1200)
def test_a_real_worker_may_post_anything(shared: Path) -> None:
    """Each cell gets an answer. Code that sends messages as the worker may spoil its own Python, but no other."""
    sandbox = Sandbox(shared).start()
    try:
        for posted in POSTED:
            code = f"from pyodide.code import run_js\nrun_js({f'postMessage({posted})'!r})\nimport asyncio; await asyncio.sleep(0.05)"
            assert sandbox.execute(code).content["status"] in ("ok", "error", "aborted"), posted
            if sandbox.is_alive:
                sandbox.execute("1")
            if not sandbox.is_alive:
                sandbox.kill()
                sandbox = Sandbox(shared).start()
        assert sandbox.execute("1").content["status"] in ("ok", "error")
    finally:
        sandbox.kill()
    with Sandbox(shared) as other:
        assert other.execute("1").content["status"] == "ok"
    assert sorted(os.listdir(shared.parent / "outside")) == ["secret"]
