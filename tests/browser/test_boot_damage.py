"""If a file that Python starts from is damaged, the kernel works, or an error names the file and says how to repair it."""

from __future__ import annotations

import gzip
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import _Handler, new_page, serve
from playwright.sync_api import Browser, Page

from jupyterlite_browsergrad import paths
from jupyterlite_browsergrad.boot import zstd
from tests.zstd import unpack_zstd

STATIC = paths.static()
MANIFEST = json.loads((STATIC / "kernel/manifest.json").read_text("utf-8"))
COMPILED = MANIFEST["packs"][MANIFEST["snapshot"]["pack"]]["file"]
ASSETS = {
    "loader": "pyodide/pyodide.mjs",
    "glue": "pyodide/pyodide.asm.mjs",
    "wasm": "pyodide/pyodide.asm.wasm",
    "stdlib": "pyodide/python_stdlib.zip",
    "lock": "pyodide/pyodide-lock.json",
    "manifest": "kernel/manifest.json",
    "snapshot": f"kernel/{MANIFEST['snapshot']['file']}",
    "small-wasm": f"kernel/{MANIFEST['snapshot']['core']['wasm']['file']}",
    "small-scripts": f"kernel/{MANIFEST['snapshot']['core']['scripts']['file']}",
    "rest": f"kernel/{MANIFEST['snapshot']['core']['rest']['file']}",
    "compiled": f"kernel/{COMPILED}",
    "sources": f"kernel/{MANIFEST['packs']['site']['file']}",
    "jedi": f"kernel/{MANIFEST['packs']['jedi']['file']}",
}
#: Other files that are missing too, so that the damaged one is needed.
WITHOUT = {
    "sources": "compiled",
    "stdlib-of-files": "snapshot",
    "loader": "small-scripts",
    "glue": "small-scripts",
    "wasm": "small-wasm",
}
#: A cell, an import from the standard library, and one from the packs. Neither module is in memory before.
CELLS = ["1 + 1", "import wave; 2", "import prompt_toolkit.shortcuts; 3"]

#: Cells as students begin with, and what they show.
FIRST_CELLS = {
    "sum(n * n for n in range(1000))": "332833500",
    "import time, math, random\nrandom.seed(2)\ntime.sleep(0.01)\nround(math.sqrt(random.random()), 3)": "0.978",
    "words = 'the cat and the dog'.split()\n{word: words.count(word) for word in sorted(set(words))}": "{'and': 1, 'cat': 1, 'dog': 1, 'the': 2}",
    "1 / 0": "ZeroDivisionError",
    "class A:\n    def __init__(self): self.x = [1]\nA().x[3]": "IndexError",
    "print(undefined)": "NameError",
    "if True\n": "SyntaxError",
    "def f(n): return f(n + 1)\nf(0)": "RecursionError",
    "import asyncio\nawait asyncio.sleep(0.01)\nf'{22 / 7:.4f}'": "'3.1429'",
    "with open('notes.txt', 'w') as file: file.write('a\\nb\\n')\nwith open('notes.txt') as file: lines = file.readlines()\nlines": "['a\\n', 'b\\n']",
    "import json, datetime\njson.dumps({'day': str(datetime.date(2025, 3, 1)), 'list': [1.5, None, True]})": '\'{"day": "2025-03-01", "list": [1.5, null, true]}\'',
    "import collections\ncollections.Counter('hello').most_common(1)": "[('l', 2)]",
    "import browsergrad\nfrom IPython.display import HTML, display\ndisplay(HTML('a'))\ninput.__name__": "'input'",
}
#: A cell that calls functions which first cells do not need.
RARE = "len('\u3042'.encode('shift_jis')) + 2"

#: Starts a kernel as a page does, and runs the cells in it.
START = """async ([base, cells, completes]) => {
  const { KernelClient } = await import('/runtime/index.js');
  const log = [];
  let logged;
  const namesJedi = new Promise(resolve => { logged = text => text.includes('jedi') && resolve(); });
  const results = [];
  let received = [];
  const client = new KernelClient({
    pyodideIndexURL: `${base}pyodide/`,
    kernelURL: `${base}kernel/`,
    sessionId: 'damage',
    piplite: { urls: [], disablePyPI: true },
    baseUrl: base,
    serviceWorker: false,
    onMessage: message => received.push(message),
    onLog: (level, text) => { log.push(text); logged(text); },
  });
  const request = async (type, content, answers) => {
    received = [];
    const header = { msg_id: crypto.randomUUID(), msg_type: type, session: 'damage', username: '', date: '', version: '5.4' };
    await client.request({ channel: 'shell', header, parent_header: {}, metadata: {}, content });
    return received.find(message => answers.includes(message.header.msg_type)).content;
  };
  try {
    await client.ready;
    for (const code of cells) {
      const options = { silent: false, store_history: true, allow_stdin: false, stop_on_error: true, user_expressions: {} };
      const content = await request('execute_request', { code, ...options }, ['execute_result', 'error']);
      results.push(content.ename ?? content.data['text/plain']);
    }
    if (completes) {
      results.push((await request('complete_request', { code: 'json.du', cursor_pos: 7 }, ['complete_reply'])).matches.join());
      await namesJedi; // completion does not wait for it
    }
    return { from: client.startedFrom, results, log, error: null };
  } catch (error) {
    return { from: null, results, log, error: error.message };
  } finally {
    client.dispose();
  }
}"""


