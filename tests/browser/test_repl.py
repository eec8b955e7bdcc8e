"""JupyterLite's REPL, which pages embed as it is: an app without notebooks."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from conftest import new_page, served
from playwright.sync_api import Browser, expect

CODE = "import browsergrad as bg; bg.assert_pass('a')\nprint('begins')\nwhile True: pass"


def test_the_repl_has_stop_and_needs_no_notebook(site: Path, browser: Browser) -> None:
    with served(site, isolated=True) as address:
        page = new_page(browser)
        problems: list[str] = []
        page.on("console", lambda said: problems.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{address}/repl/index.html?toolbar=1&kernel=browsergrad&code={quote(CODE)}")
        expect(page.locator(".jp-OutputArea-output", has_text="begins")).to_be_visible()
        page.locator('.jp-Toolbar-item[data-jp-item-name="interrupt"] jp-button').click()
        expect(page.locator(".jp-OutputArea-output", has_text="KeyboardInterrupt")).to_be_visible()
        results = page.locator(".bg-output")
        expect(results).to_contain_text("1 passed, 0 failed, 0 errors")
        results.locator("summary").click()
        expect(results.get_by_role("button")).to_have_count(0)  # there is no cell to go to
        # Another plugin, JupyterLab's, fails in this app whatever extensions there are.
        assert [text for text in problems if "browsergrad" in text] == []
        assert [text for text in problems if "INotebookTracker" in text and "codemirror-extension" not in text] == []
        page.close()
