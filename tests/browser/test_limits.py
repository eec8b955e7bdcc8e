"""Cases in which an interrupt is not enough: the question to the user, the hard stop, and time limits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from boot_sites import copy
from conftest import Lab, Run, open_lab, opened, served
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.pages("either")

#: C code that runs for some seconds and never asks for signals.
DEAF = "print('deaf', flush=True)\nsum(range(3 * 10**8))"
STUBBORN = "while True:\n  try:\n    while True: pass\n  except KeyboardInterrupt: pass"
QUESTION = "does not respond to Stop"


@pytest.fixture
def fresh(browser: Browser, base: str) -> Iterator[Lab]:
    lab = open_lab(browser, base)
    lab.start("sub")
    yield lab
    assert lab.foreign == []
    lab.page.context.close()


def begin(lab: Lab, code: str) -> None:
    """Start a cell, whose result the function `outcome` waits for."""
    lab.js("async code => { window.running = bg.run(code); await busy; }", code)


def begin_deaf(lab: Lab) -> None:
    """Start a cell and wait until its C code runs. Before that, an interrupt would end the cell."""
    begin(lab, DEAF)
    printed(lab, "deaf")


def printed(lab: Lab, text: str) -> None:
    """Wait for the first line that the running cell prints."""
    lab.page.wait_for_function("text => received.some(message => message.content.text?.startsWith(text))", arg=text)


def outcome(lab: Lab) -> Run:
    result = lab.js("() => running")
    return Run(result["reply"], result["messages"])


def test_deaf_code_is_ended_by_restart_now(fresh: Lab) -> None:
    identity = fresh.js("() => kernel.id")
    fresh.run("lost = 1")
    begin_deaf(fresh)
    fresh.js("() => { window.queued = bg.run('2'); return kernel.interrupt(); }")
    fresh.page.get_by_text(QUESTION).wait_for()
    fresh.page.get_by_role("button", name="Restart now").click()
    run = outcome(fresh)
    assert run.content["ename"] == "KernelRestarted" and "variables are lost" in run.content["evalue"]
    assert run.idle
    assert fresh.js("async () => (await queued).reply.content.status") == "aborted"
    restarted(fresh)
    fresh.page.get_by_text("Python stopped and was restarted; variables are lost").wait_for()
    expect(fresh.page.get_by_text(QUESTION)).to_have_count(0)
    assert fresh.run("'lost' in globals()").result == "False"
    assert fresh.run("import os; os.getcwd()").result == "'/drive/sub'"
    assert fresh.js("() => kernel.id") == identity


def test_the_question_goes_when_the_code_ends_by_itself(fresh: Lab) -> None:
    fresh.run("kept = 1")
    begin(
        fresh,
        "import time\nend = time.time() + 6\nwhile time.time() < end:\n  try:\n    print('trying', flush=True)\n"
        "    while time.time() < end: pass\n  except KeyboardInterrupt: pass",
    )
    printed(fresh, "trying")  # Before the `try`, an interrupt would end the cell.
    fresh.js("() => kernel.interrupt()")
    fresh.page.get_by_text(QUESTION).wait_for()
    assert outcome(fresh).content["status"] == "ok"
    expect(fresh.page.get_by_text(QUESTION)).to_have_count(0)
    assert fresh.run("kept").result == "1"


def test_a_spare_takes_over(fresh: Lab) -> None:
    """A spare starts beside the kernel, once. After a hard stop, the notebook gets it."""
    fresh.page.wait_for_function("performance.getEntriesByName('browsergrad:spare').length")
    begin_deaf(fresh)
    fresh.js("() => kernel.interrupt()")
    fresh.page.get_by_role("button", name="Restart now").click()
    before = len(fresh.page.workers)
    outcome(fresh)
    restarted(fresh)
    assert fresh.run("1 + 1").result == "2"
    assert len(fresh.page.workers) <= before, "no worker has been started"
    assert fresh.run("import os; os.getcwd()").result == "'/drive/sub'"
    assert fresh.run("open('data.txt').read()").result == "'hello'"
    assert fresh.run("input()", ["line"]).result == "'line'"
    assert fresh.run("print('out')").text() == "out\n"


def restarted(lab: Lab) -> None:
    """Wait until the front end knows that the kernel restarts. Requests that it sends after that are answered."""
    lab.page.wait_for_function("statuses.includes('autorestarting')")


LIMITED = {
    "a loop": "while True: pass",
    "a sleep": "import time\ntime.sleep(60)",
    "an await": "await asyncio.sleep(60)",
    "a loop that catches Exception": "while True:\n  try: int('a')\n  except Exception: pass",
    "a loop that catches KeyboardInterrupt": STUBBORN,
    "run_sync": "from pyodide.ffi import run_sync\nrun_sync(asyncio.sleep(60))",
}


@pytest.mark.parametrize("name", LIMITED)
def test_a_cell_that_takes_too_long_ends_with_its_limit(lab: Lab, name: str) -> None:
    lab.run("import asyncio\nkept = 1")
    run = lab.run(f"%%timeout 0.3\n{LIMITED[name]}")
    assert run.content["ename"] == "CellTimeoutError"
    assert "limit of 0.3 s" in run.content["evalue"]
    assert run.idle
    assert lab.run("kept").result == "1"


def test_a_question_nobody_answers_ends_at_its_limit(lab: Lab) -> None:
    run = lab.run("%%timeout 0.3\ninput()", allow_stdin=True)
    assert run.content["ename"] == "CellTimeoutError" and "limit of 0.3 s" in run.content["evalue"]
    assert lab.run("input()", ["line"]).result == "'line'"


def test_deaf_code_ends_at_its_limit_with_the_kernel(fresh: Lab) -> None:
    run = fresh.run(f"%%timeout 0.3\n{DEAF}")
    assert run.content["ename"] == "CellTimeoutError"
    assert "variables are lost" in run.content["evalue"]
    restarted(fresh)
    assert fresh.run("1 + 1").result == "2"


def test_a_cell_within_its_limit_is_left_alone(lab: Lab) -> None:
    assert lab.run("%%timeout 30\nx = 1\nx + 1").result == "2"
    assert lab.run("import time; time.sleep(.4); 3").result == "3"
    assert lab.run("%%timeout 30\n%%capture out\nprint(1)").content["status"] == "ok"


@pytest.mark.parametrize("seconds", ["", "soon", "-1", "0", "inf"])
def test_a_limit_that_is_no_number_is_refused(lab: Lab, seconds: str) -> None:
    run = lab.run(f"%%timeout {seconds}\nran = True")
    assert run.content["ename"] == "UsageError" and "seconds above 0" in run.content["evalue"]
    assert lab.run("'ran' in globals()").result == "False"


def test_the_site_limits_cells(browser: Browser, site: Path, tmp_path: Path) -> None:
    with served(copy(site, tmp_path, timeoutMs=600), isolated=True) as base, opened(browser, base) as lab:
        lab.start()
        run = lab.run("while True: pass")
        assert run.content["ename"] == "CellTimeoutError" and "0.6 s" in run.content["evalue"]
        assert lab.run("1 + 1").result == "2"


def test_the_user_setting_and_the_notebook_limit_cells(fresh: Lab) -> None:
    fresh.js(
        """async () => {
          const model = { nbformat: 4, nbformat_minor: 5, cells: [], metadata: { kernelspec: { name: 'browsergrad', display_name: '' } } };
          const save = (path, extra) => jupyterapp.serviceManager.contents.save(path, { type: 'notebook', format: 'json', content: { ...model, metadata: { ...model.metadata, ...extra } } });
          await save('open.ipynb', {});
          await save('limited.ipynb', { browsergrad: { timeout_ms: 400 } });
          window.open_ = async path => {
            const widget = await jupyterapp.commands.execute('docmanager:open', { path, factory: 'Notebook' });
            await widget.context.ready;
            const context = widget.context.sessionContext;
            await context.ready;
            window.kernel = context.session.kernel;
            await kernel.info;
          };
        }"""
    )
    fresh.js("() => open_('limited.ipynb')")
    run = fresh.run("while True: pass")
    assert run.content["ename"] == "CellTimeoutError" and "0.4 s" in run.content["evalue"]
    fresh.js("() => open_('open.ipynb')")
    assert fresh.run("import time; time.sleep(.6); 1").result == "1"
    fresh.js("() => jupyterapp.commands.execute('settingeditor:open', { query: 'Stop for Python' })")
    field = fresh.page.locator("[id$='stop_timeoutMs']")
    field.fill("500")
    field.blur()
    while (run := fresh.run("import time; time.sleep(2)")).content["status"] == "ok":
        """The setting is on its way."""
    assert run.content["ename"] == "CellTimeoutError" and "0.5 s" in run.content["evalue"]
    fresh.js("() => open_('limited.ipynb')")
    assert "0.4 s" in fresh.run("while True: pass").content["evalue"], "the notebook's limit comes first"
