"""Hostile notebooks, trusted or not. What they put into assertions and artifacts is shown as text, and no script of theirs runs."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from browsergrad._mime import ARTIFACT_MIME, ASSERTIONS_MIME, artifact_bundle
from conftest import Lab
from playwright.sync_api import Route
from test_results import OPEN, PIXEL, content, failure, notebook

#: Reports every script that runs where it must not: by a flag, a dialog, or a report of the policy.
WATCH = """() => {
  window.pwned = [];
  window.alert = window.confirm = window.prompt = text => pwned.push(`dialog ${text}`);
  document.addEventListener('securitypolicyviolation', e => pwned.push(`policy ${e.violatedDirective} ${e.sample}`));
}"""
POLICY = "script-src-attr 'none'; object-src 'none'; frame-src 'self' blob:"

SCRIPT = "pwned.push(1)"
MARKUP = [
    f"<script>{SCRIPT}</script>",
    f"<img src=x onerror='{SCRIPT}'>",
    f"<svg onload='{SCRIPT}'><script>{SCRIPT}</script></svg>",
    f"<a href='javascript:{SCRIPT}'>click</a>",
    f"javascript:{SCRIPT}",
    f"</code></pre></td></table><iframe srcdoc='<script>parent.{SCRIPT}</script>'></iframe>",
    f"<details open ontoggle='{SCRIPT}'>",
    f"$\\href{{javascript:{SCRIPT}}}{{x}}$ [x](javascript:{SCRIPT})",
    "bidi \u202e\u2066 nul \0 bell \7 separator \u2028 tag \U000e0041",
    "__proto__",
    "a" * 10**6,
]
SVG = base64.b64encode(
    f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="{SCRIPT}">'
    f"<script>{SCRIPT};parent.{SCRIPT}</script><circle r='4'/></svg>".encode()
).decode()


def hostile() -> list[dict[str, Any]]:
    deep: Any = "bottom"
    for _ in range(800):
        deep = [deep]
    bundles = []
    for text in MARKUP:
        error = {"kind": "error", "name": text, "message": text, "traceback": text}
        bundles.append(
            content({"kind": "pass", "name": text}, failure(text, text + "!", name=text, message=text), error)
        )
        bundles.append(artifact_bundle({"kind": "log", "name": text, "level": "error", "data": text}))
        bundles.append(
            artifact_bundle({"kind": "json", "name": text, "data": {text: [text], "x": [1, 2], text * 2: [1, 2]}})
        )
        bundles.append(artifact_bundle({"kind": "image", "name": text, "mime": "image/svg+xml", "dataBase64": SVG}))
    broken: list[Any] = [
        None, 1, "x", [], {}, {"kind": "image", "name": "i", "mime": "text/html", "dataBase64": "eA=="},
        {"kind": "image", "name": "i", "mime": "image/png", "dataBase64": f"x' onerror='{SCRIPT}"},
        {"kind": "image", "name": "i", "mime": f"image/png' onerror='{SCRIPT}", "dataBase64": PIXEL},
        {"kind": "image", "name": "not base64 of an image", "mime": "image/png", "dataBase64": "eA=="},
        {"kind": "json", "name": 1, "data": 1}, {"assertions": [1], "counts": {}}, {"assertions": [], "counts": {"pass": -1}},
        {"kind": "log", "name": "l", "level": f"' onclick='{SCRIPT}", "data": {"__proto__": {"polluted": 1}}},
        {"kind": "json", "name": "deep", "data": deep},
        {"kind": "json", "name": "wide", "data": {str(i): i for i in range(20_000)}},
    ]  # fmt: skip
    for data in broken:
        bundles.append({ARTIFACT_MIME: data, "text/plain": "fallback"})
        bundles.append({ASSERTIONS_MIME: data, "text/plain": "fallback"})
    for one, other in [
        ("[" * 9000, "]" * 9000),
        ("nan", "inf"),
        ("-inf", "1e999"),
        ("{1: {", "{1, 2: 3}"),
        ("'\\ud800'", "'\\U00ffffff'"),
    ]:
        bundles.append(content(failure(one, other)))
    return bundles


@pytest.fixture(scope="module")
def viewer(viewer: Lab) -> Lab:
    """A page whose policy reports any inline script that would have run."""

    def with_policy(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, headers={**response.headers, "content-security-policy-report-only": POLICY})

    viewer.page.route("**/lab/index.html*", with_policy)
    return viewer


@pytest.fixture
def view(view: Lab) -> Lab:
    view.page.evaluate(WATCH)
    view.errors.clear()
    return view


@pytest.mark.thinned(2)
@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])
def test_nothing_of_a_hostile_notebook_runs(trusted: bool, view: Lab) -> None:
    bundles = hostile()
    logged: list[str] = []
    view.page.on("console", lambda message: logged.append(message.text))
    for start in range(0, len(bundles), 20):
        part = bundles[start : start + 20]
        # Sent as text, since Playwright limits how deeply values may nest.
        text = json.dumps(notebook(*part, trusted=trusted))
        view.js(f"async ([path, text]) => ({OPEN})([path, JSON.parse(text)])", [f"hostile{start}.ipynb", text])
        # JupyterLab makes outputs out of view when the page is idle, so each is brought into view.
        view.js(
            """async () => {
              const notebook = shown.content;
              for (let i = 0; i < notebook.widgets.length; i++) {
                await notebook.scrollToItem(i);
                await new Promise(r => requestAnimationFrame(() => setTimeout(r)));
              }
              notebook.node.querySelectorAll('.bg-output details').forEach(one => { one.open = true; });
              notebook.node.querySelectorAll('.bg-output button').forEach(one => one.click());
              notebook.node.querySelectorAll('.bg-output [role=treeitem]').forEach(one => one.firstElementChild.click());
              await new Promise(r => requestAnimationFrame(() => setTimeout(r)));
            }"""
        )
        outputs = view.js(
            """() => [...shown.content.node.querySelectorAll('.bg-output')].map(one => ({
              text: one.textContent.slice(0, 100), size: one.textContent.length,
              tags: [...new Set([...one.querySelectorAll('*')].map(e => e.localName))],
              attributes: [...new Set([...one.querySelectorAll('*')].flatMap(e => e.getAttributeNames()))],
              sources: [...one.querySelectorAll('img')].map(e => e.src.slice(0, 11)),
            }))"""
        )
        assert len(outputs) == len(part)
        for output in outputs:
            assert output["text"], "something is shown"
            assert output["size"] < 400_000
            assert not {"script", "iframe", "object", "embed", "svg", "a", "form"} & set(output["tags"])
            assert not [name for name in output["attributes"] if name.startswith("on") or name in ("href", "srcdoc")]
            assert all(source == "data:image/" for source in output["sources"])
        page = view.js("() => shown.content.node.innerText")
        assert "\u202e" not in page and "\0" not in page
        view.js("() => shown.dispose()")
    assert view.js("() => pwned") == []
    assert view.js("() => ({}).polluted") is None
    # JupyterLab itself rejects a promise when one scroll begins before another has ended.
    assert [text for text in view.errors if not text.startswith("Scrolling to a new item")] == []
    assert [text for text in logged if "Content Security Policy" in text and "script" in text] == []
