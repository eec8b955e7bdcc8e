"""Tracebacks are made quickly, and look exactly like IPython's own."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import re
import sys
import textwrap
import traceback
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Client

_LISTS = "".join(f"    value_{i} = [\n        {i},\n    ]\n" for i in range(40))
_DICTS = "".join(f'NAME_{i} = {{\n    "text": """one\ntwo {i}\n""",\n}}\n\n\n' for i in range(12))
_BRANCHES = "".join(
    f"    if a == {i}:\n        # {i}\n        b = [\n            {i}\n        ]; c = b\n" for i in range(15)
)
_KINDS = """import functools


def decorated(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs)
    return inner


class Kinds:
    '''Of functions.'''

    @decorated
    def comprehension(self, zero=0):
        return [1 / zero for _ in range(3)]

    @staticmethod
    @decorated
    def generator(zero):
        return sum(
            1 / zero  # é
            for _ in range(3)
        )

    @property
    def by_lambda(self):
        return (lambda a, *, b: a / b)(1, b=0)

    def in_a_class(self):
        class Inner:
            a = 1
            b = a / 0
        return Inner

    def recursion(self, n):
        return self.recursion(n - 1) if n else 1 / n

    def yields(self):
        yield 1
        yield 1 / 0

    async def awaits(self):
        with self:
            1 / 0

    def __enter__(self): pass
    def __exit__(self, *exc_info): pass

    def handled(self):
        try:
            1 / 0
        except ZeroDivisionError as error:
LISTS
            get_ipython().showtraceback()
            raise KeyError('a') from error

    def long(self, a):
        b = 0
        for _ in range(2):
BRANCHES
            try:
                pass
            finally:
                c = f'{a}' + {a: 1}[a]
                b += a
BRANCHES
        raise ValueError(b)

    def page(self):
        a = 1
        \x0c
        b = a / 0
        return b
""".replace("LISTS", textwrap.indent(_LISTS, "        ")).replace("BRANCHES", textwrap.indent(_BRANCHES, "        "))

#: Modules that fail: long modules while they are imported, and functions of all kinds.
MODULES = {
    "broken_in_a_try": f"import sys\n\n{_DICTS}try:\n    N = 1\n    # about N\n    RATIO = sys.maxsize / (N - 1)\nfinally:\n    END = 1\n\n\n{_DICTS}",
    "broken_in_a_call": f"def long():\n{_LISTS}    text = '''three\nquotes\n'''\n    raise ValueError(text,\n                     value_1)\n{_LISTS}\n\nA = 1\nB = long()\n",
    "broken_in_a_class": f"{_DICTS}class C:\n{_LISTS}    x = y\n{_LISTS}",
    "broken_in_a_lambda": f"{_DICTS}A = [\n    lambda: 1 / 0,\n]\nB = 1\nA[0]()\n{_DICTS}",
    "broken_in_a_default": f"{_DICTS}def f(\n    a=[1 / i for i in (1, 0)],\n):\n    return a\n\n\n{_DICTS}",
    "kinds": _KINDS,
}
CALLS = [
    "comprehension()",
    "generator(0)",
    "by_lambda",
    "in_a_class()",
    "recursion(30)",
    "handled()",
    "long(7)",
    "long([])",
    "page()",
]
#: A recursion deeper than the number of frames that our version looks at one by one.
_DEEP = """import sys
kept = sys.getrecursionlimit()
sys.setrecursionlimit(9000)
def f(n):
    return g(n)
def g(n):
    if n % 500 == 0: n -= n % 3
    return f(n - 1) if n > 0 else 1 / n
