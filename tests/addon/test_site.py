"""Sites that the real ``jupyter lite build`` builds, as a teacher would build them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from jupyterlite_browsergrad import paths
from tests.wheels import make_wheel

PLUGIN = "jupyterlite-browsergrad:kernel"


class Site:
    """A folder to build from, and the site that was built."""

    def __init__(self, folder: Path):
        self.source = folder / "source"
        self.output = folder / "output"
        self.source.mkdir()

    def lite(self, command: str, expect: int = 0) -> str:
        environ = {name: value for name, value in os.environ.items() if name != "JUPYTERLITE_BROWSERGRAD_PYODIDE_URL"}
        done = subprocess.run(
            [sys.executable, "-m", "jupyter", "lite", command, "--lite-dir", ".", "--output-dir", str(self.output)],
            cwd=self.source,
            env=environ,
            capture_output=True,
            text=True,
        )
        assert (done.returncode == 0) == (expect == 0), done.stdout + done.stderr
        return done.stdout + done.stderr

    def configure(self, **traits: Any) -> None:
        (self.source / "jupyter_lite_config.json").write_text(json.dumps({"BrowsergradAddon": traits}), "utf-8")

    def build(self, **traits: Any) -> Site:
        self.configure(**traits)
        self.lite("build")
        return self

    def fail(self, **traits: Any) -> str:
        self.configure(**traits)
        return self.lite("build", expect=1)

    @property
    def config(self) -> dict[str, Any]:
        return json.loads((self.output / "jupyter-lite.json").read_text("utf-8"))["jupyter-config-data"]

    @property
    def settings(self) -> dict[str, Any]:
        """The kernel's settings without the versions of files, which differ in each release."""
        settings = dict(self.config["litePluginSettings"][PLUGIN])
        settings.pop("fileVersions", None)
        return settings

    @property
    def pyodide(self) -> Path:
        return self.output / "static/browsergrad/pyodide"

    def read(self, name: str) -> dict[str, Any]:
        return json.loads((self.pyodide / name).read_text("utf-8"))

    def snapshot(self) -> dict[str, str]:
        files = [path for path in self.output.rglob("*") if path.is_file() and path.suffix != ".db"]
        return {str(path.relative_to(self.output)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def add_labextension(wheel: Path, name: str) -> Path:
    """Make a wheel that contains a prebuilt labextension, as wheels of widgets do."""
    package = {
        "name": name,
        "version": "1.0",
        "jupyterlab": {"_build": {"load": "static/entry.js", "extension": "./extension"}},
    }
    with zipfile.ZipFile(wheel, "a") as archive:
        folder = f"{wheel.name.partition('-py')[0]}.data/data/share/jupyter/labextensions/{name}"
        archive.writestr(f"{folder}/package.json", json.dumps(package))
        archive.writestr(f"{folder}/static/entry.js", "const made = 1;")
    return wheel


def make_distribution(folder: Path) -> Path:
    """Make the smallest folder that is a Pyodide distribution: two locked packages, one of which needs the other."""
    folder.mkdir(parents=True)
    for name in ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"):
        (folder / name).write_text(f"fake {name}", "utf-8")
    packages = {}
    for name, depends in (("alpha", ["beta"]), ("beta", [])):
        wheel = make_wheel(folder, name, "1.0")
        packages[name] = {
            "name": name,
            "version": "1.0",
            "file_name": wheel.name,
            "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
            "depends": depends,
            "imports": [name],
            "install_dir": "site",
            "package_type": "package",
            "unvendored_tests": False,
        }
    info = {"abi_version": "2026_0", "arch": "wasm32", "platform": "emscripten_5_0_3", "python": "3.14.2"}
    (folder / "pyodide-lock.json").write_text(json.dumps({"info": info, "packages": packages}), "utf-8")
    return folder


def test_with_no_setting_the_site_is_whole_and_names_no_other_origin(site):
    site.lite("build")
    site.lite("check")
    assert site.config["defaultKernelName"] == "browsergrad"
    assert site.settings == {"disablePyPIFallback": True, "pipliteUrls": []}
    assert not site.pyodide.exists()
    extension = site.output / "extensions/jupyterlite-browsergrad"
    assert (extension / "static/kernel/manifest.json").is_file()
    (entry,) = [entry for entry in site.config["federated_extensions"] if entry["name"] == "jupyterlite-browsergrad"]
    assert (extension / entry["load"]).is_file()


def test_a_default_kernel_chosen_by_the_author_stays(site):
    config = {"jupyter-lite-schema-version": 0, "jupyter-config-data": {"defaultKernelName": "python"}}
    (site.source / "jupyter-lite.json").write_text(json.dumps(config), "utf-8")
    assert site.build().config["defaultKernelName"] == "python"


def test_the_settings_name_versions_of_files_and_the_check_finds_others(site):
    site.build()
    assert set(site.config["litePluginSettings"][PLUGIN]["fileVersions"]) == {"runtime", "worker", "manifest", "lock"}
    worker = site.output / "extensions/jupyterlite-browsergrad/static/runtime/worker.js"
    worker.write_bytes(worker.read_bytes() + b"\n")
    assert f"{worker} is of another version than {site.output / 'jupyter-lite.json'} says" in site.lite(
        "check", expect=1
    )


def test_the_authors_other_settings_of_the_plugin_stay(site):
    config = {"litePluginSettings": {PLUGIN: {"pipliteUrls": ["./pypi/all.json"], "other": 1}}}
    (site.source / "jupyter-lite.json").write_text(
        json.dumps({"jupyter-lite-schema-version": 0, "jupyter-config-data": config}), "utf-8"
    )
    assert site.build().settings == {"disablePyPIFallback": True, "pipliteUrls": ["./pypi/all.json"], "other": 1}


def test_the_labextension_comes_along_when_installed_ones_are_ignored(site):
    # The stock kernel's addons check files that this site does not have.
    stock = [f"jupyterlite-pyodide-kernel-{name}" for name in ("lock", "piplite", "pyodide")]
    config = {"LiteBuildConfig": {"ignore_sys_prefix": True, "disable_addons": stock}}
    (site.source / "jupyter_lite_config.json").write_text(json.dumps(config), "utf-8")
    site.lite("build")
    site.lite("check")
    assert [entry["name"] for entry in site.config["federated_extensions"]] == ["jupyterlite-browsergrad"]


def test_status_says_what_a_build_would_use(site):
    site.configure(packages=["cowsay"])
    text = site.lite("status")
    assert "packages: cowsay" in text
    assert "PyPI fallback: off" in text


@pytest.mark.thinned(4)
@pytest.mark.parametrize("nested", [False, True], ids=["flat", "nested"])
@pytest.mark.parametrize("form", ["folder", ".tar.bz2", ".tar.gz", ".zip"])
def test_another_distribution_may_be_a_folder_or_an_archive(site, tmp_path, form, nested):
    outer = tmp_path / "outer"
    distribution = make_distribution(outer / "pyodide" if nested else outer)
    given = outer
    if form != "folder":
        given = site.source / f"release{form}"
        kind = {".tar.bz2": "bztar", ".tar.gz": "gztar", ".zip": "zip"}[form]
        shutil.make_archive(str(given).removesuffix(form), kind, outer)
        given = Path(given.name)
    site.build(pyodide_url=str(given))
    assert site.settings["pyodideIndexURL"] == "./static/browsergrad/pyodide/"
    assert (site.pyodide / "pyodide.asm.wasm").read_text("utf-8") == "fake pyodide.asm.wasm"
    assert site.read("pyodide-lock.json") == json.loads((distribution / "pyodide-lock.json").read_text("utf-8"))
    site.lite("check")


def test_a_distribution_in_which_nothing_can_be_made_is_published_as_it_is(site, tmp_path):
    distribution = make_distribution(tmp_path / "pyodide")
    site.configure(pyodide_url=str(distribution))
    text = site.lite("build")
    assert "Python will start slowly" in text and "File is not a zip file" in text
    assert (site.pyodide / "python_stdlib.zip").read_bytes() == (distribution / "python_stdlib.zip").read_bytes()
    assert "kernelURL" not in site.settings


def test_an_unusable_distribution_fails_the_build_and_says_why(site, tmp_path):
    assert "does not exist" in site.fail(pyodide_url="absent.tar.bz2")

    make_distribution(tmp_path / "a").joinpath("pyodide.asm.wasm").unlink()
    assert "lacks pyodide.asm.wasm" in site.fail(pyodide_url=str(tmp_path / "a"))

    make_distribution(tmp_path / "b").joinpath("pyodide.mjs").unlink()
    assert "pyodide.mjs is missing" in site.fail(pyodide_url=str(tmp_path / "b"))

    (make_distribution(tmp_path / "c") / "pyodide-lock.json").write_text("{", "utf-8")
    assert "is not JSON" in site.fail(pyodide_url=str(tmp_path / "c"))

    (site.source / "broken.tar.bz2").write_bytes(b"no archive")
    assert "cannot be unpacked" in site.fail(pyodide_url="broken.tar.bz2")

    (site.source / "release.rar").write_bytes(b"x")
    assert "is neither a folder nor one of" in site.fail(pyodide_url="release.rar")


def test_an_archive_cannot_write_outside_its_folder(site, tmp_path):
    (tmp_path / "evil").write_text("evil", "utf-8")
    with tarfile.open(site.source / "evil.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "evil", "../../../../escaped.txt")
    assert "cannot be unpacked" in site.fail(pyodide_url="evil.tar.gz")
    assert list(tmp_path.rglob("escaped.txt")) == []


def test_packages_come_from_the_distribution_first(site, tmp_path):
    distribution = make_distribution(tmp_path / "pyodide")
    make_wheel(site.source, "gamma", "2.0", requires=("alpha>=1", 'absent; sys_platform != "emscripten"'))
    site.build(pyodide_url=str(distribution), packages=["gamma-2.0-py3-none-any.whl"])
    lock = site.read("pyodide-lock.json")["packages"]
    assert (lock["gamma"]["depends"], lock["gamma"]["imports"]) == (["alpha"], ["gamma"])
    assert set(lock) == {"alpha", "beta", "gamma"}
    assert set(site.read("all.json")) == {"gamma"}
    site.lite("check")


def test_a_damaged_file_of_the_distribution_fails_the_build(site, tmp_path):
    distribution = make_distribution(tmp_path / "pyodide")
    (distribution / "beta-1.0-py3-none-any.whl").write_bytes(b"damaged")
    assert "has another sha256 than the lock says" in site.fail(pyodide_url=str(distribution), packages=["alpha"])


def test_packages_from_pypi_are_pure_or_built_for_this_pyodide(site):
    site.build(packages=["cowsay==6.1", "msgpack!=1.1.2"])
    lock = site.read("pyodide-lock.json")["packages"]
    index = site.read("all.json")
    assert set(lock) == set(index) == {"cowsay", "msgpack"}
    assert lock["msgpack"]["file_name"].endswith("-cp314-cp314-pyemscripten_2026_0_wasm32.whl")
    for name, entry in lock.items():
        digest = hashlib.sha256((site.pyodide / entry["file_name"]).read_bytes()).hexdigest()
        (file,) = index[name]["releases"][entry["version"]]
        assert digest == entry["sha256"] == file["digests"]["sha256"]
        assert (file["url"], entry["imports"]) == (f"./{entry['file_name']}", [name])
    assert site.settings == {
        "disablePyPIFallback": True,
        "pipliteUrls": ["./static/browsergrad/pyodide/all.json"],
        "pyodideIndexURL": "./static/browsergrad/pyodide/",
    }
    site.lite("check")


def test_dependencies_come_along_but_not_what_every_kernel_has(site):
    site.build(packages=["rich"])
    lock = site.read("pyodide-lock.json")["packages"]
    assert set(lock) == {"rich", "markdown-it-py", "mdurl"}
    assert lock["rich"]["depends"] == ["markdown-it-py"]
    assert "pygments" in json.loads(paths.static("kernel/manifest.json").read_text("utf-8"))["packages"]


def test_a_later_requirement_narrows_an_earlier_choice(site):
    make_wheel(site.source, "narrow", "1.0", requires=("mdurl<0.1.2",))
    site.build(packages=["mdurl", "narrow-1.0-py3-none-any.whl"])
    assert site.read("pyodide-lock.json")["packages"]["mdurl"]["version"] == "0.1.1"


def test_building_again_changes_nothing_and_dropping_a_setting_takes_its_files_away(site):
    make_wheel(site.source, "mylab", "1.0")
    before = site.build(packages=["mylab-1.0-py3-none-any.whl"]).snapshot()
    assert site.build(packages=["mylab-1.0-py3-none-any.whl"]).snapshot() == before

    make_wheel(site.source, "other", "1.0")
    site.build(packages=["other-1.0-py3-none-any.whl"])
    assert {path.name for path in site.pyodide.glob("*.whl")} == {"other-1.0-py3-none-any.whl"}
    assert set(site.read("pyodide-lock.json")["packages"]) == {"other"}

    site.build()
    assert not site.pyodide.exists()
    assert site.settings == {"disablePyPIFallback": True, "pipliteUrls": []}
    site.lite("check")


@pytest.mark.thinned(4)
@pytest.mark.parametrize(
    ("requirement", "reason"),
    [
        ("not a requirement!", "is not a requirement"),
        ("mylab @ https://example.org/mylab-1.0-py3-none-any.whl", "an address cannot be vendored"),
        ("absent-1.0-py3-none-any.whl", "does not exist"),
        ("native-1.0-cp314-cp314-manylinux_2_28_x86_64.whl", "does not run in the browser"),
        ("traitlets<1", "every kernel already has traitlets"),
        ("psutil==7.0.0", "no wheel runs in the browser"),
    ],
)
def test_a_requirement_that_cannot_be_met_fails_the_build_and_says_why(site, requirement, reason):
    make_wheel(site.source, "native", "1.0", "cp314-cp314-manylinux_2_28_x86_64")
    assert reason in site.fail(packages=[requirement])


def test_check_finds_what_went_missing_or_changed_after_the_build(site):
    make_wheel(site.source, "mylab", "1.0")
    site.build(packages=["mylab-1.0-py3-none-any.whl"])
    wheel = site.pyodide / "mylab-1.0-py3-none-any.whl"
    good = wheel.read_bytes()
    wheel.write_bytes(good + b" ")
    assert "has another sha256 than its index says" in site.lite("check", expect=1)
    wheel.unlink()
    assert "mylab-1.0-py3-none-any.whl is missing" in site.lite("check", expect=1)
    wheel.write_bytes(good)
    (pack,) = (site.output / "extensions/jupyterlite-browsergrad/static/kernel").glob("site-cp314.*.gz")
    pack.write_bytes(b"damaged")
    assert f"{pack.name} has another sha256" in site.lite("check", expect=1)


def test_check_finds_changed_files_of_pyodide(site):
    make_wheel(site.source, "mylab", "1.0")
    site.build(packages=["mylab-1.0-py3-none-any.whl"])
    embedded = site.output / "extensions/jupyterlite-browsergrad/static/pyodide"
    names = ("pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
    changed = [folder / name for folder in (embedded, site.pyodide) for name in names]
    for path in changed:
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    text = site.lite("check", expect=1)
    assert [path for path in changed if f"{path} is damaged or of another build" not in text] == []
    assert "pyodide/pyodide.mjs is damaged" not in text
    damaged = [site.pyodide / "pyodide-lock.json", embedded.parent / "kernel/manifest.json"]
    for path in damaged:
        path.write_bytes(path.read_bytes()[:-20])
    text = site.lite("check", expect=1)
    assert [path for path in damaged if f"{path} is damaged: it is not JSON" not in text] == []


def test_check_refuses_an_address_on_another_origin(site):
    config = {"litePluginSettings": {PLUGIN: {"pyodideIndexURL": "https://example.org/pyodide/"}}}
    (site.source / "jupyter-lite.json").write_text(
        json.dumps({"jupyter-lite-schema-version": 0, "jupyter-config-data": config}), "utf-8"
    )
    site.build()
    assert "is on another origin" in site.lite("check", expect=1)


def test_pages_isolate_themselves_when_asked_and_only_then(tmp_path: Path) -> None:
    site = Site(tmp_path).build(isolate_with_service_worker=True)
    worker, page = site.output / "service-worker.js", site.output / "lab/index.html"
    scripts = [site.output / "static/browsergrad" / name for name in ("isolate.js", "isolating-worker.js")]
    first = worker.read_text("utf-8"), page.read_text("utf-8")
    assert first[0].startswith('importScripts("static/browsergrad/isolating-worker.js");')
    assert '<script src="../static/browsergrad/isolate.js"></script>' in first[1]
    assert '<script src="static/browsergrad/isolate.js"></script>' in (site.output / "index.html").read_text("utf-8")
    assert all(script.is_file() for script in scripts)
    site.lite("build")
    assert (worker.read_text("utf-8"), page.read_text("utf-8")) == first, "once more changes nothing"
    site.lite("check")
    site.build()
    assert "isolating-worker" not in worker.read_text("utf-8")
    assert "isolate.js" not in page.read_text("utf-8")
    assert not any(script.exists() for script in scripts)


def test_the_service_worker_leaves_pythons_files_to_the_browser_unless_it_changes_or_keeps_them(tmp_path: Path) -> None:
    site = Site(tmp_path).build()
    worker, script = (
        site.output / name for name in ("service-worker.js", "static/browsergrad/direct-requests-worker.js")
    )
    line = 'importScripts("static/browsergrad/direct-requests-worker.js");\n'
    first = worker.read_text("utf-8")
    assert first.startswith(line)
    folders = re.findall(r"'([^']+/)'", script.read_text("utf-8"))
    assert folders and all((site.output / folder).is_dir() for folder in folders)
    site.lite("build")
    assert worker.read_text("utf-8") == first, "once more changes nothing"
    site.lite("check")
    for setting in ("isolate_with_service_worker", "offline_copy"):
        site.build(**{setting: True})
        assert line not in worker.read_text("utf-8") and not script.exists(), setting
        site.build()
        assert worker.read_text("utf-8") == first and script.is_file(), setting


def test_the_front_end_of_a_vendored_package_is_published_and_taken_back(site):
    add_labextension(make_wheel(site.source, "widgety", "1.0"), "@widgety/manager")
    site.build(packages=["widgety-1.0-py3-none-any.whl"])
    assert (site.output / "extensions/@widgety/manager/static/entry.js").read_text("utf-8") == "const made = 1;"
    assert "@widgety/manager" in {entry["name"] for entry in site.config["federated_extensions"]}
    site.lite("check")
    site.build(packages=[])
    assert not (site.output / "extensions/@widgety/manager").exists()
    assert not (site.output / "static/browsergrad/front_ends.json").exists()
