"""The kernel in a process of its own, used as Jupyter's clients and front ends use it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq
from hangs import HANG_S
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from jupyterlite_browsergrad.server_kernel.kernel import BrowsergradServerKernel
from tests.processes import children, wait_gone

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
TIMEOUT_S = HANG_S


class Running:
    """A kernel and its client."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.manager = KernelManager(kernel_name="browsergrad")
        self.manager.start_kernel(cwd=str(folder), extra_arguments=list(arguments))
        self.client: BlockingKernelClient = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=TIMEOUT_S)

    def run(self, code: str, on_message: Callable[[Any], None] = lambda message: None, **more: Any) -> Any:
        """Run a cell. Return its reply's content, and the messages before its idle status."""
        messages: list[Any] = []

        def hear(message: Any) -> None:
            messages.append(message)
            on_message(message)

        reply = self.client.execute_interactive(code, timeout=TIMEOUT_S, output_hook=hear, **more)
        return reply["content"], messages

    def value(self, code: str) -> str:
        _, messages = self.run(code)
        return next(m["content"]["data"]["text/plain"] for m in messages if m["msg_type"] == "execute_result")

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    kernel = Running(tmp_path_factory.mktemp("notebooks"))
    yield kernel
    kernel.close()


def test_messages_have_ids_parents_and_one_session(kernel: Running) -> None:
    msg_id = kernel.client.execute("print('a'); 1")
    # On a busy machine, answers to the first requests come late.
    while (reply := kernel.client.get_shell_msg(timeout=TIMEOUT_S))["parent_header"]["msg_id"] != msg_id:
        pass
    messages = [reply]
    while messages[-1]["content"].get("execution_state") != "idle":
        message = kernel.client.get_iopub_msg(timeout=TIMEOUT_S)
        if (
            message["parent_header"].get("msg_id") == msg_id
        ):  # All other messages end requests that waited for the start.
            messages.append(message)
    assert len({message["header"]["msg_id"] for message in messages}) == len(messages) == 6
    assert {message["parent_header"]["session"] for message in messages} == {kernel.client.session.session}
    (session,) = {message["header"]["session"] for message in messages}
    assert session != kernel.client.session.session


def interrupted(kernel: Running, interrupt: Callable[[], None]) -> Any:
    code = "print('started', flush=True)\nwhile True: pass"

    def hear(message: Any) -> None:
        if message["msg_type"] == "stream":
            interrupt()

    return kernel.run(code, hear)[0]


def test_an_interrupt_by_signal_ends_the_cell(kernel: Running) -> None:
    kernel.run("kept = 1")
    assert interrupted(kernel, kernel.manager.interrupt_kernel)["ename"] == "KeyboardInterrupt"
    assert kernel.value("kept") == "1"


def test_an_interrupt_by_message_ends_the_cell(kernel: Running) -> None:
    def ask() -> None:
        kernel.client.control_channel.send(kernel.client.session.msg("interrupt_request", {}))

    kernel.run("kept = 2")
    assert interrupted(kernel, ask)["ename"] == "KeyboardInterrupt"
    assert kernel.client.get_control_msg(timeout=TIMEOUT_S)["content"]["status"] == "ok"
    assert kernel.value("kept") == "2"


def test_a_cell_is_answered_before_the_tasks_that_it_has_woken(kernel: Running) -> None:
    code = """import asyncio
async def wait(event):
    await event.wait()
    while True: pass
event = asyncio.Event()
task = asyncio.create_task(wait(event))
await asyncio.sleep(0)
event.set()"""
    reply, _ = kernel.run(code)
    assert reply["status"] == "ok"
    # The task blocks the kernel, so that the next cell cannot begin. Stop ends both.
    threading.Timer(0.5, kernel.manager.interrupt_kernel).start()
    reply, _ = kernel.run("6 * 7")
    assert reply["status"] != "ok"
    assert kernel.value("6 * 7") == "42"


