"""What the documentation says about snapshots with packages holds for the embedded Pyodide."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scripts import toolchain

ROOT = Path(__file__).parents[2]
PYODIDE = ROOT / "labextension/node_modules/pyodide"


@pytest.mark.release
def test_a_snapshot_with_a_compiled_package_works_only_when_its_library_is_linked_again(tmp_path: Path) -> None:
    target = ("--platform=pyemscripten_2026_0_wasm32", "--python-version=3.14", "--implementation=cp", "--abi=cp314")
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", *target]
    subprocess.run([*pip, "-d", str(tmp_path), "msgpack"], check=True)
    (wheel,) = tmp_path.glob("msgpack-*.whl")
    script = ROOT / "scripts/snapshot_with_libraries.mjs"
    command = [
        toolchain.node_bin() / "node",
        script,
        PYODIDE,
        "import msgpack",
        "msgpack.unpackb(msgpack.packb([1]))",
        wheel,
    ]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    said = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    assert said["snapshot"].startswith("1 libraries")
    assert "table index is out of bounds" in said["restored, not linked"]
    assert said["linked again"].startswith("done")
    assert said["restored"].startswith("[1] ")
