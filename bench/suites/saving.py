"""Measures what the history of notebooks costs when a notebook is saved: bytes and time, against pages that keep none."""

from __future__ import annotations

import json
import random
from typing import Any

from ..lab import Lab
from ..runner import Bench
from ..table import Row

#: The second store cannot be opened, so that no history is kept.
REFUSE = "navigator.storage.getDirectory = () => Promise.reject(new DOMException('not here', 'SecurityError'));"
SAVES = 20
LIMIT = 1.2
#: Writes a notebook and opens it without a kernel.
OPEN = """async content => {
  const { contents } = jupyterapp.serviceManager;
  await contents.save('saving.ipynb', { type: 'notebook', format: 'json', content });
  const panel = await jupyterapp.commands.execute('docmanager:open', {
    path: 'saving.ipynb', factory: 'Notebook', kernel: { shouldStart: false }
  });
  await panel.context.ready;
  window.panel = panel;
}"""
#: Changes one cell and saves, many times. Resolves with the ms of one save.
SAVE = """async count => {
  const { cells } = panel.content.model;
  let total = 0;
  for (let i = 0; i < count; i++) {
    cells.get(i % cells.length).sharedModel.setSource(`answer = ${i}  # ${crypto.randomUUID()}`);
    const begin = performance.now();
    await panel.context.save();
    total += performance.now() - begin;
  }
  return total / count;
}"""
#: Bytes of all files in the second store whose paths begin like that; resolves when there are so many versions.
BYTES = """async versions => {
  for (;;) {
    let [bytes, count] = [0, 0];
    const walk = async (folder, path) => {
      for await (const [name, child] of folder.entries()) {
        if (child.kind === 'directory') await walk(child, `${path}${name}/`);
        else if (!name.endsWith('.crswap')) {
          bytes += (await child.getFile()).size;
          count += Number(path.endsWith('/versions/'));
        }
      }
    };
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('browsergrad');
    await walk(await root.getDirectoryHandle('history', { create: true }), '');
    if (count >= versions) return bytes;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}"""


def run(bench: Bench) -> list[Row]:
    """Each side gets a page of its own, in turn."""
    content = notebook()
    plain = len(json.dumps(content).encode())
    times: dict[str, list[float]] = {"ours": [], "stock": []}
    sizes: dict[str, list[float]] = {"ours": [], "stock": []}
    for turn in range(bench.repetitions):
        for side in list(times) if turn % 2 else list(reversed(times)):
            with bench.lab("bare", True) as lab:
                if side == "stock":
                    lab.page.add_init_script(REFUSE)
                    lab.reload()
                lab.js(OPEN, content)
                if side == "ours":
                    before = lab.js(BYTES, 1)
                times[side].append(lab.js(SAVE, SAVES))
                added = _added(lab, before) if side == "ours" else 0
                sizes[side].append((plain + added) / 1000)
    name = "save a notebook, with and without history"
    return [
        bench.row(f"{name}: time", "ms", times, isolated=True, limit=LIMIT),
        bench.row(f"{name}: bytes", "KB", sizes, isolated=True, limit=LIMIT),
    ]


def _added(lab: Lab, before: float) -> float:
    """Return the bytes that one save has added to the history."""
    return (lab.js(BYTES, SAVES + 1) - before) / SAVES


def notebook() -> dict[str, Any]:
    """Return a notebook of 40 cells, of which every fourth has a picture or a long table as output."""
    chance = random.Random(1)
    cells = []
    for i in range(40):
        outputs = []
        if i % 4 == 0:
            data = {"image/png": "".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=20_000))}
            outputs = [{"output_type": "display_data", "metadata": {}, "data": data}]
        elif i % 4 == 1:
            text = "".join(f"row {k}: {chance.random():.6f}\n" for k in range(40))
            outputs = [{"output_type": "stream", "name": "stdout", "text": text}]
        source = "\n".join(f"value_{i}_{k} = {chance.randrange(1000)}" for k in range(8))
        cells.append(
            {"cell_type": "code", "id": f"c{i}", "source": source, "metadata": {}, "outputs": outputs}
            | {"execution_count": None}
        )
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
