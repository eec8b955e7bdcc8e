"""A rubric's interpreter: the state that it shares with the submission's interpreter, and when it may be used again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyterlite_browsergrad.cli import main
from jupyterlite_browsergrad.grading.apart import pool

from .labs import write_lab

SOLUTION = '''
import random

class Shape:
    """Of sides."""

    def area(self):
        return 12

def find(words, wanted):
    # the student's own words
    return random.choice(words)

def draw():
    return random.random()
'''
IN_STEP = """
import inspect
import random

import browsergrad as bg

with bg.check("the same random numbers"):
    random.seed(7)
    expected = [random.random() for _ in range(3)]
    random.seed(7)
    assert [draw() for _ in range(3)] == expected
with bg.check("a random choice"):
    words = ["ant", "bee", "cat", "dog"]
    random.seed(3)
    expected = random.choice(words)
    random.seed(3)
    assert find(words, "ant") == expected
with bg.check("the source"):
    assert "# the student's own words" in inspect.getsource(find)
    assert inspect.getsource(Shape.area).split() == ["def", "area(self):", "return", "12"]
    assert inspect.getsource(Shape).startswith("class Shape:")
    lines, first = inspect.getsourcelines(draw)
    assert lines[0] == "def draw():\\n" and first > 1
"""
SEEN = """
import random, sys, time

class Shape:
    pass

def find(words, wanted):
    return words.index(wanted)

def draw():
    return random.random()

def greet():
    return f"Hello {input('Who? ')}"

def wait():
    time.sleep(3600)
    return time.time()

def load(path):
    with open(path, encoding="utf-8") as file:
        return file.read()

def save(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)

def shout(text):
    print(text)
    print(text, file=sys.stderr)
"""
PROMISED = """
import contextlib
import io
import os
import pickle
import tempfile
from pathlib import Path
from unittest import mock

import browsergrad as bg

with bg.check("patched names are patched for the submission too"):
    with mock.patch("builtins.input", return_value="Ada") as asked:
        assert greet() == "Hello Ada"
    asked.assert_called_once_with("Who? ")
    with mock.patch("time.sleep") as sleep, mock.patch("time.time", return_value=5.0):
        assert wait() == 5.0
    sleep.assert_called_once_with(3600)
    with mock.patch("random.random", return_value=0.25):
        assert draw() == 0.25
    with mock.patch("builtins.print") as printed:
        shout("hello")
    assert [each.args for each in printed.call_args_list] == [("hello",)] * 2
with bg.check("and are then what they were"):
    assert 0 <= draw() < 1 and Path("data/words.txt").read_text("utf-8") == load("data/words.txt")
with bg.check("what it prints goes to the rubric's standard output"):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as errors:
        shout("hello")
    assert out.getvalue() == errors.getvalue() == "hello\\n"
with bg.check("files are carried from one side to the other"):
    Path("given.txt").write_text("given", "utf-8")
    assert load("given.txt") == "given"
    save("made.txt", "made")
    assert Path("made.txt").read_text("utf-8") == "made"
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "text")
        save(path, "temporary")
        assert open(path, encoding="utf-8").read() == "temporary"
with bg.check("but the lab's own files stay the lab's"):
    save("data/words.txt", "other")
    assert load("data/words.txt") == "other"
    assert Path("data/words.txt").read_text("utf-8") == "ant\\nbee\\n"
with bg.check("no class is derived from the submission's"):
    try:
        class Own(Shape): pass
    except TypeError:
        pass
    else:
        raise AssertionError
with bg.check("its functions' globals are not reached"):
    assert not hasattr(find, "__globals__")
with bg.check("its objects are not pickled"):
    try:
        pickle.dumps(Shape())
    except TypeError:
        pass
    else:
        raise AssertionError
"""
#: Texts of rubrics. `math.left` would show the next submission what the rubric before has left behind.
CLEAN = """
import math

import browsergrad as bg

with bg.check("as it was"):
    assert not hasattr(math, "left") and draw() < 1
