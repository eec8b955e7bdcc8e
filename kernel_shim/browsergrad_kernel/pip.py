"""``%pip``: carries out pip's command lines with piplite and micropip.

piplite is a part of jupyterlite-pyodide-kernel: micropip that asks the site's own index first. `pip_options` describes the options,
`pip_requirements` the forms of requirements.
"""

from __future__ import annotations

import importlib
import json
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any, TextIO

from . import packages, shadowing
from .micropip_hooks import Plan, installed, is_of_kernel
from .pip_options import Line, PipError, help_text, parse
from .pip_requirements import Wanted, canonical, name_of, read, resolve

#: Columns of `%pip list --format`.
_FORMATS = ("columns", "freeze", "json")


async def run(words: list[str], out: TextIO | None = None) -> None:
    """Carry out one command line.

    Parameters
    ----------
    words
        The words after ``pip``.
    out
        Where its output goes; if None, to the cell's output.

    Raises
    ------
    PipError
        The line asks for something that cannot be done here.
    """
    line = parse(words)
    with shadowing.hidden():
        if line.command == "install":
            await _install(line)
        elif line.command == "uninstall":
            await _uninstall(line)
        else:
            _COMMANDS[line.command](line, out or sys.stdout)


def waits(words: list[str]) -> bool:
    """Whether a command line may have to wait for a download."""
    try:
        return parse(words).command in ("install", "uninstall")
    except PipError:  # shown when the line runs
        return False


# --- install


async def _install(line: Line) -> None:
    wanted = await _wanted(line)
    if not (line.arguments or line.has("--requirement")):
        raise PipError("%pip install needs the name of a package, as in %pip install NAME")
    strategy = line.last("--upgrade-strategy", "only-if-needed")
    if strategy not in ("only-if-needed", "eager"):
        raise PipError(f"%pip install --upgrade-strategy: must be only-if-needed or eager, not {strategy}")
    if wanted.require_hashes:
        _require_hashes(wanted)
    names = {name_of(requirement) for requirement in wanted.requirements}
    if "pip" in names:
        print("pip is part of this kernel: it stays as it is")
        wanted.requirements = [item for item in wanted.requirements if name_of(item) != "pip"]
    if not wanted.requirements:
        return
    upgrade = line.has("--upgrade")
    plan = Plan(
        upgrade=names if upgrade else set(),
        everything=upgrade and strategy == "eager",
        force=line.has("--force-reinstall") or line.has("--ignore-installed"),
        hashes=wanted.hashes,
        find_links=wanted.find_links,
    )
    with plan.in_force():
        await packages.install(
            requirements=wanted.requirements,
            deps=not line.has("--no-deps"),
            pre=wanted.pre,
            constraints=wanted.constraints or None,
            index_urls=_indexes(wanted),
            verbose=min(2, len(line.all("--verbose"))) or None,
            no_index=wanted.no_index,
        )
    _tell_imported(plan)
    if not line.has("--quiet"):
        for address, found in plan.kept.items():
            print(
                f"{found} is already installed, so {address} was not fetched; --force-reinstall installs it from there"
            )


async def _wanted(line: Line) -> Wanted:
    wanted = Wanted()
    wanted.take_options(line, Path.cwd())
    for text in line.arguments:
        wanted.requirements += resolve(text)
    for name in line.all("--requirement"):
        await read(wanted, name, _fetch)
    for name in line.all("--constraint"):
        await read(wanted, name, _fetch, constraint=True)
    return wanted


async def _fetch(address: str) -> str:
    from pyodide.http import pyfetch

    try:
        response = await pyfetch(address)
        response.raise_for_status()
        return str(await response.string())
    except OSError as error:
        raise PipError(f"%pip cannot fetch the requirements file {address}: {error}") from None


def _indexes(wanted: Wanted) -> list[str] | None:
    if not (wanted.index_urls or wanted.extra_index_urls):
        return None
    from micropip.package_index import DEFAULT_INDEX_URLS

    return (wanted.index_urls[-1:] or list(DEFAULT_INDEX_URLS)) + wanted.extra_index_urls


def _require_hashes(wanted: Wanted) -> None:
    bare = [item for item in wanted.requirements if name_of(item) not in wanted.hashes]
    if bare:
        raise PipError(f"%pip install --require-hashes: there is no --hash for {', '.join(bare)}")


def _tell_imported(plan: Plan) -> None:
    """Say that modules that have been imported keep the old version."""
    for name, version in plan.imported.items():
        found = installed(name)
        if found is not None:
            print(
                f"{name} {found.version} is installed, but {name} {version} has been imported and stays in use. "
                "Restart the kernel, and run this %pip before the import."
            )


# --- uninstall


async def _uninstall(line: Line) -> None:
    wanted = Wanted(requirements=list(line.arguments))
    for name in line.all("--requirement"):
        await read(wanted, name, _fetch)
    if not wanted.requirements:
        raise PipError("%pip uninstall needs the name of a package, as in %pip uninstall NAME")
    names = []
    for name in map(name_of, wanted.requirements):
        found = installed(name)
        if found is None:
            print(f"WARNING: Skipping {name} as it is not installed.", file=sys.stderr)
        elif name == "pip" or is_of_kernel(found):
            raise PipError(f"%pip uninstall {name}: the kernel itself runs on it")
        else:
            names.append(found.name)
    if names:
        await packages.piplite()
        import micropip

        micropip.uninstall(names)
        importlib.invalidate_caches()


