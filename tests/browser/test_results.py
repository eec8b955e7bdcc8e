"""Renderers and the panel *Lab results*, with everything that users put into them."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from browsergrad._mime import ASSERTIONS_MIME, artifact_bundle, assertions_bundle
from conftest import ROOT, Lab, new_page, serve
from playwright.sync_api import Browser, Route, expect

AXE = (ROOT / "labextension/node_modules/axe-core/axe.min.js").read_text("utf-8")

#: Opens a notebook, trusted or not, and waits until its cells are shown.
OPEN = """async ([path, content]) => {
  await jupyterapp.restored;
  await jupyterapp.serviceManager.contents.save(path, { type: 'notebook', format: 'json', content });
  const panel = await jupyterapp.commands.execute('docmanager:open', { path, factory: 'Notebook', kernel: { shouldStart: false } });
  await panel.context.ready;
  await panel.revealed;
  window.shown = panel;
}"""

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def content(*assertions: dict[str, Any]) -> dict[str, Any]:
    counts = {kind: sum(one["kind"] == kind for one in assertions) for kind in ("pass", "fail", "error")}
    return assertions_bundle(list(assertions), counts)


def notebook(*bundles: dict[str, Any], trusted: bool = False) -> dict[str, Any]:
    cells = [
        {
            "cell_type": "code",
            "id": f"cell{i}",
            "source": f"step_{i}()",
            "execution_count": i + 1,
            "metadata": {"trusted": True} if trusted else {},
            "outputs": [{"output_type": "display_data", "metadata": {}, "data": bundle}],
        }
        for i, bundle in enumerate(bundles)
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


def failure(expected: str, actual: str, **other: str) -> dict[str, Any]:
    return {"kind": "fail", "name": "n", "message": "m", "expectedRepr": expected, "actualRepr": actual, **other}


def show(lab: Lab, *bundles: dict[str, Any], trusted: bool = False, path: str = "shown.ipynb") -> None:
    lab.js(OPEN, [path, notebook(*bundles, trusted=trusted)])
    lab.js("() => jupyterapp.commands.execute('browsergrad:show-results')")


def axe(lab: Lab, *selectors: str) -> list[str]:
    lab.page.evaluate(AXE)
    found = lab.js(
        "async selectors => (await axe.run({ include: selectors.map(s => [s]) })).violations", list(selectors)
    )
    return [
        f"{one['id']}: {node['html'][:200]} {node['failureSummary'][:300]}" for one in found for node in one["nodes"]
    ]


# --- renderers


EXAMPLES = [
    content(
        {"kind": "pass", "name": "imports"},
        failure("[1, 2, {'a': 3.0}]", "[1, 2, {'a': 3.0000000001, 'b': None}]", name="by path"),
        failure("0.3", "0.30000000000000004", name="number"),
        failure("'hello\\nworld\\n'", "'hello\\nWorld\\n'", name="text"),
        failure("'abc'", "'abd'", name="characters"),
        {
            "kind": "error",
            "name": "raises",
            "message": "ValueError: x",
            "traceback": "Traceback (most recent call last):\n  …",
        },
    ),
    artifact_bundle(
        {"kind": "json", "name": "training", "data": {"x": [0, 1, 2, 3], "loss": [4, 2, 1, 0.5], "note": "n"}}
    ),
    artifact_bundle({"kind": "log", "name": "careful", "level": "warn", "data": {"seconds": 1}}),
    artifact_bundle({"kind": "log", "name": "told", "level": "info", "data": "text"}),
    artifact_bundle({"kind": "image", "name": "a pixel", "mime": "image/png", "dataBase64": PIXEL}),
]


def test_differences_are_shown_by_their_kind(view: Lab) -> None:
    show(view, *EXAMPLES)
    table = view.page.locator(".bg-output .bg-table")
    row = table.locator("> tbody > tr")
    row.first.wait_for()
    paths = row.filter(has_text="by path").locator(".bg-paths tbody tr")
    assert [text.split() for text in paths.all_inner_texts()][1] == ["[2]['b']", "nothing", "None"]
    assert "absolute difference 1.00e-10, relative 3.33e-11" in paths.first.inner_text()
    number = row.filter(has=view.page.get_by_text("number", exact=True))
    assert "perhaps only rounding: compare with math.isclose" in number.inner_text()
    lines = row.filter(has=view.page.get_by_text("text", exact=True)).locator(".bg-lines")
    assert [lines.locator("del").inner_text(), lines.locator("ins").inner_text()] == ["− world", "+ World"]
    characters = row.filter(has=view.page.get_by_text("characters", exact=True))
    assert [characters.locator("del").inner_text(), characters.locator("ins").inner_text()] == ["c", "d"]
    assert not row.filter(has_text="raises").locator("pre").is_visible()
    row.filter(has_text="raises").get_by_text("Traceback", exact=True).click()
    assert row.filter(has_text="raises").locator("pre").is_visible()


def test_thousands_of_assertions_are_made_when_they_are_asked_for(view: Lab) -> None:
    failures = [failure("[1]", "[2]", name=f"f{i}") for i in range(10_000)]
    passes: list[dict[str, Any]] = [{"kind": "pass", "name": f"p{i}"} for i in range(1000)]
    show(view, content(*passes, *failures))
    output = view.page.locator(".bg-output")
    rows = output.locator(".bg-table > tbody > tr")
    expect(rows).to_have_count(50)
    expect(output.locator("li")).to_have_count(0)
    output.get_by_role("button", name="Show more (9,950 left)").click()
    expect(rows).to_have_count(100)
    output.get_by_text("Passed", exact=True).click()
    expect(output.locator("li")).to_have_count(200)
    output.get_by_role("button", name="Show more (800 left)").click()
    expect(output.locator("li")).to_have_count(400)
    expect(view.page.locator("#browsergrad-lab-results li")).to_have_count(50)
    assert view.js("() => document.querySelectorAll('.bg-output *').length") < 5000


#: Replaces the output of the first cell as an update from a kernel does. Returns whether its first row is still the same element.
UPDATE = """async bundle => {
  const { outputs } = shown.content.widgets[0].model;
  const row = document.querySelector('.bg-table > tbody > tr');
  outputs.set(0, { output_type: 'display_data', metadata: {}, data: bundle });
  await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
  return row === document.querySelector('.bg-table > tbody > tr');
}"""


def test_updates_leave_what_is_shown_in_place(view: Lab) -> None:
    failures = [failure("'" + "a" * 900 + "'", "'" + "b" * 900 + "'", name=f"f{i}") for i in range(60)]
    show(view, content(*failures[:2]))
    rows = view.page.locator(".bg-table > tbody > tr")
    expect(rows).to_have_count(2)
    assert view.js(UPDATE, content(*failures))
    expect(rows).to_have_count(50)
    expect(view.page.locator(".bg-output .bg-counts")).to_contain_text("60 failed")
    assert not view.js(UPDATE, content(*failures[1:])), "another run begins anew"
    expect(view.page.locator(".bg-output .bg-name").first).to_have_text("f1")
    view.js(UPDATE, content({"kind": "pass", "name": "p"}))
    expect(view.page.locator(".bg-output .bg-counts")).to_contain_text("1 passed, 0 failed")
    expect(view.page.locator(".bg-output").get_by_role("button", name="Go to cell")).to_have_count(0)
    expect(view.page.locator(".bg-output table")).to_be_hidden()


def test_series_are_plotted_by_a_chunk_of_the_site(view: Lab) -> None:
    asked: list[str] = []
    view.page.on("request", lambda request: asked.append(request.url))
    show(view, EXAMPLES[2])
    view.page.locator(".bg-log").first.wait_for()
    before = len(asked)
    show(view, EXAMPLES[1], path="plotted.ipynb")
    view.page.locator(".bg-plot canvas").wait_for()
    address = view.page.url.split("/lab/")[0]
    chunks = [url for url in asked[before:] if "/extensions/jupyterlite-browsergrad/static/" in url]
    assert chunks and all(url.startswith(address) for url in asked[before:] if url.startswith("http"))


def test_the_tree_works_by_keyboard_and_search(view: Lab) -> None:
    show(view, artifact_bundle({"kind": "json", "name": "data", "data": {"a": {"deep": list(range(250))}, "b": 1}}))
    tree = view.page.locator(".bg-output [role=tree]")
    top = tree.locator("[role=treeitem]").first
    top.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight", "End"):
        view.page.keyboard.press(key)
    assert view.js("() => document.activeElement.textContent") == "b: 1"
    view.page.keyboard.press("ArrowUp")
    assert "Show more (150 left)" in view.js("() => document.activeElement.textContent")
    view.page.keyboard.press("Enter")
    assert view.js("() => document.activeElement.textContent") == "100: 100"
    view.page.get_by_role("searchbox", name="Search in data").fill("249")
    view.page.get_by_role("button", name='$["a"]["deep"][249]').click()
    assert view.js("() => document.activeElement.textContent") == "249: 249"
    assert view.js("() => document.activeElement.getAttribute('aria-level')") == "4"


#: Words in an element that are broken over two lines.
BROKEN = """selector => [...document.querySelectorAll(selector)].flatMap(one => {
  const broken = [];
  const walker = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (const word of node.data.matchAll(/\\S+/g)) {
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      if (range.getClientRects().length > 1) broken.push(word[0]);
    }
  }
  return broken;
})"""


@pytest.mark.parametrize("width", [1400, 700])
def test_words_stay_whole_in_narrow_columns(width: int, view: Lab) -> None:
    view.page.set_viewport_size({"width": width, "height": 1000})
    long = "sentences_are_counted_without_their_punctuation_marks" * 3
    show(view, content(failure("[1, 2]", f"[1, '{long}']", name="characters are compared", message=long)))
    view.page.locator(".bg-paths ins").wait_for()
    words = ".bg-output th, .bg-output .bg-kind, .bg-output .bg-side-label, .bg-output summary"
    assert view.js(BROKEN, words) == []
    assert long in view.js(BROKEN, ".bg-output .bg-message"), "what has no spaces still fits"
    assert view.js("() => shown.content.node.querySelector('.jp-OutputArea').scrollWidth <= shown.node.clientWidth")
    view.page.set_viewport_size({"width": 1400, "height": 1000})


def test_images_are_zoomed(view: Lab) -> None:
    show(view, EXAMPLES[4])
    image = view.page.locator(".bg-image")
    image.wait_for()
    view.page.wait_for_function("document.querySelector('.bg-image').naturalWidth === 1")
    view.page.get_by_role("button", name="Zoom in").click()
    view.page.get_by_role("button", name="Zoom in").click()
    assert view.js("() => document.querySelector('.bg-image').clientWidth") == 4
    view.page.get_by_role("button", name="Fit").click()
    assert view.js("() => document.querySelector('.bg-image').clientWidth") == 1


def test_images_are_zoomed_by_keys(view: Lab) -> None:
    show(view, EXAMPLES[4])
    view.page.wait_for_function("document.querySelector('.bg-image')?.naturalWidth === 1")
    view.page.get_by_role("group", name="a pixel").focus()
    for key, width in (("+", 2), ("+", 4), ("-", 2), ("Escape", 1)):
        view.page.keyboard.press(key)
        assert view.js("() => document.querySelector('.bg-image').clientWidth") == width
    assert view.js("() => document.activeElement.getAttribute('aria-label')") == "a pixel"


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_outputs_and_panel_are_accessible(theme: str, view: Lab) -> None:
    view.js(
        "async theme => { await jupyterapp.restored; await jupyterapp.commands.execute('apputils:change-theme', { theme }); }",
        theme,
    )
    show(view, *EXAMPLES)
    view.page.locator(".bg-plot canvas").wait_for()
    view.page.locator("#browsergrad-lab-results section").first.wait_for()
    view.page.wait_for_function(f"document.body.dataset.jpThemeName === '{theme}'")
    view.js("() => document.querySelectorAll('.bg-output details').forEach(one => one.open = true)")
    view.page.get_by_role("searchbox", name="Search in training").fill("loss")
    view.page.get_by_role("button", name='$["loss"]').wait_for()
    for _ in range(7):
        view.page.get_by_role("button", name="Zoom in").click()
    assert view.js("() => document.querySelector('.bg-image').clientWidth") == 16
    assert axe(view, ".bg-output", "#browsergrad-lab-results") == []


# --- notebooks of others


def test_outputs_that_break_the_schema_say_so(view: Lab) -> None:
    show(view, {ASSERTIONS_MIME: {"assertions": 1}, "text/plain": "fallback"})
    view.page.get_by_text(f"This output does not follow {ASSERTIONS_MIME}").wait_for()


# --- the panel


def test_the_panel_groups_filters_exports_and_leads_to_cells(view: Lab) -> None:
    show(
        view, content({"kind": "pass", "name": "first"}), *[EXAMPLES[3]] * 40, content(failure("1", "2", name="second"))
    )
    panel = view.page.locator("#browsergrad-lab-results")
    panel.get_by_text("1 passed, 1 failed, 0 errors").wait_for()
    assert panel.locator("h3").all_inner_texts() == ["Cell 1: step_0()", "Cell 42: step_41()"]
    panel.get_by_role("button", name="Failed").click()
    assert panel.get_by_text("first").count() == 0
    panel.get_by_role("button", name="second").click()
    view.page.wait_for_function("jupyterapp.shell.currentWidget.content.activeCellIndex === 41")
    view.page.locator(".jp-Cell.jp-mod-active .bg-output").wait_for()
    with view.page.expect_download() as download:
        panel.get_by_role("button", name="Export as JSON").click()
    exported = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert download.value.suggested_filename == "shown-results.json"
    assert exported["counts"] == {"pass": 1, "fail": 1, "error": 0}
    assert [group["cell_id"] for group in exported["groups"]] == ["cell0", "cell41"]
    assert exported["groups"][1]["assertions"][0]["expectedRepr"] == "1"


def test_an_output_leads_to_its_cell(view: Lab) -> None:
    show(view, content(failure("1", "2")), EXAMPLES[3])
    view.js("() => { jupyterapp.shell.currentWidget.content.activeCellIndex = 1; }")
    view.page.locator(".bg-output").get_by_role("button", name="Go to cell").click()
    view.page.wait_for_function("jupyterapp.shell.currentWidget.content.activeCellIndex === 0")


# --- the embedding page


class Embedding(BaseHTTPRequestHandler):
    """A page of another origin that shows the site in a frame, and keeps the messages that it gets."""

    site = ""

    def do_GET(self) -> None:
        page = f"""<!doctype html><meta charset="utf-8"><title>School</title>
          <script>window.got = []; addEventListener('message', e => got.push([e.origin, e.data]));</script>
          <iframe src="{self.site}/lab/index.html" style="width: 1300px; height: 900px"></iframe>"""
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *args: object) -> None:
        """A handler that logs nothing, since tests are quiet."""


@pytest.mark.release
@pytest.mark.parametrize("named", [True, False], ids=["its-origin-is-named", "another-is-named"])
def test_only_a_page_of_the_named_origin_is_told(named: bool, browser: Browser, site: Path) -> None:
    server, address = serve(site, False)
    handler = type("Handler", (Embedding,), {"site": address})
    parent = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=parent.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{parent.server_address[1]}"
    page = new_page(browser)

    def configured(route: Route) -> None:
        response = route.fetch()
        config = response.json()
        data = config["jupyter-config-data"]
        settings = {"parentOrigin": origin if named else "http://127.0.0.1:1"}
        data.setdefault("litePluginSettings", {})["jupyterlite-browsergrad:results"] = settings
        route.fulfill(response=response, json=config)

    page.route(f"{address}/jupyter-lite.json*", configured)
    posted: list[str] = []
    page.on("console", lambda message: posted.append(message.text))
    page.goto(origin)
    frame = page.frames[1]
    frame.wait_for_function("window.jupyterapp && window.jupyterapp.serviceManager.isReady")
    frame.evaluate(OPEN, ["told.ipynb", notebook(content({"kind": "pass", "name": "p"}), content(failure("1", "2")))])
    if named:
        page.wait_for_function("got.some(([, data]) => data.type === 'browsergrad:results')")
        sender, message = page.evaluate("got.find(([, data]) => data.type === 'browsergrad:results')")
        assert sender == address
        assert message["results"]["path"] == "told.ipynb"
        assert message["results"]["counts"] == {"pass": 1, "fail": 1, "error": 0}
    else:
        # The browser itself logs that it has withheld the message.
        while not any("target origin" in text for text in posted):
            page.wait_for_event("console", lambda message: "target origin" in message.text)
        assert page.evaluate("got.filter(([, data]) => data?.type === 'browsergrad:results')") == []
    page.context.close()
    for one in (server, parent):
        one.shutdown()
        one.server_close()
