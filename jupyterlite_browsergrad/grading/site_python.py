"""The Python of a built site: its Pyodide, the files from which that starts, and its vendored packages."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..constants import LABEXTENSION, PIPLITE_INDEX, PYODIDE_LOCK, SITE_KERNEL, SITE_PYODIDE
from ..errors import GradingError

__all__ = ["SitePython", "python_of"]


@dataclass(frozen=True)
class SitePython:
    """Arguments of `Sandbox`. All are empty for the Python of this package."""

    pyodide: Path | None = None
    kernel: Path | None = None
    packages: list[Path] = field(default_factory=list)

    @property
    def identity(self) -> bytes:
        """A text that changes whenever results may change."""
        return (self.pyodide / PYODIDE_LOCK).read_bytes() if self.pyodide else b""


def python_of(site: Path | None) -> SitePython:
    """Find the Python that students of the site use.

    Raises
    ------
    GradingError
        The folder is not a site that this package has built.
    """
    if site is None:
        return SitePython()
    pyodide, kernel = (site.resolve() / folder for folder in (SITE_PYODIDE, SITE_KERNEL))
    if (pyodide / PYODIDE_LOCK).is_file():
        packages = [pyodide] if (pyodide / PIPLITE_INDEX).is_file() else []
        return SitePython(pyodide, kernel if (kernel / "manifest.json").is_file() else None, packages)
    if not (site / "extensions" / LABEXTENSION).is_dir():
        raise GradingError(
            f"there is no site with this kernel at {site}: give the output folder of `jupyter lite build`"
        )
    return SitePython()  # the site has no packages of its own, and uses the Pyodide of this package
