"""Rules of imports between modules: public modules are used, and no imports form a circle."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
#: Package -> its folder.
PACKAGES = {
    "jupyterlite_browsergrad": REPO,
    "browsergrad": REPO / "kernel_shim",
    "browsergrad_kernel": REPO / "kernel_shim",
}


def modules(package: str) -> dict[str, Path]:
    """The dotted names of a package's modules, and their files."""
    root = PACKAGES[package]
    found = {}
    for path in sorted((root / package).rglob("*.py")):
        if "labextension" not in path.parts:
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules among `known` that one module imports, also inside functions."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name in known)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            whole = ".".join([*base, *([node.module] if node.module else [])])
            for each in node.names:
                inner = f"{whole}.{each.name}"
                if inner in known:
                    yield inner
                elif whole in known:
                    yield whole


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_imports_itself_through_others(package: str) -> None:
    known = modules(package)
    # A package's own file imports the names that it offers, so it may import modules that import it.
    graph = {
        name: {each for each in imports(name, path, known) if known[each].name != "__init__.py"}
        for name, path in known.items()
        if path.name != "__init__.py"
    }
    while free := [name for name, wanted in graph.items() if not wanted & graph.keys()]:
        for name in free:
            del graph[name]
    assert graph == {}


def test_no_two_modules_of_the_package_have_one_name() -> None:
    names = Counter(path.stem for path in modules("jupyterlite_browsergrad").values() if not path.stem.startswith("__"))
    assert [name for name, count in names.items() if count > 1] == []


def test_only_browsergrad_imports_its_underscored_modules() -> None:
    private = re.compile(r"\bbrowsergrad\._(?!version\b|_)\w+|from browsergrad import (?:.*, )?_(?!_)")
    paths = [
        path
        for folder in ("jupyterlite_browsergrad", "kernel_shim/browsergrad_kernel", "bench", "scripts")
        for path in (REPO / folder).rglob("*.py")
        if "labextension" not in path.parts
    ]
    assert len(paths) > 100
    assert [str(path) for path in paths if private.search(path.read_text("utf-8"))] == []
