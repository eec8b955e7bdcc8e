"""Modules that are imported ahead are hidden until code imports them, and then nothing differs from an ordinary import."""

from __future__ import annotations

import importlib
import importlib.util
import json
import logging
import os
import sys
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from browsergrad_kernel import cell_imports, import_effects, import_records, on_demand, shelf

LIBRARIES = {
    "first/__init__.py": """
import logging, os, sys, warnings
import common
os.environ["FIRST"] = "1"
warnings.filterwarnings("ignore", message="first")
log = logging.getLogger("first.log")
from . import part
sys.modules["first.alias"] = part
try:
    import broken
except ImportError:
    pass
""",
    "first/part.py": "import common.deep\nvalue = object()",
    "second.py": "import first.part\nfrom common import deep\nvalue = first.part.value",
    "common/__init__.py": "",
    "common/deep.py": "",
    "common/other.py": "",
    "broken.py": "import left_over\n1 / 0\n".replace("1 / 0", "raise ImportError"),
    "left_over.py": "",
    "loud.py": "print('loud')",
    "bold.py": "import random\nrandom.seed(1)",
    "keeper.py": "import sys\nfile = sys.stdout",
    "wrong.py": "1 / 0",
    "moved/__init__.py": """
import sys
class Moves:
    def __init__(self, spec): self.__spec__, self.__path__ = spec, []
class Importer:
    def find_spec(self, name, path=None, target=None):
        if name == "moved.moves":
            from importlib.machinery import ModuleSpec
            return ModuleSpec(name, self)
    def create_module(self, spec): return moves
    def exec_module(self, module): pass
moves = Moves(None)
sys.meta_path.append(Importer())
""",
    "mover.py": "import moved.moves",
    "asks.py": "try:\n    import offered\nexcept ImportError:\n    pass",
}
NAMES = {name.split("/")[0].removesuffix(".py") for name in LIBRARIES}
KERNEL = SimpleNamespace(shell=None)


def forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in NAMES]:
        del sys.modules[name]
    shelf._items.clear()


@pytest.fixture(autouse=True)
def libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, text in LIBRARIES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(shelf, "_TARGETS", {name: (name,) for name in NAMES})
    monkeypatch.setattr(sys, "meta_path", [shelf.FINDER, *sys.meta_path])
    monkeypatch.setattr(warnings, "filters", list(warnings.filters))
    for module in (shelf, import_effects, import_records):  # which `fill` removes
        package, _, name = module.__name__.rpartition(".")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(sys.modules[package], name, module)
    monkeypatch.delenv("FIRST", raising=False)
    yield
    forget()
    logging.root.manager.loggerDict.pop("first.log", None)
    logging.root.manager.loggerDict.pop("first", None)
    os.environ.pop("FIRST", None)


def fill(*modules: str) -> str:
    return shelf.fill(KERNEL, json.dumps(modules))


def seen() -> dict[str, Any]:
    """What code can see, with modules as the names in them."""
    modules = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in NAMES}
    return {
        "order": list(modules),
        "names": {name: sorted(vars(module)) for name, module in modules.items()},
        "specs": {
            name: (type(module.__spec__.loader).__name__, module.__spec__.origin) for name, module in modules.items()
        },
        "FIRST": os.environ.get("FIRST"),
        "filters": [item for item in warnings.filters if item[1] is not None],
        "loggers": sorted(logging.root.manager.loggerDict),
    }


PROGRAMS = [
    ["import first", "import second"],
    ["import second"],
    ["import common", "import common.deep", "import first.part"],
    ["import left_over", "import second"],
    ["importlib.import_module('common.deep')", "from first import part"],
    ["import common.other, common.deep"],
    ["import moved", "import mover"],
]


