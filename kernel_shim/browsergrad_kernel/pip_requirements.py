"""Parses requirements: names, versions, wheels beside the notebook, addresses, requirements files."""

from __future__ import annotations

import glob
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from .pip_options import INSTALL, PipError, parse_file_options

_VERSION_CONTROL = re.compile(r"(?:^|@\s*)(git|hg|svn|bzr)(\+|:|@)")
_ARCHIVES = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar", ".zip", ".egg")
_COMMENT = re.compile(r"(^|\s+)#.*$")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
#: `NAME[EXTRAS] @ ADDRESS`.
_NAMED = re.compile(r"^([A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\])?)\s*@\s*(.+)$")
#: A wheel's path or address, its extras and its marker.
_WHEEL = re.compile(
    r"^(?P<path>.+?\.whl)(?P<fragment>[?#][^\s\[]*)?(?P<extras>\[[^\]]*\])?\s*(?:;(?P<marker>.*))?$", re.IGNORECASE
)
#: Options that may stand on a line of their own in a file.
_OF_FILES = (
    "--requirement", "--constraint", "--editable", "--index-url", "--extra-index-url", "--no-index", "--find-links",
    "--no-binary", "--only-binary", "--prefer-binary", "--require-hashes", "--pre", "--all-releases", "--only-final",
    "--trusted-host", "--use-feature",
)  # fmt: skip
_OF_REQUIREMENTS = re.compile(r"\s--(hash|config-settings?|global-option)[=\s]")


@dataclass
class Wanted:
    """The request of a ``%pip install`` line, including its requirements files.

    Attributes
    ----------
    requirements, constraints
        In the form that micropip accepts.
    hashes
        Allowed digests, ``sha256:…``, by canonical name.
    pre, no_index, require_hashes, index_urls, extra_index_urls, find_links
        Options that files may contain too.
    """

    requirements: list[str] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    hashes: dict[str, set[str]] = field(default_factory=dict)
    pre: bool = False
    no_index: bool = False
    require_hashes: bool = False
    index_urls: list[str] = field(default_factory=list)
    extra_index_urls: list[str] = field(default_factory=list)
    find_links: list[Path] = field(default_factory=list)

    def take_options(self, line: Any, folder: Path) -> None:
        """Add the options of a line or of a file."""
        self.pre |= line.has("--pre")
        self.no_index |= line.has("--no-index")
        self.require_hashes |= line.has("--require-hashes")
        self.index_urls += line.all("--index-url")
        self.extra_index_urls += line.all("--extra-index-url")
        self.find_links += [_links_folder(text, folder) for text in line.all("--find-links")]


def _links_folder(text: str, folder: Path) -> Path:
    if "://" in text and not text.startswith("file:"):
        raise PipError(f"%pip install --find-links {text}: pages with links are not read here; name a folder of wheels")
    for base in (Path.cwd(), folder):
        if (path := base / _local_path(text)).is_dir():
            return path
    raise PipError(f"%pip install --find-links {text}: there is no such folder in {Path.cwd()}")


def canonical(name: str) -> str:
    """The normalized name of a distribution, as indexes use it."""
    return re.sub(r"[-_.]+", "-", name).lower()


# --- one requirement


def resolve(text: str, base: Path | None = None) -> list[str]:
    """Convert a requirement into requirements that micropip accepts. The list is empty if its marker does not apply.

    Parameters
    ----------
    text
        A requirement, path or address.
    base
        Folder of the file that names it. Paths are relative to the working directory, as in pip, or else to this folder.

    Raises
    ------
    PipError
        It cannot be installed here, or is not a requirement.
    """
    text = text.strip()
    if _VERSION_CONTROL.search(text):
        raise PipError(
            f"%pip install {text}: there is no version control and no build tool in this kernel. "
            "Install a wheel instead: its address (https://….whl), or the file beside the notebook (./….whl)"
        )
    named = _NAMED.match(text)
    address = named[2] if named else text
    if wheel := _WHEEL.match(address):
        return _resolve_wheel(text, wheel, named[1].strip() if named else "", base)
    _refuse_sources(text, address)
    return [_check_name(text)]


