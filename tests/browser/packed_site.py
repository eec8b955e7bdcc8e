"""The contents of a site with packs: what its notebooks import decides which packages it has."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def notebook(*cells: str) -> bytes:
    """A notebook with these code cells."""
    made = [
        {"cell_type": "code", "source": cell, "metadata": {}, "outputs": [], "execution_count": None} for cell in cells
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": made}).encode()


SCIENCE = notebook(
    "import numpy as np\nimport pandas as pd\nimport matplotlib.pyplot as plt",
    "frame = pd.DataFrame({'x': np.arange(5), 'y': np.arange(5) ** 2})\nframe",
    "plt.plot(frame.x, frame.y)\nplt.show()",
    "frame.plot(x='x')",
    "np.linalg.inv(np.array([[2.0, 0.0], [0.0, 4.0]])).tolist()",
    "frame.nothing",
)
#: Matplotlib's own tutorials, with the outputs of ipykernel.
TUTORIALS = {path.stem: path for path in sorted((Path(__file__).parents[1] / "fixtures/matplotlib").glob("*.ipynb"))}


def code_cells(path: Path) -> list[dict[str, Any]]:
    """The code cells of a notebook, with their outputs."""
    cells: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


CONTENTS = {
    **{
        f"{name}.ipynb": notebook(*("".join(cell["source"]) for cell in code_cells(path)))
        for name, path in TUTORIALS.items()
    },
    "science.ipynb": SCIENCE,
    "one.ipynb": notebook("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"),
    "lab/near.py": b"import pandas as pd\n\n\ndef total(numbers):\n    return int(pd.Series(numbers).sum())\n",
    "lab/script.py": b"import cowsay\n\nprint(cowsay.__name__, __name__)\n",
}


def once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], Path]) -> Path:
    """Build a site in a new folder. Of pytest's processes that run side by side, only the first one builds it."""
    root = factory.getbasetemp()
    shared = root.parent if root.name.startswith("popen-") else root
    with open(shared / f"{name}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = shared / f"{name}.built"
        if not built.is_file():
            folder = shared / name
            folder.mkdir()
            built.write_text(str(build(folder)), "utf-8")
        return Path(built.read_text("utf-8"))
