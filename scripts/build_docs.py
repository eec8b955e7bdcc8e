"""Build the documentation into ``docs/_build/html``. Warnings are errors, and the network is not used.

usage: python scripts/build_docs.py    (with docs/requirements.txt installed)

First, if the TypeScript sources have changed, TypeDoc writes the reference of the runtime from them.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import toolchain

REPO = Path(__file__).resolve().parent.parent
DOCS = REPO / "docs"
BUILT = DOCS / "_build"
HTML = BUILT / "html"
RUNTIME = DOCS / "reference" / "runtime"
LABEXTENSION = REPO / "labextension"


def write_runtime_reference() -> None:
    sources = [
        *sorted((LABEXTENSION / "src" / "runtime").rglob("*.ts")),
        *(LABEXTENSION / name for name in ("typedoc.json", "package-lock.json", "tsconfig.json")),
    ]
    key = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    stamp = BUILT / "runtime.sha256"
    if (RUNTIME / "index.md").is_file() and stamp.is_file() and stamp.read_text() == key:
        return
    program = LABEXTENSION / "node_modules" / "typedoc" / "bin" / "typedoc"
    toolchain.run_node(program, "--out", RUNTIME, cwd=LABEXTENSION)
    BUILT.mkdir(exist_ok=True)
    stamp.write_text(key)


def write_html() -> None:
    """Run Sphinx on everything. Its cache does not notice changes of the commands' sources, and does not repeat old warnings."""
    command = ["-m", "sphinx", "-q", "-E", "-W", "--keep-going", "-d", BUILT / "doctrees", DOCS, HTML]
    if subprocess.run([sys.executable, *command], check=False).returncode:
        raise SystemExit("the documentation has warnings or errors: see above")


if __name__ == "__main__":
    write_runtime_reference()
    write_html()
    print(HTML / "index.html")
