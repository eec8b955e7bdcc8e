"""What the package promises in every engine, isolated or not: checks that are written once and run in Chromium, Firefox and WebKit.

Chromium's run only before a release, since the other files of this folder check more in it. `make test-firefox` and
`make test-webkit` run all of an engine's. The first line of each check's docstring is a row of `docs/reference/browsers.md`.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import engine
import pytest
import work_checks
from boot_sites import FROM_FILES, FROM_SNAPSHOT, copy, snapshot
from conftest import ROOT, Lab, build_site, stop_cases, wait_for_app
from engine import MODES, Mode, Tab
from hangs import HANG_MS
from playwright.sync_api import Browser
from processes import memory
from recursion.table import on_one_stack, problems_in, short
from test_hostile import WATCH, hostile
from test_labs import OPEN as OPEN_LAB
from test_late_answers import ANSWERED
from test_results import OPEN as SHOW
from test_results import notebook

LABS = ROOT / "examples" / "labs"
#: Interrupts of the storm.
STORM = int(os.environ.get("STORM", "20"))
#: In `make test`, kinds of code that Stop must end.
SOME = {
    *("while True: pass", "print loop", "regular expression", "time.sleep", "asyncio.sleep", "input", "fetch"),
    *("reading the drive", "gather of spinning tasks", "run_sync of a promise", "imports", "completion"),
}


def _of_engine(mode: Mode) -> Any:
    # WebKit uses the service worker in every page, so Firefox does it before a release.
    rare = mode.engine == "chromium" or mode.takes_away
    return pytest.param(mode, id=mode.id, marks=[pytest.mark.release] if rare else [])


@pytest.fixture(scope="module", params=[_of_engine(mode) for mode in MODES])
def mode(request: pytest.FixtureRequest) -> Mode:
    return request.param


@pytest.fixture(scope="module")
def engines_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    contents = {path.relative_to(LABS).as_posix(): path.read_bytes() for path in LABS.rglob("*") if path.is_file()}
    return build_site(tmp_path_factory.mktemp("engines"), contents)


@pytest.fixture(scope="module")
def base(mode: Mode, engines_site: Path, static: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = engine.site_for(mode, engines_site, static, tmp_path_factory.mktemp("old"))
    with engine.watched(folder, mode.isolated) as address:
        yield address


@pytest.fixture(scope="module")
def tab(mode: Mode, request: pytest.FixtureRequest) -> Iterator[Tab]:
    """A page of the engine's browser. Firefox and WebKit are started for each mode."""
    chromium: Browser | None = request.getfixturevalue("browser") if mode.engine == "chromium" else None
    with engine.tab(mode, chromium) as tab:
        yield tab
        assert sorted(set(tab.foreign)) == [], "nothing may come from another origin"


def enter(tab: Tab, address: str) -> Lab:
    """Open JupyterLab."""
    tab.goto(f"{address}/lab/index.html?reset")
    wait_for_app(tab)  # type: ignore[arg-type]
    tab.evaluate("() => jupyterapp.restored")
    return Lab(tab)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def lab(tab: Tab, base: str) -> Lab:
    """A page whose kernel has started in the folder `sub`."""
    lab = enter(tab, base)
    lab.start("sub")
    lab.add_stop_driver()
    return lab


@pytest.fixture(autouse=True)
def recorded(request: pytest.FixtureRequest, mode: Mode, tab: Tab, record_property: Any) -> None:
    """What the table of browsers needs to know of each check."""
    record_property("mode", mode.id)
    record_property("version", tab.version)
    record_property("check", request.function.__doc__.partition("\n")[0])


def has_started(tab: Tab, text: str) -> None:
    assert [line for line in tab.console if text in line], tab.console


def test_snapshot(lab: Lab, mode: Mode, tab: Tab) -> None:
    """The kernel starts from its snapshot"""
    has_started(tab, FROM_SNAPSHOT)
    assert not [line for line in tab.console if "own files are used" in line]  # the small WebAssembly is compiled
    assert lab.js("() => [crossOriginIsolated, typeof SharedArrayBuffer === 'function']") == [
        mode.isolated,
        mode.shares,
    ]
    assert lab.run("import sys; sys.platform").result == "'emscripten'"


