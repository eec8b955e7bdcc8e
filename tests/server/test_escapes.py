"""Attempts to get out of the sandbox, from Python and from JavaScript. Each is refused with an error that says so."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyterlite_browsergrad.server_kernel import frames, watch
from jupyterlite_browsergrad.server_kernel.sandbox import Limits, Sandbox

MEGABYTE = 1 << 20
NODE = "has no modules of Node|does not provide an export"

#: Attempts in Python, and the error with which each ends.
PYTHON = {
    "open('/etc/passwd')": "FileNotFoundError",
    "open('/drive/../../etc/passwd')": "FileNotFoundError",
    "open('/drive/secret').read()": "PermissionError",
    "open('/drive/out/secret.txt').read()": "PermissionError",
    "open('/drive/out/made.txt', 'w').write('x')": "PermissionError",
    "open('/drive/pipe').read()": "PermissionError",
    "open('/drive/proc/environ').read()": "PermissionError",
    "open('/drive/proc/root/etc/passwd').read()": "PermissionError",
    "open('/proc/self/environ')": "FileNotFoundError",
    "import os; os.listdir('/drive/proc')": "PermissionError",
    "import os; os.mkdir('/drive/out/made')": "PermissionError",
    "import os; os.chmod('/drive/secret', 0o777)": "PermissionError",
    "import os; os.truncate('/drive/secret', 0)": "PermissionError",
    "import os; os.symlink('/etc/passwd', '/drive/link')": "PermissionError",
    "import os; os.rename('/drive/out/secret.txt', '/drive/mine')": "PermissionError",
    "import os; os.environ['BROWSERGRAD_SECRET']": "KeyError",
    "import subprocess; subprocess.run(['id'])": "OSError",
    "import os; os.fork()": "OSError",
    "import os; os.popen('id').read()": "OSError",
    "import os; os.execv('/bin/sh', ['sh'])": "OSError",
    "import asyncio; await asyncio.create_subprocess_exec('id')": "NotImplementedError",
    "import multiprocessing; multiprocessing.Process(target=print).start()": "ModuleNotFoundError",
    "import threading; threading.Thread(target=print).start()": "can't start new thread",
    "assert __import__('os').system('id') == 0": "AssertionError",
    "import os; os.kill(1, 9)": "PermissionError",
    "import socket; socket.create_connection(('127.0.0.1', PORT))": "OSError",
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:PORT')": "URLError",
    "from pyodide.http import pyfetch; await pyfetch('http://127.0.0.1:PORT')": "AbortError: .*NotCapable|net access",
    "import http.client; c = http.client.HTTPSConnection('127.0.0.1', PORT); c.request('GET', '/'); c.getresponse()": "ConnectionError",
    "import js; js.WebSocket.new('ws://127.0.0.1:PORT')": "NotCapable: Requires net access",
    "import js; js.XMLHttpRequest.new()": "AttributeError: XMLHttpRequest",
    "import js; await js.Deno.permissions.request({'name': 'net'})": "AttributeError: Deno",
    "import urllib.request; urllib.request.urlopen('file:///etc/passwd')": "URLError",
    "import ctypes; ctypes.CDLL('libc.so.6')": "OSError",
    "with open('/drive/big', 'wb') as f: f.write(bytes(30_000_000))": "OSError",
    "for i in range(200): open(f'/drive/file{i}', 'w').close()": "OSError",
    "x = bytearray(600_000_000)": "MemoryError",
    "x = []\nwhile True: x.append(bytes(1_000_000))": "MemoryError",
    "import pyodide_js; pyodide_js.mountNodeFS('/mnt', '/etc')": "only works in Node",
    "import pyodide_js; await pyodide_js.loadPackage('file:///etc/passwd')": "not a valid package",
    "import js; js.Deno.readTextFileSync('/etc/passwd')": "AttributeError: Deno",
    "import js; js.process.env": "AttributeError: process",
    "%pip install https://127.0.0.1:PORT/mine-1-py3-none-any.whl": "Error",
}

#: Attempts in JavaScript, likewise.
JAVASCRIPT = {
    "Deno.readTextFileSync('/etc/passwd')": "Deno is not defined",
    "new Function('return Deno')()": "Deno is not defined",
    "[].constructor.constructor('return Deno')()": "Deno is not defined",
    "Deno.permissions.request({name: 'net'})": "Deno is not defined",
    "process.exit(1)": "process is not defined",
    "self.close()": "not a function",
    "fetch('file:///etc/passwd')": "NotCapable: Requires read access",
    "fetch('http://127.0.0.1:PORT')": "NotCapable: Requires net access",
    "fetch('file:///proc/self/environ')": "NotCapable: Requires read access",
    "WebAssembly.compileStreaming(fetch('file:///etc/passwd'))": "NotCapable: Requires read access",
    "new XMLHttpRequest()": "XMLHttpRequest is not defined",
    "importScripts('http://127.0.0.1:PORT/x.js')": "TypeError: a module cannot import scripts",
    "navigator.sendBeacon('http://127.0.0.1:PORT', 'x')": "not a function",
    "new Promise((_, no) => { new EventSource('http://127.0.0.1:PORT').onerror = () => no(new Error('refused')) })": "refused",
    "new WebTransport('https://127.0.0.1:PORT').ready": "WebTransport is not defined",
    "new RTCPeerConnection()": "RTCPeerConnection is not defined",
    "new SharedWorker('x.js')": "SharedWorker is not defined",
    "navigator.serviceWorker.register('x.js')": "undefined",
    "indexedDB.open('x')": "indexedDB is not defined",
    "navigator.storage.getDirectory()": "undefined",
    "prompt('allow?')": "prompt is not defined",
    "new ArrayBuffer(2 ** 40)": "RangeError",
    "new WebAssembly.Memory({initial: 65000})": "RangeError",
    "new WebSocket('ws://127.0.0.1:PORT')": "NotCapable: Requires net access",
    "new Worker('data:text/javascript,for(;;);', {type: 'module'})": "Worker is not defined",
    "caches.open('mine')": "caches is not defined",
    "localStorage.setItem('a', 'b')": "localStorage is not defined",
    "navigator.gpu.requestAdapter()": "undefined",
    "import('node:fs')": NODE,
    "import('fs')": NODE,
    "import('node:child_process')": NODE,
    "import('node:worker_threads')": NODE,
    "import('node:process')": NODE,
    "import('file:///etc/passwd')": "Requires read access",
    "import('http://127.0.0.1:PORT/mod.js')": "Requires import access",
    "import('https://127.0.0.1:PORT/mod.js')": "--no-remote|Requires import access",
    "import('npm:left-pad')": "--no-npm",
    "import('jsr:@std/fs')": "--no-remote",
    "import('ext:core/mod.js')": "ext: modules is only allowed",
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.txt").write_text("secret")
    shared = outside.parent / "shared"
    shared.mkdir()
    (shared / "secret").symlink_to(outside / "secret.txt")
    (shared / "out").symlink_to(outside)
    (shared / "proc").symlink_to("/proc/self")
    os.mkfifo(shared / "pipe")
    return shared


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A server that listens and that no code may ever reach."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.fixture(scope="module")
def prison(shared: Path) -> Iterator[Sandbox]:
    os.environ["BROWSERGRAD_SECRET"] = "secret"
    limits = Limits(memory_bytes=512 * MEGABYTE, disk_bytes=20 * MEGABYTE, files=100)
    with Sandbox(shared, limits=limits) as sandbox:
        yield sandbox
    del os.environ["BROWSERGRAD_SECRET"]


def refused(sandbox: Sandbox, code: str, error: str) -> None:
    content = sandbox.execute(code).content
    assert content["status"] == "error", content
    text = f"{content['ename']}: {content['evalue']}"
    assert re.search(error, text), text
    assert sandbox.execute("x = None\n1").content["status"] == "ok", "the next cell runs"


@pytest.mark.parametrize("code", PYTHON)
def test_python_stays_inside(prison: Sandbox, shared: Path, port: int, code: str) -> None:
    refused(prison, code.replace("PORT", str(port)), PYTHON[code])
    outside = (shared / "out").resolve()
    assert os.listdir(outside) == ["secret.txt"]
    assert (outside / "secret.txt").read_text() == "secret"


@pytest.mark.parametrize("code", JAVASCRIPT)
def test_javascript_stays_inside(prison: Sandbox, port: int, code: str) -> None:
    source = f"(async () => {code})()".replace("PORT", str(port))
    refused(prison, f"from pyodide.code import run_js\nawait run_js({source!r})", JAVASCRIPT[code])


def test_links_that_lead_outside_hide_nothing_of_the_rest(prison: Sandbox, shared: Path) -> None:
    (shared / "beside.py").write_text("value = 42", "utf-8")
    result = prison.execute(
        "import os, beside\nbeside.value, set(os.listdir()) & {'beside.py', 'secret', 'pipe', 'out', 'proc'}"
    )
    assert result.of("execute_result")[0]["data"]["text/plain"] == "(42, {'beside.py'})", result.content


def test_nothing_of_the_environment_is_known(prison: Sandbox) -> None:
    result = prison.execute("import os; sorted(os.environ.values())")
    text = result.of("execute_result")[0]["data"]["text/plain"]
    assert "secret" not in text and os.environ["PATH"] not in text


def test_an_error_in_a_callback_leaves_the_variables() -> None:
    with Sandbox() as sandbox:
        code = "from pyodide.code import run_js\nkept = 1\nrun_js('setTimeout(() => { throw new Error(1) })')"
        sandbox.execute(f"{code}\nimport asyncio; await asyncio.sleep(.05)")
        assert sandbox.execute("kept").content["status"] == "ok"


def test_memory_taken_by_javascript_ends_the_sandbox() -> None:
    with Sandbox(limits=Limits(memory_bytes=128 * MEGABYTE)) as sandbox:
        code = "const a = []; for (;;) { const b = new Uint8Array(5e7); b.fill(1); a.push(b) }"
        content = sandbox.execute(f"from pyodide.code import run_js\nrun_js({code!r})").content
        assert content["ename"] == "KernelDied" and "memory" in content["evalue"], content


def through_a_module(code: str) -> str:
    """A cell that runs `code` as a module of its own, which is a way in which Deno can forget its import map."""
    source = f"import('data:text/javascript,' + encodeURIComponent({code!r}))"
    return f"from pyodide.code import run_js\nawait run_js({source!r})\nimport asyncio; await asyncio.sleep(60)"


@pytest.mark.parametrize(
    "code",
    [
        "import {Worker} from 'node:worker_threads'; for (let i = 0; i < 500; i++) new Worker('for(;;);', {eval: true})",
        "import process from 'node:process'; process.stdout.write('x'.repeat(100))",
    ],
)
def test_a_module_that_gets_hold_of_node_gains_nothing(code: str) -> None:
    with Sandbox() as sandbox:
        for _ in range(2):
            content = sandbox.execute(through_a_module(code)).content
            assert content["ename"] in ("JsException", "KernelDied"), content


def test_too_many_threads_end_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "MAX_THREADS", 2)
    with Sandbox() as sandbox:
        content = sandbox.execute("1").content
    assert content["ename"] == "KernelDied" and "more than 2 threads" in content["evalue"], content


def test_an_invalid_message_ends_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MAX_BYTES", 2000)
    with Sandbox() as sandbox:
        content = sandbox.execute("print('x' * 5000)").content
    assert content["ename"] == "KernelDied" and "an invalid message" in content["evalue"], content


def test_the_modules_of_node_have_no_rights_either(prison: Sandbox) -> None:
    read = "import fs from 'node:fs'; fs.readFileSync('/etc/passwd')"
    content = prison.execute(through_a_module(read)).content
    assert content["status"] == "error", content
    run = "import cp from 'node:child_process'; cp.execSync('id')"
    content = prison.execute(through_a_module(run)).content
    assert content["status"] == "error", content


def test_messages_the_user_makes_up_reach_no_file_outside(prison: Sandbox) -> None:
    """User code can send messages as the worker does. The process that answers does not trust them."""
    call = "{type: 'call', id: 9, call: {kind: 'drive', request: {method: 'get', path: 'out/secret.txt'}}}"
    prison.execute(f"from pyodide.code import run_js\nrun_js({f'postMessage({call})'!r})")
    refused(prison, "open('/drive/out/secret.txt')", "PermissionError")
