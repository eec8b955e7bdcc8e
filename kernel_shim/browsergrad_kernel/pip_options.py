"""pip's command line: every command and option of pip 26, and its meaning in this kernel.

All of pip's commands and options are known here. So a line copied from elsewhere is either carried out, or refused with an error that names the
option. The page ``docs/reference/pip.md`` shows the same tables. A test compares both with pip.
"""

from __future__ import annotations

import difflib
import optparse
from dataclasses import dataclass, field
from typing import Any, NoReturn

from IPython.core.error import UsageError

WORKS, IGNORED, REFUSED = "works", "ignored", "refused"


class PipError(UsageError, ValueError):
    """A ``%pip`` line cannot be carried out. The message says why, and what to write instead."""

    def _render_traceback_(self) -> list[str]:
        # Without frames: those of IPython and pip would not help.
        return [f"UsageError: {self}"]


# Notebooks show this name. IPython itself tests for exactly the class UsageError, not for subclasses.
PipError.__name__ = PipError.__qualname__ = "UsageError"


@dataclass(frozen=True)
class Option:
    """One option.

    Attributes
    ----------
    spelling
        Its names as in pip's help, with the metavar of its value after the last one.
    fate
        `WORKS`, `IGNORED` (accepted: it cannot matter here) or `REFUSED`.
    why
        What it does, why it cannot matter, or what to do instead.
    """

    spelling: str
    fate: str
    why: str

    @property
    def names(self) -> list[str]:
        """The option's names, such as ``-U`` and ``--upgrade``."""
        return [word.rstrip(",") for word in self.spelling.split() if word.startswith("-")]

    @property
    def name(self) -> str:
        """The long name, which is the key in `Line.options`."""
        return next(name for name in self.names if name.startswith("--"))

    @property
    def takes_value(self) -> bool:
        """Whether the option takes a value."""
        return not self.spelling.split()[-1].startswith("-")


_NETWORK = "the browser, or the sandbox, makes the connections"
_CACHE = "the browser keeps its own cache"
_NOTHING_BUILT = "nothing is built here"
_ONE_PLACE = "packages have one place here: the kernel's own memory"
_ONE_PYTHON = "packages are chosen for the Python that runs"
_WHEELS_ONLY = "only wheels are installed here"

#: Options that every command has.
GENERAL = (
    Option("-h, --help", WORKS, "shows what the command can do here"),
    Option("-v, --verbose", WORKS, "tells what is fetched and installed; twice: in detail"),
    Option("-q, --quiet", WORKS, "does not say that a wheel at an address is already installed"),
    Option("-V, --version", WORKS, "shows the versions of micropip and Python"),
    Option("--debug", IGNORED, "errors are shown whole"),
    Option("--isolated", IGNORED, "pip has no configuration files here"),
    Option("--require-virtualenv, --require-venv", IGNORED, "each kernel has an environment of its own"),
    Option("--python PYTHON", REFUSED, "there is one Python here"),
    Option("--log, --log-file, --local-log PATH", IGNORED, "use -v to see what happens"),
    Option("--no-input", IGNORED, "nothing is asked"),
    Option("--keyring-provider PROVIDER", IGNORED, "there is no keyring"),
    Option("--proxy PROXY", IGNORED, _NETWORK),
    Option("--no-proxy-env", IGNORED, _NETWORK),
    Option("--retries RETRIES", IGNORED, _NETWORK),
    Option("--resume-retries RETRIES", IGNORED, _NETWORK),
    Option("--timeout, --default-timeout SECONDS", IGNORED, _NETWORK),
    Option("--exists-action ACTION", IGNORED, "nothing is checked out"),
    Option("--trusted-host HOST", IGNORED, _NETWORK),
    Option("--cert PATH", IGNORED, _NETWORK),
    Option("--client-cert PATH", IGNORED, _NETWORK),
    Option("--cache-dir DIR", IGNORED, _CACHE),
    Option("--no-cache-dir", IGNORED, _CACHE),
    Option("--disable-pip-version-check", IGNORED, "pip itself is part of the kernel"),
    Option("--no-color", IGNORED, "nothing is coloured"),
    Option("--no-python-version-warning", IGNORED, "there is no such warning"),
    Option("--use-feature FEATURE", IGNORED, "the features are those of micropip"),
    Option("--use-deprecated FEATURE", IGNORED, "the features are those of micropip"),
)