def test_an_interrupted_cell_ends_although_an_earlier_task_blocks_its_end(kernel: Running) -> None:
    kernel.run(
        """import asyncio
async def wait(event):
    await event.wait()
    while True: pass
event = asyncio.Event()
task = asyncio.create_task(wait(event))
await asyncio.sleep(0)"""
    )
    code = """print('started', flush=True)
try:
    await asyncio.sleep(600)
finally:
    event.set()
    await asyncio.sleep(0.01)"""

    def hear(message: Any) -> None:
        if message["msg_type"] == "stream":
            kernel.manager.interrupt_kernel()

    reply, _ = kernel.run(code, hear)
    assert reply["ename"] == "KeyboardInterrupt"
    assert kernel.value("6 * 7") == "42"


def test_a_question_goes_to_the_front_end_that_ran_the_cell(kernel: Running) -> None:
    def answer(message: Any) -> None:
        assert message["content"]["prompt"] == "name? "
        kernel.client.input("Ada")

    kernel.run("name = input('name? ')", allow_stdin=True, stdin_hook=answer)
    assert kernel.value("name") == "'Ada'"


def test_the_kernel_answers_while_python_is_busy(kernel: Running) -> None:
    def ask(message: Any) -> None:
        if message["msg_type"] == "stream":
            kernel.client.control_channel.send(kernel.client.session.msg("kernel_info_request", {}))
            info = kernel.client.get_control_msg(timeout=TIMEOUT_S)["content"]
            assert info["language_info"]["version"].startswith("3.") and kernel.client.is_alive()
            kernel.manager.interrupt_kernel()

    kernel.run("print('started', flush=True)\nwhile True: pass", ask)


def test_the_heart_beats_while_python_is_busy(kernel: Running) -> None:
    beats = []

    def listen(message: Any) -> None:
        if message["msg_type"] == "stream":
            with kernel.client.context.socket(zmq.REQ) as heart:
                heart.connect(kernel.client._make_url("hb"))
                heart.send(b"ping")
                beats.append(heart.poll(TIMEOUT_S * 1000) and heart.recv())
            kernel.manager.interrupt_kernel()

    kernel.run("print('started', flush=True)\nwhile True: pass", listen)
    assert beats == [b"ping"]


def test_comms_carry_buffers_both_ways(kernel: Running) -> None:
    kernel.run(
        "def opened(comm, message):\n"
        "  @comm.on_msg\n"
        "  def echo(m): comm.send(m['content']['data'], buffers=[bytes(b)[::-1] for b in m['buffers']])\n"
        "get_ipython().kernel.comm_manager.register_target('echo', opened)"
    )
    session = kernel.client.session
    for msg_type, content in (
        ("comm_open", {"comm_id": "c", "target_name": "echo", "data": {}}),
        ("comm_msg", {"comm_id": "c", "data": {"n": 1}}),
    ):
        message = session.msg(msg_type, content)
        session.send(kernel.client.shell_channel.socket, message, buffers=[b"\x00\xffabc"])
    while (answer := kernel.client.get_iopub_msg(timeout=TIMEOUT_S))["msg_type"] != "comm_msg":
        pass
    assert answer["content"]["data"] == {"n": 1}
    assert [bytes(buffer) for buffer in answer["buffers"]] == [b"cba\xff\x00"]


FAILING = [
    "import logging\nlogging.getLogger(5)",
    "def f(a):\n    return [1 / a for _ in 'ab']\nf(0)",
    "import traitlets\ntraitlets.Int().validate(None, 'a')",
]
IPYTHONS_OWN = """
import contextlib
from browsergrad_kernel import tracebacks
for owner, name, own in tracebacks.speed_up(): setattr(owner, name, own)
tracebacks.quickly = lambda shows: contextlib.nullcontext()
"""


