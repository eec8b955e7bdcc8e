"""Verifies a built site: everything that the kernel will fetch exists, is unchanged, and is on the site itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jupyterlite_core.constants import (
    JUPYTER_CONFIG_DATA,
    JUPYTERLITE_IPYNB,
    JUPYTERLITE_METADATA,
    LAB_EXTENSIONS,
    LITE_PLUGIN_SETTINGS,
)

from ..boot.assets import PYODIDE_FILES, STDLIB, files_of
from ..constants import (
    HAND_IN_KEY,
    HAND_IN_PLUGIN,
    KERNEL_PLUGIN,
    KERNEL_URL,
    LABEXTENSION,
    PIPLITE_URLS,
    PYODIDE_INDEX_URL,
    PYODIDE_LOCK,
)
from ..grading.hand_in_keys import public_key_problem
from ..hashing import sha256_of
from . import file_versions

__all__ = ["problems", "read_object"]

OFF_SITE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
SNAPSHOT_FILES = (*PYODIDE_FILES, STDLIB)
ALWAYS_THERE = (
    "package.json",
    "static/runtime/index.js",
    "static/runtime/worker.js",
    "static/pyodide/pyodide.mjs",
    "static/pyodide/pyodide.asm.mjs",
    "static/pyodide/pyodide.asm.wasm",
    "static/pyodide/python_stdlib.zip",
    "static/pyodide/pyodide-lock.json",
)


def problems(site: Path, configs: list[Path]) -> list[str]:
    """Return one line for each problem, with the file and what is wrong with it."""
    found = [*_labextension(site / LAB_EXTENSIONS / LABEXTENSION)]
    for path in configs:
        if path.is_file():
            settings = _settings(path, KERNEL_PLUGIN)
            found += _hand_in_key(path)
            found += _off_site(path, settings)
            found += _pyodide(site, path, settings)
            found += _piplite(site, path, settings)
            found += file_versions.problems(site, path, settings)
    return list(dict.fromkeys(found))


def _settings(path: Path, plugin: str) -> dict[str, Any]:
    config = json.loads(path.read_text("utf-8"))
    if path.name == JUPYTERLITE_IPYNB:
        config = config["metadata"].get(JUPYTERLITE_METADATA, {})
    settings: dict[str, Any] = config.get(JUPYTER_CONFIG_DATA, {}).get(LITE_PLUGIN_SETTINGS, {}).get(plugin, {})
    return settings


def _hand_in_key(path: Path) -> Iterator[str]:
    key = _settings(path, HAND_IN_PLUGIN).get(HAND_IN_KEY)
    problem = public_key_problem(str(key)) if key else None
    if problem:
        yield f"{path}: {HAND_IN_KEY} of {HAND_IN_PLUGIN} {problem}"


def _labextension(folder: Path) -> Iterator[str]:
    missing = [name for name in ALWAYS_THERE if not (folder / name).is_file()]
    if missing:
        yield f"{folder} lacks {', '.join(missing)}: install {LABEXTENSION} where `jupyter lite` runs and build again"
    manifest = folder / "static/kernel/manifest.json"
    if not manifest.is_file():
        yield f"{manifest} is missing"
        return
    yield from _kernel(manifest)
    yield from _core(folder / "static/pyodide", manifest)


def read_object(path: Path) -> dict[str, Any] | None:
    """Return the object in a JSON file; None if the file is damaged."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _core(folder: Path, manifest: Path) -> Iterator[str]:
    """Compare Pyodide's own files with those from which the snapshot was made."""
    content = read_object(manifest) or {}  # a damaged manifest has been reported already
    for name, sha256 in content.get("snapshot", {}).get("pyodide", {}).items():
        if (folder / name).is_file() and sha256_of(folder / name) != sha256:
            yield f"{folder / name} is damaged or of another build than {manifest} says; build again"