_SELECTION = (
    Option("--pre", WORKS, "takes pre-releases too"),
    Option("--all-releases PACKAGES", REFUSED, "use --pre"),
    Option("--only-final PACKAGES", IGNORED, "pre-releases are left out unless --pre is given"),
    Option("--no-binary PACKAGES", REFUSED, f"{_WHEELS_ONLY}, and nothing can be built from source"),
    Option("--only-binary PACKAGES", IGNORED, _WHEELS_ONLY),
    Option("--prefer-binary", IGNORED, _WHEELS_ONLY),
)
_INDEX = (
    Option(
        "-i, --index-url, --pypi-url URL",
        WORKS,
        "asks that index instead of PyPI, where the site lets students install from PyPI",
    ),
    Option(
        "--extra-index-url URL",
        WORKS,
        "asks that index after the others, where the site lets students install from PyPI",
    ),
    Option("--no-index", WORKS, "asks no index but the folders of --find-links and the site's own packages"),
    Option(
        "-f, --find-links FOLDER",
        WORKS,
        "takes wheels from a folder beside the notebook first; pages with links are refused",
    ),
    Option("--refresh-package PACKAGES", IGNORED, _CACHE),
    Option("--uploaded-prior-to DATE", REFUSED, "write the version you want, as in NAME==1.2"),
)
_FILE = Option("-r, --requirement FILE", WORKS, "reads requirements from a file, and the files it names")