def test_cells(lab: Lab) -> None:
    """Cells, output, errors, completion"""
    assert lab.run("x = 40\nx + 2").result == "42"
    assert lab.run("import asyncio\nawait asyncio.sleep(.01)\n'awaited'").result == "'awaited'"
    run = lab.run("for i in range(10_000): print(i)")
    assert run.text() == "".join(f"{i}\n" for i in range(10_000))
    run = lab.run("1 / 0")
    assert run.content["ename"] == "ZeroDivisionError" and run.idle
    assert lab.run("from IPython.display import HTML\nHTML('<b>b</b>')").of("execute_result")[0]["data"]["text/html"]
    assert "bit_count" in lab.request("complete_request", {"code": "x.bit", "cursor_pos": 5}).content["matches"]
    assert lab.run("x").result == "40"


def stop_table(lab: Lab, mode: Mode, base: str, kinds: set[str], tries: int, record: Any) -> None:
    every = bool(os.environ.get("ALL_STARTS"))
    cases = [
        case
        for case in stop_cases(base)
        if case["kind"] in kinds and (every or case["name"] in SOME) and (mode.switches or case.get("needs") != "jspi")
    ]
    seed = random.randrange(2**31)
    rows = lab.js("([cases, tries, seed]) => stop.table(stopHost, cases, tries, seed)", [cases, tries, seed])
    assert {row["name"]: row["bad"] for row in rows if row["bad"]} == {}, f"seed {seed}"
    assert len(rows) == len(cases)
    record("stop_ms", [round(ms, 1) for row in rows for ms in row["ms"]])


def test_stop_in_computing_code(lab: Lab, mode: Mode, base: str, record_property: Any) -> None:
    """Stop ends code that computes, and the next cell runs"""
    stop_table(lab, mode, base, {"busy", "slow"}, 2, record_property)


def test_stop_in_waiting_code(lab: Lab, mode: Mode, base: str, record_property: Any) -> None:
    """Stop ends code that waits, and the next cell runs"""
    stop_table(lab, mode, base, {"waits", "request"}, 2, record_property)


def test_storm(lab: Lab, mode: Mode, base: str, record_property: Any) -> None:
    """A storm of interrupts: none is lost, none hits another cell, nothing hangs"""
    cases = [case for case in stop_cases(base) if mode.switches or case.get("needs") != "jspi"]
    seed = random.randrange(2**31)
    result = lab.js("([cases, count, seed]) => stop.storm(stopHost, cases, count, seed)", [cases, STORM, seed])
    assert result["bad"] == [], f"seed {seed}: {result}"
    assert result["sent"] >= STORM
    record_property("interrupts", result["sent"])
    record_property("stop_ms", [round(ms, 1) for ms in result["ms"]])


@pytest.mark.parametrize("code", ["while True: pass", "import time\ntime.sleep(60)"], ids=["computes", "waits"])
def test_limits(lab: Lab, code: str) -> None:
    """Time limits end cells"""
    run = lab.run(f"%%timeout 0.3\n{code}")
    assert run.content["ename"] == "CellTimeoutError" and "limit of 0.3 s" in run.content["evalue"]
    assert lab.run("1 + 1").result == "2"


@pytest.mark.modes("firefox-plain", "webkit-isolated", "webkit-plain")
def test_input(lab: Lab) -> None:
    """`input()` gets an answer that comes after two seconds"""
    answer = lab.js(ANSWERED, ["[input('? ') for _ in range(2)]", 2, 2000, HANG_MS])
    assert answer is not None and answer["messages"][-2]["content"]["data"]["text/plain"] == "['line 0', 'line 1']"


def test_drive(lab: Lab) -> None:
    """Python reads and writes the files of the file browser"""
    assert lab.run("open('data.txt').read()").result == "'hello'"
    lab.run("with open('kept.txt', 'w') as file: file.write('kept')")
    read = "async () => (await jupyterapp.serviceManager.contents.get('sub/kept.txt', { content: true })).content"
    assert lab.js(read) == "kept"
    save = "async () => { await jupyterapp.serviceManager.contents.save('sub/page.txt', { type: 'file', format: 'text', content: 'of the page' }); }"
    lab.js(save)
    assert lab.run("open('page.txt').read()").result == "'of the page'"


def test_recursion(lab: Lab, mode: Mode) -> None:
    """Too deep a recursion is an error, and the variables stay"""
    programs = short() if mode.switches else on_one_stack(short())
    assert problems_in(lab, programs if os.environ.get("ALL_STARTS") else programs[:4]) == []