def test_tracebacks_look_as_ipython_shows_them(kernel: Running) -> None:
    def shown() -> list[str]:
        return [re.sub(r"In\[\d+\]|0x[0-9a-f]+", "", "\n".join(kernel.run(code)[0]["traceback"])) for code in FAILING]

    ours = shown()
    assert all("\x1b[30;43m" in text for text in ours)  # the running part of a line, on yellow
    kernel.run(IPYTHONS_OWN)
    try:
        assert shown() == ours
    finally:
        kernel.manager.restart_kernel()
        kernel.client.wait_for_ready(timeout=TIMEOUT_S)


def test_a_restart_forgets_and_works(kernel: Running) -> None:
    kernel.run("gone = 1")
    before = children(kernel.manager.provisioner.pid)
    kernel.manager.restart_kernel()
    kernel.client.wait_for_ready(timeout=TIMEOUT_S)
    assert kernel.run("gone")[0]["ename"] == "NameError"
    wait_gone(before)


def test_a_sandbox_that_dies_is_replaced(kernel: Running) -> None:
    def kill(message: Any) -> None:
        if message["msg_type"] == "stream":
            os.kill(children(kernel.manager.provisioner.pid)[0], signal.SIGKILL)

    assert kernel.run("print('started', flush=True)\nwhile True: pass", kill)[0]["ename"] == "KernelDied"
    assert kernel.value("6 * 7") == "42"


@pytest.mark.parametrize("how", ["shutdown", "terminate", "kill"])
def test_no_process_outlives_the_kernel(tmp_path: Path, how: str) -> None:
    kernel = Running(tmp_path)
    kernel.client.execute("while True: pass")
    while kernel.client.get_iopub_msg(timeout=TIMEOUT_S)["msg_type"] != "execute_input":
        pass
    pid = kernel.manager.provisioner.pid
    pids = [pid, *children(pid)]
    assert len(pids) == 2
    if how == "shutdown":
        kernel.client.shutdown()
    else:
        os.kill(pid, {"terminate": signal.SIGTERM, "kill": signal.SIGKILL}[how])
    status = kernel.manager.provisioner.process.wait(TIMEOUT_S)
    assert how != "shutdown" or status == 0, "it ends by itself"
    wait_gone(pids)
    kernel.close()


PARENT = """
import sys, time
from jupyter_client.manager import KernelManager
manager = KernelManager(kernel_name="browsergrad")
manager.start_kernel()
client = manager.blocking_client()
client.start_channels()
client.wait_for_ready()
client.execute("while True: pass")
print(manager.provisioner.pid, flush=True)
time.sleep(600)
"""


def test_no_process_outlives_the_server_that_started_it(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        pids = [pid, *children(pid, "deno")]
        assert len(pids) == 2
        parent.kill()
    wait_gone(pids)


def test_the_help_lists_all_settings() -> None:
    command = [sys.executable, "-m", "jupyterlite_browsergrad.server_kernel", "--help-all"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for name in BrowsergradServerKernel.class_own_traits(config=True):
        assert f"--BrowsergradServerKernel.{name}=" in shown


def test_settings_reach_the_sandbox(tmp_path: Path) -> None:
    kernel = Running(
        tmp_path,
        "--BrowsergradServerKernel.cell_timeout=10",
        "--BrowsergradServerKernel.share=read-only",
        "--BrowsergradServerKernel.output_mb=0.1",
        "--BrowsergradServerKernel.memory_mb=256",
    )
    try:
        assert kernel.run("open('made.txt', 'w')")[0]["ename"] == "OSError"
        stored = kernel.run("x = 1\n%store x")[0]
        assert stored["ename"] == "UsageError" and "nowhere to keep variables" in stored["evalue"]
        assert kernel.run("%cd -q ..")[0]["status"] == "ok"
        assert kernel.run("x = bytearray(400_000_000)")[0]["ename"] == "MemoryError"
        assert kernel.run("while True: print('x' * 100)")[0]["ename"] == "OutputLimitError"
        assert kernel.run("while True: pass")[0]["ename"] == "CellTimeoutError"
    finally:
        kernel.close()
    assert threading.active_count() < 50