def _resolve_wheel(text: str, wheel: re.Match[str], name: str, base: Path | None) -> list[str]:
    if wheel["marker"] and not _applies(text, wheel["marker"]):
        return []
    if "://" in wheel["path"] and not wheel["path"].startswith(("file:", "emfs:")):
        paths = [wheel["path"] + (wheel["fragment"] or "")]
    else:
        paths = [f"emfs:{plain_path(path)}" for path in _find(text, _local_path(wheel["path"]), base)]
    if wheel["extras"] and not name:
        name = Path(unquote(urlsplit(paths[0]).path)).name.split("-")[0] + wheel["extras"]
    return [f"{name} @ {path}" if name else path for path in paths]


def _local_path(address: str) -> str:
    if address.startswith("emfs:"):
        return os.path.expanduser(address.removeprefix("emfs:"))
    if address.startswith("file:"):
        return unquote(urlsplit(address).path) or address.removeprefix("file:")
    return os.path.expanduser(address)


def _find(text: str, path: str, base: Path | None) -> list[Path]:
    """The files at a path, which may have wildcards."""
    for folder in [Path.cwd(), *([base] if base else [])]:
        whole = str(folder / path)
        found = [Path(item) for item in sorted(glob.glob(whole))] if re.search(r"[*?\[]", path) else [Path(whole)]
        found = [Path(os.path.normpath(item)) for item in found if item.is_file()]
        if found:
            for item in found:
                if not zipfile.is_zipfile(item):
                    raise PipError(
                        f"%pip install {text}: {item} is not a wheel; it may be cut off, or a web page saved under that name"
                    )
            return found
    near = sorted(item.name for item in Path.cwd().glob("*.whl"))
    there = f"; wheels there: {', '.join(near[:5])}" if near else ""
    raise PipError(f"%pip install {text}: there is no such file in {Path.cwd()}{there}")


def plain_path(path: Path) -> str:
    """`path`; or the path of a copy, if `path` has characters with a special meaning in addresses."""
    if re.fullmatch(r"[\w./+~!,=-]*", str(path), re.ASCII):
        return str(path)
    folder = tempfile.mkdtemp(prefix="wheel-")
    return shutil.copy(path, folder)


def _refuse_sources(text: str, address: str) -> None:
    """Raise an error for everything that would have to be built, and for addresses of anything but wheels."""
    path = address.partition(";")[0].strip()
    local = os.path.expanduser(re.sub(r"\[[^\]]*\]$", "", path))
    instead = "build a wheel elsewhere (`pip wheel`) and put it beside the notebook"
    if path.lower().endswith(_ARCHIVES):
        raise PipError(f"%pip install {text}: nothing can be built from source in this kernel; {instead}")
    if "://" in path:
        raise PipError(f"%pip install {text}: this is not the address of a wheel (….whl)")
    if path in (".", "..") or path.startswith(("./", "../", "/", "~")) or (os.sep in local and os.path.exists(local)):
        what = "a folder" if os.path.isdir(local) else "a file" if os.path.exists(local) else "missing"
        if what == "missing":
            raise PipError(f"%pip install {text}: there is no {local} in {Path.cwd()}")
        raise PipError(
            f"%pip install {text}: this is {what}, and nothing can be built in this kernel; "
            + (
                "put it on sys.path to import what is in it, or "
                if what == "a folder"
                else "requirements files need -r; else "
            )
            + instead
        )


def _check_name(text: str) -> str:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        Requirement(text)
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
        if re.fullmatch(r"=?|[\w.-]+=[\w.*-]+", text):
            reason = "versions are compared with two signs, as in NAME==1.2"
        elif os.path.isfile(text):
            reason = "a file of requirements needs -r"
        raise PipError(
            f"%pip install {text}: this is not a requirement such as NAME, NAME==1.2 or 'NAME>=1.2': {reason}"
        ) from None
    return text


def _applies(text: str, marker: str) -> bool:
    from packaging.markers import InvalidMarker, Marker

    try:
        return Marker(marker.strip()).evaluate()
    except InvalidMarker as error:
        raise PipError(f"%pip install {text}: {str(error).splitlines()[0]}") from None


