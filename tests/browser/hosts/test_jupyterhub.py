"""A JupyterHub with its proxy: students log in, open a lab, run cells, press Stop and check their work."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import Lab, build_site, new_page, wait_for_app, write_files
from playwright.sync_api import Browser, Page, expect
from test_labs import OPEN, lab_files

from scripts import toolchain

from .conftest import free_ports, program

pytestmark = pytest.mark.hosts

CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy}"
# JupyterHub gives a proxy that it starts itself only ten seconds.
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.auth_token = "secret"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/home/{{username}}"
c.Spawner.start_timeout = c.Spawner.http_timeout = 180
c.Spawner.args = [
    "--allow-root", "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=", "--LabApp.extension_manager=readonly",
    "--config={folder}/server.py",
]
# The second way of the how-to to serve a site: one process for all users.
c.JupyterHub.services = [
    {{
        "name": "course",
        "url": "http://127.0.0.1:{site}",
        "command": ["jupyter", "browsergrad", "serve", "{folder}/served", "--port", "{site}"],
    }}
]
"""
#: The first way: a process in each user's server.
SERVER = """
c.ServerProxy.servers = {{
    "site": {{
        "command": ["jupyter", "browsergrad", "serve", "{folder}/served/services/course", "--port", "{{port}}"],
        "timeout": 180,
        "launcher_entry": {{"title": "Course in the browser", "path_info": "site/lab/index.html"}},
    }}
}}
"""


@dataclass
class Hub:
    address: str
    home: Path


@pytest.fixture(scope="module")
def hub(hub_proxy: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder = tmp_path_factory.mktemp("hub")
    course = folder / "course"
    write_files(course, lab_files("adding"))
    release = [
        sys.executable,
        "-m",
        "jupyterlite_browsergrad.cli",
        "release",
        course,
        "--to",
        folder / "home/ada/course",
    ]
    subprocess.run([str(part) for part in release], check=True, capture_output=True)
    built = build_site(folder / "build", lab_files("adding"))
    (folder / "served/services").mkdir(parents=True)
    built.rename(folder / "served/services/course")
    port, inner, proxy, site = free_ports(4)
    (folder / "hub.py").write_text(CONFIG.format(port=port, hub=inner, proxy=proxy, site=site, folder=folder), "utf-8")
    (folder / "server.py").write_text(SERVER.format(folder=folder), "utf-8")
    address = f"http://127.0.0.1:{port}"
    node = toolchain.node_bin() / "node"
    # As in the how-to.
    ports = f"--port {port} --api-ip 127.0.0.1 --api-port {proxy} --default-target http://127.0.0.1:{inner}"
    token = {"CONFIGPROXY_AUTH_TOKEN": "secret"}
    with (
        program(node, hub_proxy, *ports.split(), url=address, status=503, cwd=folder, environ=token),
        program(sys.executable, "-m", "jupyterhub", "--config=hub.py", url=f"{address}/hub/login", cwd=folder),
    ):
        yield Hub(address, folder / "home/ada")


@pytest.fixture(scope="module")
def student(browser: Browser, hub: Hub) -> Iterator[Page]:
    """A page of a student who has logged in and whose server has started."""
    page = new_page(browser, viewport={"width": 1400, "height": 1000})
    with page.context:
        page.goto(f"{hub.address}/hub/login")
        page.get_by_label("Username").fill("ada")
        page.get_by_label("Password").fill("any")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/user/ada/lab**")
        wait_for_app(page)
        yield page


def run(lab: Lab, source: str) -> None:
    """Replace the first cell's text and run the cell, as the keys do. Does not wait for its end."""
    lab.js(
        """source => {
          panel.content.activeCellIndex = 0;
          panel.content.activeCell.model.sharedModel.setSource(source);
          void jupyterapp.commands.execute('notebook:run-cell');
        }""",
        source,
    )


def use_the_lab(lab: Lab) -> None:
    """Run a cell of the open lab, stop a loop, and check the work."""
    page = lab.page
    expect(page.locator(".bg-LabBadge")).to_have_text("adding 1.0.0")
    output = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell").first.locator(".jp-OutputArea-output")
    run(lab, "kept = 41 + 1\nprint('kept', kept)\nwhile True: pass")
    expect(output.first).to_have_text("kept 42\n")
    page.locator('.jp-NotebookPanel-toolbar [data-jp-item-name="interrupt"] jp-button').first.click()
    expect(output.last).to_contain_text("KeyboardInterrupt")
    run(lab, "def add(a, b): return a + b\ndef double(a): return a\nprint('still', kept)")
    expect(output).to_have_text("still 42\n")
    page.get_by_role("button", name="Check my work").first.click()
    expect(page.locator("#browsergrad-lab-results > .bg-counts")).to_have_text("1 passed, 1 failed, 0 errors")


def test_a_student_logs_in_runs_a_lab_stops_a_loop_and_checks_the_work(student: Page, hub: Hub) -> None:
    copy = hub.home / "course/adding"
    assert sorted(path.name for path in copy.iterdir()) == ["lab.ipynb", "manifest.json", "rubric.py", "starter.py"]
    lab = Lab(student)
    lab.js(OPEN, "course/adding/lab.ipynb")
    assert lab.js("() => kernel.name") == "browsergrad"
    use_the_lab(lab)
    assert lab.run("import sys; sys.platform").result == "'emscripten'"


@pytest.mark.parametrize("path", ["services/course", "user/ada/site"], ids=["service", "jupyter-server-proxy"])
def test_the_hub_serves_the_site_isolated(student: Page, hub: Hub, path: str) -> None:
    page = student.context.new_page()
    page.goto(f"{hub.address}/{path}/lab/index.html")
    wait_for_app(page)
    assert page.evaluate("() => crossOriginIsolated")
    lab = Lab(page)
    lab.js(OPEN, "adding/lab.ipynb")
    use_the_lab(lab)
    assert lab.run("open('lab.ipynb').read()[:1]").result == "'{'", "the drive is reached through the proxy"
    page.close()
