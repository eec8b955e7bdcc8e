"""%pip, packages that imports name, and stand-ins for modules that a browser does not have."""

from __future__ import annotations

import sys
import types
from importlib.metadata import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from browsergrad_kernel import cell_imports, notebooks, packages, stand_ins

from .conftest import Client


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Piplite's real command line, with a micropip that only records its calls."""
    (wheel,) = [
        path
        for path in files("jupyterlite-pyodide-kernel") or ()
        if path.name.startswith("piplite-") and path.suffix == ".whl"
    ]
    monkeypatch.syspath_prepend(str(Path(str(wheel.locate())).resolve()))
    for name in [name for name in sys.modules if name.partition(".")[0] in ("piplite", "micropip")]:
        monkeypatch.delitem(sys.modules, name)
    calls: list[dict[str, Any]] = []

    async def install(**options: Any) -> None:
        calls.append({key: value for key, value in options.items() if value})
        if "unheard-of" in options["requirements"]:
            raise ValueError("Can't find it")

    class WheelInfo:
        async def install(self) -> None: ...

    async def query_package() -> None: ...

    fakes = {
        "micropip": {"install": install, "__path__": []},
        "micropip.wheelinfo": {"WheelInfo": WheelInfo},
        "micropip.package_index": {"CompatibilityLayer": object, "ProjectInfo": object, "query_package": query_package},
    }
    for name, attributes in fakes.items():
        module = types.ModuleType(name)
        module.__dict__.update(attributes)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(sys.modules["micropip"], "package_index", sys.modules["micropip.package_index"], raising=False)
    return calls


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("%pip install one two", {"requirements": ["one", "two"], "deps": True, "reinstall": True}),
        ("if True:\n    %pip install -q one", {"requirements": ["one"], "deps": True, "reinstall": True}),
        ("!pip install one", {"requirements": ["one"], "deps": True, "reinstall": True}),
        ("name = 'one'\n%pip install {name}", {"requirements": ["one"], "deps": True, "reinstall": True}),
        ("%pip install --no-deps --pre 'one>=1'", {"requirements": ["one>=1"], "pre": True, "reinstall": True}),
        (
            "from pathlib import Path\nPath('r.txt').write_text('one')\n%pip install -r r.txt",
            {"requirements": ["one"], "deps": True, "reinstall": True},
        ),
    ],
)
def test_pip_installs_through_piplite(
    client: Client, installs: list[dict[str, Any]], code: str, wanted: dict[str, Any]
) -> None:
    assert client.run(code).reply["status"] == "ok"
    assert installs == [wanted]


def test_a_percent_pip_inside_a_string_stays_text(client: Client, installs: list[dict[str, Any]]) -> None:
    assert client.run("'''\n%pip install one\n'''").result == "'\\n%pip install one\\n'"
    assert installs == []


def test_piplite_is_told_where_the_site_keeps_its_packages(client: Client, installs: list[dict[str, Any]]) -> None:
    packages.configure(["./all.json"], True)
    client.run("%pip install one")
    settings = sys.modules["piplite.piplite"]
    assert (settings._PIPLITE_URLS, settings._PIPLITE_DISABLE_PYPI) == (["./all.json"], True)


def test_a_failed_install_tells_the_author_what_to_do_where_pypi_is_off(
    client: Client, installs: list[dict[str, Any]]
) -> None:
    packages.configure([], True)
    reply = client.run("%pip install unheard-of").reply
    assert (reply["ename"], reply["evalue"]) == ("ValueError", "Can't find it")
    assert "BrowsergradAddon.packages = ['unheard-of']" in "".join(reply["traceback"])


@pytest.mark.parametrize("line", ["%pip install", "%pip download x", "%pip install --no-such-flag x"])
def test_a_wrong_pip_line_is_a_usage_error(client: Client, installs: list[dict[str, Any]], line: str) -> None:
    assert client.run(line).reply["ename"] == "UsageError"


def test_pip_lists_what_is_there(client: Client) -> None:
    assert "ipython==" in client.run("%pip freeze").text()


def test_a_typed_pip_line_stays_as_typed_in_history(client: Client, installs: list[dict[str, Any]]) -> None:
    client.run("%pip install one")
    content = {"hist_access_type": "tail", "raw": True, "output": False}
    (entry,) = client.send("history_request", content).reply["history"]
    assert entry[2] == "%pip install one"


def test_imports_are_loaded_before_the_cell_runs(client: Client) -> None:
    packages.configure([], True, ["just-loaded"])
    client.host.load = lambda code: Path("just_loaded.py").write_text("x = 1", "utf-8") and None
    assert client.run("import just_loaded\njust_loaded.x").result == "1"
    assert client.host.imports == ["import just_loaded"]


@pytest.mark.parametrize("code", ["1 + 1", "import json", "'import nothing'", "import ("])
def test_a_cell_without_imports_asks_for_none(client: Client, code: str) -> None:
    packages.configure([], True, ["just-loaded"])
    client.run(code)
    assert client.host.imports == []


def test_a_failing_load_is_told_and_the_cell_still_runs(client: Client) -> None:
    def fail(code: str) -> None:
        raise OSError("404")

    client.host.load = fail
    packages.configure([], True, ["nowhere"])
    answer = client.run("def f(): import nowhere\n'ran'")
    assert (answer.result, "404" in answer.text("stderr")) == ("'ran'", True)