INSTALL = (
    _FILE,
    Option("-c, --constraint FILE", WORKS, "reads versions that must be kept if a package is needed"),
    Option("--build-constraint FILE", IGNORED, _NOTHING_BUILT),
    Option("--requirements-from-script FILE", REFUSED, "write the packages of its `dependencies` behind %pip install"),
    Option("--group GROUP", REFUSED, "write the group's packages behind %pip install, or into a file for -r"),
    Option("--no-deps, --no-dependencies", WORKS, "installs no dependencies"),
    Option("--only-deps, --only-dependencies", REFUSED, "name the dependencies themselves"),
    Option(
        "-e, --editable PATH",
        REFUSED,
        "nothing can be built here: put the folder that holds the package on sys.path and import it",
    ),
    Option("--dry-run", REFUSED, "use `%pip show` or `%pip list` to see what is there"),
    Option("-t, --target DIR", REFUSED, _ONE_PLACE),
    Option("--root DIR", REFUSED, _ONE_PLACE),
    Option("--prefix DIR", REFUSED, _ONE_PLACE),
    Option("--user", IGNORED, _ONE_PLACE),
    Option("--no-user", IGNORED, _ONE_PLACE),
    Option("--platform PLATFORM", REFUSED, _ONE_PYTHON),
    Option("--python-version VERSION", REFUSED, _ONE_PYTHON),
    Option("--implementation NAME", REFUSED, _ONE_PYTHON),
    Option("--abi ABI", REFUSED, _ONE_PYTHON),
    Option("--src, --source, --source-dir, --source-directory DIR", IGNORED, _NOTHING_BUILT),
    Option("-U, --upgrade", WORKS, "replaces an older version by the newest that can be had"),
    Option("--upgrade-strategy STRATEGY", WORKS, "only-if-needed; with eager, the dependencies are upgraded too"),
    Option("--force-reinstall", WORKS, "installs anew what is there already"),
    Option("-I, --ignore-installed", WORKS, "the same as --force-reinstall"),
    Option("--ignore-requires-python", IGNORED, "the index decides which wheels fit"),
    Option("--no-build-isolation", IGNORED, _NOTHING_BUILT),
    Option("--use-pep517", IGNORED, _NOTHING_BUILT),
    Option("--no-use-pep517", IGNORED, _NOTHING_BUILT),
    Option("--check-build-dependencies", IGNORED, _NOTHING_BUILT),
    Option("-C, --config-settings, --config-setting SETTINGS", IGNORED, _NOTHING_BUILT),
    Option("--global-option OPTIONS", IGNORED, _NOTHING_BUILT),
    Option("--break-system-packages", IGNORED, "there are no packages of a system"),
    Option("--compile", IGNORED, "Python compiles what it imports"),
    Option("--no-compile", IGNORED, "Python compiles what it imports"),
    Option("--no-warn-script-location", IGNORED, "there are no scripts to run"),
    Option("--no-warn-conflicts", IGNORED, "use `%pip check`"),
    Option("--require-hashes", WORKS, "refuses requirements without --hash"),
    Option("--no-require-hashes", IGNORED, "hashes that are given are compared"),
    Option("--progress-bar TYPE", IGNORED, "there is none"),
    Option("--root-user-action ACTION", IGNORED, "there is no root user"),
    Option("--report FILE", REFUSED, "use `%pip list --format=json`"),
    Option("--no-clean", IGNORED, _NOTHING_BUILT),
    *_SELECTION,
    *_INDEX,
)
UNINSTALL = (
    _FILE,
    Option("-y, --yes", IGNORED, "nothing is asked"),
    Option("--root-user-action ACTION", IGNORED, "there is no root user"),
    Option("--break-system-packages", IGNORED, "there are no packages of a system"),
)
LIST = (
    Option("-o, --outdated", REFUSED, "use `%pip install --upgrade NAME`"),
    Option("-u, --uptodate", REFUSED, "use `%pip install --upgrade NAME`"),
    Option("-e, --editable", REFUSED, "there are no editable packages here"),
    Option("-l, --local", IGNORED, _ONE_PLACE),
    Option("--user", IGNORED, _ONE_PLACE),
    Option("--path PATH", REFUSED, _ONE_PLACE),
    Option("--format FORMAT", WORKS, "columns, freeze or json"),
    Option("--not-required", WORKS, "leaves out what others need"),
    Option("--exclude-editable", IGNORED, "there are no editable packages here"),
    Option("--include-editable", IGNORED, "there are no editable packages here"),
    Option("--exclude PACKAGE", WORKS, "leaves a package out"),
    *(Option(item.spelling, IGNORED, "no index is asked") for item in _SELECTION + _INDEX),
)
FREEZE = (
    Option("-r, --requirement FILE", REFUSED, "the list is in alphabetical order"),
    Option("-l, --local", IGNORED, _ONE_PLACE),
    Option("--user", IGNORED, _ONE_PLACE),
    Option("--path PATH", REFUSED, _ONE_PLACE),
    Option("--all", IGNORED, "all packages are shown anyway"),
    Option("--exclude-editable", IGNORED, "there are no editable packages here"),
    Option("--exclude PACKAGE", WORKS, "leaves a package out"),
)
SHOW = (Option("-f, --files", WORKS, "lists the files too"),)

#: Name of each command that works -> what it does, and its own options.
COMMANDS: dict[str, tuple[str, tuple[Option, ...]]] = {
    "install": ("installs packages", INSTALL),
    "uninstall": ("removes packages", UNINSTALL),
    "list": ("lists what is installed", LIST),
    "freeze": ("lists what is installed, as requirements", FREEZE),
    "show": ("tells about installed packages", SHOW),
    "check": ("tells which installed packages lack something they need", ()),
    "help": ("tells what %pip can do here", ()),
}

#: pip's other commands, and what to do instead.
NOT_HERE = {
    "cache": f"{_CACHE}; pip does not manage that",
    "completion": "a notebook completes by itself",
    "config": "each option is written on the line itself",
    "debug": "`import sys, sysconfig` tells about this Python: sys.version, sysconfig.get_platform()",
    "download": "a package is installed at once: use `%pip install`",
    "hash": "use hashlib.file_digest",
    "index": "use `%pip install --upgrade NAME` for the newest version",
    "inspect": "use `%pip list --format=json` or `%pip show`",
    "lock": "use `%pip freeze`",
    "search": "look for packages at https://pypi.org",
    "wheel": f"{_NOTHING_BUILT}: build wheels elsewhere and put them beside the notebook",
}