@pytest.mark.parametrize("program", PROGRAMS, ids=", ".join)
def test_an_import_from_the_shelf_is_like_any_other(program: list[str]) -> None:
    before = seen()
    finders = list(sys.meta_path)
    looks = []
    for code in program:
        exec(code, {"importlib": importlib})
        looks.append(seen())
    forget()
    os.environ.pop("FIRST", None)
    warnings.filters[:] = [item for item in warnings.filters if item in before["filters"] or item[1] is None]  # type: ignore[index]
    logging.root.manager.loggerDict.pop("first.log", None)
    logging.root.manager.loggerDict.pop("first", None)

    sys.meta_path[:] = finders
    assert fill("first", "second", "mover") == ""
    assert seen() == before
    for code, expected in zip(program, looks, strict=True):
        exec(code, {"importlib": importlib})
        assert seen() == expected


def test_a_module_runs_once_and_keeps_its_spec() -> None:
    assert fill("first", "second") == ""
    hidden = shelf._items["first.part"].module
    spec = hidden.__spec__
    found = importlib.util.find_spec("first")
    assert found is not None and found.origin is not None and found.origin.endswith("__init__.py")
    assert "first" not in sys.modules, "a question imports nothing"
    import second

    assert sys.modules["first.part"] is hidden and hidden.__spec__ is spec
    assert second.value is hidden.value


def test_a_file_of_the_user_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fill("second") == ""
    own = tmp_path / "own"
    own.mkdir()
    (own / "second.py").write_text("mine = 1", "utf-8")
    monkeypatch.syspath_prepend(str(own))
    import second

    assert second.mine == 1 and "first" not in sys.modules


def test_a_module_may_keep_the_streams() -> None:
    assert fill("keeper") == ""
    import keeper

    assert keeper.file is sys.stdout and "write" not in vars(sys.stdout)


def test_a_users_finder_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Finder:
        def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
            asked.append(name)

    assert fill("second") == ""
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    hidden = shelf._items["second"].module
    import second

    assert second is hidden and asked.count("second") == 1


def test_a_logger_that_the_user_has_made_is_the_librarys() -> None:
    assert fill("first") == ""
    mine = logging.getLogger("first.log")
    mine.setLevel(logging.ERROR)
    import first

    first.log.addHandler(logging.NullHandler())
    assert first.log.level == logging.ERROR and len(mine.handlers) == 1


@pytest.mark.parametrize(
    ("module", "problem"),
    [("loud", "loud\n"), ("bold", "it changes random"), ("wrong", "ZeroDivisionError: division by zero")],
)
def test_what_cannot_be_hidden_is_told(module: str, problem: str) -> None:
    real = __builtins__["__import__"]  # type: ignore[index]
    assert fill(module) == problem
    assert __builtins__["__import__"] is real  # type: ignore[index]


def test_a_shelf_is_filled_once() -> None:
    assert shelf.targets('["first"]') == '["first"]'
    assert fill("first") == ""
    assert shelf.targets('["second"]') == "[]"


def test_only_listed_libraries_are_imported() -> None:
    assert shelf.targets('["first", "os", "near"]') == '["first"]'
    assert fill("near") == "" and not shelf._items


def test_everything_that_is_compared_is_there() -> None:
    assert import_effects.seen() == import_effects.seen()


def test_modules_of_a_zip_file_do_not_get_each_others_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("zipped.py", "value = 1")
        archive.writestr("other_zipped.py", "value = 2")
    monkeypatch.syspath_prepend(str(tmp_path / "all.zip"))
    monkeypatch.setattr(shelf, "_TARGETS", {"zipped": ("zipped",)})
    assert fill("zipped") == ""
    zipped, other = importlib.import_module("zipped"), importlib.import_module("other_zipped")
    del sys.modules["zipped"], sys.modules["other_zipped"]
    assert (zipped.value, other.value) == (1, 2)


def test_what_a_library_only_looks_for_is_not_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cell_imports, "_OWN", (*cell_imports._OWN, str(tmp_path)))
    asked: list[str] = []

    def package_of(module: str) -> str:
        asked.append(module)
        return module

    monkeypatch.setattr(
        on_demand, "host", SimpleNamespace(package_of=package_of, background_offers=lambda module: False)
    )
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, on_demand._finder])
    assert fill("asks") == ""
    assert asked == ["offered"]
