"""Gets wheels for the browser from the package index, through pip, and says why there is none."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from packaging.specifiers import SpecifierSet
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

__all__ = ["NoWheel", "explain_failure", "get_wheel"]

#: A line of pip's about a page of an index that it could not read.
_FAILED = re.compile(r"Could not fetch URL (\S+): (.*?)(?: - skipping)?$")
#: A line of pip's about a file that an index has.
_LINK = re.compile(r"(?:Found link|Skipping link: [^:]+(?:: [^:]+)?:) (\S+)")
_NOT_FOUND = re.compile(r"\b(?:404|410) Client Error")
_HELP = (
    "Behind a proxy set HTTPS_PROXY. Without a network, put wheels into a folder and let PIP_FIND_LINKS name it, "
    "or give the paths of wheels"
)


class NoWheel(Exception):
    """The package index has no suitable wheel. The message is a part of a sentence about the requirement."""


@dataclass
class _Found:
    """What pip's log says about an index."""

    #: Addresses of indexes that have no such package.
    unknown: list[str] = field(default_factory=list)
    #: Why an index could not be read.
    problems: list[str] = field(default_factory=list)
    #: Versions of which an index has a file, of whatever kind.
    versions: set[Version] = field(default_factory=set)
    #: Whether an index has any file.
    is_known: bool = False


def get_wheel(name: str, specifier: SpecifierSet, python: tuple[int, int], platforms: list[str], folder: Path) -> Path:
    """Download the newest wheel that fits into `folder`, and return its path. pip's own configuration applies.

    Parameters
    ----------
    python
        Version of the Python that will run it.
    platforms
        Tags of its platform, best first.

    Raises
    ------
    NoWheel
        There is none. The message says whether the name, the version or the platform is the reason, or the network.
    """
    tag = "".join(map(str, python))
    command = [sys.executable, "-m", "pip", "download", "-vv", "--no-color", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--implementation=cp", f"--python-version={python[0]}.{python[1]}"]
    command += [f"--abi=cp{tag}", "--abi=abi3", "--abi=none", *(f"--platform={each}" for each in platforms)]
    with tempfile.TemporaryDirectory(dir=folder) as partial:
        done = subprocess.run(
            [*command, "-d", partial, f"{name}{specifier}"], capture_output=True, text=True, errors="replace"
        )
        found = list(Path(partial).glob("*.whl"))
        if done.returncode == 0 and len(found) == 1:
            return found[0].replace(folder / found[0].name)
    raise NoWheel(explain_failure(done.stdout + done.stderr, name, specifier, f"cp{tag} {platforms[0]}"))


def explain_failure(log: str, name: str, specifier: SpecifierSet, tags: str) -> str:
    """Return why pip has found no wheel, from its log.

    Parameters
    ----------
    log
        What ``pip download -vv`` has written.
    tags
        Tags of the wheels that the browser needs.
    """
    found = _read(log)
    if not found.is_known and found.problems:
        return f"the package index cannot be reached ({'; '.join(found.problems)}). {_HELP}"
    if not found.is_known and found.unknown:
        return f"{_called(found.unknown)} does not know the name {name}: check the spelling"
    if found.versions and not any(specifier.contains(each, prereleases=True) for each in found.versions):
        return f"PyPI has no version of {name} that fits {specifier}: the newest is {max(found.versions)}"
    if not found.is_known and "Ignoring indexes: " in log:
        return f"no folder that PIP_FIND_LINKS names has {name}, and PIP_NO_INDEX keeps pip from asking PyPI"
    if not found.is_known and "No module named pip" in log:
        return "pip is not installed, with which a build asks PyPI: python -m ensurepip"
    errors = [line for line in log.splitlines() if line.startswith("ERROR")]
    # These two only repeat what the sentence says.
    errors = [
        line for line in errors if "No matching distribution" not in line and "Could not find a version" not in line
    ]
    said = f". pip says: {' '.join(errors)}" if errors else ""
    return f"on PyPI, no wheel runs in the browser: it has to be pure Python (py3-none-any) or built for {tags}{said}"


def _read(log: str) -> _Found:
    found = _Found()
    for line in map(str.strip, log.splitlines()):
        if failed := _FAILED.match(line):
            url, reason = failed.groups()
            if _NOT_FOUND.search(reason):
                found.unknown.append(url)
            else:
                problem = f"{urlsplit(url).netloc}: {reason}"
                found.problems += [problem] if problem not in found.problems else []
        elif (link := _LINK.match(line)) and "://" in link[1] and not urlsplit(link[1]).path.endswith("/"):
            found.is_known = True
            if (version := _version(urlsplit(link[1]).path.rpartition("/")[2])) is not None:
                found.versions.add(version)
    return found


def _called(urls: list[str]) -> str:
    hosts = list(dict.fromkeys(urlsplit(url).netloc for url in urls))
    return "PyPI" if "pypi.org" in hosts else f"PyPI (here the index at {', '.join(hosts)})"


def _version(file: str) -> Version | None:
    try:
        return parse_wheel_filename(file)[1] if file.endswith(".whl") else parse_sdist_filename(file)[1]
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None
