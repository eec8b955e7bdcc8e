"""Chooses, when a site is built, the wheels that a list of requirements needs in the browser."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import shlex
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import canonicalize_name, parse_wheel_filename

from .._version import PYODIDE_VERSION
from ..errors import VendoringError
from ..hashing import sha256_of
from .package_index import NoWheel, get_wheel
from .release import Release
from .wheels import Wheel, read_wheel

__all__ = ["Target", "Vendored", "vendor"]

T = TypeVar("T")

#: Matches an entry that is an address, also after a name: ``https://…``, ``git+https://…``, ``name @ file:…``.
_ADDRESS = re.compile(r"^\S+://|^\S*\s*@\s*\S+:")
#: Suffixes of files that are not wheels.
_ARCHIVES = (".tar.gz", ".tgz", ".tar.bz2", ".zip")
#: How often a choice may be revised because a later requirement narrows it.
ROUNDS = 20


@dataclass(frozen=True)
class Target:
    """The Python on which the wheels must run: the ``info`` of a ``pyodide-lock.json``."""

    python: str
    abi_version: str
    platform: str

    @classmethod
    def of(cls, lock: dict[str, Any]) -> Target:
        info = lock["info"]
        return cls(info["python"], str(info.get("abi_version", "")), info.get("platform", ""))

    @property
    def short(self) -> tuple[int, int]:
        major, minor = self.python.split(".")[:2]
        return int(major), int(minor)

    @property
    def platforms(self) -> list[str]:
        """Platform tags, best first: that of PEP 783, its predecessor, and the plain Emscripten tag."""
        tags = (
            [f"pyemscripten_{self.abi_version}_wasm32", f"pyodide_{self.abi_version}_wasm32"]
            if self.abi_version
            else []
        )
        return [*tags, f"{self.platform.replace('.', '_')}_wasm32"] if self.platform else tags

    @property
    def tags(self) -> set[Tag]:
        return {
            *cpython_tags(self.short, platforms=self.platforms),
            *compatible_tags(self.short, platforms=self.platforms),
        }

    @property
    def markers(self) -> dict[str, str]:
        """The environment in which markers such as ``sys_platform != "emscripten"`` are evaluated."""
        return {
            "extra": "",
            "implementation_name": "cpython",
            "implementation_version": self.python,
            "os_name": "posix",
            "platform_machine": "wasm32",
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Emscripten",
            "platform_version": "",
            "python_full_version": self.python,
            "python_version": "{}.{}".format(*self.short),
            "sys_platform": "emscripten",
        }


@dataclass
class Vendored:
    """The result: wheels to add, each with the locked packages that it depends on, and the locked packages in use.

    ``files`` are the files of the locked packages, ``entries`` the lock entries of those that the distribution's folder lacks.
    """

    wheels: list[Wheel] = field(default_factory=list)
    depends: dict[str, list[str]] = field(default_factory=dict)
    from_lock: list[str] = field(default_factory=list)
    files: dict[str, Path] = field(default_factory=dict)
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)


def vendor(
    requirements: list[str],
    release: Release,
    provided: dict[str, str],
    base: Path,
    cache: Path,
    *,
    locked: Iterable[str] = (),
    embedded: dict[str, Any] | None = None,
) -> Vendored:
    """Resolve ``requirements``, and get every file onto the disk.

    Parameters
    ----------
    requirements
        PEP 508 strings, or paths of ``.whl`` files.
    release
        The packages of the distribution's lock. They are preferred if they are on disk, or are not pure Python. A pure Python
        package that is not on disk is taken from PyPI.
    provided
        Name -> version of the packages that every kernel has already (in the packs).
    base
        Folder to which paths of wheels are relative.
    cache
        Folder that is kept between builds. It has the wheels, and the choice for these inputs, so that a rebuild needs no network.
    locked
        Names that must come from the lock, and never from PyPI.
    embedded
        The lock of the embedded Pyodide's release, if the distribution is another one. Errors say what it has.

    Raises
    ------
    VendoringError
        A requirement is malformed, contradictory, or has no wheel for the browser. It names all such requirements.
    """
    cache.mkdir(parents=True, exist_ok=True)
    resolver = _Resolver(release, provided, base, cache, {canonicalize_name(name) for name in locked}, embedded)
    result = resolver.run(requirements)
    result.files = release.obtain(result.from_lock)
    result.entries = {
        name: release.published(name, provided) for name, path in result.files.items() if path.parent != release.folder
    }
    return result


class _Resolver:
    def __init__(
        self,
        release: Release,
        provided: dict[str, str],
        base: Path,
        cache: Path,
        locked: set[str],
        embedded: dict[str, Any] | None,
    ):
        self.release = release
        self.embedded = embedded
        self.provided = provided
        self.base = base
        self.cache = cache
        self.locked = locked
        self.target = Target.of(release.lock)
        self.local: dict[str, Path] = {}
        #: Errors so far. A bad requirement does not keep the others from being looked at, so that one build names all.
        self.errors: list[VendoringError] = []

    def run(self, requirements: list[str]) -> Vendored:
        roots = [self.attempt(self.parse, text) for text in requirements]
        roots += [Requirement(name) for name in sorted(self.locked)]
        demands: dict[str, tuple[SpecifierSet, set[str]]] = {}
        for _ in range(ROUNDS):
            before = dict(demands)
            result = self.walk([root for root in roots if root is not None], demands)
            if self.errors:
                raise VendoringError.of_all(self.errors)
            if demands == before or self.fits(result, demands):
                return result
        raise VendoringError(", ".join(requirements), "the requirements contradict each other")

    def attempt(self, step: Callable[..., T], *arguments: Any) -> T | None:
        """Return what a step returns. If it raises a `VendoringError`, note that, and return None."""
        try:
            return step(*arguments)
        except VendoringError as error:
            self.errors.append(error)
            return None

    def parse(self, text: str) -> Requirement:
        """Convert an entry of ``packages`` into a requirement. The path of a wheel becomes its name and version."""
        if _ADDRESS.search(text):
            raise VendoringError(text, "an address cannot be vendored; download the wheel and give its path")
        path = (self.base / Path(text).expanduser()).resolve()
        if text.endswith(".whl"):
            if not path.is_file():
                raise VendoringError(text, f"{path} does not exist")
            wheel = self.read(path, text)
            self.local[wheel.name] = path
            return Requirement(f"{wheel.name}=={wheel.version}")
        if text.endswith(_ARCHIVES) or text.startswith((".", "/", "~")):
            raise VendoringError(
                text, f"is not a wheel; make one with `pip wheel --no-deps {shlex.quote(text)}`, and give its path"
            )
        try:
            return Requirement(text)
        except InvalidRequirement as error:
            said = str(error).splitlines()[0]
            raise VendoringError(
                text, f"is not a requirement ({said}); write it as in requirements.txt, or give a .whl file"
            ) from error

    def walk(self, roots: list[Requirement], demands: dict[str, tuple[SpecifierSet, set[str]]]) -> Vendored:
        """Visit all dependencies once, with the demands known so far, and add new demands to ``demands``."""
        result = Vendored()
        chosen: dict[str, Wheel] = {}
        queue = [(root, str(root)) for root in roots if self.applies(root, {""})]
        expanded: set[tuple[str, frozenset[str]]] = set()
        while queue:
            requirement, why = queue.pop(0)
            name = canonicalize_name(requirement.name)
            if name in self.provided:
                self.attempt(self.check_provided, name, requirement, why)
                continue
            specifier, extras = demands.get(name, (SpecifierSet(), set()))
            demands[name] = (specifier & requirement.specifier, extras | requirement.extras)
            key = (name, frozenset(demands[name][1]))
            if key in expanded:
                continue
            expanded.add(key)
            if self.in_lock(name, demands[name][0]):
                self.take_locked(name, result)
                continue
            wheel = chosen.get(name) or self.attempt(self.find, name, demands[name][0], why)
            if wheel is None:
                continue
            chosen[name] = wheel
            children = self.children(wheel, demands[name][1])
            result.depends[name] = sorted(
                {*result.depends.get(name, []), *(canonicalize_name(child.name) for child in children)}
            )
            queue += [(child, f"{child} (needed by {wheel.name} {wheel.version})") for child in children]
        result.wheels = sorted(chosen.values(), key=lambda wheel: wheel.name)
        known = {*chosen, *result.from_lock}
        result.depends = {
            name: [other for other in others if other in known and other != name]
            for name, others in result.depends.items()
        }
        return result

    def fits(self, result: Vendored, demands: dict[str, tuple[SpecifierSet, set[str]]]) -> bool:
        return all(demands[wheel.name][0].contains(wheel.version, prereleases=True) for wheel in result.wheels) and all(
            self.in_lock(name, demands[name][0]) for name in result.from_lock if name in demands
        )

    def children(self, wheel: Wheel, extras: set[str]) -> list[Requirement]:
        return [requirement for requirement in wheel.requires if self.applies(requirement, {"", *extras})]

    def applies(self, requirement: Requirement, extras: set[str]) -> bool:
        marker = requirement.marker
        return marker is None or any(
            marker.evaluate(self.target.markers | {"extra": extra}) for extra in sorted(extras)
        )

    def check_provided(self, name: str, requirement: Requirement, why: str) -> None:
        version = self.provided[name]
        if not requirement.specifier.contains(version, prereleases=True):
            raise VendoringError(why, f"every kernel already has {name} {version}, which does not fit")

    def in_lock(self, name: str, specifier: SpecifierSet) -> bool:
        entry = self.release.entry(name)
        return (
            entry is not None
            and name not in self.local
            and specifier.contains(entry["version"], prereleases=True)
            and (name in self.locked or self.release.is_on_disk(name) or not self.release.is_pure(name))
        )

    def take_locked(self, name: str, result: Vendored) -> None:
        """Note a locked package and all its dependencies."""
        entry = self.release.entry(name)
        if entry is None or name in result.from_lock:
            return
        if name in self.provided and not self.release.is_on_disk(name):
            return
        result.from_lock.append(name)
        for dependency in entry.get("depends", []):
            self.take_locked(canonicalize_name(dependency), result)

    def find(self, name: str, specifier: SpecifierSet, why: str) -> Wheel:
        """Return a wheel that runs in the browser: one given by path, or chosen by an earlier build, or from PyPI."""
        if name in self.local:
            wheel = self.read(self.local[name], why)
            self.check_tags(wheel, why)
            if not specifier.contains(wheel.version, prereleases=True):
                raise VendoringError(why, f"the wheel given for it is {wheel.version}, which does not fit {specifier}")
            return wheel
        question = f"{name}{specifier} {self.target}"
        memo = self.cache / f"{name}-{hashlib.sha256(question.encode()).hexdigest()[:12]}.json"
        if memo.is_file():
            known = json.loads(memo.read_text("utf-8"))
            path = self.cache / known["file_name"]
            if path.is_file() and sha256_of(path) == known["sha256"]:
                return self.read(path, why)
        wheel = self.download(name, specifier, why)
        memo.write_text(
            json.dumps({"file_name": wheel.path.name, "sha256": wheel.sha256, "requirement": f"{name}{specifier}"})
        )
        return wheel

    def download(self, name: str, specifier: SpecifierSet, why: str) -> Wheel:
        if self.release.offline:
            raise VendoringError(why, "no earlier build has fetched it; build once without --browsergrad-offline")
        try:
            path = get_wheel(name, specifier, self.target.short, self.target.platforms, self.cache)
        except NoWheel as error:
            raise VendoringError(why, f"{self.other_version(name)}{error}{self.hint(name)}") from error
        return self.read(path, why)

    def other_version(self, name: str) -> str:
        """Return a text that says which version of a package the lock has, if another one is required."""
        entry = self.release.entry(name)
        return f"{self.release.title} has {name} {entry['version']} and no other version; " if entry else ""

    def hint(self, name: str) -> str:
        """Return which package may be meant, or how to get one that the distribution's lock lacks. Empty if nothing is known."""
        here = self.release.lock["packages"]
        if name in here:
            return ""
        locks = [here, self.embedded["packages"]] if self.embedded else [here]
        if name in locks[-1]:
            return (
                f". The release of Pyodide {PYODIDE_VERSION} has {name}, the lock of this distribution does not: "
                "leave pyodide_url out, or give a distribution with all packages of its release"
            )
        for lock in locks:
            for package, entry in sorted(lock.items()):
                if name in {str(canonicalize_name(each)) for each in entry.get("imports", [])}:
                    return f'. A module of this name is in the package {package}: write "{package}"'
        close = difflib.get_close_matches(name, {each for lock in locks for each in lock}, 1, 0.8)
        return f'. Do you mean "{close[0]}"?' if close else ""

    def read(self, path: Path, why: str) -> Wheel:
        try:
            return read_wheel(path)
        except (zipfile.BadZipFile, ValueError) as error:
            raise VendoringError(why, f"{path} is not a usable wheel ({error})") from error

    def check_tags(self, wheel: Wheel, why: str) -> None:
        *_, tags = parse_wheel_filename(wheel.path.name)
        if not tags & self.target.tags:
            raise VendoringError(
                why,
                f"{wheel.path.name} does not run in the browser: it has to be pure Python (py3-none-any) or built for "
                f"cp{self.target.short[0]}{self.target.short[1]} {self.target.platforms[0]}",
            )
