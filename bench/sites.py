"""Builds the sites that are compared. Each is built as an author would do it, with the same Pyodide, and uses no other origin."""

from __future__ import annotations

import hashlib
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jupyterlite_browsergrad import paths

REPO = Path(__file__).resolve().parent.parent
OUT = REPO / "bench" / "out"
PYODIDE = REPO / "labextension" / "node_modules" / "pyodide"
VERSIONS = runpy.run_path(str(REPO / "jupyterlite_browsergrad" / "_version.py"))
#: Packages that the stock kernel loads at its start, beside those that it contains.
STOCK_PACKAGES = ("micropip", "packaging", "ipython", "jedi")
#: The package that the stock kernel needs at its start, and that neither Pyodide nor the extension contains.
STOCK_EXTRA = "comm==0.2.3"
STOCK_EXTENSION = "@jupyterlite/pyodide-kernel-extension"
STOCK_ADDONS = [f"jupyterlite-pyodide-kernel-{name}" for name in ("lock", "piplite", "pyodide")]


def build(force: bool = False, stock: str | None = None) -> dict[str, Path]:
    """Return the folders of the sites. Build them if something in them has changed, or if `force` is true.

    Parameters
    ----------
    stock
        Version of the stock kernel; None for the installed one.

    Returns
    -------
    dict
        ``stock``: the stock kernel. ``ours``: our kernel with its defaults. ``fetched``: our kernel with prefetch, but without a spare.
        ``bare``: our kernel with neither, to measure a start from nothing.
    """
    sites = _build_installed(force)
    if stock is not None:
        sites["stock"] = _build_other_stock(stock, force)
    return sites


def _build_installed(force: bool) -> dict[str, Path]:
    stamp = OUT / "stamp.json"
    state = installed_state()
    sites = {name: OUT / name for name in ("stock", "ours", "fetched", "bare")}
    if not force and stamp.is_file() and json.loads(stamp.read_text("utf-8")) == state:
        return sites
    for folder in sites.values():
        shutil.rmtree(OUT / "source" / folder.name, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
    _build_stock(sites["stock"], Path(sys.executable))
    _build_ours(sites["ours"])
    for name, prefetch in (("fetched", True), ("bare", False)):
        shutil.copytree(sites["ours"], sites[name], copy_function=os.link)
        configure(sites[name] / "jupyter-lite.json", {"prefetch": prefetch, "prewarm": False})
    stamp.write_text(json.dumps(state), "utf-8")
    return sites


def _build_other_stock(kernel: str, force: bool) -> Path:
    """Build a site with another version of the stock kernel and the JupyterLite for which it was made."""
    site = OUT / f"stock-{kernel}"
    stamp = OUT / f"stock-{kernel}.json"
    state = [Path(__file__).read_text("utf-8"), VERSIONS["PYODIDE_VERSION"]]
    if not force and stamp.is_file() and json.loads(stamp.read_text("utf-8")) == state:
        return site
    for folder in (site, OUT / "source" / site.name):
        shutil.rmtree(folder, ignore_errors=True)
    _build_stock(site, environment(kernel))
    stamp.write_text(json.dumps(state), "utf-8")
    return site


def environment(kernel: str) -> Path:
    """Return the Python of an environment with a version of the stock kernel. Make it if there is none."""
    folder = OUT / "environments" / kernel
    python = folder / "bin" / "python"
    major, minor = kernel.split(".")[:2]
    core = f"jupyterlite-core[check,contents]>={major}.{minor}.0a0,<{major}.{int(minor) + 1}.0a0"
    if not python.is_file():
        venv.create(folder, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, core, f"jupyterlite-pyodide-kernel=={kernel}"], check=True)
    return python


def installed_state() -> Any:
    """Everything on which the built sites depend."""
    built = paths.labextension()
    files = sorted(path for path in built.rglob("*") if path.is_file())
    return [
        version("jupyterlite-core"),
        version("jupyterlite-pyodide-kernel"),
        Path(__file__).read_text("utf-8"),
        [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in files],
    ]


def _build_ours(output: Path) -> None:
    lite(output, ["jupyterlite-browsergrad"], paths.labextension(), {}, Path(sys.executable))


