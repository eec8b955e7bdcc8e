"""Lab manifests: their rules, and the check of their pin.

``labextension/src/runtime/manifest.ts`` has the same rules. ``tests/fixtures/manifest_cases.json`` has the cases on which both
must agree. Versions follow Semantic Versioning 2.0.0; ``^`` and ``~`` mean what they mean in npm.

Errors::

    BrowsergradError
    ├── ManifestError (ValueError)
    └── LabRuntimeMismatch (RuntimeError)
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ..errors import BrowsergradError
from ..exit_status import FAULTS

__all__ = [
    "Dataset",
    "LabRuntimeMismatch",
    "Manifest",
    "ManifestError",
    "Problem",
    "assert_compatible_runtime",
    "is_semver_compatible",
    "parse_manifest",
    "path_problem",
]

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 100
MAX_OPS = 64
MAX_DATASETS = 32

#: Kinds of problems in a manifest. These words do not change.
Code = Literal[
    "too-large",  # more than MAX_BYTES of text
    "json",  # not JSON, or nested deeper than MAX_DEPTH
    "duplicate",  # a key comes twice in an object, or two datasets have one name
    "unknown",  # no such field
    "missing",
    "type",  # not of the field's JSON type
    "empty",
    "too-many",
    "kebab-case",
    "semver",
    "pin",
    "path",
    "url",
    "hash",
]


@dataclass(frozen=True)
class Problem:
    """One error in a manifest.

    Attributes
    ----------
    path
        JSON pointer (RFC 6901) to the value that is wrong; empty for the whole document.
    code
        The kind of error, for programs.
    message
        The error, for people.
    """

    path: str
    code: Code
    message: str


class ManifestError(BrowsergradError, ValueError):
    """A manifest breaks the rules.

    Attributes
    ----------
    errors
        All problems.
    """

    exit_status = FAULTS

    def __init__(self, errors: list[Problem]) -> None:
        self.errors = tuple(errors)
        lines = [f"{error.path or '(document)'}: {error.message}" for error in errors]
        super().__init__("invalid lab manifest:\n" + "\n".join(f"  {line}" for line in lines))


class LabRuntimeMismatch(BrowsergradError, RuntimeError):
    """A lab's pin does not fit this runtime.

    Attributes
    ----------
    required, actual
        The lab's pin, and the version of the runtime.
    """

    code = "lab-runtime-mismatch"
    exit_status = FAULTS

    def __init__(self, required: str, actual: str) -> None:
        self.required = required
        self.actual = actual
        super().__init__(f"lab requires {required}, runtime is {actual}")


@dataclass(frozen=True)
class Dataset:
    """A file that a lab reads; `hash` is ``sha256:`` and lower-case hexadecimal digits."""

    name: str
    url: str
    hash: str | None = None


@dataclass(frozen=True)
class Manifest:
    """A manifest that follows the rules. Paths are normalised: they contain no ``.`` step and no ``//``."""

    id: str
    version: str
    requires_browsergrad: str
    required_ops: tuple[str, ...]
    rubric_path: str
    starter_path: str
    reference_path: str
    datasets: tuple[Dataset, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The manifest as data for JSON, which `parse_manifest` accepts."""
        data = asdict(self) | {"required_ops": list(self.required_ops)}
        data["datasets"] = [
            {key: value for key, value in asdict(dataset).items() if value is not None} for dataset in self.datasets
        ]
        return data


# --- versions

_NUMBER = "(?:0|[1-9][0-9]*)"
_IDENTIFIER = f"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_CORE = f"({_NUMBER})\\.({_NUMBER})\\.({_NUMBER})(?:-({_IDENTIFIER}(?:\\.{_IDENTIFIER})*))?"
_VERSION = re.compile(f"{_CORE}(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?")
_PIN = re.compile(f"([\\^~]?){_CORE}")
# The limits of node-semver.
_MAX_VERSION_LENGTH = 256
_MAX_NUMBER = 2**53 - 1


@dataclass(frozen=True)
class _Version:
    numbers: tuple[int, int, int]
    prerelease: tuple[str, ...]

    @property
    def key(self) -> tuple[Any, ...]:
        """Sorts by precedence (semver, section 11)."""
        identifiers = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.prerelease)
        return (self.numbers, not self.prerelease, identifiers)


def _read_version(pattern: re.Pattern[str], text: object) -> tuple[str, _Version] | None:
    """Operator and version, or None if `text` is not a version of that pattern."""
    if not isinstance(text, str) or len(text) > _MAX_VERSION_LENGTH:
        return None
    match = pattern.fullmatch(text)
    if match is None:
        return None
    *operator, major, minor, patch, prerelease = match.groups()
    numbers = (int(major), int(minor), int(patch))
    if max(numbers) > _MAX_NUMBER:
        return None
    parts = tuple(prerelease.split(".")) if prerelease else ()
    return (operator[0] if operator else "", _Version(numbers, parts))


def is_semver_compatible(pin: str, version: str) -> bool:
    """Whether `version` satisfies `pin` (``^A.B.C``, ``~A.B.C`` or ``A.B.C``).

    A pin or version that cannot be parsed is not compatible. A pre-release satisfies ``^`` and ``~`` only if the pin
    names a pre-release of the same A.B.C.
    """
    read_pin = _read_version(_PIN, pin)
    read_version = _read_version(_VERSION, version)
    if read_pin is None or read_version is None:
        return False
    operator, wanted = read_pin
    _, given = read_version
    if not operator:
        return wanted.key == given.key
    if given.prerelease and not (wanted.prerelease and wanted.numbers == given.numbers):
        return False
    return wanted.key <= given.key and given.numbers < _upper_bound(operator, wanted.numbers)


def _upper_bound(operator: str, numbers: tuple[int, int, int]) -> tuple[int, int, int]:
    """The first version that the operator does not accept."""
    major, minor, patch = numbers
    if operator == "~" or (major == 0 and minor > 0):
        return (major, minor + 1, 0)
    return (major + 1, 0, 0) if major > 0 else (0, 0, patch + 1)


def assert_compatible_runtime(manifest: Manifest, version: str) -> None:
    """Make sure that `version` of the runtime satisfies the manifest's pin.

    Raises
    ------
    LabRuntimeMismatch
    """
    if not is_semver_compatible(manifest.requires_browsergrad, version):
        raise LabRuntimeMismatch(manifest.requires_browsergrad, version)


# --- manifests

_KEBAB_CASE = re.compile("[a-z0-9]+(?:-[a-z0-9]+)*")
_HASH = re.compile("sha256:[0-9A-Fa-f]{64}")
_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]*:")
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_ESCAPE = re.compile("%(2e|2f|5c|[01][0-9a-f]|7f)", re.IGNORECASE)
_HTTPS = re.compile("https://", re.IGNORECASE)
_HTTPS_URL = re.compile(
    r"https://(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:[/?#][^\x00-\x20\x7f\\]*)?",
    re.IGNORECASE | re.ASCII,
)
_PATHS = ("rubric_path", "starter_path", "reference_path")
_FIELDS = ("id", "version", "requires_browsergrad", "required_ops", *_PATHS, "datasets")
_DATASET_FIELDS = ("name", "url", "hash")


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with all its members, including those with equal keys."""


def parse_manifest(source: object) -> Manifest:
    """Check a manifest against all the rules.

    Parameters
    ----------
    source
        JSON as str or bytes (UTF-8), or the parsed data.

    Raises
    ------
    ManifestError
        Has all problems, not only the first.
    """
    check = _Check()
    if isinstance(source, (str, bytes)):
        try:
            source = check.read(source)
        except _Unreadable:
            raise ManifestError(check.problems) from None
    manifest = check.manifest(source)
    if check.problems or manifest is None:
        raise ManifestError(check.problems)
    return manifest


class _Unreadable(Exception):
    """The text cannot be parsed, so there is nothing more to check."""


class _Check:
    """Collects the problems of one manifest."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        #: JSON pointers of keys that occur more than once.
        self.doubled: set[str] = set()

    def fail(self, path: str, code: Code, message: str) -> None:
        self.problems.append(Problem(path, code, message))

    # --- text

    def read(self, source: str | bytes) -> Any:
        size = len(source.encode("utf-8", "surrogatepass") if isinstance(source, str) else source)
        if size > MAX_BYTES:
            self.fail("", "too-large", f"has {size} bytes, at most {MAX_BYTES} are allowed")
            raise _Unreadable
        try:
            text = source if isinstance(source, str) else source.decode("utf-8")
            # No field is a number. `float`, since int() refuses long ones.
            tree = json.loads(text, object_pairs_hook=_Pairs, parse_constant=_no_constant, parse_int=float)
            if _depth(tree) > MAX_DEPTH:
                raise RecursionError
        except RecursionError:
            self.fail("", "json", f"is nested deeper than {MAX_DEPTH} levels")
        except ValueError as error:
            self.fail("", "json", f"is not JSON: {error}")
        else:
            return self._merge(tree, "")
        raise _Unreadable

    def _merge(self, tree: Any, path: str) -> Any:
        """The tree with dicts. Equal keys are reported, and the last one counts."""
        if isinstance(tree, _Pairs):
            merged: dict[str, Any] = {}
            for key, value in tree:
                inner = f"{path}/{_escaped(key)}"
                if key in merged and inner not in self.doubled:
                    self.doubled.add(inner)
                    self.fail(inner, "duplicate", f"the key {_quoted(key)} comes more than once")
                merged[key] = self._merge(value, inner)
            return merged
        if isinstance(tree, list):
            return [self._merge(item, f"{path}/{index}") for index, item in enumerate(tree)]
        return tree

    # --- fields

    def manifest(self, value: object) -> Manifest | None:
        if not isinstance(value, dict):
            self.fail("", "type", "a manifest must be a JSON object")
            return None
        identifier = self._text(value, "", "id")
        if identifier is not None and not _KEBAB_CASE.fullmatch(identifier):
            self.fail("/id", "kebab-case", f"must be kebab-case, such as linear-regression, not {_quoted(identifier)}")
        version = self._text(value, "", "version")
        if version is not None and _read_version(_VERSION, version) is None:
            self.fail("/version", "semver", f"must be a semantic version, such as 1.0.0, not {_quoted(version)}")
        pin = self._text(value, "", "requires_browsergrad")
        if pin is not None and _read_version(_PIN, pin) is None:
            self.fail("/requires_browsergrad", "pin", f"must be ^A.B.C, ~A.B.C or A.B.C, not {_quoted(pin)}")
        ops = self._ops(value)
        rubric, starter, reference = (self._path(value, name) for name in _PATHS)
        datasets = self._datasets(value["datasets"]) if "datasets" in value else ()
        self._unknown(value, _FIELDS, "")
        if self.problems:
            return None
        return Manifest(identifier or "", version or "", pin or "", ops, rubric, starter, reference, datasets)

    def _text(self, owner: dict[str, Any], path: str, name: str) -> str | None:
        if name not in owner:
            self.fail(f"{path}/{name}", "missing", f"{name} is missing")
        elif not isinstance(owner[name], str):
            self.fail(f"{path}/{name}", "type", f"{name} must be a string, not {_json_type(owner[name])}")
        else:
            return str(owner[name])
        return None

    def _ops(self, owner: dict[str, Any]) -> tuple[str, ...]:
        path = "/required_ops"
        ops = owner.get("required_ops")
        if "required_ops" not in owner:
            self.fail(path, "missing", "required_ops is missing; it may be []")
        if not isinstance(ops, list):
            if "required_ops" in owner:
                self.fail(path, "type", f"required_ops must be a list of strings, not {_json_type(ops)}")
            return ()
        if len(ops) > MAX_OPS:
            self.fail(path, "too-many", f"has {len(ops)} entries, at most {MAX_OPS} are allowed")
        for index, op in enumerate(ops):
            if not isinstance(op, str):
                self.fail(f"{path}/{index}", "type", f"must be a string, not {_json_type(op)}")
        return tuple(op for op in ops if isinstance(op, str))

    def _path(self, owner: dict[str, Any], name: str) -> str:
        path = self._text(owner, "", name)
        if path is None:
            return ""
        problem = path_problem(path)
        if problem is not None:
            self.fail(f"/{name}", "path", f"{problem}; it must be relative, POSIX, inside the lab's folder")
        return posixpath.normpath(path)

    def _datasets(self, datasets: object) -> tuple[Dataset, ...]:
        if not isinstance(datasets, list):
            self.fail("/datasets", "type", f"datasets must be a list, not {_json_type(datasets)}")
            return ()
        if len(datasets) > MAX_DATASETS:
            self.fail("/datasets", "too-many", f"has {len(datasets)} entries, at most {MAX_DATASETS} are allowed")
        names: set[str] = set()
        return tuple(self._each_dataset(datasets, names))

    def _each_dataset(self, datasets: list[Any], names: set[str]) -> Iterator[Dataset]:
        for index, entry in enumerate(datasets):
            path = f"/datasets/{index}"
            if not isinstance(entry, dict):
                self.fail(path, "type", f"must be an object, not {_json_type(entry)}")
                continue
            name = self._text(entry, path, "name")
            if name == "":
                self.fail(f"{path}/name", "empty", "name is empty")
            elif name in names:
                self.fail(f"{path}/name", "duplicate", f"another dataset is called {_quoted(name or '')} already")
            names.add(name or "")
            url = self._text(entry, path, "url")
            problem = None if url is None else _url_problem(url)
            if problem is not None:
                self.fail(f"{path}/url", "url", f"{problem}; it must be https, or a path inside the lab's folder")
            digest = self._text(entry, path, "hash") if "hash" in entry else None
            if digest is not None and not _HASH.fullmatch(digest):
                self.fail(f"{path}/hash", "hash", "must be sha256: and 64 hexadecimal digits")
            self._unknown(entry, _DATASET_FIELDS, path)
            yield Dataset(name or "", url or "", digest.lower() if digest else None)

    def _unknown(self, owner: dict[Any, Any], known: tuple[str, ...], path: str) -> None:
        for name in owner:
            if name not in known:
                self.fail(f"{path}/{_escaped(str(name))}", "unknown", f"there is no field {_quoted(str(name))}")


def path_problem(path: str) -> str | None:
    """Say why `path` is not inside the lab's folder, also as URL parsers and servers may interpret it."""
    plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), path)
    if path == "":
        return "is empty"
    if _CONTROL.search(plain):
        return "holds a control character, NUL or half a character"
    if "\\" in plain:
        return "holds a backslash"
    if plain.startswith("/"):
        return "is absolute"
    if _SCHEME.match(path):
        return "has a scheme"
    parts = plain.split("/")
    if ".." in parts:
        return "leaves the folder by .."
    if path.startswith(" ") or path.endswith(" "):
        return "begins or ends with a space"
    return "names a folder" if parts[-1] in ("", ".") else None


def _url_problem(url: str) -> str | None:
    if _HTTPS.match(url):
        valid = _HTTPS_URL.fullmatch(url) and not _CONTROL.search(url)
        return None if valid else "is not a valid https URL"
    return path_problem(url)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _depth(tree: Any) -> int:
    """Number of nested levels of containers; 0 for a scalar."""
    level, depth = [tree], 0
    while True:
        level = [node for node in level if isinstance(node, list)]
        if not level or depth > MAX_DEPTH:
            return depth
        depth += 1
        level = [child[1] if isinstance(node, _Pairs) else child for node in level for child in node]


def _escaped(name: str) -> str:
    """A step of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def _quoted(text: str) -> str:
    return json.dumps(text if len(text) <= 100 else text[:100] + "…")


def _json_type(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    names = {str: "a string", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)
