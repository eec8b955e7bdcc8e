"""Makes `docs/reference/browsers.md` from what the tests of all engines have found, in `docs/browsers.json`.

`make test-chromium`, `make test-firefox` and `make test-webkit` write that file and run this script.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "reference" / "browsers.md"
ENGINES = {"chromium": "Chromium", "firefox": "Firefox", "webkit": "WebKitGTK"}
MODES = {
    "isolated": "isolated",
    "plain": "not isolated",
    "service-worker": "not isolated, JSPI taken away",
    "unshared": "isolated, without shared memory",
}
HEAD = """# Browsers

The same checks run in Chromium, Firefox and WebKit, the engine of Safari: `tests/browser/test_engines.py`. This page is made from their results by
`scripts/browsers_page.py`, after `make test-chromium`, `make test-firefox` and `make test-webkit`. `make test` runs a part of them. Each check has
the result of its own last run with this version of the browser; *not run* is a check that was no part of any, and – a check of something that the engine does not have: a history in WebKitGTK, and a
page without a second store in the others, where a private window and a refused store are checked instead.

How soon Stop works depends on what the page and the browser have:

- A page that is *isolated* (cross-origin isolated) shares memory with the worker. Python sees an interrupt at once.
- Otherwise Python asks for messages every 100 to 200 ms. While it waits, a browser with JSPI lets it receive them: Chromium from 137, Firefox
  from 153, Safari from 27.
- In browsers without JSPI, Python asks the site's service worker while it waits.

"""
TAIL = """
## What the drivers cannot do

Chromium is driven by Playwright. Firefox and WebKit are driven as Debian ships them, through WebDriver: a version of Playwright fits one version of
Firefox, and its WebKit is not the one that is shipped.

| not possible | reason | what is done |
|---|---|---|
| see a worker's requests (Firefox, WebKit) | WebDriver has no events of the network | every other address goes to a proxy that refuses and counts; the count must be 0 |
| read the console (Firefox, WebKit) | Classic WebDriver has no command for it | the test server puts a script into every page that keeps console and errors |
| see a worker's console (Firefox, WebKit) | the same | not checked; the kernel reports a worker's messages to the page |
| check downloads (Firefox, WebKit) | WebKitWebDriver has no command for it | checked in Chromium alone |
| keep a history (WebKit) | WebKitGTK has no `navigator.storage` | the page says that no history is kept; the history is checked in Chromium and Firefox |
| kill a page's process (Firefox) | no further page opens in its session | checked in Chromium, `tests/browser/test_work_crashes.py`; in Firefox the page is loaded again |
| more than one context of storage (WebKit) | a session has one | each mode starts a browser of its own |
| Safari itself, iOS and iPadOS | they run on Apple's machines alone | WebKitGTK, with `JSC_useSharedArrayBuffer=1` for the shared memory that Safari has in isolated pages |
"""


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def name(mode: str) -> str:
    engine, _, kind = mode.partition("-")
    return f"{ENGINES[engine]}, {MODES[kind]}"


def stop_table(results: dict[str, Any]) -> str:
    text = row("page", "version", "Stops", "median", "95 %", "storm", "memory after 20, 60 and 100 restarts")
    text += row(*["---"] * 2, *["--:"] * 5)
    for mode, found in results.items():
        stop = found.get("stop", {})
        times = [f"{number(stop[key])} ms" if stop else "–" for key in ("median_ms", "p95_ms")]
        sizes = ", ".join(f"{size:,}" for size in found.get("memory_mb", [])) or "–"
        memory = sizes if sizes == "–" else f"{sizes} MiB"
        text += row(
            name(mode), found["version"], str(stop.get("count", "–")), *times, str(found.get("interrupts", "–")), memory
        )
    return text


def checks_table(results: dict[str, Any]) -> str:
    checks = list(dict.fromkeys(check for found in results.values() for check in found["checks"]))
    text = row("check", *map(name, results)) + row("---", *[":-:"] * len(results))
    for check in checks:
        text += row(check, *(mark(mode, check, results) for mode in results))
    return text


def mark(mode: str, check: str, results: dict[str, Any]) -> str:
    passed = results[mode]["checks"].get(check)
    if passed is not None:
        return "yes" if passed else "**no**"
    engine = mode.partition("-")[0]
    return "not run" if any(check in results[one]["checks"] for one in results if one.startswith(engine)) else "–"


def page(results: dict[str, Any]) -> str:
    intro = (
        "Times are from the click on Stop to the cell's reply, over all kinds of code that the checks interrupt, on a machine with two processors on which "
        "other programs ran too.\nThe *storm* is the number of interrupts at random moments. *Memory* is what all processes of the browser have in use; what they share is counted "
        "for each.\n\n"
    )
    return f"{HEAD}## Stop\n\n{intro}{stop_table(results)}\n## Checks\n\n{checks_table(results)}{TAIL}"


def load() -> dict[str, Any]:
    return json.loads((DOCS / "browsers.json").read_text("utf-8"))


if __name__ == "__main__":
    PAGE.write_text(page(load()), "utf-8")
