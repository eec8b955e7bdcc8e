"""Find out which modules the notebooks, modules and labs of a site import, without running them."""

from __future__ import annotations

import ast
import json
import re
import shlex
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..labs.folders import SKIPPED

__all__ = ["Imports", "Use", "files_of", "read_imports"]

#: Cell magics whose body is Python of this kernel, and line magics whose line is.
_PYTHON_MAGICS = frozenset({"capture", "prun", "time", "timeit"})
#: Modules that line magics import.
_MODULES_OF_MAGICS = {"matplotlib": ("matplotlib",), "pylab": ("numpy", "matplotlib")}
#: Functions that take a module's name.
_IMPORTERS = frozenset({"import_module", "__import__"})
#: Exceptions whose handler makes an import one that may fail.
_CAUGHT = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
#: Attributes that need a package which pandas does not depend on.
_PANDAS_NEEDS = {
    "plot": "matplotlib",
    "hist": "matplotlib",
    "boxplot": "matplotlib",
    "style": "jinja2",
    "read_html": "lxml",
}
#: Packages that share a top-level name: which module of it counts.
_SHARED = {"google": "google.protobuf"}
#: From where the line of a magic is Python: options come before.
_STATEMENT = re.compile(r"(?:^|(?<=\s))(?:import|from)\s.*", re.DOTALL)
_LARGEST_BYTES = 20_000_000


@dataclass(frozen=True)
class Use:
    """Where a module is imported: a file and a place in it, such as ``cell 3``."""

    file: str
    place: str

    def __str__(self) -> str:
        return f"{self.file}, {self.place}"


@dataclass
class Imports:
    """Top-level modules with the places that import them.

    Attributes
    ----------
    needed
        Modules without which some code does not work.
    optional
        Modules that are imported only where an error is caught.
    """

    needed: dict[str, list[Use]] = field(default_factory=dict)
    optional: dict[str, list[Use]] = field(default_factory=dict)

    def add(self, module: str, use: Use, optional: bool = False) -> None:
        uses = (self.optional if optional else self.needed).setdefault(module, [])
        if use not in uses:
            uses.append(use)

    def settled(self) -> Imports:
        """Return a sorted copy, whose optional modules are needed nowhere."""
        optional = {name: self.optional[name] for name in sorted(self.optional) if name not in self.needed}
        return Imports({name: self.needed[name] for name in sorted(self.needed)}, optional)


def files_of(contents: Iterable[Path], ignore: Iterable[str] = ()) -> dict[str, Path]:
    """Return the notebooks and modules of a site's contents, by their paths in the site.

    Parameters
    ----------
    contents
        Folders, or single files, which go to the site's root.
    ignore
        Regular expressions. A path such as ``/one/lab.ipynb`` is left out if one is found in it.
    """
    patterns = [re.compile(text) for text in ignore]
    found: dict[str, Path] = {}
    for root in contents:
        paths = sorted(root.rglob("*")) if root.is_dir() else [root]
        for path in paths:
            name = path.relative_to(root).as_posix() if root.is_dir() else path.name
            if path.suffix not in (".ipynb", ".py") or SKIPPED & set(Path(name).parts[:-1]) or not path.is_file():
                continue
            if not any(pattern.search(f"/{name}") for pattern in patterns):
                found[name] = path
    return found


def read_imports(files: dict[str, Path]) -> Imports:
    """Read what notebooks and modules import. Imports of other files of the site, and code that cannot be parsed, are left out.

    Parameters
    ----------
    files
        Path in the site -> file, from `files_of`.
    """
    local = _LocalModules(files)
    found = Imports()
    for name, path in files.items():
        reader = _Reader(found, local, name)
        for place, code in _pieces(path):
            reader.read(place, code)
    return found.settled()


class _LocalModules:
    """Knows which modules are files of the site itself."""

    def __init__(self, names: Iterable[str]) -> None:
        self._modules: set[str] = set()
        for name in names:
            path = Path(name)
            if path.suffix == ".py":
                self._modules.add(path.with_suffix("").as_posix())
                self._modules.update(parent.as_posix() for parent in path.parents)

    def add(self, path: str) -> None:
        self._modules.add(path)

    def has(self, module: str, importer: str) -> bool:
        """Tell whether a module lies in the folder of the file that imports it, or in a folder above."""
        return any((parent / module).as_posix() in self._modules for parent in Path(importer).parents)


