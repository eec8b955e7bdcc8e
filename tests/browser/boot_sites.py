"""Copies of the site in which a file that Python starts from is changed, and pages that open them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conftest import Lab, new_page, serve, wait_for_app
from hangs import HANG_MS
from playwright.sync_api import Browser, Page

from jupyterlite_browsergrad.site import file_versions

STATIC = Path("extensions/jupyterlite-browsergrad/static")
KERNEL = STATIC / "kernel"
FROM_SNAPSHOT = "[browsergrad] Python has started from its memory snapshot"
FROM_FILES = "[browsergrad] Python has started from its files"
WITHOUT = "[browsergrad] Python starts without its memory snapshot"

#: Changes the kernel's folder, and its manifest, which is written back afterwards.
Change = Callable[[Path, dict[str, Any]], object]


def nothing(kernel: Path, manifest: dict[str, Any]) -> None:
    """Change nothing."""


def copy(site: Path, folder: Path, change: Change = nothing, **settings: Any) -> Path:
    """A copy of the site with a changed kernel folder and with settings of the kernel."""
    target = folder / "site"
    shutil.copytree(site, target, copy_function=lambda source, path: Path(path).hardlink_to(source))
    kernel = target / KERNEL
    manifest = json.loads((kernel / "manifest.json").read_text("utf-8"))
    change(kernel, manifest)
    if (kernel / "manifest.json").is_file():
        replace(kernel / "manifest.json", json.dumps(manifest).encode())
    path = target / "jupyter-lite.json"
    config = json.loads(path.read_text("utf-8"))
    plugins = config["jupyter-config-data"].setdefault("litePluginSettings", {})
    plugins.setdefault("jupyterlite-browsergrad:kernel", {}).update(settings)
    replace(path, json.dumps(config).encode())
    file_versions.write(target)
    return target


def replace(path: Path, data: bytes) -> None:
    path.unlink()  # a hard link
    path.write_bytes(data)


def device_memory(gigabytes: float) -> str:
    """A script by which the browser says that the device has so much memory."""
    return f"Object.defineProperty(navigator, 'deviceMemory', {{ value: {gigabytes} }});"


def snapshot(kernel: Path, manifest: dict[str, Any]) -> Path:
    return kernel / manifest["snapshot"]["file"]


def enter(page: Page, address: str) -> Lab:
    """Open the site in a page. No request is routed, since a page with routes does not use the browser's cache."""
    page.set_default_timeout(HANG_MS)
    page.goto(f"{address}/lab/index.html")
    wait_for_app(page)
    return Lab(page)


@contextmanager
def opened(
    browser: Browser, site: Path, isolated: bool = True, script: str = "", **context: Any
) -> Iterator[tuple[Lab, list[str]]]:
    """A page of `site` in which `script` runs first, and the texts that it writes to the console."""
    server, address = serve(site, isolated)
    log: list[str] = []
    page = new_page(browser, **context)
    page.on("console", lambda message: log.append(message.text))
    page.add_init_script(script)
    try:
        yield enter(page, address), log
    finally:
        page.context.close()
        server.shutdown()
        server.server_close()
