"""The exceptions of this package.

::

    BrowsergradError
    ├── AssetsNotFoundError    (FileNotFoundError)  the built labextension is not where it should be
    ├── AuthoringError         (ValueError)         a lab, or the source of one, cannot be used
    ├── ConfigurationError     (ValueError)         a setting cannot be followed
    ├── DistributionError      (ValueError)         a folder or archive is not a usable Pyodide distribution
    ├── GradingError           (ValueError)         a lab or its submissions cannot be graded
    ├── LabRuntimeMismatch     (RuntimeError)       a lab needs another version; in `manifest`
    ├── LabsError              (ValueError)         labs among a site's contents have errors
    ├── ManifestError          (ValueError)         a manifest breaks its rules; in `manifest`
    ├── SandboxError           (RuntimeError)       a sandbox cannot start or work; in `server_kernel.sandbox`
    ├── SiteError              (AssertionError)     a built site is incomplete or damaged
    └── VendoringError         (RuntimeError)       a requirement cannot be put into the site

Other exceptions never leave the package: `BadHandIn`, `DownloadFailed`, `Ended`, `EngineError`, `FrameError`, `NoWheel`, `OutOfTurn`, `ProtocolError`,
`Tampered`, `TimeOver`, `TooLarge` and `Unreadable`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .exit_status import FAULTS, UNUSABLE

__all__ = [
    "AssetsNotFoundError",
    "AuthoringError",
    "BrowsergradError",
    "ConfigurationError",
    "DistributionError",
    "GradingError",
    "LabsError",
    "SiteError",
    "VendoringError",
]


class BrowsergradError(Exception):
    """The base of all exceptions that this package raises on purpose.

    ``exit_status`` is the one of a command that ends with this exception: 1 for faults in a lab, a source or a site,
    2 for everything that keeps the command from its work.
    """

    exit_status = UNUSABLE

    def __init__(self, *args: object, exit_status: int | None = None):
        super().__init__(*args)
        if exit_status is not None:
            self.exit_status = exit_status


class AssetsNotFoundError(BrowsergradError, FileNotFoundError):
    """The built labextension is missing."""


class AuthoringError(BrowsergradError, ValueError):
    """A lab cannot be made: its source breaks the rules for markers, or other files are in its place."""


class ConfigurationError(BrowsergradError, ValueError):
    """A setting has a value that cannot be followed."""


class DistributionError(BrowsergradError, ValueError):
    """``source`` is not a usable Pyodide distribution."""

    def __init__(self, source: object, problem: str):
        super().__init__(
            f"pyodide_url {str(source)!r}: {problem}. Give the folder, the address of a folder, or the .tar.bz2, .tar.gz or "
            ".zip archive of a Pyodide release: it holds pyodide.mjs, pyodide.asm.wasm and pyodide-lock.json, perhaps in a folder `pyodide`."
        )
        self.source = source
        self.problem = problem


class GradingError(BrowsergradError, ValueError):
    """Nothing can be graded: a lab, a submission or a file of results cannot be used."""


class VendoringError(BrowsergradError, RuntimeError):
    """``requirement`` cannot be vendored. ``others`` are errors of further requirements."""

    def __init__(self, requirement: str, problem: str, others: Iterable[VendoringError] = ()):
        self.requirement = requirement
        self.problem = problem
        self.others = tuple(others)
        lines = dict.fromkeys(f"{each.requirement}: {each.problem}" for each in (self, *self.others))
        super().__init__("packages: " + "\n".join(lines) if len(lines) == 1 else "packages:\n- " + "\n- ".join(lines))

    @classmethod
    def of_all(cls, errors: Sequence[VendoringError]) -> VendoringError:
        """Return one error that names those of several requirements."""
        first, *others = [each for error in errors for each in (error, *error.others)]
        return cls(first.requirement, first.problem, others)


class LabsError(BrowsergradError, ValueError):
    """Labs have errors. ``problems`` has one line for each, with file and field."""

    exit_status = FAULTS

    def __init__(self, problems: list[str]):
        super().__init__("bad labs among the contents:\n" + "\n".join(f"- {problem}" for problem in problems))
        self.problems = problems


class SiteError(BrowsergradError, AssertionError):
    """A built site is incomplete or damaged. ``problems`` has one line for each problem."""

    exit_status = FAULTS

    def __init__(self, problems: list[str]):
        super().__init__("the site is not whole:\n" + "\n".join(f"- {problem}" for problem in problems))
        self.problems = problems
