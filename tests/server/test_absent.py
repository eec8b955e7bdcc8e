"""Modules and calls that Python in WebAssembly cannot have: they work as far as they promise, or say why they do not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyterlite_browsergrad.server_kernel.sandbox import Result, Sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("drive")) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(__file__).parents[2] / "kernel_shim/browsergrad_kernel/substitutes"


def run(sandbox: Sandbox, code: str) -> Result:
    result = sandbox.execute(code)
    assert result.content["status"] == "ok", "\n".join(result.content["traceback"])
    return result


#: Code that somebody may try with each.
PROMISES = {
    "fcntl": "flock lockf fcntl ioctl LOCK_EX LOCK_NB F_GETFL",
    "multiprocessing": "Process Pool cpu_count",
    "pexpect": "spawn run EOF",
    "pty": "openpty spawn",
    "readline": "set_completer",
    "resource": "getrusage RUSAGE_SELF getrlimit setrlimit RLIMIT_AS getpagesize",
    "select": "select",
    "signal": "signal SIGINT",
    "socket": "socket create_connection",
    "subprocess": "run Popen PIPE",
    "termios": "tcgetattr tcsetattr error TCSANOW ECHO",
    "threading": "Thread Lock",
    "tornado": "version gen ioloop",
    "tty": "setraw setcbreak",
    "curses": "initscr",
    "tkinter": "Tk",
    "turtle": "Turtle",
    "pwd": "getpwuid",
    "pip": "main",
}


@pytest.mark.parametrize("name", PROMISES)
def test_a_module_is_whole_or_absent(sandbox: Sandbox, name: str) -> None:
    result = sandbox.execute(
        f"import {name}\nmissing = [item for item in {PROMISES[name].split()} if not hasattr({name}, item)]\nassert not missing, missing"
    )
    if result.content["status"] == "error":
        assert result.content["ename"] == "ModuleNotFoundError", result.content
        assert f"{name} is not here: " in "\n".join(result.content["traceback"])


@pytest.mark.parametrize(
    ("code", "ename", "phrases"),
    [
        ("import os; os.fork()", "OSError", ["os.fork", "no processes"]),
        ("import os; os.execl('/bin/ls', 'ls')", "OSError", ["os.execv", "no processes"]),
        ("import os; os.spawnl(os.P_WAIT, '/bin/ls', 'ls')", "OSError", ["os.fork", "no processes"]),
        ("import os; os.popen('ls').read()", "OSError", ["subprocess", "'ls'", "no processes"]),
        ("import os; os.openpty()", "AttributeError", ["terminal"]),
        ("import pty; pty.spawn('sh')", "OSError", ["pty", "terminal"]),
        ("import subprocess; subprocess.run(['ls', '-l'])", "OSError", ["subprocess", "'ls'", "no processes"]),
        ("import subprocess; subprocess.check_output('ls -l', shell=True)", "OSError", ["'ls'", "no processes"]),
        (
            "import subprocess, sys; subprocess.check_call([sys.executable, '-m', 'pip', 'install', 'one>1'])",
            "OSError",
            ["%pip install 'one>1'"],
        ),
        (
            "import threading; threading.Thread(target=print).start()",
            "RuntimeError",
            ["can't start new thread", "one thread", "asyncio"],
        ),
        ("import threading; threading.Timer(1, print).start()", "RuntimeError", ["one thread"]),
        ("import _thread; _thread.start_new_thread(print, ())", "RuntimeError", ["one thread"]),
        ("from concurrent.futures import ThreadPoolExecutor as T; T().submit(print)", "RuntimeError", ["one thread"]),
        (
            "import multiprocessing as m; m.Process(target=print).start()",
            "ModuleNotFoundError",
            ["multiprocessing", "asyncio"],
        ),
        ("import multiprocessing as m; m.Pool(2)", "ModuleNotFoundError", ["multiprocessing", "asyncio"]),
        ("import socket; socket.create_connection(('127.0.0.1', 80), 1)", "OSError", ["sockets", "pyfetch"]),
        ("import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()", "OSError", ["sockets"]),
        ("import signal; signal.alarm(1)", "AttributeError", ["%%timeout"]),
        ("import termios; termios.tcgetattr(0)", "error", []),
        ("import tty; tty.setraw(0)", "error", []),
        (
            "import resource; resource.setrlimit(resource.RLIMIT_AS, (1, 1))",
            "OSError",
            ["resource.setrlimit", "%%timeout"],
        ),
        ("import fcntl; fcntl.flock(99, fcntl.LOCK_EX)", "OSError", ["Bad file descriptor"]),
        ("import fcntl; fcntl.lockf(99, fcntl.LOCK_EX)", "OSError", ["Bad file descriptor"]),
    ],
)
def test_a_call_that_cannot_work_says_so(sandbox: Sandbox, code: str, ename: str, phrases: list[str]) -> None:
    content = sandbox.execute(code).content
    assert content.get("ename") == ename, content
    shown = "\n".join(content["traceback"])
    assert all(phrase in shown for phrase in phrases), shown


def test_what_is_used_can_be_asked(sandbox: Sandbox) -> None:
    used = run(
        sandbox,
        "import resource\nused = resource.getrusage(resource.RUSAGE_SELF)\nprint(used.ru_maxrss > 10_000, used.ru_utime >= 0, resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY)",
    )
    assert used.text() == "True True True\n"


def test_os_system_clears_the_output_runs_pip_and_finds_nothing_else(sandbox: Sandbox) -> None:
    assert run(sandbox, "import os; os.system('cls' if os.name == 'nt' else 'clear')").of("clear_output") == [
        {"wait": False}
    ]
    assert "ipython==" in run(sandbox, "os.system('pip freeze')").text()
    nothing = run(sandbox, "print(os.system('ls -l'))")
    assert nothing.text() == "32512\n" and "'ls'" in nothing.text("stderr")


@pytest.mark.parametrize("name", ["fcntl", "termios"])
def test_a_substitute_has_what_the_real_module_has(sandbox: Sandbox, source: Path, name: str) -> None:
    code = (
        f"import {name} as real\nours = {{}}\nexec({(source / f'{name}.py').read_text('utf-8')!r}, ours)\n"
        "print([item for item in dir(real) if not item.startswith('__') and (item not in ours or"
        " isinstance(getattr(real, item), int) and ours[item] != getattr(real, item))])"
    )
    assert run(sandbox, code).text() == "[]\n"


def test_the_substitute_locks_and_refuses_as_the_real_module(sandbox: Sandbox, source: Path) -> None:
    run(
        sandbox,
        f"ours = {{}}\nexec({(source / 'fcntl.py').read_text('utf-8')!r}, ours)\nimport types, os\nours = types.SimpleNamespace(**ours)\nf = open('locked', 'w')",
    )
    run(
        sandbox,
        "ours.flock(f, ours.LOCK_EX | ours.LOCK_NB); ours.flock(f.fileno(), ours.LOCK_UN); ours.lockf(f, ours.LOCK_EX)\nos.close(ours.fcntl(f, ours.F_DUPFD)); assert ours.fcntl(f, ours.F_GETFD) == __import__('fcntl').fcntl(f, ours.F_GETFD)",
    )
    for call, ename in {
        "flock(99, 2)": "OSError",
        "flock(f, 77)": "OSError",
        "flock('x', 2)": "TypeError",
        "ioctl(f, 1)": "OSError",
        "fcntl(f, 9999)": "OSError",
    }.items():
        assert sandbox.execute(f"ours.{call}").content["ename"] == ename