def _kernel(manifest: Path) -> Iterator[str]:
    content = read_object(manifest)
    if content is None:
        yield f"{manifest} is damaged: it is not JSON; build again"
        return
    for entry in files_of(content):
        yield from _hashed(manifest.parent / entry["file"], entry["sha256"])


def _hashed(path: Path, sha256: str) -> Iterator[str]:
    if not path.is_file():
        yield f"{path} is missing"
    elif sha256_of(path) != sha256:
        yield f"{path} has another sha256 than its index says; build again"


def _off_site(path: Path, settings: dict[str, Any]) -> Iterator[str]:
    for value in _strings(settings):
        if OFF_SITE.match(value):
            yield f"{path}: {KERNEL_PLUGIN} names {value!r}, which is on another origin; copy it into the site"


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _local(site: Path, url: str) -> Path | None:
    """Return the file at a URL relative to the site's root; None for any other URL."""
    parts = urlsplit(url)
    return None if parts.scheme or parts.netloc or parts.path.startswith("/") else site / parts.path


def _pyodide(site: Path, path: Path, settings: dict[str, Any]) -> Iterator[str]:
    folder = _local(site, settings.get(PYODIDE_INDEX_URL, "/"))
    if folder is None:
        return
    kernel = _local(site, settings.get(KERNEL_URL, "/"))
    if kernel is not None:
        if (kernel / "manifest.json").is_file():
            yield from _kernel(kernel / "manifest.json")
            yield from _core(folder, kernel / "manifest.json")
        else:
            yield f"{path}: {KERNEL_URL} needs {kernel / 'manifest.json'}, which is missing"
    lock_path = folder / PYODIDE_LOCK
    if KERNEL_URL not in settings:
        # Either the embedded Pyodide with more packages, or another Pyodide that starts from its files. In the second case,
        # all its files differ from the embedded ones, and this is not an error.
        embedded = site / LAB_EXTENSIONS / LABEXTENSION / "static/kernel/manifest.json"
        found = list(_core(folder, embedded)) if embedded.is_file() else []
        if len(found) < sum((folder / name).is_file() for name in SNAPSHOT_FILES):
            yield from found
    for name in ("pyodide.mjs", "pyodide.asm.wasm", PYODIDE_LOCK):
        if not (folder / name).is_file():
            yield f"{path}: {PYODIDE_INDEX_URL} needs {folder / name}, which is missing"
    if not lock_path.is_file():
        return
    lock = read_object(lock_path)
    if lock is None:
        yield f"{lock_path} is damaged: it is not JSON; build again"
        return
    packages = lock["packages"]
    for name, entry in packages.items():
        if OFF_SITE.match(entry["file_name"]):
            yield f"{lock_path}: {name} is on another origin: {entry['file_name']}"
        elif (folder / entry["file_name"]).is_file():
            yield from _hashed(folder / entry["file_name"], entry["sha256"])
        for pack in entry.get("packs", {}).values():
            yield from _hashed(folder / pack["file"], pack["sha256"])
    for name, entry in packages.items():
        # The lock of a core release lists packages that it does not contain. Those on which others depend must be there.
        if (folder / entry["file_name"]).is_file():
            for dependency in entry.get("depends", []):
                other = packages.get(dependency)
                if other is None or not (folder / other["file_name"]).is_file():
                    yield f"{lock_path}: {name} depends on {dependency}, whose file is not there"


def _piplite(site: Path, path: Path, settings: dict[str, Any]) -> Iterator[str]:
    for url in settings.get(PIPLITE_URLS, []):
        index = _local(site, url)
        if index is None:
            continue
        if not index.is_file():
            yield f"{path}: {PIPLITE_URLS} needs {index}, which is missing"
            continue
        for package in json.loads(index.read_text("utf-8")).values():
            for files in package["releases"].values():
                for file in files:
                    if file["url"].startswith("."):
                        yield from _hashed(index.parent / file["url"], file["digests"]["sha256"])
                    elif OFF_SITE.match(file["url"]):
                        yield f"{index}: {file['filename']} is on another origin: {file['url']}"
