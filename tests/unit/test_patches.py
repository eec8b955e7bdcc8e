"""All names of other projects that we replace are listed, and still exist there."""

from __future__ import annotations

import ast
import importlib
import re
import sys
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from browsergrad_kernel.tracebacks.replacements import REPLACED

from jupyterlite_browsergrad import paths
from jupyterlite_browsergrad.boot.assets import read_pack

REPO = Path(__file__).resolve().parents[2]
SHIM = REPO / "kernel_shim/browsergrad_kernel"
PAGE = (REPO / "docs/explanation/patches.md").read_text("utf-8")
#: Heading -> the rows of its table, as cells.
SECTIONS = {
    title: [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")
    ]
    for title, text in re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
}
IMPORTED = ("Python's standard library", "IPython and what it builds on", "On servers, and in the build")
PACKED = ("micropip and piplite", "Pyodide's Python")
#: Names that not every version has, or that Python's sources do not show.
ABSENT = {
    "micropip.package_index.CompatibilityLayer",  # a name of ours that micropip does not have
    "micropip.install",  # in the package's own file, by a loop over names
    "pyodide_js._module",  # JavaScript
    "threading._start_joinable_thread",  # since Python 3.13
}


def names(title: str) -> list[str]:
    """The names in the first column of a section's table."""
    return [name for row in SECTIONS[title] for name in re.findall(r"`([^`]+)`", row[0])]


def exists(dotted: str) -> bool:
    """Whether a name can be reached by imports and attributes, or is set by a class's methods."""
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:end]))
        except ImportError:
            continue
        for at, part in enumerate(parts[end:], end):
            if not hasattr(found, part):
                source = Path(sys.modules[found.__module__].__file__ or "") if isinstance(found, type) else None
                return at == len(parts) - 1 and source is not None and f"self.{part}" in source.read_text("utf-8")
            found = getattr(found, part)
        return True
    return False


@pytest.mark.parametrize("name", [name for title in IMPORTED for name in names(title) if name not in ABSENT])
def test_a_replaced_name_exists(name: str) -> None:
    assert exists(name)


@pytest.fixture(scope="module")
def packed() -> dict[str, str]:
    """The Python files of the embedded Pyodide and of the kernel's pack, by their paths."""
    with zipfile.ZipFile(paths.static("pyodide", "python_stdlib.zip")) as archive:
        files = {
            name: archive.read(name)
            for name in archive.namelist()
            if name.startswith("pyodide/") and name.endswith(".py")
        }
    (pack,) = [path for path in paths.static("kernel").glob("site.*.pack.gz")]
    files |= {name: data for name, data in read_pack(pack).items() if name.startswith(("micropip/", "piplite/"))}
    return {name: data.decode() for name, data in files.items() if name.endswith(".py")}


@pytest.mark.parametrize("name", [name for title in PACKED for name in names(title) if name not in ABSENT])
def test_a_replaced_name_is_in_what_is_shipped(name: str, packed: dict[str, str]) -> None:
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        path = "/".join(parts[:end])
        source = packed.get(f"{path}.py") or packed.get(f"{path}/__init__.py")
        if source is not None:
            break
    else:
        pytest.fail(f"no file of {name} is shipped")
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name)
        elif isinstance(node, ast.Constant):  # in a list of names
            found.add(node.value)
        elif isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            found.add(node.id if isinstance(node, ast.Name) else node.attr)
    assert [part for part in parts[end:] if part not in found] == []


@pytest.fixture(scope="module")
def pyodide() -> str:
    """The JavaScript of the embedded Pyodide."""
    return "".join(paths.static("pyodide", name).read_text("utf-8") for name in ("pyodide.mjs", "pyodide.asm.mjs"))


@pytest.mark.parametrize("name", names("Pyodide's module"))
def test_a_name_of_pyodides_module_is_in_its_files(name: str, pyodide: str) -> None:
    assert re.search(rf"(?<![A-Za-z]){re.escape(name)}\b", pyodide)


def replacing(path: Path) -> Iterator[str]:
    """The attributes that a file sets on objects that it imports from elsewhere."""
    tree = ast.parse(path.read_text("utf-8"))
    foreign = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            foreign |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            foreign |= {alias.asname or alias.name for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            owner: ast.AST = node
            while isinstance(owner, (ast.Attribute, ast.Subscript)):
                owner = owner.value
            if isinstance(owner, ast.Name) and owner.id in foreign:
                yield ast.unparse(node)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("sys.meta_path.insert", "sys.meta_path.append"):
            yield ast.unparse(node)


def test_every_file_that_replaces_something_is_on_the_page() -> None:
    found = {path.relative_to(SHIM).as_posix(): set(replacing(path)) for path in sorted(SHIM.rglob("*.py"))}
    assert len([name for name, replaced in found.items() if replaced]) > 10
    assert {name: replaced for name, replaced in found.items() if replaced and f"`{name}`" not in PAGE} == {}


def test_every_file_on_the_page_exists() -> None:
    roots = [SHIM, REPO / "jupyterlite_browsergrad", REPO / "labextension/src"]
    named = set(re.findall(r"`([\w/]+\.(?:py|ts))`", PAGE))
    assert [
        name for name in sorted(named) if not any(path.is_file() for root in roots for path in root.rglob(name))
    ] == []


def test_every_quicker_part_of_tracebacks_is_on_the_page() -> None:
    listed = names("IPython and what it builds on")
    assert [f"{module}.{path}" for module, path, _ in REPLACED if f"{module}.{path}" not in listed] == []
    assert all(find_spec(module) for module, _, _ in REPLACED)