# --- what is installed


def _all() -> list[Distribution]:
    """Each distribution once, sorted by name."""
    found: dict[str, Distribution] = {}
    for item in distributions():
        if item.metadata["Name"]:
            found.setdefault(canonical(item.metadata["Name"]), item)
    return [found[name] for name in sorted(found)]


def _requires(item: Distribution) -> list[Any]:
    """The requirements of a distribution that apply here, without extras."""
    from packaging.requirements import InvalidRequirement, Requirement

    needed = []
    for text in item.requires or ():
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            needed.append(requirement)
    return needed


def _shown(line: Line) -> list[Distribution]:
    left_out = {canonical(name) for name in line.all("--exclude")}
    found = [item for item in _all() if canonical(item.name) not in left_out]
    if line.has("--not-required"):
        needed = {canonical(requirement.name) for item in _all() for requirement in _requires(item)}
        found = [item for item in found if canonical(item.name) not in needed]
    return found


def _list(line: Line, out: TextIO) -> None:
    form = line.last("--format", "columns")
    if form not in _FORMATS:
        raise PipError(f"%pip list --format: must be one of {', '.join(_FORMATS)}, not {form}")
    rows = [(item.name, item.version) for item in _shown(line)]
    if form == "json":
        print(json.dumps([{"name": name, "version": version} for name, version in rows]), file=out)
    elif form == "freeze":
        _print_frozen(rows, out)
    else:
        table = [("Package", "Version"), *rows]
        widths = [max(len(row[column]) for row in table) for column in (0, 1)]
        table.insert(1, ("-" * widths[0], "-" * widths[1]))
        for name, version in table:
            print(f"{name:{widths[0]}} {version}", file=out)


def _freeze(line: Line, out: TextIO) -> None:
    _print_frozen([(item.name, item.version) for item in _shown(line)], out)


def _print_frozen(rows: list[tuple[str, str]], out: TextIO) -> None:
    for name, version in rows:
        print(f"{name}=={version}", file=out)


def _show(line: Line, out: TextIO) -> None:
    if not line.arguments:
        raise PipError("%pip show needs the name of a package, as in %pip show NAME")
    everything = {canonical(item.name): item for item in _all()}
    missing = [name for name in line.arguments if canonical(name) not in everything]
    found = [everything[canonical(name)] for name in line.arguments if canonical(name) in everything]
    print("---\n".join(_about(item, everything, line) for item in found), end="", file=out)
    if missing:
        print(f"WARNING: Package(s) not found: {', '.join(missing)}", file=sys.stderr)


def _about(item: Distribution, everything: dict[str, Distribution], line: Line) -> str:
    about: Any = item.metadata
    needed_by = [other.name for other in everything.values() if _needs(other, item.name)]
    rows = {
        "Name": item.name,
        "Version": item.version,
        "Summary": about.get("Summary", ""),
        "Home-page": about.get("Home-page", ""),
        "Author": about.get("Author", ""),
        "License": about.get("License-Expression") or about.get("License", ""),
        "Location": str(item.locate_file("")),
        "Requires": ", ".join(sorted(requirement.name for requirement in _requires(item))),
        "Required-by": ", ".join(sorted(needed_by)),
    }
    text = "".join(f"{name}: {value}".rstrip() + "\n" for name, value in rows.items())
    if line.has("--files"):
        text += "Files:\n" + "".join(f"  {file}\n" for file in item.files or ())
    return text


def _needs(item: Distribution, name: str) -> bool:
    return any(canonical(requirement.name) == canonical(name) for requirement in _requires(item))


def _check(line: Line, out: TextIO) -> None:
    everything = {canonical(item.name): item for item in _all()}
    broken = 0
    for item in everything.values():
        if is_of_kernel(item):  # the kernel's packages for completion are loaded later
            continue
        for requirement in _requires(item):
            found = everything.get(canonical(requirement.name))
            if found is not None and requirement.specifier.contains(found.version, prereleases=True):
                continue
            broken += 1
            have = f"but you have {found.name} {found.version}" if found else "which is not installed"
            print(f"{item.name} {item.version} requires {requirement}, {have}.", file=out)
    if not broken:
        print("No broken requirements found.", file=out)


def _help(line: Line, out: TextIO) -> None:
    command = line.arguments[0] if line.arguments else None
    if command is not None:
        parse([command])  # raises an error for an unknown command
    print(help_text(command), file=out)


def _version(line: Line, out: TextIO) -> None:
    found = installed("micropip")
    behind = f" with micropip {found.version}" if found else ""
    print(f"pip of BrowserGrad{behind} (python {sys.version_info.major}.{sys.version_info.minor})", file=out)


_COMMANDS = {"list": _list, "freeze": _freeze, "show": _show, "check": _check, "help": _help, "--version": _version}