try: f(1100)
finally: sys.setrecursionlimit(kept)"""
ERRORS = [
    "import json\njson.loads('{')",
    "import json\njson.dumps({1: {2: object()}}, indent=1)",
    "import decimal, fractions\nfractions.Fraction('x')",
    "import argparse\nargparse.ArgumentParser().add_argument('a', action='no')",
    "import collections\ncollections.namedtuple('a', 'b b')",
    "import contextlib\nwith contextlib.ExitStack() as stack:\n    stack.enter_context(1)",
    "import functools\n@functools.singledispatch\ndef f(a): pass\nf()",
    "import re\nre.compile('(')",
    "%timeit 1/0",
    "%%timeit\n1/0",
    "import asyncio\nawait asyncio.wait_for(asyncio.gather(asyncio.sleep(0, 1), 7), 1)",
    "import ast\nast.literal_eval('f()')",
    "import dataclasses\n@dataclasses.dataclass\nclass A:\n    a: list = []",
    "import concurrent.futures as c\nc.ThreadPoolExecutor(-1)",
    "import enum\nclass E(enum.Enum): A = 1\nE(7)",
    "import copy\nclass A:\n    def __deepcopy__(self, memo): 1/0\ncopy.deepcopy([[[[[[A()]]]]]])",
    "import traitlets\nclass A(traitlets.HasTraits):\n    i = traitlets.Int()\nA(i='a')",
    *(f"import {name}" for name in MODULES if name != "kinds"),
    *(f"import kinds\nkinds.Kinds().{call}" for call in CALLS),
    *(f"from zipped import kinds as zipped\nzipped.Kinds().{call}" for call in CALLS),
    "import kinds\nlist(kinds.Kinds().yields())",
    "import kinds\nawait kinds.Kinds().awaits()",
    f"{_KINDS}\n{_DICTS}\nwhile True: Kinds().long(9)\n{_DICTS}",
    f"{_KINDS}\n{_DICTS}\nKinds().handled()",
    f"{_DICTS}\na = [\n    1,\n    2 / 0,\n]; b = 1\n{_DICTS}",
    f"if True:\n{_LISTS}    x = [lambda: y, 1][0]()\n{_LISTS}",
    "def f(n):\n    if n: return f(n - 1)\n    raise ValueError('x')\nf(40)",
    "f = lambda: (lambda: 1/0)()\nf()",
    "for a in range(3):\n    match a:\n        case 0: pass\n        case _:\n            a / 0",
    "def f(a):\n    del a\n    1/0\nf(1)",
    "try:\n    {}['a']\nexcept KeyError as e:\n    e.add_note('one\\ntwo')\n    e.add_note('three')\n    raise",
    "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError() from e",
    "try:\n    {}['a']\nexcept KeyError:\n    1/0",
    "a = 1\nb = (a +",
    "exec('a = 1\\nb = )')",
    "eval('1/0')",
    "def f():\n    __tracebackhide__ = True\n    g()\ndef g(): 1/0\nf()",
    "x = 'é'; y = f'{x!r:>{1/0}}'",
    "raise ExceptionGroup('a', [ValueError(1), KeyError(2)])",
    "class A(Exception):\n    def __str__(self): 1/0\nraise A",
    "sorted(range(3), key=lambda x: 1/x)",
    "@property\n@(lambda f: 1/0)\ndef f(): pass",
]
LOOPS = [
    "import logging\nl = logging.getLogger('x'); l.addHandler(logging.NullHandler()); l.propagate = False\nwhile True: l.warning('a %s', 1)",
    "import json\nwhile True: json.loads(json.dumps({'a': [1, {'b': None}]}, indent=1))",
    "import traitlets\nclass A(traitlets.HasTraits):\n    i = traitlets.Int()\na = A()\nwhile True: a.i += 1",
    "import dataclasses\nwhile True:\n    @dataclasses.dataclass\n    class A:\n        a: int = 1",
    "import statistics\nwhile True: statistics.mean([1, 2, 3.5])",
    "while True: display([1])",
]


@pytest.fixture
def modules(client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A folder with `MODULES`, and an archive with one of them. Like a file of the standard library, that one cannot be opened."""
    for name, source in MODULES.items():
        (tmp_path / f"{name}.py").write_text(source, "utf-8")
    with zipfile.ZipFile(tmp_path / "zipped.zip", "w") as archive:
        archive.writestr("zipped/__init__.py", "")
        archive.writestr("zipped/kinds.py", _KINDS)
    monkeypatch.syspath_prepend(tmp_path / "zipped.zip")
    monkeypatch.syspath_prepend(tmp_path)
    client.run("1/0")  # installs our version
    yield tmp_path
    client.run("%xmode Context\n%colors linux")
    for name in (*MODULES, "zipped", "zipped.kinds"):
        sys.modules.pop(name, None)


@contextlib.contextmanager
def ipythons_own() -> Iterator[None]:
    """Make tracebacks without any of our changes."""
    import stack_data
    from browsergrad_kernel import tracebacks

    stack_data.Source._class_local("__executing_cache", {}).clear()
    with pytest.MonkeyPatch.context() as patch:
        for owner, name, own in tracebacks.speed_up():
            patch.setattr(owner, name, own)
        patch.setattr(tracebacks, "quickly", lambda shows: contextlib.nullcontext())
        yield
    stack_data.Source._class_local("__executing_cache", {}).clear()


def tracebacks_of(client: Client, code: str) -> str:
    lines = [line for error in client.run(code).contents("error") for line in error["traceback"]]
    return re.sub(r"In\[\d+\]|0x[0-9a-f]+|ipython-input-\d+-[0-9a-f]+|Task-\d+|\d{9,}", "", "\n".join(lines))


@pytest.mark.thinned(2)
@pytest.mark.parametrize("code", ERRORS)
@pytest.mark.parametrize("mode", ["Context", "Verbose"])
def test_tracebacks_look_as_ipython_shows_them(client: Client, modules: Path, code: str, mode: str) -> None:
    client.run(f"%xmode {mode}")
    first, ours = tracebacks_of(client, code), tracebacks_of(client, code)
    with ipythons_own():
        assert tracebacks_of(client, code) == ours
    assert first == ours


