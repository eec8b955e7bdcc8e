"""Users see no difference between a Python that has started from its memory snapshot and one that has started from its files.

The kernel's own tests run over both too, see `test_snapshot`.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from boot_sites import FROM_FILES, FROM_SNAPSHOT, copy, opened, replace
from conftest import Lab, build_site, stop_cases
from playwright.sync_api import Browser
from recursion.table import PROGRAMS, problems_in
from wheels import make_wheel

pytestmark = pytest.mark.pages("isolated")

#: Each way to start Python, and whether the page is isolated.
WAYS = [("snapshot", True), ("files", True), ("snapshot", False), ("files", False)]
#: Settings of a visitor whose browser differs from the machine where the snapshot was made.
VISITOR = {"timezone_id": "America/New_York", "locale": "de-DE"}
#: Random values that a kernel draws. They must differ from those of other kernels.
DRAWN = """
import random, secrets, tempfile, uuid
def drawn():
    rng = random.Random()
    return [random.random(), random.getrandbits(64), random.sample(range(10**6), 3), rng.random(), random.SystemRandom().random(),
            secrets.token_hex(8), tempfile.mktemp(), tempfile.mkdtemp(), uuid.getnode(), str(uuid.uuid1()), str(uuid.uuid4())]
import json; print(json.dumps(drawn()))
"""
#: Code that asks about the Python in which it runs.
FACTS = """
import asyncio, gc, json, locale, logging, os, platform, signal, sys, threading, time, warnings
print(json.dumps({
    'environ': {k: v for k, v in sorted(os.environ.items())},
    'argv': [sys.argv, sys.orig_argv], 'executable': [sys.executable, sys._base_executable], 'path': sys.path, 'prefix': sys.prefix,
    'flags': [str(getattr(sys.flags, n)) for n in dir(sys.flags) if n[0] != '_' and not n.startswith(('n_', 'hash_'))],
    'version': sys.version, 'platform': platform.platform(), 'recursion': sys.getrecursionlimit(),
    'encodings': [sys.stdout.encoding, sys.getfilesystemencoding(), locale.getpreferredencoding()],
    'streams': [type(s).__name__ for s in (sys.stdin, sys.stdout, sys.stderr, sys.__stdout__)],
    'hooks': [type(h).__name__ for h in (sys.excepthook, sys.displayhook, sys.unraisablehook)],
    'warnings': [[f[0], f[2].__name__] for f in warnings.filters], 'gc': [gc.isenabled(), gc.get_threshold()],
    'logging': [logging.root.level, len(logging.root.handlers)],
    'signals': str(signal.getsignal(signal.SIGINT) is not None), 'thread': threading.current_thread().name,
    'loop': type(asyncio.get_event_loop()).__name__, 'main': [__name__, sys.modules['__main__'] is __import__('__main__')],
    'names': sorted(n for n in globals() if n[0] != '_'), 'cwd': os.getcwd(), 'home': os.path.expanduser('~'),
    'root': sorted(os.listdir('/')), 'tmp': sorted(n for n in os.listdir('/tmp') if not n.startswith('tmp')), 'umask': os.umask(0o22),
    'meta_path': [getattr(f, '__name__', type(f).__name__) for f in sys.meta_path],
    'loaded': sorted(__import__('pyodide_js').loadedPackages.to_py()),
    'zone': [time.timezone, time.altzone, time.daylight, *time.tzname, time.strftime('%z', time.localtime(1735732800))],
    'history': [list(In)[:1], get_ipython().execution_count],
}))
"""


def name(way: tuple[str, bool]) -> str:
    return f"{way[0]}, {'isolated' if way[1] else 'plain'}"


@dataclass
class Start:
    """A page, the way in which its kernels start, and whether its packages are packs."""

    lab: Lab
    way: str
    packed: bool
    address: str


#: The site's lock.
LOCK = Path("static/browsergrad/pyodide/pyodide-lock.json")


def unpacked(site: Path, folder: Path) -> Path:
    """A copy of the site whose lock names no packs, as small sites have it: their packages come from wheels."""
    target = copy(site, folder)
    lock = json.loads((target / LOCK).read_text("utf-8"))
    packs = [entry.pop("packs") for entry in lock["packages"].values() if "packs" in entry]
    assert len(packs) == 4, "the build has made packs of all wheels"
    replace(target / LOCK, json.dumps(lock).encode())
    return target


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, bool], Path]:
    """A site with a compiled wheel and pure ones, by how Python starts and whether the packages are packed."""
    folder = tmp_path_factory.mktemp("both")
    wheels = [make_wheel(folder, name, "1.0") for name in ("onewheel", "otherwheel")]
    wheels.append(make_wheel(folder, "large", "1.0", code=f"text = {'x' * 400_000!r}\n"))
    site = build_site(folder, front_ends=False, packages=["msgpack>=1.2", *map(str, wheels)])
    sites = {("snapshot", True): site, ("snapshot", False): unpacked(site, folder / "unpacked")}
    for packed in (True, False):
        source = sites["snapshot", packed]
        sites["files", packed] = copy(
            source, folder / f"files-{packed}", lambda kernel, manifest: manifest.pop("snapshot")
        )
    return sites


@pytest.fixture(scope="module", params=WAYS, ids=name)
def start(request: pytest.FixtureRequest, browser: Browser, packages: dict[tuple[str, bool], Path]) -> Iterator[Start]:
    """A page of each kind. Packages are packs in isolated pages, and wheels in plain ones."""
    way, isolated = request.param
    with opened(browser, packages[way, isolated], isolated, **VISITOR) as (lab, log):
        lab.start("sub")
        assert lab.run("1 + 1").result == "2"
        # A spare that has started before this call does not log anything.
        assert {"snapshot": FROM_FILES, "files": FROM_SNAPSHOT}[way] not in log
        yield Start(lab, way, isolated, lab.page.url.split("/lab/")[0])


@pytest.fixture
def lab(start: Start) -> Lab:
    return start.lab


def printed(lab: Lab, code: str) -> Any:
    run = lab.run(code)
    assert run.content["status"] == "ok", run.content
    return json.loads(run.text())


#: The facts of the ways that were tested before, by whether the page is isolated.
_facts: dict[bool, dict[str, Any]] = {}


def test_code_sees_the_same_python(start: Start) -> None:
    start.lab.js("() => kernel.restart()")
    facts = printed(start.lab, FACTS)
    assert facts["environ"]["LANG"] == "de_DE.UTF-8" and "PYTHONHASHSEED" not in facts["environ"]
    assert facts["zone"] == [18000, 14400, 1, "UTC-0500", "UTC-0400", "-0500"]
    assert facts["cwd"] == "/drive/sub"
    other = _facts.setdefault(start.lab.js("() => crossOriginIsolated"), facts)
    assert facts == other


def test_every_kernel_draws_its_own(start: Start) -> None:
    drawn, hashes = [], set()
    for _kernel in range(2):
        start.lab.js("() => kernel.restart()")
        drawn.append(printed(start.lab, DRAWN))
        hashes.add(start.lab.run("hash('a')").result)
    assert all(one != other for one, other in zip(*drawn, strict=True)), drawn
    # This one fact is the same in all kernels from the snapshot, as the documentation says.
    assert len(hashes) == {"snapshot": 1, "files": 2}[start.way]


def test_it_is_now(lab: Lab) -> None:
    now = printed(lab, "import time, datetime\nprint([time.time(), datetime.datetime.now().timestamp()])")
    page = lab.js("() => Date.now() / 1000")
    assert all(abs(page - time) < 60 for time in now)
    assert (
        lab.run(
            "a = time.perf_counter(), time.monotonic()\ntime.sleep(.01)\na < (time.perf_counter(), time.monotonic())"
        ).result
        == "True"
    )


def test_packages_come_from_the_site(start: Start) -> None:
    """Compiled packages can be linked into a Python that comes from the snapshot."""
    lab = start.lab
    done = lab.run("import msgpack, msgpack._cmsgpack\nmsgpack.unpackb(msgpack.packb({'a': [1, 2.5]}))")
    assert done.content["status"] == "ok", done.content
    assert done.result == "{'a': [1, 2.5]}"
    installer = "import importlib.metadata\nimportlib.metadata.distribution('msgpack').read_text('INSTALLER').strip()"
    assert (lab.run(installer).result == "'jupyterlite-browsergrad'") == start.packed
    assert lab.run("from importlib import import_module\nlen(import_module('large').text)").result == "400000"
    assert (
        lab.run("import pyodide_js\nawait pyodide_js.loadPackage('onewheel')\nimport onewheel; onewheel.version").result
        == "'1.0'"
    )
    assert lab.run("%pip install otherwheel").content["status"] == "ok"
    assert lab.run("import otherwheel; otherwheel.version").result == "'1.0'"
    assert lab.run("import micropip; {'msgpack', 'onewheel', 'otherwheel'} <= set(micropip.list())").result == "True"
    assert lab.run("await micropip.install('onewheel', reinstall=True)").content["status"] == "ok"
    refused = lab.run("await micropip.install('there-is-no-such-package')")
    assert refused.content["status"] == "error" and refused.idle


def test_the_drive_is_there(lab: Lab) -> None:
    assert lab.run("open('data.txt').read()").result == "'hello'"
    assert (
        lab.run("open('new.bin', 'wb').write(bytes(300_000)); len(open('/drive/sub/new.bin', 'rb').read())").result
        == "300000"
    )


def test_input_asks_the_notebook(lab: Lab) -> None:
    assert lab.run("input('name? ') + input()", ["Ada", "Grace"]).result == "'AdaGrace'"


def test_what_was_not_in_memory_is_read_from_the_site(lab: Lab) -> None:
    code = "import sqlite3, xml.dom.minidom, prompt_toolkit.shortcuts, inspect\nsqlite3.connect(':memory:').execute('select 41 + 1').fetchone()[0]"
    assert lab.run(code).result == "42"
    assert lab.run("import IPython; 'def embed' in inspect.getsource(IPython)").result in ("True", "False")
    traceback = "".join(lab.run("import json; json.loads('{')").content["traceback"])
    assert "scan_once" in traceback and "JSONDecodeError" in traceback
    assert lab.run("import parso\nparso.parse('a = 1').children[0].type").result == "'expr_stmt'"


@pytest.mark.parametrize("start", [way for way in WAYS if way[0] == "files"], ids=name, indirect=True)
def test_stop_ends_every_kind_of_code(start: Start) -> None:
    """Kernels started from files. `test_stop` has the same test for the snapshot."""
    start.lab.add_stop_driver()
    seed = random.randrange(2**31)
    rows = start.lab.js("([cases, seed]) => stop.table(stopHost, cases, 1, seed)", [stop_cases(start.address), seed])
    assert [row for row in rows if row["bad"]] == [], f"seed {seed}"


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "start", [way for way in WAYS if way[0] == "snapshot" or os.environ.get("ALL_STARTS")], ids=name, indirect=True
)
def test_too_deep_a_recursion_is_an_error_and_the_variables_stay(start: Start) -> None:
    """The table that `tests/recursion` runs in Deno. Kernels started from files run it only before a release."""
    # The Deno tests cover recursion through JavaScript.
    assert problems_in(start.lab, [program for program in PROGRAMS if not program.get("slow")]) == []


def test_an_error_that_javascript_catches_is_not_shown(lab: Lab) -> None:
    code = "import js\nfrom pyodide.ffi import create_proxy\ncall = js.eval('f => { try { f() } catch (error) { return error.message } }')\ndef bad(): 1 / 0\ncall(create_proxy(bad))"
    run = lab.run(code)
    assert run.of("error") == []
    assert "ZeroDivisionError" in run.result and "in bad" in run.result
