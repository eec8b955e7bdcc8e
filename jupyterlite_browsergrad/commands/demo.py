"""Build a site with the example notebooks and labs, and serve it.

The site is written to a folder that is deleted at the end, or to the one given by --output-dir.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from jupyter_core.paths import jupyter_path

from ..errors import AssetsNotFoundError, ConfigurationError
from . import serve

__all__ = ["configure", "examples", "run"]

#: Folders of the source tree's ``examples/`` that are contents of a site.
CONTENTS = ("demo", "labs")
#: Folder of the installed examples, below a folder of Jupyter's data.
INSTALLED = ("browsergrad", "examples")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--output-dir", type=Path, metavar="DIR", help="keep the site in this folder")
    parser.add_argument("--port", type=serve.port_number, default=8000, help="default 8000; 0 uses a free port")
    parser.add_argument("--no-serve", action="store_true", help="only build; needs --output-dir")


def examples() -> list[Path]:
    """Return the folders of example contents: those of the source tree, else those that were installed.

    Raises
    ------
    AssetsNotFoundError
        There are none.
    """
    source = Path(__file__).resolve().parents[2] / "examples"
    for place in (source, *map(Path, jupyter_path(*INSTALLED))):
        found = [place / name for name in CONTENTS if (place / name).is_dir()]
        if found:
            return found
    raise AssetsNotFoundError(
        "The example notebooks were not found. Install the wheel again: pip install --force-reinstall jupyterlite-browsergrad"
    )


def run(options: argparse.Namespace) -> int:
    """Build, and serve until interrupted."""
    if options.no_serve and options.output_dir is None:
        raise ConfigurationError("--no-serve would throw the site away: give --output-dir DIR too")
    with tempfile.TemporaryDirectory(prefix="browsergrad-demo-") as work:
        site = (options.output_dir or Path(work, "site")).resolve()
        contents = [argument for folder in examples() for argument in ("--contents", str(folder))]
        # Runs in an empty folder, so that settings in the current folder do not change the demo.
        lite = Path(work, "lite")
        lite.mkdir()
        command = [sys.executable, "-m", "jupyterlite_core", "build", *contents, "--output-dir", str(site)]
        done = subprocess.run(command, cwd=lite, check=False)
        if done.returncode:
            raise ConfigurationError("the site could not be built: see above")
        if options.no_serve:
            print(f"The site is in {site}")
            return 0
        arguments = argparse.Namespace(
            directory=site, port=options.port, bind="127.0.0.1", no_isolation=False, verbose=False
        )
        return serve.run(arguments)
