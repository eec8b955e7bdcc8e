"""Archives of a Pyodide distribution: all formats have the same limit of size."""

from __future__ import annotations

import http.server
import io
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest

from jupyterlite_browsergrad.errors import DistributionError
from jupyterlite_browsergrad.site import distribution as module

FILES = {
    "pyodide/pyodide.mjs": b"m",
    "pyodide/pyodide.asm.wasm": b"w",
    "pyodide/pyodide-lock.json": b'{"info": {}, "packages": {}}',
}
FORMATS = [".tar.bz2", ".tar.gz", ".tgz", ".tar.xz", ".zip"]
LIMIT = 200_000


def pack(path: Path, files: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path
    kind = {".bz2": "w:bz2", ".gz": "w:gz", ".tgz": "w:gz", ".xz": "w:xz"}[path.suffix]
    with tarfile.open(path, kind) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_UNPACKED_BYTES", LIMIT)
    monkeypatch.setattr(module, "MAX_FILES", 50)


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_archive_is_unpacked(tmp_path: Path, suffix: str) -> None:
    path = pack(tmp_path / f"a{suffix}", FILES | {"pyodide/data": b"x" * 100_000})
    found = module.materialise(str(path), tmp_path, tmp_path / "cache")
    assert (found / "pyodide.mjs").read_bytes() == b"m" and len((found / "data").read_bytes()) == 100_000


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(
    "more",
    [
        {"pyodide/big": b"\0" * (LIMIT + 1)},
        {f"pyodide/{n}": b"\0" * 10_000 for n in range(30)},
        {f"pyodide/{n}": b"" for n in range(60)},
    ],
)
def test_one_that_unpacks_to_too_much_is_refused(tmp_path: Path, suffix: str, more: dict[str, bytes]) -> None:
    path = pack(tmp_path / f"a{suffix}", FILES | more)
    assert path.stat().st_size < 50_000, "it does not look large"
    with pytest.raises(DistributionError, match="too large"):
        module.materialise(str(path), tmp_path, tmp_path / "cache")
    written = sum(each.stat().st_size for each in (tmp_path / "cache").rglob("*") if each.is_file())
    assert written <= LIMIT


def test_a_header_without_end_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`tarfile` reads names and attributes into memory, however long they are."""
    monkeypatch.setattr(module, "MAX_AT_ONCE", 50_000)
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT, pax_headers={"comment": "x" * 100_000}) as archive:
        archive.addfile(tarfile.TarInfo("pyodide/x"))
    with pytest.raises(DistributionError, match="too large"):
        module.materialise(str(path), tmp_path, tmp_path / "cache")


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b", b"BZh9", b"\xfd7zXZ\0", b"PK\x03\x04", b"noise" * 1000])
@pytest.mark.parametrize("suffix", FORMATS)
def test_what_is_not_an_archive_is_told(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(DistributionError):
        module.materialise(str(path), tmp_path, tmp_path / "cache")


def test_a_download_has_the_same_limit(tmp_path: Path) -> None:
    class Endless(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(bytes(50_000))
            except OSError:
                return

        def log_message(self, format: str, *args: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endless) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/a.tar.gz"
        with pytest.raises(DistributionError, match="too large"):
            module.materialise(address, tmp_path, tmp_path / "cache")
        server.shutdown()
    assert list((tmp_path / "cache").iterdir()) == []