@pytest.mark.release
def test_one_of_an_endless_recursion_is_short_and_counts_all(client: Client, modules: Path) -> None:
    ours = tracebacks_of(client, _DEEP)
    with ipythons_own():
        assert tracebacks_of(client, _DEEP) == ours
    assert "times)" in ours


def test_one_through_code_without_a_file_is_short(client: Client, modules: Path) -> None:
    shown = tracebacks_of(client, "def deeper(n): exec('deeper(n + 1)', globals(), {'n': n})\ndeeper(0)")
    assert "skipping similar frames: " in shown
    assert "RecursionError" in shown
    assert len(shown.splitlines()) < 60


@pytest.mark.parametrize(
    "change", ["%xmode Plain", "%xmode Minimal", "%xmode Docs", "%colors nocolor", "%colors lightbg", "%colors neutral"]
)
def test_they_do_so_in_every_mode_and_colour(client: Client, modules: Path, change: str) -> None:
    for code in ERRORS:
        client.run("%xmode Context\n%colors linux")
        tracebacks_of(client, code)
        client.run(change)
        ours = tracebacks_of(client, code)
        with ipythons_own():
            assert tracebacks_of(client, code) == ours


#: The file and line of each of Python's frames, from the innermost to the cell's, whose file has no name.
Place = tuple[tuple[str, int], ...]


@contextlib.contextmanager
def interrupted_when(is_time: Callable[[Place], bool]) -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` in a cell, or in code that it calls, at the first place for which ``is_time`` returns true.

    Never where the lock of ``logging`` is held: it would stay so, for the threads of all tests to come.
    """

    def trace(frame: Any, event: str, arg: object) -> Any:
        place = []
        for each, line in traceback.walk_stack(frame):
            name = each.f_code.co_filename.partition("<ipython-input")[0]
            place.append((name, line))
            if not name and not logging._lock._is_owned() and is_time(tuple(place)):  # type: ignore[attr-defined]
                sys.settrace(None)
                raise KeyboardInterrupt
            if not name:
                break
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


@pytest.mark.thinned(2)
@pytest.mark.parametrize("code", LOOPS)
def test_they_do_so_wherever_a_loop_is_stopped(client: Client, modules: Path, code: str) -> None:
    def places() -> list[Place]:
        """The places at the beginning of the loop, each once."""
        seen: dict[Place, None] = {}
        events = itertools.count()
        with interrupted_when(lambda place: bool(seen.setdefault(place)) or next(events) == 400):
            client.run(code)
        return list(seen)

    def stopped_at(place: Place) -> str | None:
        """The traceback that is shown; nothing if Python does not reach the place."""
        events = itertools.count()
        reached = False

        def is_time(at: Place) -> bool:
            nonlocal reached
            reached = at == place
            return reached or next(events) == 4000

        with interrupted_when(is_time):
            shown = tracebacks_of(client, code)
        return shown if reached else None

    places()  # Work that is done only once is done then.
    compared = 0
    found = places()
    for place in found[10 :: len(found) // 6]:
        stopped_at(place)
        if ours := stopped_at(place):
            with ipythons_own():
                assert stopped_at(place) == ours
            compared += 1
    assert compared >= 5


def test_a_changed_file_is_read_again(client: Client, modules: Path) -> None:
    path = modules / "kinds.py"
    code = "import importlib, kinds\nimportlib.reload(kinds).Kinds().comprehension()"
    for number in range(3):
        path.write_text(f"# {number}\n{path.read_text('utf-8')}", "utf-8")
        ours = tracebacks_of(client, code)
        assert f"kinds.py:{17 + number}" in ours
        with ipythons_own():
            assert tracebacks_of(client, code) == ours
        path.write_text(path.read_text("utf-8").replace("1 / zero for", "1 / zero  for"), "utf-8")
        stale = tracebacks_of(client, "%tb")
        with ipythons_own():
            assert tracebacks_of(client, "%tb") == stale


def test_of_a_librarys_file_only_the_function_is_parsed(client: Client) -> None:
    import stack_data

    sources = stack_data.Source._class_local("__source_cache_with_lines", {})
    sources.clear()
    stack_data.Source._class_local("__executing_cache", {}).clear()
    client.run("import json\njson.loads('{')")
    trees = [source.tree for (filename, _), source in sources.items() if filename == json.decoder.__file__]
    assert len(trees) == 2  # `decode` and `raw_decode`
    assert all(len(tree.body) == 1 for tree in trees)


def test_of_a_long_function_only_what_is_shown_is_parsed(client: Client, modules: Path) -> None:
    import ast

    import stack_data

    sources = stack_data.Source._class_local("__source_cache_with_lines", {})
    sources.clear()
    client.run("import kinds\nkinds.Kinds().long(9)")
    (tree,) = [source.tree for (filename, _), source in sources.items() if filename.endswith("kinds.py")]
    assert sum(1 for _ in ast.walk(tree)) < len(list(ast.walk(ast.parse(_KINDS)))) / 2