def _build_stock(output: Path, python: Path) -> None:
    source = OUT / "source" / output.name
    pyodide = source / "static" / "pyodide"
    pyodide.mkdir(parents=True)
    for name in ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip"):
        shutil.copyfile(PYODIDE / name, pyodide / name)
    lock = json.loads((PYODIDE / "pyodide-lock.json").read_text("utf-8"))
    packages = {_normal(name): entry for name, entry in lock["packages"].items()}
    wanted = list(_closure(packages, STOCK_PACKAGES))
    wheels = download([f"{name}=={packages[name]['version']}" for name in wanted] + [STOCK_EXTRA])
    for name in wanted:
        wheel = wheels[name]
        packages[name] |= {"file_name": wheel.name, "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest()}
        shutil.copyfile(wheel, pyodide / wheel.name)
    (pyodide / "pyodide-lock.json").write_text(json.dumps(lock), "utf-8")
    config = {"PipliteAddon": {"piplite_urls": [str(wheels["comm"])]}}
    extension = python.parent.parent / "share/jupyter/labextensions" / STOCK_EXTENSION
    if not extension.is_dir():
        raise SystemExit(f"{STOCK_EXTENSION} is not installed: pip install -r tests/requirements.txt")
    lite(output, STOCK_ADDONS, extension, config, python)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _closure(packages: dict[str, Any], names: tuple[str, ...]) -> Iterator[str]:
    seen: set[str] = set()
    queue = list(names)
    while queue:
        name = _normal(queue.pop())
        if name not in seen:
            seen.add(name)
            yield name
            queue += packages[name]["depends"]


def download(requirements: list[str]) -> dict[str, Path]:
    """Download pure-Python wheels of exactly these versions from the package index, unless they are here already."""
    folder = OUT / "wheels"
    folder.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--no-deps"]
    target = ["--only-binary=:all:", "--implementation=py", "--python-version=3.14", "--abi=none", "--platform=any"]
    have = {(_normal(path.name.split("-")[0]), path.name.split("-")[1]) for path in folder.glob("*.whl")}
    missing = [item for item in requirements if (_normal(item.split("==")[0]), item.split("==")[1]) not in have]
    if missing:
        subprocess.run([*pip, *target, "-d", str(folder), *missing], check=True)
    return {_normal(path.name.split("-")[0]): path for path in folder.glob("*.whl")}


def lite(output: Path, addons: list[str], labextension: Path, config: dict[str, Any], python: Path) -> None:
    source = OUT / "source" / output.name
    source.mkdir(parents=True, exist_ok=True)
    ours = ["jupyterlite-browsergrad", *STOCK_ADDONS]
    settings = {
        "LiteBuildConfig": {
            "ignore_sys_prefix": ["federated_extensions"],
            "federated_extensions": [str(_packed(labextension, source))],
            "disable_addons": [name for name in ours if name not in addons],
            "apps": ["lab"],
        },
        **config,
    }
    (source / "jupyter_lite_config.json").write_text(json.dumps(settings), "utf-8")
    site = {"jupyter-lite-schema-version": 0, "jupyter-config-data": {"exposeAppInBrowser": True}}
    (source / "jupyter-lite.json").write_text(json.dumps(site), "utf-8")
    command = [str(python), "-m", "jupyterlite_core", "build", "--no-sourcemaps", "--output-dir", str(output)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"building the site {output} failed:\n{done.stdout}{done.stderr}")


def _packed(labextension: Path, source: Path) -> Path:
    """Make a wheel that contains only the extension, in the form that `federated_extensions` needs."""
    name = json.loads((labextension / "package.json").read_text("utf-8"))["name"]
    wheel = source / "extension-1-py3-none-any.whl"
    prefix = f"extension-1.data/data/share/jupyter/labextensions/{name}"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in sorted(labextension.rglob("*")):
            if path.is_file():
                archive.write(path, f"{prefix}/{path.relative_to(labextension).as_posix()}")
    return wheel


def configure(path: Path, settings: dict[str, Any]) -> None:
    """Add settings of the kernel to a site's ``jupyter-lite.json``."""
    config = json.loads(path.read_text("utf-8"))
    plugins = config["jupyter-config-data"].setdefault("litePluginSettings", {})
    plugins.setdefault("jupyterlite-browsergrad:kernel", {}).update(settings)
    path.unlink()  # a hard link
    path.write_text(json.dumps(config), "utf-8")