def test_mode(lab: Lab, mode: Mode) -> None:
    """The status bar says how soon Stop works"""
    lab.js("async () => { await jupyterapp.commands.execute('notebook:create-new', { kernelName: 'browsergrad' }); }")
    text = "Stop: at once" if mode.shares else "Stop: within a moment"
    item = "document.getElementById('jp-browsergrad-stop-mode')"
    lab.page.wait_for_function(f"{item}?.textContent === {json.dumps(text)}")


@pytest.mark.modes("webkit-plain")
def test_restart(lab: Lab) -> None:
    """Restart, and a second kernel beside the first"""
    lab.run("gone = 1")
    lab.js("() => kernel.restart()")
    assert lab.run("'gone' in globals()").result == "False"
    lab.js("() => { window.first = session; }")
    lab.start()
    assert lab.run("6 * 7").result == "42"
    lab.js("async () => { await session.shutdown(); window.session = first; window.kernel = first.kernel; }")
    assert lab.run("6 * 7").result == "42"


@pytest.mark.modes("firefox-isolated", "webkit-isolated")
def test_stubborn(lab: Lab, tab: Tab) -> None:
    """Code that ignores Stop is ended by *Restart now*"""
    code = "print('on')\nwhile True:\n  try:\n    while True: pass\n  except KeyboardInterrupt: pass"
    lab.js("async code => { window.running = bg.run(code); await busy; }", code)
    tab.wait_for_function("received.some(one => one.content.text?.startsWith('on'))")
    lab.js("() => kernel.interrupt()")
    tab.click("button", "Restart now")
    assert lab.js("() => running")["reply"]["content"]["ename"] == "KernelRestarted"
    assert lab.run("1 + 1").result == "2"


@pytest.mark.modes("firefox-plain", "webkit-isolated")
def test_lab(lab: Lab, tab: Tab) -> None:
    """A lab, from opening it to its results in the panel"""
    name = "text-statistics"
    lab.js(OPEN_LAB, f"{name}/{name}.ipynb")
    tab.wait_for_function(f"document.querySelector('.bg-LabBadge')?.textContent === '{name} 1.0.0'")
    assert lab.run((LABS / name / "reference.py").read_text("utf-8")).content["status"] == "ok"
    tab.click(".jp-NotebookPanel-toolbar .bg-CheckButton, .jp-NotebookPanel-toolbar .bg-CheckButton *")
    status = "document.querySelector('#browsergrad-lab-results [role=status]')"
    tab.wait_for_function(f"/^[1-9][0-9]* passed, 0 failed, 0 errors$/.test({status}?.textContent)")
    assert lab.js("() => document.querySelectorAll('#browsergrad-lab-results section li').length") > 2


@pytest.mark.modes("firefox-isolated")
def test_hostile(lab: Lab, tab: Tab) -> None:
    """Nothing in a hostile notebook's results runs"""
    tab.evaluate(WATCH)
    bundles = random.Random(0).sample(hostile(), 12)
    text = json.dumps(notebook(*bundles))
    lab.js(f"async ([path, text]) => ({SHOW})([path, JSON.parse(text)])", ["hostile.ipynb", text])
    found = lab.js(
        """async () => {
          for (let i = 0; i < shown.content.widgets.length; i++) {
            await shown.content.scrollToItem(i);
            await new Promise(r => requestAnimationFrame(() => setTimeout(r)));
          }
          const outputs = [...shown.content.node.querySelectorAll('.bg-output')];
          return [outputs.length, [...new Set(outputs.flatMap(one => [...one.querySelectorAll('*')]).map(one => one.localName))]];
        }"""
    )
    assert found[0] == len(bundles)
    assert not {"script", "iframe", "object", "embed", "svg", "a", "form"} & set(found[1])
    assert lab.js("() => pwned") == []


def test_errors_of_the_page(tab: Tab, lab: Lab) -> None:
    """The page itself has no error"""
    # JupyterLab scrolls before an earlier scroll has ended, and changes sizes while Chromium reports them.
    harmless = ("Scrolling to a new item", "ResizeObserver loop")
    assert [text for text in tab.errors if not any(part in text for part in harmless)] == []


@pytest.mark.release
def test_thousand_cells(lab: Lab) -> None:
    """1,000 cells"""
    count = """async () => {
      for (let i = 0; i < 1000; i++) {
        const { reply } = await bg.run(`n = ${i}; print(n)`);
        if (reply.content.status !== 'ok') return [i, reply];
      }
      return (await bg.run('n')).messages.find(one => one.type === 'execute_result').content.data['text/plain'];
    }"""
    assert lab.js(count) == "999"


