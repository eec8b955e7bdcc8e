"""Sites with single packages of a Pyodide release, from a server that stands for its CDN."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from file_server import FileServer
from jupyterlite_core.manager import LiteManager

from jupyterlite_browsergrad.addon import BrowsergradAddon
from jupyterlite_browsergrad.errors import VendoringError
from jupyterlite_browsergrad.server_kernel.sandbox import Sandbox
from jupyterlite_browsergrad.site import own_pyodide
from tests.wheels import DISTRIBUTION, download, make_wheel, unzip_pyodide

#: `jupyter lite`, with a lock made for the test in place of the embedded release's. The files from which another Pyodide starts are not made:
#: that takes minutes, and other tests build such sites.
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
TAG = "cp314-cp314-pyemscripten_2026_0_wasm32"

#: A build takes ten seconds, so the test with several builds only runs before a release.
all_builds = pytest.mark.skipif(not os.environ.get("ALL_STARTS"), reason="runs with ALL_STARTS=1: make test-release")


class Site:
    """A folder to build from, and the site that was built."""

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


@pytest.fixture
def lock(server: FileServer) -> dict[str, Any]:
    """The lock of a release on the server: `Plots` needs arrays, and nothing needs `unused`."""
    wheels = {name: make_wheel(server.folder, name, "1.0", TAG) for name in ("plots", "arrays", "unused")}
    lock = {name: entry(wheel, name, ("arrays",) if name == "plots" else ()) for name, wheel in wheels.items()}
    lock["plots"]["imports"] = ["plots", "Plots"]
    return lock


def add_notebook(folder: Path) -> Path:
    """Add a notebook that imports a module nobody has, and a module that imports plots. Return the folder with both."""
    (folder / "lab").mkdir(parents=True)
    cells = [{"cell_type": "code", "source": "%%time\nimport near, seaborn", "metadata": {}, "outputs": []}]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "lab/a.ipynb").write_text(json.dumps(notebook), "utf-8")
    (folder / "lab/near.py").write_text("import json\nfrom Plots import line\n", "utf-8")
    return folder


class Publisher:
    """Publish a site's own Pyodide in this process, without the rest of a build."""

    def __init__(self, folder: Path, contents: Path):
        self.folder = folder
        self.contents = contents
        self.address = ""
        (folder / "out").mkdir(parents=True)

    def addon(self, packages: list[str], **traits: Any) -> BrowsergradAddon:
        manager = LiteManager(lite_dir=self.folder, output_dir=self.folder / "out", contents=(self.contents,))
        return BrowsergradAddon(manager=manager, packages=packages, package_base_url=self.address, **traits)

    def publish(self, *packages: str, **traits: Any) -> dict[str, Any]:
        """Return the packages of the published lock."""
        own = self.addon(list(packages), **traits).own_pyodide
        own.publish()
        found: dict[str, Any] = json.loads((own.pyodide / "pyodide-lock.json").read_text("utf-8"))["packages"]
        return found

    def unmet(self, *packages: str) -> list[str]:
        return list(self.addon(list(packages)).own_pyodide.unmet_imports())


