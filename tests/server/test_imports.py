"""Packages of the distribution are found wherever they are imported."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

from jupyterlite_browsergrad import paths
from jupyterlite_browsergrad.server_kernel.sandbox import Sandbox
from jupyterlite_browsergrad.site.package_index import get_wheel
from jupyterlite_browsergrad.site.packing import Packer
from jupyterlite_browsergrad.site.vendoring import Target
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


#: A package of which the site has packs.
PACKED = """
from importlib import resources
def fail():
    raise KeyError("deep inside")
def text():
    return (resources.files(__package__) / "data.txt").read_text()
"""


@pytest.fixture(scope="module")
def compiled(request: pytest.FixtureRequest) -> Path:
    """A wheel with a compiled module for the embedded Pyodide; kept between runs."""
    folder = Path(request.config.cache.mkdir("wheels"))
    target = Target.of(json.loads((paths.static() / "pyodide/pyodide-lock.json").read_text("utf-8")))
    kept = sorted(folder.glob("msgpack-*-pyemscripten_*.whl"))
    return kept[0] if kept else get_wheel("msgpack", SpecifierSet(">=1.2"), target.short, target.platforms, folder)


def add_packs(folder: Path, packages: dict[str, Any], wheels: dict[str, Path], cache: Path) -> None:
    """Add packages of which the folder has only packs: no wheel can be loaded in their place."""
    manifest = json.loads(paths.static("kernel/manifest.json").read_text("utf-8"))
    portable = paths.static("kernel", manifest["packs"]["site"]["file"])
    warnings: list[str] = []
    packer = Packer(folder, cache / "packs", cache / "pyc", portable, warnings.append)
    packs = packer.pack(wheels)
    for relative, file in packer.files(wheels).items():
        (folder / relative).parent.mkdir(exist_ok=True)
        shutil.copyfile(file, folder / relative)
    for name, wheel in wheels.items():
        packages[name] = {**read_wheel(wheel).lock_entry(["plain"] if name == "packed" else []), "packs": packs[name]}
    assert warnings == []


@pytest.fixture(scope="module")
def distribution(tmp_path_factory: pytest.TempPathFactory, compiled: Path) -> Path:
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
    elsewhere = tmp_path_factory.mktemp("wheels")
    wheel = make_wheel(elsewhere, "packed", "2.0", code=PACKED)
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("packed/data.txt", "data of the package")
        archive.writestr("packed-2.0.dist-info/entry_points.txt", "[things]\none = packed:text\n")
        archive.writestr("packed/tests/__init__.py", "")
    others = {name: make_wheel(elsewhere, name, "1.0") for name in ("further", "hurt")}
    add_packs(folder, lock["packages"], {"packed": wheel, "msgpack": compiled, **others}, elsewhere)
    hurt = folder / lock["packages"]["hurt"]["packs"]["now"]["file"]
    hurt.write_bytes(hurt.read_bytes()[:-9] + b"damaged..")
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


def test_a_package_is_loaded_from_its_packs(sandbox: Sandbox) -> None:
    assert value(sandbox, "import packed\npacked.version, packed.text()") == "('2.0', 'data of the package')"
    assert value(sandbox, "packed.__spec__.cached.endswith('.pyc'), __import__('plain').version") == ("(True, '1.0')")


def test_a_package_from_packs_has_sources_and_metadata(sandbox: Sandbox) -> None:
    failed = sandbox.execute("import packed\npacked.fail()").content
    assert 'raise KeyError("deep inside")' in re.sub(r"\x1b\[[0-9;]*m", "", "".join(failed["traceback"]))
    assert value(sandbox, "import inspect\ninspect.getsource(packed.text).splitlines()[0]") == "'def text():'"
    assert value(sandbox, "import importlib.metadata as m\nm.version('packed')") == "'2.0'"
    assert value(sandbox, "[point.load()() for point in m.entry_points(group='things')]") == "['data of the package']"
    assert value(sandbox, "import packed.tests\npacked.tests.__name__") == "'packed.tests'"


def test_a_compiled_module_from_packs_works(sandbox: Sandbox) -> None:
    code = "import msgpack, msgpack._cmsgpack\nmsgpack.unpackb(msgpack._cmsgpack.Packer().pack([1, {'a': 2.5}]))"
    assert value(sandbox, code) == "[1, {'a': 2.5}]"


def test_packs_are_loaded_in_the_middle_of_a_cell(sandbox: Sandbox) -> None:
    assert value(sandbox, "__import__('fur' + 'ther').version") == "'1.0'"


def test_a_damaged_pack_is_named(sandbox: Sandbox) -> None:
    for code in ("name = 'hu' + 'rt'\n__import__(name)", "import hurt"):
        result = sandbox.execute(code)
        said = result.content["evalue"] + result.text("stderr")
        assert result.content["ename"] == "ModuleNotFoundError" and "hurt-1.0" in said and "damaged" in said, said


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


def test_what_completion_uses_can_be_imported_before_the_first_completion() -> None:
    with Sandbox() as sandbox:
        known = "import importlib.util, sys\nimportlib.util.find_spec('jedi') is not None, 'jedi' in sys.modules"
        assert value(sandbox, known) == "(True, False)"
        assert value(sandbox, "import parso\nparso.parse('a = 1').children[0].type") == "'expr_stmt'"
        code = "import jedi, os\njedi.Script('import json; json.du').complete()[0].name, sorted(os.listdir('/'))"
        assert value(sandbox, code) == "('dump', ['dev', 'home', 'lib', 'proc', 'tmp'])"