#: Fewer bytes than a chunk of a pack has, and more than its header.
PART = 50_000


def _flipped(data: bytes) -> bytes:
    at = (
        data.find(b"{", len(data) // 2) if data.startswith(b"{") else len(data) // 2
    )  # hashes in JSON would be another damage
    return data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "missing": lambda data: None,
    "empty": lambda data: b"",
    "truncated": lambda data: data[: -len(data) // 3],
    "flipped": _flipped,
    "garbage": lambda data: (bytes(range(251)) * (len(data) // 251 + 1))[: len(data)],
    "page": lambda data: b"<!doctype html><title>A site</title>",
}


def _other(asset: str, data: bytes, pyodide: Path) -> bytes:
    """The file, as another build has it."""
    if asset == "lock":
        return data.replace(b'"python": "3.14', b'"python": "3.13')
    if asset in ("snapshot", "small-wasm", "small-scripts", "rest"):
        changed = zstd.compress(_flipped(unpack_zstd(data)), zstd.QUICK_LEVEL)
        assert changed is not None
        return changed
    if asset in ("compiled", "sources", "jedi"):
        return gzip.compress(_flipped(gzip.decompress(data)), 1)
    return (pyodide / Path(ASSETS[asset]).name).read_bytes()


class _Damaging(_Handler):
    """Serves the labextension's static folder. Below `/ASSET+DAMAGE/`, the asset has that damage."""

    other_pyodide: Path
    asked: Counter[str]

    def send_head(self) -> Any:
        case, _, name = self.path[1:].partition("/")
        asset, _, damage = case.partition("+")
        if not damage:
            return super().send_head()
        self.path = f"/{name}"
        if name == ASSETS.get(WITHOUT.get(asset, "")):
            return self.send_error(404)
        asset = asset.removesuffix("-of-files")
        if name != ASSETS[asset]:
            return super().send_head()
        self.asked[case] += self.command == "GET"
        return self.send_damaged(name, asset, damage)

    def send_damaged(self, name: str, asset: str, damage: str) -> Any:
        body = (
            _damaged(asset, damage, self.other_pyodide)
            if damage != "once" or self.asked[f"{asset}+once"] < 2
            else _whole(asset)
        )
        if body is None:
            return self.send_error(404)
        if damage == "unsized" and self.command == "HEAD":
            return self.send_error(405)
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if damage == "page" else self.guess_type(name))
        self.send_header("Content-Length", str(len(body)))
        if damage == "once":
            self.send_header("Cache-Control", "max-age=3600")
        if damage.startswith("encoded"):
            self.send_header("Content-Encoding", "gzip" if damage == "encoded-twice" else "zstd")
        self.end_headers()
        return io.BytesIO(body)

    def copyfile(self, source: Any, outputfile: Any) -> None:
        with suppress(ConnectionError):  # The page stops reading once the start has failed.
            super().copyfile(source, outputfile)


@cache
def _damaged(asset: str, damage: str, pyodide: Path) -> bytes | None:
    data = _whole(asset)
    if damage in ("other", "encoded-and-other"):
        return _other(asset, data, pyodide)
    if damage == "encoded-twice":
        return gzip.compress(data, 1)
    if damage == "encoded":
        return data
    if damage == "flipped" and ".pack.gz" in ASSETS[asset]:  # only what is read is checked: damage every part
        return b"".join(_flipped(data[at : at + PART]) if at else data[:PART] for at in range(0, len(data), PART))
    return DAMAGES[{"once": "truncated", "unsized": "truncated"}.get(damage, damage)](data)


@cache
def _whole(asset: str) -> bytes:
    return (STATIC / ASSETS[asset]).read_bytes()


@pytest.fixture(scope="module")
def page(browser: Browser, other_pyodide: Path) -> Iterator[Page]:
    kind = type("Damaging", (_Damaging,), {"other_pyodide": other_pyodide, "asked": Counter()})
    server, address = serve(STATIC, True, kind)
    page = new_page(browser)
    page.goto(f"{address}/kernel/manifest.json")
    yield page
    page.close()
    server.shutdown()
    server.server_close()


class Start:
    """The result of a start from a damaged folder."""

    def __init__(self, page: Page, asset: str, damage: str, cells: list[str] = CELLS):
        base = page.url.replace("/kernel/manifest.json", f"/{asset}+{damage}/")
        found = page.evaluate(START, [base, cells, asset == "jedi"])
        self.way: str | None = found["from"]
        self.results: list[str] = found["results"]
        self.log: list[str] = found["log"]
        self.error: str | None = found["error"]

    def names(self, asset: str) -> bool:
        """Whether the message to the user names the file and says how to repair it."""
        name = ASSETS[asset].rpartition("/")[2]
        said = self.log if self.error is None else [self.error]
        return any(name in text and ("publish the site again" in text or "publish the whole" in text) for text in said)

    def __repr__(self) -> str:
        return repr(vars(self))


@pytest.mark.thinned(5)
@pytest.mark.parametrize("damage", [*DAMAGES, "other"])
@pytest.mark.parametrize("asset", ["snapshot", "compiled", "lock", "jedi"])
def test_python_has_all_it_needs_without(page: Page, asset: str, damage: str) -> None:
    start = Start(page, asset, damage)
    assert start.results[:3] == ["2", "2", "3"], start
    assert start.way == ("files" if asset == "snapshot" else "snapshot")
    assert start.results[3:] == ([""] if asset == "jedi" else [])
    assert start.names(asset), start


@pytest.mark.thinned(5)
@pytest.mark.parametrize("damage", [*DAMAGES, "other"])
@pytest.mark.parametrize("asset", ["small-wasm", "small-scripts"])
def test_without_small_copies_python_starts_from_pyodides_own_files(page: Page, asset: str, damage: str) -> None:
    start = Start(page, asset, damage)
    assert (start.way, start.results) == ("snapshot", ["2", "2", "3"]), start
    assert start.names(asset), start


def test_first_cells_need_no_rest_of_the_webassembly(page: Page) -> None:
    start = Start(page, "rest", "missing", list(FIRST_CELLS))
    assert start.error is None, start
    assert dict(zip(FIRST_CELLS, start.results, strict=True)) == FIRST_CELLS


@pytest.mark.thinned(3)
@pytest.mark.parametrize("damage", [*DAMAGES, "other"])
def test_without_the_rest_of_the_webassembly_python_runs_until_it_needs_that(page: Page, damage: str) -> None:
    start = Start(page, "rest", damage, [*CELLS, RARE])
    assert start.error is not None and start.results == ["2", "2", "3"][: len(start.results)] != [], start
    assert start.names("rest"), start


@pytest.mark.parametrize("damage", [*DAMAGES, "unsized"])
def test_from_a_damaged_standard_library_python_has_what_is_in_memory(page: Page, damage: str) -> None:
    start = Start(page, "stdlib", damage)
    assert (start.way, start.results) == ("snapshot", ["2", "OSError", "OSError"]), start
    assert start.names("stdlib"), start


@pytest.mark.parametrize("damage", [*DAMAGES, "other"])
def test_without_both_packs_python_has_what_is_in_memory(page: Page, damage: str) -> None:
    start = Start(page, "sources", damage)
    assert (start.way, start.results) == ("snapshot", ["2", "2", "OSError"]), start
    assert start.names("sources") and start.names("compiled"), start


def test_another_whole_standard_library_is_started_from(page: Page) -> None:
    start = Start(page, "stdlib", "other")
    assert (start.way, start.results) == ("files", ["2", "2", "3"]), start
    assert start.names("stdlib"), start


@pytest.mark.thinned(5)
@pytest.mark.parametrize(
    ("asset", "damage"),
    [
        *((asset, damage) for asset in ("loader", "glue", "wasm", "manifest", "stdlib-of-files") for damage in DAMAGES),
        *((asset, "other") for asset in ("loader", "glue", "wasm", "stdlib-of-files")),
    ],
)
def test_without_it_there_is_no_python_but_an_error_that_names_it(page: Page, asset: str, damage: str) -> None:
    start = Start(page, asset, damage)
    # A changed byte need not do harm, and neither need a file of another version.
    if start.error is None and damage in ("flipped", "other"):
        assert (start.way, start.results) == ("files", ["2", "2", "3"]), start
    else:
        assert start.error is not None, start
    assert start.names(asset.removesuffix("-of-files")), start


@pytest.mark.parametrize("asset", ["small-wasm", "small-scripts", "lock", "manifest", "snapshot", "stdlib", "compiled"])
def test_what_only_the_browsers_cache_has_damaged_is_fetched_again(page: Page, asset: str) -> None:
    start = Start(page, asset, "once")
    assert (start.way, start.results) == ("snapshot", ["2", "2", "3"]), start
    assert start.log == ["Python has started from its memory snapshot"]


def test_the_rest_that_only_the_browsers_cache_has_damaged_is_fetched_again(page: Page) -> None:
    start = Start(page, "rest", "once", [*CELLS, RARE])
    assert start.results == ["2", "2", "3", "4"], start
    assert start.log == ["Python has started from its memory snapshot"]


@pytest.mark.parametrize(
    ("damage", "way"), [("encoded", "snapshot"), ("encoded-twice", "snapshot"), ("encoded-and-other", "files")]
)
def test_a_host_may_send_the_snapshot_encoded(page: Page, damage: str, way: str) -> None:
    start = Start(page, "snapshot", damage)
    assert (start.way, start.results) == (way, ["2", "2", "3"]), start
    assert start.names("snapshot") == (way == "files"), start
