"""Packages of the distribution are found wherever they are imported."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyterlite_browsergrad import paths
from jupyterlite_browsergrad.server_kernel.sandbox import Sandbox
from jupyterlite_browsergrad.site.wheels import read_wheel
from tests.wheels import make_wheel

#: A module that looks for another package while it is imported, as pandas does for pyarrow, and that imports one when it is used.
CURIOUS = """
import importlib.util
try:
    import shy
except ImportError:
    shy = None
known = importlib.util.find_spec("shy") is not None
def use(name):
    return importlib.import_module(name).version
"""
PACKAGES = {
    **{name: "" for name in ("plain", "shy", "asked", "needed", "matplotlib", *(f"far{n}" for n in range(9)))},
    "curious": CURIOUS,
    "needy": "import needed\n",
    "broken": "1 / 0\n",
}


@pytest.fixture(scope="module")
def distribution(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The embedded Pyodide, with packages in its lock."""
    folder = tmp_path_factory.mktemp("distribution") / "pyodide"
    shutil.copytree(paths.static() / "pyodide", folder)
    lock = json.loads((folder / "pyodide-lock.json").read_text("utf-8"))
    for name, code in PACKAGES.items():
        wheel = read_wheel(make_wheel(folder, name, "1.0", code=code))
        lock["packages"][name] = wheel.lock_entry(["needed"] if name == "needy" else [])
    lost = read_wheel(make_wheel(folder, "lost", "1.0"))
    lock["packages"]["lost"] = lost.lock_entry([])
    lost.path.unlink()
    (folder / "pyodide-lock.json").write_text(json.dumps(lock), "utf-8")
    return folder


@pytest.fixture(scope="module")
def sandbox(distribution: Path, folder: Path) -> Iterator[Sandbox]:
    with Sandbox(folder, pyodide=distribution) as sandbox:
        yield sandbox


def value(sandbox: Sandbox, code: str) -> str:
    result = sandbox.execute(code)
    assert result.content["status"] == "ok", result.content
    return str(result.of("execute_result")[0]["data"]["text/plain"])


@pytest.mark.parametrize(
    ("module", "code"),
    [
        ("plain", "import MODULE\nMODULE.version"),
        ("far0", "%%time\nimport MODULE\nMODULE.version"),
        ("far1", "%%capture\nimport MODULE"),
        ("far2", "import importlib\nimportlib.import_module('MODULE').version"),
        ("far3", "import importlib\nfor name in ['MODULE']: importlib.import_module(name)"),
        ("far4", "exec('imp' + 'ort MODULE')"),
        ("far5", "import beside\nbeside.version"),
        ("far6", "%run script.py"),
        ("far7", "from functools import partial\nlist(map(partial(__import__), ['MODULE']))[0].version"),
        ("needy", "%%time\n%time import MODULE"),
    ],
)
def test_a_package_is_there_when_it_is_imported(sandbox: Sandbox, folder: Path, module: str, code: str) -> None:
    (folder / "beside.py").write_text("from deeper import version\n", "utf-8")
    (folder / "deeper.py").write_text("def version(): ...\nfrom far5 import version\n", "utf-8")
    (folder / "script.py").write_text("import far6\n", "utf-8")
    result = sandbox.execute(code.replace("MODULE", module))
    assert result.content["status"] == "ok", result.content
    assert value(sandbox, f"import sys; sys.modules['{module}'].version") == "'1.0'"


def test_a_magic_gets_the_library_it_is_made_for(sandbox: Sandbox) -> None:
    """The import of the package fails here, since this kernel has no figures. But the package is loaded."""
    sandbox.execute("%matplotlib inline")
    assert value(sandbox, "import sys; sys.modules['matplotlib'].version") == "'1.0'"


def test_what_a_library_looks_for_is_not_loaded(sandbox: Sandbox) -> None:
    assert value(sandbox, "import curious\ncurious.shy, curious.known") == "(None, False)"


def test_what_a_library_needs_when_it_is_used_is_loaded(sandbox: Sandbox) -> None:
    assert value(sandbox, "import curious\ncurious.use('asked')") == "'1.0'"


def test_asking_whether_a_module_exists_loads_nothing(sandbox: Sandbox) -> None:
    assert value(sandbox, "from importlib.util import find_spec\nfind_spec('far8').name") == "'far8'"
    assert (
        value(
            sandbox,
            "import os, far8\nlen([n for n in os.listdir(os.path.dirname(os.path.dirname(far8.__file__))) if n == 'far8'])",
        )
        == "1"
    )
    assert (
        value(sandbox, "far8.__spec__.origin == far8.__file__, far8.__spec__.loader == far8.__loader__")
        == "(True, True)"
    )


def test_the_package_of_a_module_that_fails_stays(sandbox: Sandbox) -> None:
    for _ in range(2):
        assert sandbox.execute("name = 'bro' + 'ken'\n__import__(name)").content["ename"] == "ZeroDivisionError"


def test_a_package_that_cannot_be_loaded_is_a_missing_module(sandbox: Sandbox) -> None:
    content = sandbox.execute("name = 'lo' + 'st'\n__import__(name)").content
    assert content["ename"] == "ModuleNotFoundError" and "could not be loaded" in content["evalue"], content
    assert "vendored by this site" in "".join(content["traceback"])
    assert sandbox.execute("try: import lost\nexcept ImportError: print('without')").text() == "without\n"


CALLBACK = """
import asyncio
loop = asyncio.get_running_loop()
called = loop.create_future()
loop.call_soon(lambda: called.set_result(__import__('sh' + 'y').version))
await called
"""


def test_a_callback_gets_what_it_imports(sandbox: Sandbox) -> None:
    assert value(sandbox, CALLBACK) == "'1.0'"


def test_a_module_beside_the_notebook_comes_before_a_package(distribution: Path, tmp_path: Path) -> None:
    (tmp_path / "needed.py").write_text("version = 'mine'\n", "utf-8")
    with Sandbox(tmp_path, pyodide=distribution) as other:
        assert value(other, "import needed; needed.version") == "'mine'"
