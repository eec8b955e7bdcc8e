"""Files on a server's drive behave as on Linux: the same programs print the same."""

from __future__ import annotations

from pathlib import Path

from jupyterlite_browsergrad.server_kernel.sandbox import Sandbox
from tests.drive_programs import PROGRAMS, cell, different, on_linux


def test_programs_print_what_they_print_on_linux(tmp_path: Path) -> None:
    expected, folder = tmp_path / "linux", tmp_path / "drive"
    expected.mkdir()
    folder.mkdir()
    with Sandbox(folder) as sandbox:
        shown = {}
        for name in PROGRAMS:
            result = sandbox.execute(cell(name))
            shown[name] = result.text() + "".join(f"{e['ename']}: {e['evalue']}\n" for e in result.of("error"))
    assert different(shown, on_linux(expected)) == {}
    left = [sorted(str(path.relative_to(top)) for path in top.rglob("*")) for top in (expected, folder)]
    assert left[0] == left[1]
