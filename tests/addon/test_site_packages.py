"""Sites with single packages of a Pyodide release, from a server that plays its CDN."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from file_server import FileServer

from jupyterlite_browsergrad.server_kernel.sandbox import Sandbox
from tests.distributions import DISTRIBUTION, download, unpack_pyodide
from tests.wheels import make_wheel

#: `jupyter lite`, with a lock made for the test in place of that of the embedded release. What another Pyodide starts from is not made:
#: that takes minutes, and is tested with sites of its own.
LITE = """
import json, sys
from pathlib import Path
from jupyterlite_browsergrad.boot import javascript
javascript._command = lambda: None
if sys.argv[1]:
    from jupyterlite_browsergrad.site import own_pyodide
    lock = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    own_pyodide.embedded_lock = lambda folder, core: {**core, "packages": lock}
from jupyterlite_core.app import main
main(sys.argv[2:])
"""


class Site:
    """A folder to build from, and what came out."""

    def __init__(self, folder: Path, lock: dict[str, Any] | None = None):
        self.source = folder / "source"
        self.output = folder / "output"
        self.source.mkdir()
        self.lock = folder / "lock.json"
        self.lock.write_text(json.dumps(lock or {}), "utf-8")
        self.has_lock = lock is not None

    def lite(self, *arguments: str, fails: bool = False, **traits: Any) -> str:
        if traits:
            (self.source / "jupyter_lite_config.json").write_text(json.dumps({"BrowsergradAddon": traits}), "utf-8")
        environ = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTERLITE_BROWSERGRAD")}
        lock = str(self.lock) if self.has_lock else ""
        command = [sys.executable, "-c", LITE, lock, *arguments, "--lite-dir", ".", "--output-dir", str(self.output)]
        done = subprocess.run(command, cwd=self.source, env=environ, capture_output=True, text=True, check=False)
        assert bool(done.returncode) == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    @property
    def pyodide(self) -> Path:
        return self.output / "static/browsergrad/pyodide"

    def packages(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.pyodide / "pyodide-lock.json").read_text("utf-8"))["packages"]
        return found


def entry(wheel: Path, name: str, depends: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "name": name,
        "version": wheel.name.split("-")[1],
        "file_name": wheel.name,
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "depends": list(depends),
        "imports": [name],
        "install_dir": "site",
        "package_type": "package",
    }


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FileServer]:
    (tmp_path / "served").mkdir()
    with FileServer(tmp_path / "served").running() as running:
        yield running


def test_the_embedded_pyodide_gets_packages_of_its_release(tmp_path: Path, server: FileServer) -> None:
    tag = "cp314-cp314-pyemscripten_2026_0_wasm32"
    wheels = {name: make_wheel(server.folder, name, "1.0", tag) for name in ("plots", "arrays", "unused")}
    lock = {name: entry(wheel, name, ("arrays",) if name == "plots" else ()) for name, wheel in wheels.items()}
    site = Site(tmp_path, lock)
    text = site.lite("build", packages=["plots"], package_base_url=server.address)
    assert f"plots 1.0: fetched {wheels['plots'].name}" in text
    assert set(site.packages()) == {"arrays", "plots"}, "the site's lock names what the site has"
    assert sorted(server.names) == sorted(wheels[name].name for name in ("arrays", "plots"))
    assert not (site.pyodide / "release-lock.json").exists()
    site.lite("check")
    with Sandbox(pyodide=site.pyodide) as sandbox:
        (result,) = sandbox.execute("import plots, arrays\nplots.version + arrays.version").of("execute_result")
    assert result["data"]["text/plain"] == "'1.01.0'"
    asked = len(server.asked)
    site.output = tmp_path / "again"
    site.lite("build", "--browsergrad-offline")
    assert (set(site.packages()), len(server.asked)) == ({"arrays", "plots"}, asked)
    assert "no earlier build has fetched" in site.lite(
        "build", "--browsergrad-offline", fails=True, packages=["unused"]
    )


def test_pandas_and_matplotlib_come_from_the_address_of_a_real_release(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    wheels = Path(request.config.cache.mkdir("wheels"))
    download(wheels, DISTRIBUTION)
    site = Site(tmp_path)
    with FileServer(unpack_pyodide(wheels, tmp_path / "real")).running() as server:
        (pandas,) = server.folder.glob("pandas-*.whl")
        server.cut = {pandas.name: 1_000_000}
        site.lite("build", pyodide_url=server.address, packages=["pandas", "matplotlib"])
        assert [first for path, first in server.asked if path.endswith(pandas.name)] == [0, 1_000_000]
        assert not any("scipy" in name for name in server.names)
    locked = json.loads((server.folder / "pyodide-lock.json").read_text("utf-8"))["packages"]
    found = site.packages()
    assert {"numpy", "pandas", "matplotlib", "kiwisolver", "micropip"} < set(found)
    assert {name: each["sha256"] for name, each in found.items()} == {name: locked[name]["sha256"] for name in found}
    site.lite("check")
    site.output = tmp_path / "again"
    site.lite("build", "--browsergrad-offline")
    assert site.packages() == found
    names = ("pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", *(each["file_name"] for each in found.values()))
    for name in names:
        assert (site.pyodide / name).read_bytes() == (server.folder / name).read_bytes()


def test_auto_takes_what_is_imported_and_says_so(tmp_path: Path, server: FileServer) -> None:
    tag = "cp314-cp314-pyemscripten_2026_0_wasm32"
    wheels = {name: make_wheel(server.folder, name, "1.0", tag) for name in ("plots", "arrays", "unused")}
    lock = {name: entry(wheel, name, ("arrays",) if name == "plots" else ()) for name, wheel in wheels.items()}
    lock["plots"]["imports"] = ["Plots"]
    site = Site(tmp_path, lock)
    files = site.source / "files"
    (files / "lab").mkdir(parents=True)
    cells = [{"cell_type": "code", "source": "%%time\nimport near, seaborn", "metadata": {}, "outputs": []}]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (files / "lab/a.ipynb").write_text(json.dumps(notebook), "utf-8")
    (files / "lab/near.py").write_text("import json\nfrom Plots import line\n", "utf-8")
    missing = "no package of this site provides seaborn, imported in lab/a.ipynb, cell 1"

    text = site.lite("build", packages=[])
    assert 'provides Plots, imported in lab/near.py, line 2; Pyodide\'s release has it: add "plots", or "auto"' in text
    assert missing in text
    assert server.asked == [] and not site.pyodide.exists(), "nothing is fetched that was not asked for"

    text = site.lite("build", packages=["auto"], package_base_url=server.address)
    assert "auto: plots 1.0: imported in lab/near.py, line 2" in text
    assert missing in text and "provides Plots" not in text
    assert set(site.packages()) == {"arrays", "plots"}

    own = make_wheel(site.source, "seaborn", "1.0")
    text = site.lite("build", packages=["auto", own.name], package_base_url=server.address)
    assert set(site.packages()) == {"arrays", "plots", "seaborn"}
    assert missing not in text
    (files / "lab/near.py").write_text("import json\n", "utf-8")
    site.lite("build")
    assert set(site.packages()) == {"seaborn"}, "what is no longer imported goes"
    (files / "lab/late.py").write_text("import nobodys\n", "utf-8")
    assert site.lite("check").count("provides nobodys, imported in lab/late.py, line 1") == 1
