"""The runtime in apps that bundlers have built. The app finds the worker, wherever the app is put."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import ROOT, served
from playwright.sync_api import Browser, Page

from jupyterlite_browsergrad.commands.sync import sync
from scripts import toolchain

EXAMPLE = ROOT / "examples" / "vite"
LABEXTENSION = ROOT / "labextension"
#: An app that runs a cell, ends a loop, starts again after a hard stop, and shows the results.
APP = """
import { createSession } from './browsergrad/runtime/index.js';
const python = new URL('browsergrad/', document.baseURI).href;
const session = await createSession({ pyodideIndexURL: `${python}pyodide/` });
const first = await session.exec({ code: 'print(6 * 7)' });
const deaf = 'print(1)\\nwhile True:\\n  try:\\n    while True: pass\\n  except KeyboardInterrupt: pass';
const controller = new AbortController();
const second = await session.exec({ code: deaf, signal: controller.signal, onStdout: () => controller.abort() });
const third = await session.exec({ code: 'print("again")' });
document.title = [first.stdout, second.error.kind, third.stdout].map(text => text.trim()).join(' ');
"""


@pytest.fixture(scope="module")
def vite_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, made ready with the commands of its README."""
    project = tmp_path_factory.mktemp("vite") / "project"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("node_modules", "dist", "browsergrad"))
    sync(project / "src" / "browsergrad", ("runtime",))
    sync(project / "public" / "browsergrad", ("pyodide", "kernel"))
    toolchain.run_npm("ci", "--no-audit", "--no-fund", cwd=project)
    return project


@pytest.fixture(scope="module")
def vite_app(vite_project: Path) -> Path:
    """The built example in a folder of a site."""
    toolchain.run_npm("run", "build", cwd=vite_project)
    site = vite_project.parent / "site"
    shutil.move(vite_project / "dist", site / "courses" / "python")
    return site


@pytest.fixture(params=["isolated", "plain"])
def vite_page(request: pytest.FixtureRequest, browser: Browser, vite_app: Path) -> Iterator[Page]:
    with served(vite_app, request.param == "isolated") as address:
        page = browser.new_page()
        page.set_default_timeout(120_000)
        missing: list[str] = []
        page.on("response", lambda response: missing.append(response.url) if response.status >= 400 else None)
        page.goto(f"{address}/courses/python/index.html")
        assert page.evaluate("crossOriginIsolated") == (request.param == "isolated")
        yield page
        page.close()
        assert missing == []


def test_the_vite_example_runs_and_stops_from_a_sub_path(vite_page: Page) -> None:
    page = vite_page
    page.get_by_text("Ready", exact=True).wait_for()
    page.get_by_role("button", name="Run").click()
    page.get_by_text("Done", exact=True).wait_for()
    assert page.locator("#output").inner_text() == "line 0\nline 1\nline 2\n"
    page.get_by_label("Code").fill("kept = 1\nprint('looping')\nwhile True: pass")
    page.get_by_role("button", name="Run").click()
    page.get_by_text("looping").wait_for()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Ended: aborted", exact=True).wait_for()
    page.get_by_label("Code").fill("print('kept', kept)")
    page.get_by_role("button", name="Run").click()
    page.get_by_text("Done", exact=True).wait_for()
    assert page.locator("#output").inner_text() == "kept 1\n"


@contextmanager
def vite_server(project: Path) -> Iterator[str]:
    """Start Vite's own server, which does not bundle, and give its address."""
    command = [
        str(toolchain.node_bin() / "node"),
        "node_modules/vite/bin/vite.js",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
    ]
    environ = toolchain.environment() | {"NO_COLOR": "1"}
    with subprocess.Popen(command, cwd=project, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            found = next(filter(None, (re.search(r"http://127\.0\.0\.1:\d+/", line) for line in process.stdout)))
            yield found[0]
        finally:
            process.terminate()


def test_the_vite_example_runs_while_it_is_developed(browser: Browser, vite_project: Path) -> None:
    with vite_server(vite_project) as address, browser.new_page() as page:
        page.set_default_timeout(120_000)
        page.goto(address)
        page.get_by_text("Ready", exact=True).wait_for()
        assert page.evaluate("crossOriginIsolated")
        page.get_by_role("button", name="Run").click()
        page.get_by_text("Done", exact=True).wait_for()
        assert page.locator("#output").inner_text() == "line 0\nline 1\nline 2\n"


def test_the_commands_of_the_example_are_those_that_are_tested() -> None:
    scripts = json.loads((EXAMPLE / "package.json").read_text("utf-8"))["scripts"]
    assert scripts["build"] == "vite build"
    runtime, assets = scripts["sync"].split(" && ")
    assert runtime == "jupyter browsergrad sync src/browsergrad --only runtime"
    assert assets == "jupyter browsergrad sync public/browsergrad --only pyodide --only kernel"


def bundled_by_webpack(project: Path, output: Path) -> None:
    settings = {
        "mode": "production",
        "context": str(project),
        "entry": "./app.mjs",
        "experiments": {"outputModule": True},
        "output": {"path": str(output), "filename": "app.js", "module": True, "chunkFormat": "module"},
        "performance": {"hints": False},
    }
    script = f"""require('webpack')({json.dumps(settings)}).run((error, stats) => {{
        if (error || stats.hasErrors() || stats.hasWarnings()) {{ console.error(error ?? stats.toString()); process.exit(1); }} }})"""
    toolchain.run_node("-e", script, cwd=LABEXTENSION)


def bundled_by_esbuild(project: Path, output: Path) -> None:
    entries = [f"app={project / 'app.mjs'}", f"worker={project / 'browsergrad/runtime/worker.js'}"]
    command = [
        str(LABEXTENSION / "node_modules/.bin/esbuild"),
        *entries,
        "--bundle",
        "--format=esm",
        f"--outdir={output}",
    ]
    done = subprocess.run(
        [*command, "--log-level=warning"], env=toolchain.environment(), capture_output=True, text=True, check=True
    )
    assert done.stderr == "", "no warnings"


@pytest.mark.thinned(2)
@pytest.mark.parametrize("bundle", [bundled_by_webpack, bundled_by_esbuild])
def test_other_bundlers_find_the_worker_too(bundle, browser: Browser, tmp_path: Path) -> None:
    project, app = tmp_path / "project", tmp_path / "site" / "app"
    sync(project / "browsergrad", ("runtime",))
    (project / "app.mjs").write_text(APP, "utf-8")
    sync(app / "browsergrad", ("pyodide", "kernel"))
    bundle(project, app / "static")
    (app / "index.html").write_text(
        '<!doctype html><link rel="icon" href="data:,"><script type="module" src="static/app.js"></script>', "utf-8"
    )
    with served(tmp_path / "site", isolated=True) as address:
        page = browser.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{address}/app/index.html")
        page.wait_for_function("document.title", timeout=120_000)
        assert page.title() == "42 aborted again"
        page.close()
    assert problems == []