@pytest.mark.release
@pytest.mark.timeout(3600)
def test_restarts(lab: Lab, tab: Tab, record_property: Any) -> None:
    """100 restarts, after which the browser needs no more memory than before"""
    restart = """async times => {
      for (let i = 0; i < times; i++) {
        await kernel.restart();
        const { reply } = await bg.run('filled = bytearray(10**7)');
        if (reply.content.status !== 'ok') return [i, reply];
      }
      return 'done';
    }"""
    sizes = []
    for times in (20, 40, 40):
        assert lab.js(restart, times) == "done"
        sizes.append(memory(tab.pid))
    record_property("memory_mb", sizes)
    assert sizes[2] < sizes[0] + 200, sizes


@pytest.mark.modes("firefox-plain")
def test_files(mode: Mode, tab: Tab, base: str, engines_site: Path, static: str, tmp_path: Path) -> None:
    """The kernel starts from its files, without a snapshot"""
    site = copy(engines_site, tmp_path, lambda kernel, manifest: snapshot(kernel, manifest).unlink())
    with engine.watched(engine.site_for(mode, site, static, tmp_path / "old"), mode.isolated) as address:
        lab = enter(tab, address)
        lab.start("sub")
        has_started(tab, FROM_FILES)
        assert lab.run("1 + 1").result == "2"


@pytest.mark.engines("firefox", "chromium")
@pytest.mark.modes("firefox-isolated")
def test_history(tab: Tab, base: str) -> None:
    """After JupyterLite's storage was deleted, the history gives a notebook back"""
    work_checks.check_history(tab, lambda: enter(tab, base))


@pytest.mark.engines("firefox", "chromium")
@pytest.mark.release
def test_draft(tab: Tab, base: str) -> None:
    """What was typed and not saved comes back after the page was loaded again"""
    work_checks.check_draft(tab, lambda: enter(tab, base))


@pytest.mark.engines("firefox", "chromium")
@pytest.mark.release
def test_refused_store(mode: Mode, tab: Tab, engines_site: Path, static: str, tmp_path: Path) -> None:
    """Where the second store is refused, the page says so, and cells run"""
    site = engine.site_for(mode, engines_site, static, tmp_path)
    with engine.watched(site, mode.isolated, work_checks.REFUSE_STORE) as address:
        work_checks.check_refused(tab, lambda: enter(tab, address), "the browser refuses to store it (not here)")


@pytest.mark.engines("firefox", "chromium")
@pytest.mark.release
def test_private_window(mode: Mode, base: str, tab: Tab) -> None:
    """In a private window cells run, and the page says what becomes of the work"""
    if mode.engine != "firefox":
        work_checks.check_private(tab, lambda: enter(tab, base), keeps_history=True)
        return
    with engine.tab(mode, None, private=True) as private:
        work_checks.check_private(private, lambda: enter(private, base), keeps_history=False)


@pytest.mark.modes("webkit-plain")
def test_frame(tab: Tab, base: str) -> None:
    """In a frame of another site cells run, and the page says what becomes of the work"""
    work_checks.check_frame(tab, base)


@pytest.mark.engines("webkit")
@pytest.mark.modes("webkit-isolated")
def test_no_store(tab: Tab, base: str) -> None:
    """Where the browser has no second store, the page says so, and cells run"""
    work_checks.check_refused(tab, lambda: enter(tab, base), "this browser cannot keep it")


@pytest.mark.modes("firefox-isolated")
def test_memory(tab: Tab, base: str) -> None:
    """Memory that is full is an error; memory that is damaged ends Python, which says so and starts anew"""
    lab = enter(tab, base)
    lab.start("sub")
    lab.run("filled = []")
    run = lab.run("while True: filled.append(bytearray(10**7))")
    assert run.content["ename"] == "MemoryError" and run.idle
    assert lab.run("filled.clear()\n6 * 7").result == "42"
    run = lab.run("import ctypes\nctypes.memset(0xFFFFF000, 0, 10**6)")
    assert run.content["ename"] == "KernelDied" and run.idle
    tab.wait_for_function(work_checks.NOTICE, "Python stopped and was restarted; variables are lost")
    assert lab.run("'filled' in globals()").result == "False"
    lab.js("() => kernel.restart()")
    assert lab.run("6 * 7").result == "42"
