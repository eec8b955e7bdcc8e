"""Small notebooks that once failed, in pages. Those that need a whole distribution of Pyodide run on one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import Lab, opened, served
from playwright.sync_api import Browser

from tests import kernel_cases
from tests.kernel_cases import Case, Message

HANG_S = 120

#: Runs one cell. Answers its questions after `delay` ms, and presses Stop after `stop` ms.
RUN = """async ([code, answers, delay, stop, hang]) => {
  const messages = [];
  const future = kernel.requestExecute({ code, allow_stdin: answers.length > 0, stop_on_error: true }, false);
  future.onIOPub = m => messages.push(bg.plain(m));
  future.onStdin = m => {
    const value = answers.shift();
    setTimeout(() => future.sendInputReply({ status: 'ok', value }, m.header), delay);
  };
  const timers = [stop && setTimeout(() => kernel.interrupt(), stop)];
  const late = new Promise((_, reject) => {
    timers.push(setTimeout(() => reject(new Error(`no end after ${hang} ms: ${code}`)), hang));
  });
  const reply = bg.plain(await Promise.race([future.done, late]));
  timers.forEach(clearTimeout);
  return { reply, messages, answers };
}"""
SAVE = """([path, content]) => jupyterapp.serviceManager.contents.save(path, {
  path, content, type: 'file', format: 'text', name: path.split('/').pop(),
})"""
MAKE_FOLDER = """path => jupyterapp.serviceManager.contents.save(path, { path, type: 'directory', name: path })"""


class Pages:
    """One page for many cases. Each case gets a kernel and a folder of its own."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.count = 0
        self.delay_ms = 0
        self.stop_ms: float | None = None

    def start(self, case: Case) -> None:
        self.count += 1
        folder = f"case-{self.count}"
        self.lab.js(MAKE_FOLDER, folder)
        for name, text in case.files.items():
            self.lab.js(SAVE, [f"{folder}/{name}", text])
        self.lab.start(folder)

    def close(self) -> None:
        self.lab.js("() => session.shutdown()")

    def run(self, code: str, answers: list[str]) -> tuple[dict[str, Any], list[Message]]:
        found = self.lab.js(RUN, [code, answers, self.delay_ms, self.stop_ms, HANG_S * 1000])
        answers[:] = found["answers"]
        return found["reply"]["content"], [(m["type"], m["content"]) for m in found["messages"]]

    def prove(self, case: Case) -> None:
        self.stop_ms = case.stop_after_s and case.stop_after_s * 1000
        for self.delay_ms in case.delays_ms:
            self.start(case)
            with closing(self):
                if case.complete:
                    began = time.monotonic()
                    assert self.lab.request("complete_request", case.complete).content["status"] == "ok"
                    assert time.monotonic() - began < (case.within_s or HANG_S)
                kernel_cases.verdict(case, kernel_cases.run(case, self.run))


def _pages(browser: Browser, site: Path, isolated: bool) -> Iterator[Pages]:
    with served(site, isolated) as address, opened(browser, address) as lab:
        yield Pages(lab)


@pytest.fixture(scope="module")
def isolated(browser: Browser, site: Path) -> Iterator[Pages]:
    yield from _pages(browser, site, True)


@pytest.fixture(scope="module")
def plain(browser: Browser, site: Path) -> Iterator[Pages]:
    yield from _pages(browser, site, False)


@pytest.fixture(scope="module")
def full_isolated(browser: Browser, full_site: Path) -> Iterator[Pages]:
    yield from _pages(browser, full_site, True)


@pytest.fixture(scope="module")
def full_plain(browser: Browser, full_site: Path) -> Iterator[Pages]:
    yield from _pages(browser, full_site, False)


@pytest.mark.parametrize("case", kernel_cases.on("isolated"), ids=lambda case: case.id)
def test_a_notebook_that_once_failed_in_an_isolated_page(isolated: Pages, case: Case) -> None:
    isolated.prove(case)


@pytest.mark.thinned(2)
@pytest.mark.parametrize("case", kernel_cases.on("plain"), ids=lambda case: case.id)
def test_a_notebook_that_once_failed_in_a_plain_page(plain: Pages, case: Case) -> None:
    plain.prove(case)


@pytest.mark.thinned(2)
@pytest.mark.parametrize("case", kernel_cases.on("isolated", full=True), ids=lambda case: case.id)
def test_a_notebook_that_once_failed_on_a_full_distribution_in_an_isolated_page(
    full_isolated: Pages, case: Case
) -> None:
    full_isolated.prove(case)


@pytest.mark.thinned(3)
@pytest.mark.parametrize("case", kernel_cases.on("plain", full=True), ids=lambda case: case.id)
def test_a_notebook_that_once_failed_on_a_full_distribution_in_a_plain_page(full_plain: Pages, case: Case) -> None:
    full_plain.prove(case)