@dataclass
class Line:
    """A parsed command line.

    Attributes
    ----------
    command
        One of `COMMANDS`, or ``--version``.
    options
        Values by long name, in order; ``[True]`` for each time an option without value was given.
    arguments
        The other words.
    """

    command: str
    options: dict[str, list[Any]] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)

    def has(self, name: str) -> bool:
        """Whether an option was given."""
        return name in self.options

    def all(self, name: str) -> list[Any]:
        """Every value given to an option."""
        return self.options.get(name, [])

    def last(self, name: str, otherwise: str) -> str:
        """The value given last."""
        return str(self.options[name][-1]) if name in self.options else otherwise


class _Parser(optparse.OptionParser):
    """optparse, as pip uses it: clustered short options, abbreviated long options. Errors raise exceptions."""

    def __init__(self, what: str, options: tuple[Option, ...], line: Line) -> None:
        super().__init__(add_help_option=False, prog=what)
        self.what, self.known = what, options
        for option in options:
            self.add_option(
                *option.names,
                action="callback",
                type="string" if option.takes_value else None,
                callback=self._seen,
                callback_args=(option, line),
            )

    def _seen(self, given: Any, spelled: str, value: str | None, parser: Any, option: Option, line: Line) -> None:
        if option.fate == REFUSED:
            raise PipError(f"{self.what}: {spelled} has no use in this kernel: {option.why}")
        line.options.setdefault(option.name, []).append(True if value is None else value)

    def error(self, msg: str) -> NoReturn:
        name = msg.rpartition(" ")[2]
        near = difflib.get_close_matches(name, [name for option in self.known for name in option.names], 1)
        hint = f" (did you mean {near[0]}?)" if msg.startswith("no such option") and near else ""
        raise PipError(f"{self.what}: {msg}{hint}; `{self.what} --help` lists the options")


def parse(words: list[str]) -> Line:
    """Parse the words after ``pip``.

    Raises
    ------
    PipError
        A command or option is unknown, or cannot be used here.
    """
    line = Line("help")
    general = _Parser("%pip", GENERAL, line)
    general.disable_interspersed_args()
    _, rest = general.parse_args(words)
    if line.has("--version"):
        return Line("--version")
    if not rest:
        return line
    command = rest[0]
    if command not in COMMANDS:
        raise PipError(_unknown(command))
    line.command = command
    options = COMMANDS[command][1] + tuple(option for option in GENERAL if option.name != "--version")
    _, line.arguments = _Parser(f"%pip {command}", options, line).parse_args(rest[1:])
    return Line("help", {}, [command]) if line.has("--help") else line


def parse_file_options(where: str, words: list[str], known: tuple[str, ...]) -> Line:
    """Parse a line of options in a requirements file. `known` are the long names of the options that are allowed there."""
    line = Line("install")
    options = tuple(option for option in INSTALL + GENERAL if option.name in known)
    _, line.arguments = _Parser(where, options, line).parse_args(words)
    return line


def _unknown(command: str) -> str:
    offered = "this kernel's pip can " + ", ".join(COMMANDS)
    if command in NOT_HERE:
        return f"%pip {command} has no use in this kernel: {NOT_HERE[command]} ({offered})"
    near = difflib.get_close_matches(command, COMMANDS, 1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"%pip has no command {command!r}{hint}; {offered}"


def help_text(command: str | None = None) -> str:
    """The output of ``%pip help``."""
    if command is None:
        width = max(map(len, COMMANDS))
        lines = ["%pip COMMAND [OPTIONS] …", "", "Commands:"]
        lines += [f"  {name:{width}}  {does}" for name, (does, _) in COMMANDS.items()]
        lines += [
            "",
            "`%pip help COMMAND` lists a command's options. Packages come from the site, the notebook's folder and,",
            "where the site allows it, PyPI; they last until the kernel restarts.",
        ]
        return "\n".join(lines)
    does, options = COMMANDS[command]
    lines = [f"%pip {command}: {does}", ""]
    for fate, title in ((WORKS, "Options:"), (IGNORED, "Accepted, without effect here:")):
        shown = [option for option in options + GENERAL if option.fate == fate and option.name != "--version"]
        if shown:
            lines.append(title)
            lines += [f"  {option.spelling:32}  {option.why}" for option in shown]
    return "\n".join(lines)