"""
LEAVES = CLEAN + "math.left = True\n"


def grade(folder: Path, rubric: str, submissions: int = 2, solution: str = SOLUTION) -> list[dict[str, Any]]:
    """Grade equal submissions one after the other, each with its rubric apart."""
    write_lab(folder / "lab", rubric=rubric, reference=solution)
    (folder / "in").mkdir()
    for number in range(submissions):
        (folder / "in" / f"{number}.py").write_text(f"{solution}\n# {number}\n", "utf-8")
    out = folder / "results.jsonl"
    limits = ["--cell-timeout", "60", "--timeout", "120"]  # only reached after a hang
    command = ["grade", str(folder / "lab"), str(folder / "in"), "--out", str(out), "--jobs", "1", "--rubric", "apart"]
    assert main([*command, *limits]) == 0
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()]


def test_random_numbers_and_sources_are_those_of_the_submission(tmp_path: Path) -> None:
    (line,) = grade(tmp_path, IN_STEP, 1)
    assert line["passed"] and line["counts"]["pass"] == 3, line


def test_what_the_page_says_of_rubrics_that_run_apart(tmp_path: Path) -> None:
    (line,) = grade(tmp_path, PROMISED, 1, SEEN)
    assert line["passed"] and line["counts"]["pass"] == 8, line


@pytest.mark.parametrize(("rubric", "started"), [(CLEAN, 1), (LEAVES, 3)], ids=["clean", "leaves something"])
def test_an_interpreter_is_used_again_only_if_the_rubric_left_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rubric: str, started: int
) -> None:
    boxes = []
    start = pool._start

    def counting(*arguments: Any) -> Any:
        boxes.append(start(*arguments))
        return boxes[-1]

    monkeypatch.setattr(pool, "_start", counting)
    lines = grade(tmp_path, rubric)
    assert all(line["passed"] for line in lines), lines
    # The reference runs before the two.
    assert len(boxes) == started
    assert not any(box.sandbox.is_alive or box.folder.exists() for box in boxes)


LEFT = {
    "a name of a module": "import math; math.left = 1",
    "a replaced function": "import os; os.getcwd = lambda: '/'",
    "a replaced built-in": "import builtins; builtins.len = lambda value: 0",
    "a function's code": "import statistics; statistics.mean.__code__ = (lambda data: 0).__code__",
    "a function's default": "import textwrap; textwrap.indent.__defaults__ = ('x',)",
    "a class's method": "import fractions; fractions.Fraction.__eq__ = lambda self, other: True",
    "an entry of a dictionary": "import mimetypes; mimetypes.types_map['.x'] = 'x/x'",
    "an item of a list": "import sys; sys.path.append('/left')",
    "the recursion limit": "import sys; sys.setrecursionlimit(5000)",
    "the environment": "import os; os.environ['LEFT'] = '1'",
    "the working folder": "import os; os.chdir('/')",
    "a trace function": "import sys; sys.setprofile(lambda *arguments: None)",
    "a collector's callback": "import gc; gc.callbacks.append(print)",
    "a filter of warnings": "import warnings; warnings.simplefilter('ignore')",
    "decimal's precision": "import decimal; decimal.getcontext().prec = 3",
    "a thread": "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()",
    "standard output": "import io, sys; sys.stdout = io.StringIO()",
    "a module in another's place": "import sys, types; sys.modules['statistics'] = types.ModuleType('statistics')",
}
LOOK = """
import fractions, importlib, math, mimetypes, statistics, sys, textwrap
from jupyterlite_browsergrad.grading.apart.clean import Picture

write, text = sys.__stdout__.write, repr
picture = Picture()
{code}
found = picture.differences()
sys.setprofile(None)
write(text(found))
"""


def differences(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", LOOK.format(code=code)], capture_output=True, text=True, check=True, timeout=300
    )
    return done.stdout


@pytest.mark.parametrize("code", LEFT.values(), ids=LEFT)
def test_what_a_rubric_leaves_behind_is_seen(code: str) -> None:
    assert differences(code) != "[]"


@pytest.mark.parametrize(
    "code",
    [
        "import json; json.loads(json.dumps([1])); math.sqrt(2); statistics.mean([1, 2])",
        "import csv, difflib  # new modules",
        "from unittest import mock\nwith mock.patch('math.sqrt'): pass",
        "from contextlib import redirect_stdout\nimport io\nwith redirect_stdout(io.StringIO()): print(1)",
        "import re, random; re.compile('a+'); random.random()",
    ],
)
def test_what_rubrics_do_every_day_leaves_nothing(code: str) -> None:
    assert differences(code) == "[]"