# --- files


async def read(
    wanted: Wanted,
    name: str,
    fetch: Callable[[str], Awaitable[str]],
    *,
    base: Path | None = None,
    constraint: bool = False,
    open_files: tuple[str, ...] = (),
) -> None:
    """Add the content of a requirements or constraints file to `wanted`.

    Parameters
    ----------
    wanted
        What the line has asked for so far.
    name
        Path or address of the file.
    fetch
        Gets the text at an address.
    base
        Folder of the file that names it.
    constraint
        Whether its requirements are constraints.
    open_files
        Files that are being read, which name each other.
    """
    if "://" in name and not name.startswith("file:"):
        place, text, folder = name, await fetch(name), Path.cwd()
    else:
        path = Path(os.path.normpath((base or Path.cwd()) / _local_path(name)))
        place, folder = str(path), path.parent
        text = _read_file(path, open_files)
    if place in open_files:
        raise PipError(f"{open_files[-1]} names {place}, which is being read already")
    for number, line in _logical_lines(text):
        where = f"{place}:{number}"
        if not line.startswith("-"):
            _add(wanted, where, line, folder, constraint)
            continue
        found = parse_file_options(where, _option_words(line), _OF_FILES)
        if found.arguments:
            raise PipError(f"{where}: {' '.join(found.arguments)} cannot stand behind an option")
        wanted.take_options(found, folder)
        for option, is_constraint in (("--requirement", constraint), ("--constraint", True)):
            for inner in found.all(option):
                await read(wanted, inner, fetch, base=folder, constraint=is_constraint, open_files=(*open_files, place))


def _read_file(path: Path, open_files: tuple[str, ...]) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        by = f", which {open_files[-1]} names" if open_files else ""
        raise PipError(f"%pip cannot read the requirements file {path}{by}: {reason}") from None


def _logical_lines(text: str) -> list[tuple[int, str]]:
    """Logical lines, each with the number of its first line: continued lines are joined, comments removed, variables inserted."""
    lines: list[tuple[int, str]] = []
    started, parts = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        started = started or number
        if line.endswith("\\") and not _COMMENT.match(line):
            parts += line[:-1]
            continue
        lines.append((started, parts + line))
        started, parts = 0, ""
    if parts:
        lines.append((started, parts))
    cleaned = ((number, _COMMENT.sub("", line).strip()) for number, line in lines)
    return [
        (number, _VARIABLE.sub(lambda found: os.environ.get(found[1], found[0]), line))
        for number, line in cleaned
        if line
    ]


def _option_words(line: str) -> list[str]:
    # In `--requirement FILE`, FILE may contain blanks.
    name, blank, value = (
        line.replace("=", " ", 1).partition(" ") if line.startswith("--") else (line[:2], " ", line[2:])
    )
    value = value.strip()
    takes_value = next((option.takes_value for option in INSTALL if name in option.names), False)
    return [name, value] if blank and value and takes_value else line.split()


def _add(wanted: Wanted, where: str, line: str, folder: Path, constraint: bool) -> None:
    hashes = set()
    if option := _OF_REQUIREMENTS.search(line):
        line, behind = line[: option.start()], line[option.start() :]
        hashes = set(re.findall(r"--hash[=\s]+(\S+)", behind))
    try:
        found = resolve(line, folder)
    except PipError as error:
        raise PipError(f"{where}: {str(error).removeprefix('%pip install ')}") from None
    if hashes and found:
        wanted.hashes.setdefault(name_of(found[0]), set()).update(hashes)
    (wanted.constraints if constraint else wanted.requirements).extend(found)


def name_of(requirement: str) -> str:
    """Canonical name of the distribution that a resolved requirement names."""
    named = re.match(r"[A-Za-z0-9][\w.-]*(?=\s*(?:\[[^\]]*\]\s*)?(?:@|[<>=!~;(\s]|$))", requirement)
    if named and not named[0].lower().endswith(".whl"):
        return canonical(named[0])
    return canonical(Path(unquote(urlsplit(requirement).path)).name.split("-")[0])
