"""Files beside the notebook that have the name of one of Python's modules: ``random.py``, ``code.py``, ``queue.py``.

A student's own import finds such a file first, as everywhere in Python. The kernel and its libraries must always import
Python's own module, whatever files are in the folder. Four measures ensure that:

- `_Finder`: imports by library code find the library's module, if there is one.
- Before a file takes the name of one of Python's modules, the kernel imports what it may need later (`_LATER`), so that these
  modules refer to the real one.
- `hidden` removes such files from ``sys.modules`` while the kernel's own code runs.
- `explain` names the file in errors that it causes.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import FrameType, ModuleType
from typing import Any

from . import interrupts

#: Modules that always come from the library. The kernel imports them in the user's frame (``breakpoint``) or, at each call, in functions
#: (``%prun``).
_RESERVED = frozenset({"pdb", "cProfile", "pstats", "profile", "jedi", "parso", "micropip", "piplite"})
#: Modules that the kernel imports only when they are needed.
_LATER = ("pdb", "cProfile", "IPython.core.debugger", "browsergrad_kernel.pip")
#: Modules whose frames import on behalf of their callers.
_IMPORTERS = frozenset(
    {
        "_frozen_importlib",
        "_frozen_importlib_external",
        "browsergrad_kernel.amended",
        "browsergrad_kernel.shelf",
        "importlib",
        "importlib._bootstrap",
        "importlib._bootstrap_external",
    }
)

#: Folders of Python and its packages: those on the path when the kernel started.
_roots: tuple[str, ...] = ()
#: Names of Python's modules that a user's file has taken -> the real modules that had been imported.
_taken: dict[str, dict[str, ModuleType]] = {}
#: The user's modules that `hidden` has removed; None outside its block.
_hidden: dict[str, ModuleType] | None = None
#: Packages that a student probably means, even if the site does not have them.
_POPULAR = frozenset(
    """IPython PIL altair bokeh cv2 flask jax keras matplotlib networkx nltk numpy pandas plotly pygame pytest
    requests scipy seaborn sklearn statsmodels sympy tensorflow torch""".split()  # noqa: SIM905 - one name a line would hide the rest
)


class _Finder(MetaPathFinder):
    """Finds modules before the finder for files does."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if path is not None or "." in fullname:
            return None
        if fullname in _RESERVED or _is_library(_importing_file()):
            return find_in_library(fullname) or _find_elsewhere(self, fullname)
        spec = PathFinder.find_spec(fullname)
        if spec is not None and not _is_library(spec.origin) and spec.origin and _is_of_library(fullname):
            with interrupts.uninterruptible():
                _make_room()
            _taken.setdefault(fullname, {})
        return spec


def install() -> None:
    """Install the finder before the one for files. The folders that are on the path now count as Python's."""
    global _roots
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    _roots = tuple(entry.rstrip(os.sep) for entry in sys.path if entry)
    at = sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else len(sys.meta_path)
    sys.meta_path.insert(at, _Finder())


def find_in_library(name: str) -> ModuleSpec | None:
    """The spec of a module of Python or its packages. Files beside the notebook are ignored."""
    return PathFinder.find_spec(name, [entry for entry in sys.path if _is_library(entry)] if _roots else None)


def _find_elsewhere(ours: MetaPathFinder, name: str) -> ModuleSpec | None:
    """Ask the finders after the one for files, before a user's file can be found. None allows the user's file.

    Raises
    ------
    ModuleNotFoundError
        Python has such a module, but not in WebAssembly (``readline``, for instance), or only the library's may be used.
    """
    if PathFinder.find_spec(name) is None:
        return None
    for finder in sys.meta_path[sys.meta_path.index(ours) + 1 :]:
        if finder is not PathFinder and (spec := finder.find_spec(name, None)) is not None:
            return spec
    if name in sys.stdlib_module_names or name in _RESERVED:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return None


