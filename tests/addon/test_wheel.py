"""The wheel in ``dist/``, made by ``make build``, contains each file once and misses none."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from jupyterlite_browsergrad import __version__

REPO = Path(__file__).resolve().parents[2]
SHARED = f"jupyterlite_browsergrad-{__version__}.data/data/share/jupyter/labextensions/jupyterlite-browsergrad"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    built = list((REPO / "dist").glob(f"jupyterlite_browsergrad-{__version__}-*.whl"))
    if built:
        return built[0]
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", str(folder), str(REPO)], check=True
    )
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def names(wheel) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_it_is_for_every_platform(wheel):
    assert wheel.name == f"jupyterlite_browsergrad-{__version__}-py3-none-any.whl"


def test_it_holds_the_labextension_once_and_whole(wheel, names):
    with zipfile.ZipFile(wheel) as archive:
        manifest = json.loads(archive.read(f"{SHARED}/static/kernel/manifest.json"))
        package = json.loads(archive.read(f"{SHARED}/package.json"))
    expected = {
        f"{SHARED}/install.json",
        f"{SHARED}/{package['jupyterlab']['_build']['load']}",
        *(f"{SHARED}/static/runtime/{name}" for name in ("index.js", "worker.js")),
        *(f"{SHARED}/static/pyodide/{name}" for name in ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm")),
        *(f"{SHARED}/static/pyodide/{name}" for name in ("python_stdlib.zip", "pyodide-lock.json")),
        *(f"{SHARED}/static/kernel/{entry['file']}" for entry in manifest["packs"].values()),
    }
    assert expected - set(names) == set()
    assert [name for name in names if name.endswith("pyodide.asm.wasm")] == [
        f"{SHARED}/static/pyodide/pyodide.asm.wasm"
    ]
    assert [name for name in names if name.startswith("jupyterlite_browsergrad/labextension")] == []


def test_it_holds_both_packages_with_their_types_and_the_licence(names):
    assert {"jupyterlite_browsergrad/py.typed", "browsergrad/py.typed", "browsergrad/__init__.py"} <= set(names)
    assert f"jupyterlite_browsergrad-{__version__}.dist-info/licenses/LICENSE" in names
    assert [name for name in names if name.startswith(("browsergrad_kernel", "tests", "scripts", "labextension"))] == []


def test_it_installs_with_no_node_and_is_found(wheel, tmp_path):
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    # The dependencies are those of this environment, since only the wheel is tested.
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps", "--no-index", str(wheel)],
        check=True,
        env={"PATH": str(environment / "bin")},
    )
    program = (
        "import sys; sys.path.append(sys.argv[1])\n"
        "from jupyterlite_browsergrad import paths\n"
        "import browsergrad\n"
        "print(paths.static('kernel/manifest.json'))\n"
    )
    import jupyter_core

    lent = Path(jupyter_core.__file__).parents[1]
    done = subprocess.run([str(python), "-I", "-c", program, str(lent)], check=True, capture_output=True, text=True)
    found = Path(done.stdout.strip())
    assert found.is_relative_to(environment.resolve())
    assert found.is_file()