@pytest.fixture
def publisher(tmp_path: Path, server: FileServer, lock: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Publisher:
    monkeypatch.setattr(own_pyodide, "embedded_lock", lambda folder, core: {**core, "packages": lock})
    publisher = Publisher(tmp_path / "site", add_notebook(tmp_path / "files"))
    publisher.address = server.address
    return publisher


def test_listed_packages_of_the_release_are_fetched_published_and_importable(
    publisher: Publisher, server: FileServer, lock: dict[str, Any]
) -> None:
    assert set(publisher.publish("plots")) == {"arrays", "plots"}, "the site's lock names what the site has"
    assert sorted(server.names) == sorted(lock[name]["file_name"] for name in ("arrays", "plots"))
    pyodide = publisher.folder / "out/static/browsergrad/pyodide"
    assert not (pyodide / "release-lock.json").exists()
    with Sandbox(pyodide=pyodide) as sandbox:
        (result,) = sandbox.execute("import plots, arrays\nplots.version + arrays.version").of("execute_result")
    assert result["data"]["text/plain"] == "'1.01.0'"
    asked = len(server.asked)
    assert set(publisher.publish("plots", offline=True)) == {"arrays", "plots"}
    assert len(server.asked) == asked, "a build again asks for nothing"
    with pytest.raises(VendoringError, match="no earlier build has fetched"):
        publisher.publish("unused", offline=True)


def test_auto_follows_what_is_imported(publisher: Publisher, capsys: pytest.CaptureFixture[str]) -> None:
    missing = "no package of this site provides seaborn, imported in lab/a.ipynb, cell 1"
    assert not publisher.addon([]).own_pyodide.is_wanted, "nothing is fetched that was not asked for"
    plots, seaborn = publisher.unmet()
    assert 'provides Plots, imported in lab/near.py, line 2; Pyodide\'s release has it: add "plots", or "auto"' in plots
    assert seaborn.startswith(missing)

    assert publisher.addon(["auto"]).own_pyodide.is_wanted
    assert set(publisher.publish("auto")) == {"arrays", "plots"}
    assert "auto: plots 1.0: imported in lab/near.py, line 2" in capsys.readouterr().out
    assert [line.partition(";")[0] for line in publisher.unmet("auto")] == [missing]

    own = make_wheel(publisher.folder, "seaborn", "1.0").name
    assert set(publisher.publish("auto", own)) == {"arrays", "plots", "seaborn"}
    assert publisher.unmet("auto", own) == []

    before = publisher.addon(["auto", own]).own_pyodide.inputs()
    (publisher.contents / "lab/near.py").write_text("import json\n", "utf-8")
    assert publisher.addon(["auto", own]).own_pyodide.inputs() != before
    assert set(publisher.publish("auto", own)) == {"seaborn"}, "what is no longer imported goes"


def test_a_build_with_auto_says_what_it_chose_and_what_is_missing(
    tmp_path: Path, server: FileServer, lock: dict[str, Any]
) -> None:
    site = Site(tmp_path, lock)
    add_notebook(site.source / "files")
    text = site.lite("build", packages=["auto"], package_base_url=server.address)
    assert "auto: plots 1.0: imported in lab/near.py, line 2" in text
    assert text.count("no package of this site provides seaborn, imported in lab/a.ipynb, cell 1") == 1
    assert f"plots 1.0: fetched {lock['plots']['file_name']}" in text
    assert set(site.packages()) == {"arrays", "plots"}


@all_builds
def test_the_embedded_pyodide_gets_packages_of_its_release(
    tmp_path: Path, server: FileServer, lock: dict[str, Any]
) -> None:
    site = Site(tmp_path, lock)
    text = site.lite("build", packages=["plots"], package_base_url=server.address)
    assert f"plots 1.0: fetched {lock['plots']['file_name']}" in text
    assert set(site.packages()) == {"arrays", "plots"}, "the site's lock names what the site has"
    assert sorted(server.names) == sorted(lock[name]["file_name"] for name in ("arrays", "plots"))
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


@all_builds
def test_pandas_and_matplotlib_come_from_the_address_of_a_real_release(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    wheels = Path(request.config.cache.mkdir("wheels"))
    download(wheels, DISTRIBUTION)
    site = Site(tmp_path)
    real = unzip_pyodide(wheels, tmp_path / "real")
    with FileServer(real).running() as server, FileServer(real).running() as mirror:
        (pandas,) = server.folder.glob("pandas-*.whl")
        wanted: dict[str, Any] = {"pyodide_url": server.address, "packages": ["pandas", "matplotlib"]}
        (numpy,) = (path.name for path in server.folder.glob("numpy-*.whl"))
        server.moved = {numpy: f"{mirror.address}{numpy}"}
        server.replies = {pandas.name: 404}
        refused = f"pandas 2.2.3: {server.address}{pandas.name}"
        text = site.lite("build", fails=True, **wanted)
        assert f"{refused} cannot be fetched: the server answered 404" in text
        assert f"{server.address}{numpy} leads to {mirror.address}{numpy}" in text
        server.replies = {}
        good = pandas.read_bytes()
        pandas.write_bytes(good[:5_000] + bytes([good[5_000] ^ 1]) + good[5_001:])
        assert re.search(r"pandas 2\.2\.3: .*: what came has the sha256", site.lite("build", fails=True, **wanted))
        pandas.write_bytes(good)
        server.cut = {pandas.name: 1_000_000}
        server.asked.clear()
        site.lite("build", **wanted)
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


@all_builds
def test_auto_takes_what_is_imported_and_says_so(tmp_path: Path, server: FileServer, lock: dict[str, Any]) -> None:
    site = Site(tmp_path, lock)
    files = add_notebook(site.source / "files")
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
