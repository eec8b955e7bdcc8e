"""Files on a site's drive behave as on Linux: the same programs print the same texts, however Python reaches the page."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import STACK_SWITCHING, opened, serve, without
from playwright.sync_api import Browser

from tests.drive_programs import PROGRAMS, cell, different, on_linux


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return on_linux(tmp_path_factory.mktemp("linux"))


@pytest.fixture(scope="module", params=["isolated", "stack switching", "service worker"])
def address(
    request: pytest.FixtureRequest, site: Path, static: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder = site
    if request.param == "service worker":  # This browser cannot switch stacks either.
        folder = without(site, static, tmp_path_factory.mktemp("no-jspi"), STACK_SWITCHING)
    server, address = serve(folder, isolated=request.param == "isolated")
    yield address
    server.shutdown()
    server.server_close()


@pytest.mark.thinned(2)
def test_programs_print_what_they_print_on_linux(
    request: pytest.FixtureRequest, browser: Browser, address: str, expected: dict[str, str]
) -> None:
    """All programs where memory is shared; in the other ways every third, and all where a release is tested."""
    some = list(PROGRAMS)
    if "isolated" not in request.node.name and not os.environ.get("ALL_STARTS"):
        some = some[::3]
    with opened(browser, address) as lab:
        lab.start("sub")
        shown = {}
        for name in some:
            run = lab.run(cell(name))
            shown[name] = run.text() + "".join(f"{e['ename']}: {e['evalue']}\n" for e in run.of("error"))
        assert different(shown, {name: expected[name] for name in some}) == {}


def test_what_an_open_file_holds_is_saved_at_the_end_of_the_cell(browser: Browser, address: str) -> None:
    with opened(browser, address) as lab:
        lab.start("sub")
        lab.run("f = open('log.txt', 'w')\nf.write('kept')\nf.flush()")
        content = "async () => (await jupyterapp.serviceManager.contents.get('sub/log.txt', {content: true})).content"
        assert lab.js(content) == "kept"
        lab.run("f.write(' and lost by nobody')\nf.flush()\n1 / 0")
        assert lab.js(content) == "kept and lost by nobody"
