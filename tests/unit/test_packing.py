"""Wheels become packs, from which the worker loads packages fast."""

from __future__ import annotations

import gzip
import json
import struct
import zipfile
from pathlib import Path

import pytest

from jupyterlite_browsergrad import paths
from jupyterlite_browsergrad.boot import javascript
from jupyterlite_browsergrad.boot.assets import INDEX, read_pack, unpack
from jupyterlite_browsergrad.site.packing import Packer, divide
from tests.wheels import make_wheel
from tests.zstd import unpack_zstd

UNCHECKED_HASH = 0b01


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("pkg/data.csv", "now"),
        ("pkg/_fast.cpython-314-wasm32-emscripten.so", "now"),
        ("pkg-1.dist-info/METADATA", "now"),
        ("pkg-1.dist-info/entry_points.txt", "now"),
        ("/etc/pkg.conf", "now"),
        ("matplotlib/mpl-data/fonts/ttf/DejaVuSans.ttf", "now"),
        ("matplotlib/mpl-data/fonts/ttf/cmr10.ttf", "later"),
        ("matplotlib/mpl-data/sample_data/a.csv", "later"),
        ("numpy/_core/_umath_tests.cpython-314-wasm32-emscripten.so", "later"),
        ("numpy/_core/_multiarray_tests.cpython-314-wasm32-emscripten.so", "now"),
        ("pytz/zoneinfo/Europe/Berlin", "later"),
        ("tzdata/zoneinfo/UTC", "now"),
        ("tzdata/zoneinfo/__init__.py", "now"),
        ("dateutil/zoneinfo/dateutil-zoneinfo.tar.gz", "now"),
        ("pkg/tests/data.csv", "later"),
        ("pkg/__init__.pyi", "later"),
        ("pkg-1.dist-info/LICENSE.txt", "later"),
        ("pkg-1.dist-info/licenses/LICENSE", "later"),
        ("numpy/_core/include/numpy/arrayobject.h", None),
        ("numpy/random/lib/libnpyrandom.a", None),
        ("pkg/_fast.pyx", None),
        ("/share/jupyter/labextensions/front/package.json", None),
    ],
)
def test_a_file_is_read_early_or_seldom_or_never(name: str, place: str | None) -> None:
    now, later = divide({name: b"x"}, {}, "314")
    found = {"now": {file for file in now if "INSTALLER" not in file and "SOURCE" not in file}, "later": set(later)}
    assert {key for key, names in found.items() if name in names} == ({place} if place else set())


def test_sources_are_read_later_than_their_bytecode() -> None:
    now, later = divide(
        {"p/a.py": b"1", "p/tests/b.py": b"2", "p/bad.py": b"("}, {"p/a.py": b"A", "p/tests/b.py": b"B"}, "314"
    )
    assert now == {"p/__pycache__/a.cpython-314.pyc": b"A", "p/bad.py": b"("}
    assert later == {"p/a.py": b"1", "p/tests/b.py": b"2", "p/tests/__pycache__/b.cpython-314.pyc": b"B"}


def test_the_list_of_installed_files_names_no_file_that_is_left_out() -> None:
    record = b'p/a.txt,,\np/a.pxd,,\n"p/b,c.txt",,\np-1.dist-info/RECORD,,\n'
    files = {"p/a.txt": b"", "p/a.pxd": b"", "p/b,c.txt": b"", "p-1.dist-info/RECORD": record}
    _, later = divide(files, {}, "314")
    assert later["p-1.dist-info/RECORD"] == b'p/a.txt,,\n"p/b,c.txt",,\np-1.dist-info/RECORD,,\n'


@pytest.fixture
def packer(tmp_path: Path) -> Packer:
    portable = json.loads(paths.static("kernel/manifest.json").read_text("utf-8"))["packs"]["site"]["file"]
    warnings: list[str] = []
    return Packer(
        paths.static("pyodide"), tmp_path / "packs", tmp_path / "pyc", paths.static("kernel", portable), warnings.append
    )


def test_a_wheel_becomes_two_packs_that_are_made_once(
    packer: Packer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = make_wheel(tmp_path, "pkg", "1.0", code="def f():\n    return 1\n")
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("pkg-1.0.data/data/etc/pkg.conf", "conf")
        archive.writestr("pkg/template.py", "class {{ name }}: pass\n")
    packs = packer.pack({"pkg": wheel})["pkg"]
    files = packer.files({"pkg": wheel})
    assert {path.as_posix() for path in files} == {packs["now"]["file"], packs["later"]["file"]}
    now = unpack(unpack_zstd(files[Path(packs["now"]["file"])].read_bytes()))
    later = read_pack(files[Path(packs["later"]["file"])])
    bytecode = now["pkg/__pycache__/__init__.cpython-314.pyc"]
    assert struct.unpack_from("<I", bytecode, 4)[0] == UNCHECKED_HASH
    assert now["/etc/pkg.conf"] == b"conf"
    assert "pkg/template.py" in now, "a source that does not compile is data"
    content = gzip.decompress(files[Path(packs["later"]["file"])].read_bytes())
    listed = {name: content[start : start + length] for name, start, length in json.loads(now[INDEX])}
    assert listed == later
    assert b"def f()" in listed["pkg/__init__.py"]
    monkeypatch.setattr(javascript, "run", None)
    assert packer.pack({"pkg": wheel})["pkg"] == packs
