"""Packages in the sandbox: from folders that it was given, and from the network only if that is allowed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from jupyterlite_browsergrad.server_kernel import deno as module
from jupyterlite_browsergrad.server_kernel.sandbox import Sandbox
from jupyterlite_browsergrad.site.wheels import piplite_index, read_wheel
from tests.wheels import make_wheel


def value(sandbox: Sandbox, code: str) -> str:
    result = sandbox.execute(code)
    assert result.content["status"] == "ok", result.content
    return result.of("execute_result")[0]["data"]["text/plain"]


@pytest.fixture(scope="module")
def vendored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of wheels with their index, as in a built site."""
    folder = tmp_path_factory.mktemp("vendored")
    wheels = [make_wheel(folder, "mylab", "1.5", requires=("myhelp>=2",)), make_wheel(folder, "myhelp", "2.0")]
    (folder / "all.json").write_text(json.dumps(piplite_index([read_wheel(wheel) for wheel in wheels])), "utf-8")
    return folder


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[str]]]:
    """A package index on this machine that answers as PyPI does. Gives its host, and the paths that were requested."""
    wheel = make_wheel(tmp_path_factory.mktemp("index"), "faraway", "3.0")
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body, kind = wheel.read_bytes(), "application/octet-stream"
            if not self.path.endswith(".whl"):
                releases = piplite_index([read_wheel(wheel)])["faraway"]["releases"]
                releases["3.0"][0]["url"] = f"http://{self.headers['Host']}/{wheel.name}"
                content = {"info": {"name": "faraway", "version": "3.0"}, "releases": releases}
                body, kind = json.dumps(content).encode(), "application/json"
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """A handler that logs nothing, since tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    server.server_close()


def test_pip_finds_what_a_package_folder_holds_and_nothing_else(vendored: Path) -> None:
    with Sandbox(packages=[vendored]) as sandbox:
        missing = sandbox.execute("import mylab").content
        assert missing["ename"] == "ModuleNotFoundError" and "%pip install mylab" in "".join(missing["traceback"])
        assert (
            value(sandbox, "%pip install mylab\nimport mylab, myhelp\n(mylab.version, myhelp.version)")
            == "('1.5', '2.0')"
        )
        refused = sandbox.execute("%pip install faraway").content
        assert "PyPI fallback is disabled" in refused["evalue"]
        assert "BrowsergradServerKernel.package_folders" in "".join(refused["traceback"])
        assert value(sandbox, "mylab.version") == "'1.5'"


INSTALL = """
import micropip
from pyodide.http import pyfetch
micropip.set_index_urls(["http://{host}/pypi"])
await micropip.install("faraway")
import faraway
faraway.version
"""


def test_the_network_is_refused_unless_allowed(index: tuple[str, list[str]], vendored: Path) -> None:
    host, asked = index
    with Sandbox(packages=[vendored]) as sandbox:
        # This avoids `%pip`, which would not even try.
        content = sandbox.execute("%pip install mylab\n" + INSTALL.format(host=host)).content
        assert "Can't fetch metadata for 'faraway'" in content["evalue"], content
        content = sandbox.execute(f"await pyfetch('http://{host}/pypi/faraway/json')").content
        assert "net access" in content["evalue"], content
    assert asked == []


def test_the_allowed_hosts_are_asked_and_no_others(
    index: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    host, asked = index
    monkeypatch.setattr(module, "PYPI_HOSTS", (host,))
    with Sandbox(allow_pypi=True) as sandbox:
        code = f"import micropip\nmicropip.set_index_urls(['http://{host}/pypi'])\n"
        assert value(sandbox, code + "%pip install faraway\nimport faraway\nfaraway.version") == "'3.0'"
        assert asked == ["/pypi/faraway/", "/faraway-3.0-py3-none-any.whl"]
        other = f"from pyodide.http import pyfetch\nawait pyfetch('http://localhost:{host.split(':')[1]}/')"
        content = sandbox.execute(other).content
        assert content["status"] == "error" and "net access" in content["evalue"], content
    assert len(asked) == 2
