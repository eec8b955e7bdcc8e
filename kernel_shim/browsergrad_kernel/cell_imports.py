"""Finds the modules that a cell will import, from its text, before it runs.

Their packages are loaded before the cell starts, so the cell does not have to wait for them. `on_demand` handles imports that the text
does not show.
"""

from __future__ import annotations

import ast
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

#: Magics whose line and body are Python code that runs in this kernel.
_PYTHON_MAGICS = frozenset({"capture", "prun", "time", "timeit"})
#: Modules that line magics import.
_MODULES_OF_MAGICS = {"matplotlib": ("matplotlib",), "pylab": ("numpy", "matplotlib")}
#: Functions that take a module's name.
_IMPORTERS = frozenset({"import_module", "__import__"})
#: A text without these words imports nothing.
_SIGNS = re.compile("import|_magic")
#: The part of a magic's line that is Python, after the options.
_STATEMENT = re.compile(r"(?:^|(?<=\s))(?:import|from)\s.*", re.DOTALL)
#: Greatest number of files that are read for one cell.
MAX_FILES = 50

Transform = Callable[[str], str]


class _Reader:
    """Collects the names of imported modules. Also reads modules beside the notebook that the cell imports."""

    def __init__(self, transform: Transform) -> None:
        self.transform = transform
        #: Modules for which there is no file yet. A dict, to keep the order.
        self.missing: dict[str, None] = {}
        self._seen: set[str] = set()
        self._files: set[str] = set()

    def read(self, code: str) -> None:
        """Collect the imports of Python code. Code that cannot be parsed is ignored."""
        try:
            tree = ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return
        for node in ast.walk(tree):
            for name in _imported(node):
                self._module(name)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                self._magic(node.func.attr, _texts(node))

    def _magic(self, function: str, words: list[str]) -> None:
        if function == "run_cell_magic" and len(words) == 3 and words[0] in _PYTHON_MAGICS:
            self._line(words[1])
            self.read(self.transform(words[2]))
        elif function == "run_line_magic" and len(words) == 2:
            name, line = words
            if name in _PYTHON_MAGICS:
                self._line(line)
            elif name == "load_ext":
                self._module(line.strip().partition(".")[0])
            elif name == "run":
                self._run(line)
            for module in _MODULES_OF_MAGICS.get(name, ()):
                self._module(module)

    def _line(self, line: str) -> None:
        if found := _STATEMENT.search(line):
            self.read(found[0])

    def _run(self, line: str) -> None:
        """Read the file of ``%run FILE``; options come before it."""
        try:
            words = [word for word in shlex.split(line) if not word.startswith("-")]
        except ValueError:
            return
        if words:
            self._file(words[0] if words[0].endswith(".py") else f"{words[0]}.py")

    def _module(self, name: str) -> None:
        if not name or name in self._seen or name in sys.modules:
            return
        self._seen.add(name)
        spec = _find(name)
        if spec is None:
            self.missing[name] = None
        elif is_users(spec.origin or "") and str(spec.origin).endswith(".py"):
            self._file(str(spec.origin))

    def _file(self, path: str) -> None:
        if path in self._files or len(self._files) >= MAX_FILES:
            return
        self._files.add(path)
        try:
            text = Path(path).read_text("utf-8")
        except (OSError, ValueError):
            return  # the import or `%run` says what is wrong with the file
        if _SIGNS.search(text):
            self.read(text)


def _texts(call: ast.Call) -> list[str]:
    """The positional arguments that are string literals."""
    return [node.value for node in call.args if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _imported(node: ast.AST) -> Iterator[str]:
    """Top-level modules that a node imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
        yield node.module.partition(".")[0]
    elif isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in _IMPORTERS:
            yield from (text.partition(".")[0] for text in _texts(node)[:1] if not text.startswith("."))


def _find(name: str) -> ModuleSpec | None:
    try:
        return PathFinder.find_spec(name)
    except (ImportError, ValueError, TypeError):  # something unusual on sys.path
        return None


#: Where Python's and the kernel's own files are.
_OWN = tuple({str(Path(__file__).parents[1]), str(Path(ast.__file__).parent), str(Path(sys.prefix, "lib"))})


def is_users(path: str) -> bool:
    """Whether a file belongs to the user: neither to Python nor to an installed package.

    `path` may also be the ``co_filename`` of code that has no file.
    """
    return bool(path) and not path.startswith((*_OWN, "<frozen "))


def missing(transformed: str, transform: Transform) -> list[str]:
    """Top-level modules that a cell imports and for which there is no file.

    Parameters
    ----------
    transformed
        The cell after IPython's transformation.
    transform
        IPython's transformation, for the bodies of cell magics.
    """
    if not _SIGNS.search(transformed):
        return []
    reader = _Reader(transform)
    reader.read(transformed)
    return list(reader.missing)
