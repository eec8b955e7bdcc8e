"""Build a site with the example notebooks and labs, and serve it.

The site is written to a folder that is deleted at the end, or to the one given by --output-dir.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from jupyter_core.paths import jupyter_data_dir, jupyter_path

from ..errors import AssetsNotFoundError, ConfigurationError
from . import serve

__all__ = ["configure", "examples", "run"]

#: Folders of the source tree's ``examples/`` that are contents of a site.
CONTENTS = ("demo", "labs")
#: Folder of the example contents that need packages of Pyodide's release.
NUMPY_CONTENTS = "labs-numpy"
#: Folder of the installed examples, below a folder of Jupyter's data.
INSTALLED = ("browsergrad", "examples")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--output-dir", type=Path, metavar="DIR", help="keep the site in this folder")
    parser.add_argument("--port", type=serve.port_number, default=8000, help="default 8000; 0 uses a free port")
    parser.add_argument(
        "--with-numpy",
        action="store_true",
        help="add a lab that fits a line and plots it: the build fetches NumPy and matplotlib from Pyodide's CDN, "
        "or from the address in JUPYTERLITE_BROWSERGRAD_PACKAGE_BASE_URL",
    )
    parser.add_argument("--no-serve", action="store_true", help="only build; needs --output-dir")


def examples(names: tuple[str, ...] = CONTENTS) -> list[Path]:
    """Return the folders of example contents: those of the source tree, else those that were installed.

    Raises
    ------
    AssetsNotFoundError
        There are none.
    """
    source = Path(__file__).resolve().parents[2] / "examples"
    for place in (source, *map(Path, jupyter_path(*INSTALLED))):
        found = [place / name for name in names if (place / name).is_dir()]
        if found:
            return found
    raise AssetsNotFoundError(
        "The example notebooks were not found. Install the wheel again: pip install --force-reinstall jupyterlite-browsergrad"
    )


def _cache() -> Path:
    """Return a folder that is kept, so that packages are fetched only once. The demo's own folder is deleted."""
    return Path(jupyter_data_dir(), "browsergrad", "cache")


def run(options: argparse.Namespace) -> int:
    """Build, and serve until interrupted."""
    if options.no_serve and options.output_dir is None:
        raise ConfigurationError("--no-serve would throw the site away: give --output-dir DIR too")
    with tempfile.TemporaryDirectory(prefix="browsergrad-demo-") as work:
        site = (options.output_dir or Path(work, "site")).resolve()
        names = (*CONTENTS, NUMPY_CONTENTS) if options.with_numpy else CONTENTS
        contents = [argument for folder in examples(names) for argument in ("--contents", str(folder))]
        # Runs in an empty folder, so that settings in the current folder do not change the demo.
        lite = Path(work, "lite")
        lite.mkdir()
        if options.with_numpy:
            settings = {"BrowsergradAddon": {"packages": ["auto"]}, "LiteBuildConfig": {"cache_dir": str(_cache())}}
            (lite / "jupyter_lite_config.json").write_text(json.dumps(settings), "utf-8")
        else:
            print("A third lab fits a line to data and plots it: jupyter browsergrad demo --with-numpy", flush=True)
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
