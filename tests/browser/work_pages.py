"""What the tests of students' work share: the site, and how they look into the second store."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from conftest import Lab, build_site, wait_for_app
from playwright.sync_api import Error, Page, Route
from test_labs import MANIFEST, lab_files, notebook

from jupyterlite_browsergrad.grading.hand_in_keys import make_keys

OPEN = """async path => {
  await jupyterapp.restored;
  const panel = await jupyterapp.commands.execute('docmanager:open', { path, factory: 'Notebook', kernel: { shouldStart: false } });
  await panel.context.ready;
  window.panel = panel;
}"""
EDIT = """async ([index, text]) => {
  const cell = panel.content.model.cells.get(index);
  cell.sharedModel.setSource(text);
}"""
SHOW_SETTINGS = """async () => {
  await jupyterapp.allPluginsActivated;
  await jupyterapp.commands.execute('settingeditor:open');
}"""
#: Whether the browser would ask before the page is left.
ASKS = """() => {
  const event = new Event('beforeunload', { cancelable: true });
  window.dispatchEvent(event);
  return event.defaultPrevented;
}"""
SOURCES = "() => panel.content.model.toJSON().cells.map(cell => cell.source)"
#: The whole files of the second store, by path.
STORE = """async folder => {
  const found = [];
  const walk = async (handle, path) => {
    for await (const [name, child] of handle.entries()) {
      if (child.kind === 'directory') await walk(child, `${path}${name}/`);
      else if (!/[.](new|crswap)$/.test(name)) found.push(`${path}${name}`);
    }
  };
  const root = await navigator.storage.getDirectory();
  await walk(await root.getDirectoryHandle('browsergrad', { create: true }), '');
  return found.filter(path => path.startsWith(folder));
}"""
CLEAR = """async () => {
  for (const { name } of await indexedDB.databases()) {
    await new Promise((resolve, reject) => {
      const request = indexedDB.deleteDatabase(name);
      request.onsuccess = resolve;
      request.onblocked = resolve;
      request.onerror = reject;
    });
  }
}"""


#: Resolves when the second store has so many files whose paths begin like that. Its files cannot be watched.
STORED = f"""async ([folder, part, count]) => {{
  const store = {STORE};
  while ((await store(folder)).filter(path => path.includes(part)).length < count) await new Promise(r => setTimeout(r, 50));
}}"""


def version_count(lab: Lab, count: int) -> None:
    """Wait until the history has so many versions."""
    lab.js(STORED, ["history", "/versions/", count])


#: Resolves when a draft holds a text. A notebook that is dirty for another reason has a draft, too, and a file is there before its contents are.
DRAFTED = f"""async text => {{
  const store = {STORE};
  const read = async path => {{
    let folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('browsergrad');
    const parts = path.split('/');
    for (const name of parts.slice(0, -1)) folder = await folder.getDirectoryHandle(name);
    const file = await (await folder.getFileHandle(parts.at(-1))).getFile();
    return new Response(file.stream().pipeThrough(new DecompressionStream('gzip'))).text();
  }};
  for (;;) {{
    for (const path of await store('drafts')) {{
      if ((await read(path).catch(() => '')).includes(text)) return;
    }}
    await new Promise(r => setTimeout(r, 50));
  }}
}}"""


def draft_written(lab: Lab, text: str) -> None:
    """Wait until a draft holds this text."""
    lab.js(DRAFTED, text)


def lab_in_root() -> dict[str, bytes]:
    """A lab in the root folder. Its notebook names the manifest, so that other notebooks there belong to no lab."""
    files = {path.replace("root/", ""): data for path, data in lab_files("root", id="in-root").items()}
    files["in-root.json"] = files.pop("manifest.json")
    del files["lab.ipynb"]
    return files | {"in-root.ipynb": notebook("x = 1", browsergrad={"manifest": "in-root.json"})}


class WorkSite:
    """A site with a lab and an ordinary notebook. It names a key, whose private half is `key`."""

    def __init__(self, folder: Path) -> None:
        files = {"lab/lab.ipynb": notebook("x = 1", "y = 2"), **lab_files("good"), **lab_in_root()}
        self.key = folder / "course.key"
        self.folder = build_site(folder, files)
        public = make_keys(self.key)
        path = self.folder / "jupyter-lite.json"
        config = json.loads(path.read_text("utf-8"))
        plugins = config["jupyter-config-data"].setdefault("litePluginSettings", {})
        plugins["jupyterlite-browsergrad:hand-in"] = {"handInKey": public}
        path.write_text(json.dumps(config), "utf-8")


def publish_newer(page: Page, *cells: str) -> None:
    """Let the site publish version 1.1.0 of the lab in the folder `good`, with these cells."""

    def newer(route: Route) -> None:
        is_manifest = "manifest.json" in route.request.url
        route.fulfill(body=json.dumps(MANIFEST | {"version": "1.1.0"}) if is_manifest else notebook(*cells))

    page.context.route("**/files/good/manifest.json*", newer)
    page.context.route("**/files/good/lab.ipynb*", newer)


def again(lab: Lab) -> None:
    lab.page.reload()
    wait_for_app(lab.page)


def kill(page: Page) -> None:
    """End the page's process, as a crash does."""
    with page.expect_event("crash"), suppress(Error):
        page.goto("chrome://crash")  # the page crashes, which is an error


def visit_again(lab: Lab, base: str) -> None:
    """Open the site in a new tab, after the page of the old one has ended."""
    fresh = lab.page.context.new_page()
    lab.page.close()
    lab.page = fresh
    fresh.goto(f"{base}/lab/index.html")
    wait_for_app(fresh)