def _pieces(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the code of a file in pieces, each with its place. The place in a module is empty."""
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            return
        text = path.read_text("utf-8")
        if path.suffix == ".py":
            yield "", text
            return
        notebook = json.loads(text)
        if not _is_python(notebook):
            return
        cells = [cell for cell in notebook["cells"] if isinstance(cell, dict)]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return  # other parts check whether the notebook is valid
    for number, cell in enumerate(cells, 1):
        source = cell.get("source", "")
        if cell.get("cell_type") == "code":
            yield f"cell {number}", "".join(map(str, source)) if isinstance(source, list) else str(source)


def _is_python(notebook: dict[str, Any]) -> bool:
    metadata = notebook.get("metadata", {})
    names = (metadata.get("kernelspec", {}).get("language"), metadata.get("language_info", {}).get("name"))
    return all(name in (None, "", "python", "ipython") for name in names)


class _Reader:
    """Collects the imports of one file."""

    def __init__(self, found: Imports, local: _LocalModules, file: str) -> None:
        self.found = found
        self.local = local
        self.file = file
        self.place = ""
        self.pandas = False

    def read(self, place: str, code: str) -> None:
        self.place = place
        if place:  # only cells may have magics; in a module, a `%` at the start of a line is an error
            code = _transformed(code)
        self._code(code)

    def _code(self, code: str, optional: bool = False) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # for invalid escapes in students' texts
                tree = ast.parse(code)
            self._visit(tree, optional)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return

    def _visit(self, node: ast.AST, optional: bool) -> None:
        if isinstance(node, ast.If) and _is_for_types(node.test):
            for other in node.orelse:
                self._visit(other, optional)
            return
        if isinstance(node, ast.Try) and _catches(node):
            must = any(_installs(handler) for handler in node.handlers)
            for one in node.body:
                self._visit(one, optional or not must)
            for part in (*node.handlers, *node.orelse, *node.finalbody):
                self._visit(part, optional)
            return
        self._names(node, optional)
        for child in ast.iter_child_nodes(node):
            self._visit(child, optional)

    def _names(self, node: ast.AST, optional: bool) -> None:
        for dotted in _imported(node):
            self._module(dotted, node, optional)
        if isinstance(node, ast.Attribute) and self.pandas and (needed := _PANDAS_NEEDS.get(node.attr)):
            self._module(needed, node, optional)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            self._magic(node.func.attr, _texts(node), node, optional)

    def _module(self, dotted: str, node: ast.AST, optional: bool) -> None:
        top = dotted.partition(".")[0]
        if not top.isidentifier() or self.local.has(top, self.file):
            return
        if top in _SHARED and not f"{dotted}.".startswith(f"{_SHARED[top]}."):
            top = ".".join(dotted.split(".")[:2])  # no known package has a longer name
        self.pandas = self.pandas or top == "pandas"
        place = self.place or f"line {getattr(node, 'lineno', 1)}"
        self.found.add(top, Use(self.file, place), optional)

    def _magic(self, function: str, words: list[str], node: ast.AST, optional: bool) -> None:
        if function == "run_cell_magic" and len(words) == 3:
            name, line, body = words
            if name in _PYTHON_MAGICS:
                self._line(line, optional)
                self._code(_transformed(body), optional)
            elif name == "writefile" and line.strip().endswith(".py"):
                self.local.add((Path(self.file).parent / line.split()[-1]).with_suffix("").as_posix())
                self._code(body, optional)
        elif function == "run_line_magic" and len(words) == 2:
            name, line = words
            if name in _PYTHON_MAGICS:
                self._line(line, optional)
            elif name == "load_ext":
                self._module(line.strip(), node, optional)
            for module in _MODULES_OF_MAGICS.get(name, ()):
                self._module(module, node, optional)

    def _line(self, line: str, optional: bool) -> None:
        if found := _STATEMENT.search(line):
            self._code(found[0], optional)


def _transformed(code: str) -> str:
    """Return the Python code that IPython makes from a cell."""
    from IPython.core.inputtransformer2 import (
        TransformerManager,
    )  # the import takes a tenth of a second, which not every command needs

    try:
        return TransformerManager().transform_cell(code)
    except (SyntaxError, ValueError, RecursionError):
        return ""


def _imported(node: ast.AST) -> Iterator[str]:
    """Yield the dotted names of the modules that a node imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
        if node.module in _SHARED:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield node.module
    elif isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in _IMPORTERS:
            yield from (text for text in _texts(node)[:1] if not text.startswith("."))


def _texts(call: ast.Call) -> list[str]:
    """Return the arguments that are string literals."""
    return [node.value for node in call.args if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _is_for_types(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", None)
    return name == "TYPE_CHECKING"


def _catches(node: ast.Try) -> bool:
    """Tell whether the error of a failing import in the block is caught."""
    for handler in node.handlers:
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        for kind in kinds:
            name = kind.attr if isinstance(kind, ast.Attribute) else getattr(kind, "id", None)
            if kind is None or name in _CAUGHT:
                return True
    return False


def _installs(handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler installs the missing module, or says that it is missing. Then the import is not optional."""
    for node in ast.walk(handler):
        if isinstance(node, ast.Raise):
            return True
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_pip(node.value):
            return True
    return False


def _is_pip(text: str) -> bool:
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    return bool(words) and (words[0] in ("pip", "pip3") or "pip install" in text)