FILES = {
    "beside.py": "def f():\n    import one\nimport round_about\n",
    "round_about.py": "import beside, two\n",
    "folder/__init__.py": "import three\nfrom . import part\n",
    "script.py": "import one\n",
    "wrong.py": "import one (",
    "latin.py": "import one # \xe9",
}


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import one, two.part as t\nfrom three.part import *\nfrom . import four", ["one", "two", "three"]),
        ("def f():\n    try: import one\n    except ImportError: pass", ["one"]),
        ("import json, sys", []),
        ("%%time\nimport one", ["one"]),
        ("%%capture said\n%%time\nif True:\n    %time import one", ["one"]),
        ("%%timeit -n 1 import one\nimport two", ["one", "two"]),
        ("%timeit -n 1 from one import two", ["one"]),
        ("%%html\nimport one", []),
        ("%matplotlib inline", ["matplotlib"]),
        ("%pylab", ["numpy", "matplotlib"]),
        ("%load_ext one.two", ["one"]),
        ("import importlib\nimportlib.import_module('one.two')\n__import__('two')", ["one", "two"]),
        ("import importlib\nimportlib.import_module('.one', 'two')", []),
        ("import beside", ["one", "two"]),
        ("import folder", ["three"]),
        ("%run script.py --flag", ["one"]),
        ("%run -i script", ["one"]),
        ("def f():\n    %run script", ["one"]),
        ("import wrong, latin", []),
        ("%%time\nimport (", []),
    ],
)
def test_the_text_tells_what_is_imported(client: Client, code: str, names: list[str]) -> None:
    for name, text in FILES.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(text.encode("latin-1"))
    shell = client.kernel.shell
    found = cell_imports.missing(notebooks.await_run(shell.transform_cell(code)), shell.transform_cell)
    assert sorted(found) == sorted(set(names) - {name for name in names if find_spec(name)})


@pytest.mark.parametrize(
    ("disable_pypi", "vendored", "phrases"),
    [
        (False, [], ["%pip install nowhere", "BrowsergradAddon.packages = ['nowhere']"]),
        (True, [], ["BrowsergradAddon.packages = ['nowhere']"]),
        (True, ["nowhere"], ["vendored by this site"]),
    ],
)
def test_the_note_on_a_missing_module_fits_the_site(
    disable_pypi: bool, vendored: list[str], phrases: list[str]
) -> None:
    packages.configure([], disable_pypi, vendored)
    error = ModuleNotFoundError("no", name="nowhere.part")
    packages.explain_missing(error)
    packages.explain_missing(error)
    (note,) = error.__notes__
    assert all(phrase in note for phrase in phrases)
    assert ("%pip" in note) == (not disable_pypi)


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("sklearn.svm", "scikit-learn"),
        ("PIL", "pillow"),
        ("skimage", "scikit-image"),
        ("Crypto", "pycryptodome"),
        ("docx", "python-docx"),
    ],
)
def test_a_missing_module_is_told_with_the_name_of_its_package(
    monkeypatch: pytest.MonkeyPatch, module: str, package: str
) -> None:
    monkeypatch.setattr(packages, "_exists", lambda name: False)
    packages.configure([], True)
    error = ModuleNotFoundError("no", name=module)
    packages.explain_missing(error)
    assert f"BrowsergradAddon.packages = ['{package}']" in error.__notes__[0]


def test_the_own_error_of_a_library_for_a_missing_module_gets_the_note_too() -> None:
    packages.configure([], True)
    error = ImportError("Missing optional dependency 'Nowhere'. Use pip or conda to install it.")
    error.__context__ = ModuleNotFoundError("no", name="nowhere")
    packages.explain_missing(error)
    assert "BrowsergradAddon.packages = ['nowhere']" in error.__notes__[0]


@pytest.mark.parametrize("name", ["json.nothing", "ssl", None])
def test_modules_that_are_no_packages_of_the_site_get_no_note(name: str | None) -> None:
    error = ModuleNotFoundError("no", name=name)
    packages.explain_missing(error)
    assert not hasattr(error, "__notes__")


def test_stand_ins_are_found_only_after_real_modules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(stand_ins, "_SUBSTITUTES", {"absent_here", "present_here"})
    monkeypatch.setattr(stand_ins, "_FOLDER", str(tmp_path / "substitutes"))
    (tmp_path / "substitutes").mkdir()
    (tmp_path / "substitutes/absent_here.py").write_text("x = 1", "utf-8")
    (tmp_path / "substitutes/present_here.py").write_text("x = 'stand-in'", "utf-8")
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    (tmp_path / "present_here.py").write_text("x = 'real'", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    stand_ins.install()
    stand_ins.install()
    assert sum(isinstance(finder, stand_ins._Finder) for finder in sys.meta_path) == 1
    import absent_here  # type: ignore[import-not-found]  # made by the finder
    import present_here  # type: ignore[import-not-found]  # written above

    assert (absent_here.x, present_here.x) == (1, "real")
    assert find_spec("no_stand_in_for_this") is None
