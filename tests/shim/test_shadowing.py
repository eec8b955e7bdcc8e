"""Files beside the notebook that have the names of Python's modules."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from browsergrad_kernel import shadowing

from .conftest import Client


@pytest.fixture(autouse=True)
def unloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The state of a kernel that has just started: the names are not imported, and no file has taken one."""
    for name in [
        name
        for name in sys.modules
        if name.partition(".")[0] in ("colorsys", "sndhdr", "chunk", "uses_colours", "helper")
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(shadowing, "_taken", {})
    library = tmp_path / "library"
    library.mkdir()
    (library / "uses_colours.py").write_text(
        "import colorsys\ncolorsys.rgb_to_hsv\ndef later():\n    import colorsys\n    return colorsys.rgb_to_hsv\n"
        "def other():\n    import helper\n    return helper.mine\n"
    )
    monkeypatch.syspath_prepend(str(library))
    monkeypatch.setattr(shadowing, "_roots", (*shadowing._roots, str(library)))


def write(name: str, text: str = "mine = 1\n") -> None:
    Path(name).write_text(text)


def start(client: Client) -> None:
    """Count a folder as one of Python's own folders."""
    shadowing._roots = (*shadowing._roots, str(Path("library").resolve()))


def test_the_users_own_import_finds_the_file(client: Client) -> None:
    write("colorsys.py")
    assert client.run("import colorsys\ncolorsys.mine").result == "1"


def test_libraries_find_pythons_module(client: Client) -> None:
    start(client)
    write("colorsys.py")
    assert client.run("import uses_colours\nuses_colours.later().__name__").result == "'rgb_to_hsv'"


def test_libraries_find_the_users_modules_that_python_has_not(client: Client) -> None:
    start(client)
    write("helper.py")
    assert client.run("import uses_colours\nuses_colours.other()").result == "1"


def test_a_library_is_told_of_a_module_that_is_missing_here(client: Client) -> None:
    start(client)
    write("msilib.py")  # a module that Python has only on Windows
    write("library/asks.py", "import msilib\n")
    sys.modules.pop("msilib", None)
    assert client.run("import asks").reply["ename"] == "ModuleNotFoundError"
    assert client.run("import msilib\nmsilib.mine").result == "1"


def test_while_the_kernel_works_names_mean_pythons_modules(client: Client) -> None:
    write("colorsys.py")
    client.run("import colorsys")
    theirs = sys.modules["colorsys"]
    with shadowing.hidden():
        import colorsys

        assert hasattr(colorsys, "rgb_to_hsv")
        with shadowing.hidden():
            assert sys.modules["colorsys"] is colorsys
    assert sys.modules["colorsys"] is theirs
    with shadowing.hidden():
        assert sys.modules["colorsys"] is colorsys


@pytest.mark.parametrize(
    ("files", "code", "phrases"),
    [
        (
            ["colorsys.py"],
            "import colorsys\ncolorsys.rgb_to_hsv",
            ["/colorsys.py", "hides Python's own module", "my_colorsys.py"],
        ),
        (["colorsys.py"], "from colorsys import rgb_to_hsv", ["/colorsys.py", "hides Python's own module"]),
        (["random.py"], "import random\nrandom.mine", ["/random.py", "random is Python's own module here"]),
        (["random.py"], "from random import mine", ["/random.py", "random is Python's own module here"]),
        (["json.py"], "import json\njson.read('x')", ["/json.py"]),
        (["helper.py"], "import helper.part", ["/helper.py", "is what helper means here"]),
        (["sklearn.py"], "import sklearn.svm", ["/sklearn.py", "hides the package sklearn"]),
    ],
)
def test_an_error_that_comes_of_it_names_the_file(
    client: Client, files: list[str], code: str, phrases: list[str]
) -> None:
    for name in files:
        write(name)
    shown = "\n".join(client.run(code).reply["traceback"])
    assert all(phrase in shown for phrase in phrases), shown
    assert shown.count("rename the file") == 1


@pytest.mark.parametrize(
    "code",
    ["import random\nrandom.nothing", "from json import nothing", "import helper\nhelper.nothing", "(1).nothing"],
)
def test_other_errors_get_no_such_note(client: Client, code: str) -> None:
    write("helper.py")
    assert "rename" not in "\n".join(client.run(code).reply["traceback"])


def test_breakpoint_and_prun_use_pythons_modules(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pdb", "cProfile"):
        monkeypatch.delitem(sys.modules, name, raising=False)
        write(f"{name}.py")
    assert client.run("breakpoint()").reply["ename"] == "StdinNotImplementedError"
    assert client.run("%prun -q 1").reply["status"] == "ok"