def _is_library(place: str | None) -> bool:
    return place is not None and any(place == root or place.startswith(root + os.sep) for root in _roots)


def _is_of_library(name: str) -> bool:
    return name in sys.stdlib_module_names or find_in_library(name) is not None


def _importing_file() -> str | None:
    """File of the module that imports; None if a cell imports."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__") in _IMPORTERS:
        frame = frame.f_back
    file = frame.f_globals.get("__file__") if frame is not None else None
    return file if isinstance(file, str) else None


def _make_room() -> None:
    """Import what the kernel may need later, then free the names that the user's files have."""
    known = set(sys.modules)
    for module in _LATER:
        with contextlib.suppress(Exception):  # the error is shown when the module is used
            importlib.import_module(module)
    for name in {item.partition(".")[0] for item in sys.modules if item not in known}:
        if name not in known and name not in _RESERVED and _file_of_user(name):
            _taken[name] = {item: sys.modules.pop(item) for item in _with_parts(name)}


def _with_parts(name: str) -> list[str]:
    """`name` and those of its submodules that have been imported."""
    return [item for item in list(sys.modules) if item == name or item.startswith(name + ".")]


@contextlib.contextmanager
def hidden() -> Iterator[None]:
    """Let imports in this block find Python's own modules, even if the user's files have taken their names."""
    global _hidden
    if not _taken or _hidden is not None:
        yield
        return
    theirs: dict[str, ModuleType] = {}
    _hidden = theirs
    for name, real in _taken.items():
        theirs.update((item, sys.modules.pop(item)) for item in _with_parts(name))
        sys.modules.update(real)
    try:
        yield
    finally:
        _hidden = None
        for name, real in _taken.items():
            real.update((item, sys.modules.pop(item)) for item in _with_parts(name))
        sys.modules.update(theirs)


# --- errors


def explain(error: BaseException) -> None:
    """Add a note to an error that is caused by such a file. The note names the file."""
    name, module = _module_of(error)
    if name is None or not isinstance(error, (AttributeError, ImportError)) or "renam" in str(error):
        return
    if any("rename" in note for note in getattr(error, "__notes__", ())):
        return
    file = getattr(module, "__file__", None)
    if file is not None and not _is_library(file):
        if _is_of_library(name) or name in _POPULAR:
            kind = "Python's own module" if name in sys.stdlib_module_names else "the package"
            error.add_note(
                f"{_path(file)} hides {kind} {name}: rename the file (my_{name}.py, for instance), then restart the kernel"
            )
        elif isinstance(error, ModuleNotFoundError):  # "'matplotlib' is not a package"
            error.add_note(
                f"{_path(file)} is what {name} means here: if you want the package {name}, rename the file, then restart the kernel"
            )
    elif own := _file_of_user(name):
        kind = "Python's own module" if name in sys.stdlib_module_names else "a package"
        error.add_note(f"{name} is {kind} here, not {own}: rename the file (my_{name}.py, for instance) to import it")


def _module_of(error: BaseException) -> tuple[str | None, ModuleType | None]:
    """Name of the top-level module that an error is about, and the module."""
    if isinstance(error, AttributeError):
        about = getattr(error, "obj", None)
        name = about.__dict__.get("__name__") if isinstance(about, ModuleType) else None
    elif isinstance(error, ImportError):
        name = error.name
    else:
        return None, None
    if not isinstance(name, str):
        return None, None
    name = name.partition(".")[0]
    found = (_hidden or {}).get(name) or sys.modules.get(name)
    return (name, found) if isinstance(found, ModuleType) else (None, None)


def _file_of_user(name: str) -> str | None:
    """The user's file on the path that would be imported as `name`."""
    for entry in sys.path:
        if not _is_library(entry):
            for candidate in (f"{name}.py", os.path.join(name, "__init__.py")):
                if os.path.isfile(path := os.path.join(entry, candidate)):
                    return _path(path)
    return None


def _path(file: str) -> str:
    return os.path.abspath(file)
