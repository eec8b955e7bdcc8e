"""Write the kernel's table of modules whose package has another name, from the lock of Pyodide's release.

usage: python scripts/release_modules.py    (after every change of the Pyodide version)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from jupyterlite_browsergrad.site.choice import providers  # noqa: E402  # found through the path above

LOCK = REPO / "labextension/node_modules/pyodide/pyodide-lock.json"
TARGET = REPO / "kernel_shim/browsergrad_kernel/release_modules.py"
#: Names that packages of several owners share.
SHARED = ("google",)


def text(lock: dict) -> str:
    """Return the module that holds the table."""
    rows = [
        f'    "{module}": "{package}",'
        for module, package in sorted(providers(lock).items())
        if module.lower().replace("_", "-") != package and not module.startswith("_") and module not in SHARED
    ]
    return "\n".join(
        [
            '"""Modules of Pyodide\'s release whose package has another name; written by ``scripts/release_modules.py``."""',
            "",
            "PACKAGES = {",
            *rows,
            "}",
            "",
        ]
    )


if __name__ == "__main__":
    TARGET.write_text(text(json.loads(LOCK.read_text("utf-8"))), "utf-8")
