"""An isolated page in a browser without shared memory, such as WebKitGTK. Everything works as in a page that is not isolated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import STACK_SWITCHING, Lab, open_lab, served, without
from playwright.sync_api import Browser, expect


@pytest.fixture(scope="module", params=["stack-switching", "service-worker"])
def lab(
    browser: Browser, site: Path, static: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    missing = ["SharedArrayBuffer", *(STACK_SWITCHING if request.param == "service-worker" else ())]
    folder = without(site, static, tmp_path_factory.mktemp("unshared"), missing)
    with served(folder, isolated=True) as address:
        lab = open_lab(browser, address, "delete globalThis.SharedArrayBuffer")
        lab.start("sub")
        yield lab
        assert lab.foreign == []
        lab.page.context.close()


def test_the_page_is_isolated_and_shares_nothing(lab: Lab) -> None:
    assert lab.js("[crossOriginIsolated, typeof SharedArrayBuffer]") == [True, "undefined"]


def test_input_and_the_drive_work(lab: Lab) -> None:
    assert lab.run("input()", ["line"]).result == "'line'"
    assert lab.run("open('data.txt').read()").result == "'hello'"
    lab.run("with open('kept.txt', 'w') as file: file.write('kept')")
    read = "async () => (await jupyterapp.serviceManager.contents.get('sub/kept.txt', { content: true })).content"
    assert lab.js(read) == "kept"


@pytest.mark.parametrize("code", ["while True: pass", "import time\ntime.sleep(600)", "input()"])
def test_stop_ends_the_cell_and_keeps_the_variables(lab: Lab, code: str) -> None:
    lab.run("kept = 41")
    ename = lab.js(
        """async code => {
          const running = bg.run(code, { allow_stdin: true });
          await busy;
          await kernel.interrupt();
          return (await running).reply.content.ename;
        }""",
        code,
    )
    assert ename == "KeyboardInterrupt"
    assert lab.run("kept + 1").result == "42"


def test_the_status_bar_says_why(lab: Lab) -> None:
    lab.js("() => jupyterapp.commands.execute('notebook:create-new', { kernelName: 'browsergrad' })")
    item = lab.page.locator("#jp-browsergrad-stop-mode")
    expect(item).to_have_text("Stop: within a moment")
    assert "cross-origin isolated, but this browser cannot share memory" in str(item.get_attribute("title"))
