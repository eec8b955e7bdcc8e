"""Choose the packages of a site from what its notebooks, modules and labs import (``packages: "auto"``)."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from ..boot.assets import read_pack
from .imports import Imports, Use, read_imports
from .wheels import top_level_modules

__all__ = [
    "AUTO",
    "Choice",
    "SiteImports",
    "choose",
    "explain",
    "explain_unknown",
    "modules_of_kernel",
    "not_provided",
    "providers",
]

#: The entry of ``packages`` that means all imported packages.
AUTO = "auto"
#: Modules that Pyodide and the kernel provide without a file in a pack.
_OF_PYODIDE = frozenset({"js", "pyodide", "pyodide_js", "_pyodide", "_pyodide_core", "__main__", "__future__"})
#: Names on PyPI of modules that no release of Pyodide has, if the names differ.
_ON_PYPI = {"docx": "python-docx", "dotenv": "python-dotenv", "pptx": "python-pptx", "serial": "pyserial"}
#: Number of places that a line names.
_MAX_PLACES = 3


@dataclass
class Choice:
    """Imported packages of a lock: name -> places. The place of the first module comes first."""

    packages: dict[str, list[Use]] = field(default_factory=dict)

    def lines(self, lock: dict[str, Any]) -> list[str]:
        """Return lines that say what was chosen and why."""
        return [
            f"{name} {lock['packages'][name]['version']}: imported in {places(uses)}"
            for name, uses in sorted(self.packages.items())
        ]


class SiteImports:
    """The imports of a site's files, without modules that every kernel has.

    Parameters
    ----------
    files
        Path in the site -> file.
    kernel
        The labextension's ``static/kernel``.
    """

    def __init__(self, files: dict[str, Path], kernel: Path):
        self._files = files
        self._kernel = kernel

    @cached_property
    def imports(self) -> Imports:
        return read_imports(self._files)

    @cached_property
    def kernel(self) -> set[str]:
        return modules_of_kernel(self._kernel)

    def choose(self, lock: dict[str, Any]) -> Choice:
        return choose(self.imports, lock, self.kernel)

    def missing(self, locks: Iterable[dict[str, Any]]) -> dict[str, list[Use]]:
        """Return the imported modules that no package of these locks has."""
        return not_provided(self.imports, self.kernel.union(*map(providers, locks)))

    def explain(self, locks: list[dict[str, Any]], release: dict[str, Any] | None) -> list[str]:
        """Return lines that say what is missing, and which of it the lock of a release has."""
        return explain(self.missing(locks), release or {"packages": {}})


def modules_of_kernel(kernel: Path) -> set[str]:
    """Return the modules that every kernel has beside Python's own.

    Parameters
    ----------
    kernel
        The labextension's ``static/kernel``.
    """
    packs = json.loads((kernel / "manifest.json").read_text("utf-8"))["packs"]
    found: set[str] = set(_OF_PYODIDE)
    for name in ("site", "jedi"):
        found |= top_level_modules(list(read_pack(kernel / packs[name]["file"])))
    return found


def providers(lock: dict[str, Any]) -> dict[str, str]:
    """Return the package of a lock for each module. Of several packages, take the one with the module's name, else the first."""
    found: dict[str, str] = {}
    for name, entry in sorted(lock["packages"].items(), reverse=True):
        for module in entry.get("imports", []):
            if canonicalize_name(found.get(module, "")) != canonicalize_name(module):
                found[module] = name
    return found


def choose(imports: Imports, lock: dict[str, Any], kernel: Collection[str]) -> Choice:
    """Choose the packages of a lock that have the needed modules.

    Optional imports choose nothing, since their code works without them. Names that the lock does not have are not guessed, since
    anybody can register a name on PyPI.
    """
    known = providers(lock)
    choice = Choice()
    for module, uses in imports.needed.items():
        if module in known and module not in kernel:
            choice.packages.setdefault(known[module], []).extend(uses)
    return choice


def not_provided(imports: Imports, provided: Collection[str]) -> dict[str, list[Use]]:
    """Return the needed modules that are neither Python's own nor among the `provided` ones."""
    return {
        module: uses
        for module, uses in imports.needed.items()
        if module not in provided and module not in sys.stdlib_module_names
    }


def explain(missing: dict[str, list[Use]], lock: dict[str, Any]) -> list[str]:
    """Return a line for each module that nothing provides. It says where the module is imported, and what to set."""
    known = providers(lock)
    lines = []
    for module, uses in missing.items():
        if module in known:
            how = f'Pyodide\'s release has it: add "{known[module]}", or "{AUTO}" for all of them, to BrowsergradAddon.packages'
        else:
            name = _ON_PYPI.get(module, module.replace("_", "-"))
            how = f'if PyPI has it, add its name there, perhaps "{name}", to BrowsergradAddon.packages'
        lines.append(f"no package of this site provides {module}, imported in {places(uses)}; {how}")
    return lines


def explain_unknown(missing: dict[str, list[Use]]) -> list[str]:
    """Return a line for each module that neither the kernel nor Pyodide's release has."""
    return [
        f"{module}, imported in {places(uses)}, is neither the kernel's nor in Pyodide's release: the site has to list its package"
        for module, uses in missing.items()
    ]


def places(uses: Iterable[Use]) -> str:
    """Return the places in a few words."""
    found = [str(use) for use in dict.fromkeys(uses)]
    more = len(found) - _MAX_PLACES
    return "; ".join(found[:_MAX_PLACES]) + (f"; and {more} more" if more > 0 else "")
