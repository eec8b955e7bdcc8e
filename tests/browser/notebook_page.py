"""A page with an open notebook, in which cells are added and run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conftest import Lab, opened, served
from playwright.sync_api import Browser, Locator

#: Opens a new notebook.
NEW = """async () => {
  await jupyterapp.restored;
  window.panel = await jupyterapp.commands.execute('notebook:create-new', { kernelName: 'browsergrad' });
  const context = panel.context.sessionContext;
  await context.ready;
  while (!context.session?.kernel) await new Promise(r => context.kernelChanged.connect(r));
}"""
#: Runs code in a new cell, and returns the cell's outputs.
RUN = """async code => {
  await jupyterapp.commands.execute('notebook:insert-cell-below');
  panel.content.activeCell.model.sharedModel.setSource(code);
  await jupyterapp.commands.execute('notebook:run-cell');
  return panel.content.activeCell.model.toJSON().outputs;
}"""


def notebook(browser: Browser, site: Path, isolated: bool) -> Iterator[Lab]:
    with served(site, isolated) as address, opened(browser, address) as lab:
        lab.page.set_viewport_size({"width": 1300, "height": 1000})
        lab.js(NEW)
        yield lab


def run(lab: Lab, code: str) -> tuple[list[dict[str, Any]], Locator]:
    """Run code in a new cell. Return the outputs as the notebook saves them, and what the page shows below the cell."""
    outputs = lab.js(RUN, code)
    assert [output for output in outputs if output["output_type"] == "error"] == []
    return outputs, lab.page.locator(".jp-Notebook .jp-Cell.jp-mod-active .jp-OutputArea-output")


def forms(outputs: list[dict[str, Any]]) -> list[str]:
    """The MIME types of the outputs."""
    return [mime for output in outputs for mime in output.get("data", {"stream": ""})]
