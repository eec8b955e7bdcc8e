"""The lab around a notebook: its rubric, its manifest and its datasets.

In the browser kernel, the page checks the manifest, fetches the datasets, and writes the result to `HANDED`.
In ordinary Python, the manifest is read from the working folder or the nearest folder above that has one.
"""

from __future__ import annotations

import builtins
import hashlib
import json
import linecache
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from . import _points, _sink
from ._in_place import rubric_runs
from ._mime import assertions_bundle
from ._text import encodable, limited_str, limited_traceback

#: The file in which the page tells the browser kernel about the lab: ``{"manifest", "folder", "datasets": {name: {"path" | "error"}}}``.
HANDED = Path("/tmp/browsergrad/lab.json")
#: Most passes of a rubric that are kept in detail. All failures are kept, and the counts include everything.
PASSES_KEPT = 1000
_MANIFEST = "manifest.json"


class LabError(LookupError):
    """There is no lab here, its manifest cannot be used, or it has no such dataset."""


# --- rubrics


def run_rubric(
    source: str,
    namespace: Mapping[str, Any],
    filename: str = "rubric.py",
    interrupts: type[KeyboardInterrupt] = KeyboardInterrupt,
    own: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Check a student's names with a rubric.

    The rubric is a Python file that reports with `check`, `assert_pass` and similar functions. Its globals
    are a copy of `namespace`, so the rubric cannot change the student's variables. Names that hide built-in
    functions are left out: ``sum = 0`` in a notebook must not break `sum` in the rubric. The dict
    ``student`` holds all names, including those.

    Parameters
    ----------
    source
        The rubric's text.
    namespace
        The student's names.
    filename
        Shown in tracebacks.
    interrupts
        The class of an interrupt from outside, which ends the rubric. Where nobody can press Stop, pass a subclass:
        an ordinary KeyboardInterrupt was then raised by the student's code, and counts as an error.
    own
        The very globals of the student's functions, for `in_place`; None where they are in another interpreter.

    Returns
    -------
    dict
        Content of an assertions bundle: ``assertions``, ``counts`` and, if a check has points, ``points``. A rubric that breaks, or that
        reports nothing, adds one of kind ``error``.

    Raises
    ------
    KeyboardInterrupt
        The rubric was interrupted, by `interrupts`. No other exception is raised.
    """
    student = {name: value for name, value in namespace.items() if not _is_dunder(name)}
    names = {name: value for name, value in student.items() if not hasattr(builtins, name)}
    module = {"__name__": "__rubric__", "__file__": filename, "__builtins__": builtins, **names, "student": student}
    tally = _Tally()
    with _sink.diverted(tally), _shown(source, filename), rubric_runs(own, module):
        try:
            exec(compile(source, filename, "exec", dont_inherit=True), module)
        except interrupts:
            raise
        except BaseException as error:  # also SystemExit: a rubric must not end the Python that runs it
            tally.broke(filename, error)
    if not tally.count:
        tally.add(
            {
                "kind": "error",
                "name": encodable(filename),
                "message": "the rubric reports nothing: it needs assertions, such as `with bg.check(name):`",
            }
        )
    return tally.content()


def check_my_work(source: str, filename: str) -> Any:
    """Run a rubric over the names of the kernel's shell: front ends request this.

    Returns
    -------
    object
        An object whose MIME bundle is an assertions bundle, so that the ``user_expressions`` of a request return it.
    """
    from IPython import get_ipython

    shell = get_ipython()
    hidden = shell.user_ns_hidden
    own = {name: value for name, value in shell.user_ns.items() if name not in hidden or hidden[name] is not value}
    return _Shown(run_rubric(source, own, filename, own=shell.user_ns))


class _Shown:
    def __init__(self, content: dict[str, Any]) -> None:
        self._content = content

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return assertions_bundle(self._content["assertions"], self._content["counts"], self._content.get("points"))


class _Tally:
    """A sink that keeps a rubric's assertions. It drops artifacts, which do not belong in the student's notebook."""

    def __init__(self) -> None:
        self.kept: list[dict[str, Any]] = []
        self.counts = {"pass": 0, "fail": 0, "error": 0}
        self._worth = _points.Tally()

    @property
    def count(self) -> int:
        return sum(self.counts.values())

    def __call__(self, message: dict[str, Any]) -> None:
        if message["type"] == "assertion":
            self.add(message["event"])

    def add(self, event: dict[str, Any]) -> None:
        self.counts[event["kind"]] += 1
        self._worth.add(event)
        if event["kind"] != "pass" or self.counts["pass"] <= PASSES_KEPT:
            self.kept.append(dict(event))

    def broke(self, filename: str, error: BaseException) -> None:
        frames = error.__traceback__
        while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
            frames = frames.tb_next
        text = limited_str(error)
        self.add(
            {
                "kind": "error",
                "name": encodable(filename),
                "message": "the rubric broke: " + type(error).__name__ + (f": {text}" if text else ""),
                "traceback": limited_traceback(error, frames),
            }
        )

    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = {"assertions": self.kept, "counts": self.counts}
        return content if self._worth.points is None else content | {"points": self._worth.points}


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


@contextmanager
def _shown(source: str, filename: str) -> Iterator[None]:
    """Make the rubric's lines available to tracebacks and `check`."""
    before = linecache.cache.get(filename)
    # `linecache.checkcache` does not remove entries that have no modification time.
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    try:
        yield
    finally:
        if before is None:
            linecache.cache.pop(filename, None)
        else:
            linecache.cache[filename] = before


# --- the lab


class Lab:
    """The manifest of the lab in whose folder this Python runs.

    The attributes are the manifest's fields, such as ``lab.id``. ``lab.folder`` is the folder of the manifest.

    Raises
    ------
    LabError
        An attribute was read, and there is no lab.
    """

    @property
    def id(self) -> str:
        """The lab's name."""
        return str(self.manifest["id"])

    @property
    def version(self) -> str:
        """Version of the lab itself."""
        return str(self.manifest["version"])

    @property
    def requires_browsergrad(self) -> str:
        """The versions of the runtime it works with, such as ``^0.8.0``."""
        return str(self.manifest["requires_browsergrad"])

    @property
    def required_ops(self) -> list[str]:
        """What the lab is about; for information only."""
        return list(self.manifest["required_ops"])

    @property
    def datasets(self) -> list[str]:
        """The names that `dataset` accepts."""
        return [str(entry["name"]) for entry in self.manifest.get("datasets", [])]

    @property
    def folder(self) -> Path:
        """Folder of the manifest."""
        return _find().folder

    @property
    def manifest(self) -> dict[str, Any]:
        """All fields of the manifest."""
        return dict(_find().manifest)

    def __repr__(self) -> str:
        try:
            return f"<lab {self.id} {self.version}>"
        except LabError:
            return "<no lab>"


class _Found:
    def __init__(self, manifest: dict[str, Any], folder: Path, handed: Mapping[str, Mapping[str, str]] | None) -> None:
        self.manifest = manifest
        self.folder = folder
        #: Where the page has put the datasets; None if there is no page.
        self.handed = handed


def _find() -> _Found:
    if _in_browser():
        return _find_in_sandbox()
    start = Path.cwd()
    for folder in (start, *start.parents):
        path = folder / _MANIFEST
        if path.is_file():
            return _Found(_read(path), folder, None)
    raise LabError(f"there is no lab here: {_MANIFEST} was not found in {start} or above it")


def _find_in_sandbox() -> _Found:
    """The lab that the page names. Without a page, the lab of the working folder, which the kernel's host has checked."""
    nothing = LabError("this notebook belongs to no lab: there is no manifest.json beside it")
    try:
        handed = json.loads(HANDED.read_text("utf-8"))
    except FileNotFoundError:
        path = Path.cwd() / _MANIFEST
        try:
            return _Found(json.loads(path.read_text("utf-8")), path.parent, None)
        except FileNotFoundError:
            raise nothing from None
        except ValueError as error:
            raise LabError(f"{path} is not JSON: {error}") from error
    if handed["manifest"] is None:
        raise nothing
    return _Found(handed["manifest"], Path(handed["folder"]), handed["datasets"])


def _in_browser() -> bool:
    return hasattr(os, "uname") and os.uname().sysname == "Emscripten"


def _read(path: Path) -> dict[str, Any]:
    """The manifest, checked by the rules of jupyterlite-browsergrad, which must be installed."""
    try:
        from jupyterlite_browsergrad._version import __version__
        from jupyterlite_browsergrad.errors import BrowsergradError
        from jupyterlite_browsergrad.manifest import assert_compatible_runtime, parse_manifest
    except ImportError as error:
        raise LabError(
            f"{path} cannot be checked: install jupyterlite-browsergrad, which has the rules ({error})"
        ) from error
    try:
        manifest = parse_manifest(path.read_bytes())
        assert_compatible_runtime(manifest, __version__)
    except (OSError, BrowsergradError) as error:
        raise LabError(f"{path}: {error}") from error
    return manifest.to_dict()


lab = Lab()


def dataset(name: str) -> Path:
    """The path of a dataset of the lab, verified by its hash.

    Parameters
    ----------
    name
        The dataset's name in the manifest.

    Raises
    ------
    LabError
        There is no lab or no such dataset, or it was not loaded. The message says why.
    """
    found = _find()
    entries = {entry["name"]: entry for entry in found.manifest.get("datasets", [])}
    if name not in entries:
        has = "has " + ", ".join(map(repr, entries)) if entries else "has none"
        raise LabError(f"the lab {found.manifest['id']} has no dataset {name!r}: it {has}")
    if found.handed is not None:
        handed = found.handed.get(name, {"error": "it was not loaded; run the cell again"})
        if "error" in handed:
            raise LabError(f"dataset {name!r}: {handed['error']}")
        return Path(handed["path"])
    return _verified(found.folder, entries[name])


def _verified(folder: Path, entry: dict[str, str]) -> Path:
    name, url = entry["name"], entry["url"]
    if url.lower().startswith("https:"):
        raise LabError(
            f"dataset {name!r} lies at {url}, which only the browser kernel fetches: "
            "download it and open the file by its own path"
        )
    path = folder / unquote(url)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise LabError(f"dataset {name!r}: {path} leads out of the lab's folder")
    if not path.is_file():
        raise LabError(f"dataset {name!r}: there is no file {path}")
    if "hash" in entry:
        with path.open("rb") as file:
            actual = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
        if actual != entry["hash"]:
            raise LabError(
                f"dataset {name!r} is not the file the lab was made with: the manifest says {entry['hash']}, "
                f"{path} has {actual}"
            )
    return path
