"""Makes packs of Python files with bytecode, a standard library with bytecode, and the memory snapshot of a started kernel.

A pack is a gzip file. If Python reads single files from it, it is in chunks (`chunked_gzip`). Its content is the length of the header as
little-endian uint32; the header, which is JSON, padded with spaces so that it ends at a multiple of 8; the bytes of the files. The header is
``{"files": [[path, offset, length], …]}``. Offsets count from the end of the header.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..hashing import sha256_of
from . import chunked_gzip, javascript, xz, zstd

__all__ = [
    "INDEX",
    "PYODIDE_FILES",
    "STDLIB",
    "Compiler",
    "Files",
    "dump",
    "files_of",
    "pack",
    "precompile_stdlib",
    "pyc_path",
    "read_pack",
    "unpack",
    "with_bytecode",
    "write_atomically",
    "write_divided",
    "write_pack",
    "write_snapshot",
]

#: Files of Pyodide to which a snapshot is bound, in addition to the standard library.
SCRIPTS = ("pyodide.mjs", "pyodide.asm.mjs")
WASM = "pyodide.asm.wasm"
PYODIDE_FILES = (*SCRIPTS, WASM)
STDLIB = "python_stdlib.zip"
#: Member of the first of two packs that lists the files of the second one: ``[[path, offset in the pack's content, length], …]``.
INDEX = ".later.json"
ZIP_TIME = (2020, 1, 1, 0, 0, 0)

#: Path relative to site-packages -> bytes.
Files = dict[str, bytes]


class Compiler:
    """Compiles Python in Pyodide to bytecode with unchecked hashes, and caches it by the hash of its source.

    Parameters
    ----------
    pyodide
        The distribution.
    cache
        Folder of the cached bytecode. It must be used only for this version of Python.
    """

    def __init__(self, pyodide: Path, cache: Path):
        self.pyodide = pyodide
        self.cache = cache
        python = json.loads((pyodide / "pyodide-lock.json").read_text("utf-8"))["info"]["python"]
        major, minor = python.split(".")[:2]
        #: The version as it appears in file names, such as ``314``.
        self.tag = f"{major}{minor}"
        self.stdlib = f"/lib/python{major}{minor}.zip"
        self.site_packages = f"/lib/python{major}.{minor}/site-packages"

    def compile(self, sources: dict[str, bytes]) -> dict[str, bytes]:
        """Return ``co_filename -> pyc``. A source that does not compile is left out and reported on stderr."""
        self.cache.mkdir(parents=True, exist_ok=True)
        keys = {
            name: self.cache / hashlib.sha256(name.encode() + b"\0" + source).hexdigest()
            for name, source in sources.items()
        }
        missing = [name for name in sources if not keys[name].exists()]
        if missing:
            self._run(missing, sources, keys)
        return {name: pyc for name in sources if (pyc := keys[name].read_bytes())}

    def _run(self, names: list[str], sources: dict[str, bytes], keys: dict[str, Path]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            job = Path(folder)
            jobs = [[f"{i}.py", name, f"{i}.pyc"] for i, name in enumerate(names)]
            for source, name, _ in jobs:
                (job / source).write_bytes(sources[name])
            (job / "jobs.json").write_text(json.dumps(jobs), "utf-8")
            javascript.run("compile_pyc.mjs", self.pyodide, job)
            for _, name, output in jobs:
                done = job / output
                # An empty file means that this source does not compile, like templates in the standard library's data.
                write_atomically(keys[name], done.read_bytes() if done.exists() else b"")
            for name, error in json.loads((job / "errors.json").read_text("utf-8")):
                print(f"not compiled: {name}: {error}", file=sys.stderr)


def precompile_stdlib(path: Path, compiler: Compiler) -> bytes:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in sorted(archive.namelist()) if not name.endswith("/")}
    compiled = compiler.compile(
        {f"{compiler.stdlib}/{name}": data for name, data in members.items() if name.endswith(".py")}
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            pyc = compiled.get(f"{compiler.stdlib}/{name}")
            for member, content in ((f"{name}c", pyc), (name, data)):
                if content is not None:
                    entry = zipfile.ZipInfo(member, ZIP_TIME)
                    entry.external_attr = 0o644 << 16
                    archive.writestr(entry, content, zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()


def write_pack(out: Path, name: str, files: Files, level: int = 9, *, in_chunks: bool = True) -> dict[str, Any]:
    """Write ``NAME.HASH.pack.gz`` and return its entry for the manifest.

    Parameters
    ----------
    in_chunks
        Whether Python will read single files of it. A pack in chunks is about 1 % larger.
    """
    content = pack(files)
    data = chunked_gzip.compress(content, level) if in_chunks else gzip.compress(content, level, mtime=0)
    return _write_packed(out, name, ".pack.gz", content, data)


def write_divided(out: Path, name: str, now: Files, later: Files) -> tuple[dict[str, Any], dict[str, Any]]:
    """Write two packs and return their entries: `now`, which knows the files of the other one, and `later`, from which Python reads single files."""
    content = pack({**now, INDEX: _index(later)})
    return _write_small(out, f"{name}.now", content, level=zstd.PACK_LEVEL), write_pack(out, f"{name}.later", later)


def _index(files: Files) -> bytes:
    """Return where each file is in the content of the pack of these files."""
    return json.dumps(list(_members(pack(files))), separators=(",", ":")).encode()


def _write_small(out: Path, name: str, content: bytes, *, level: int) -> dict[str, Any]:
    """Write ``NAME.HASH.bin`` with Zstandard, or ``NAME.HASH.gz`` where nothing can write that. Return its entry for the manifest.

    No web host takes the ending ``bin`` for an encoding, and all of them know it.
    """
    contents = {"contents_sha256": hashlib.sha256(content).hexdigest()}
    data = zstd.compress(content, level)
    if data is None:
        packed = gzip.compress(content, 1 if level == zstd.QUICK_LEVEL else 9, mtime=0)
        return _write_packed(out, name, ".gz", content, packed) | contents
    return _write_packed(out, name, ".bin", content, data) | contents | {"format": "zstd"}


def _write_smaller(out: Path, name: str, content: bytes, unit: xz.Unit) -> dict[str, Any]:
    """Write ``NAME.HASH.xz.bin``. Return what its entry has in place of that of the larger form."""
    entry = _write_packed(out, name, ".xz.bin", content, xz.compress(content, unit))
    return {key: entry[key] for key in ("file", "sha256", "size")} | {"format": "xz"}


def _write_packed(out: Path, name: str, suffix: str, content: bytes, data: bytes) -> dict[str, Any]:
    """Write `data`, the packed `content`, to ``NAME.HASH``. Return its entry for the manifest, with the CRC-32 of `content`."""
    digest = hashlib.sha256(data).hexdigest()
    target = out / f"{name}.{digest[:8]}{suffix}"
    if not target.exists():
        write_atomically(target, data)
    return {"file": target.name, "sha256": digest, "size": len(data), "crc32": zlib.crc32(content)}


def pack(files: Files) -> bytes:
    """Return the files as one uncompressed pack, in the order of their paths."""
    index: list[list[object]] = []
    offset = 0
    for name in sorted(files):
        index.append([name, offset, len(files[name])])
        offset += len(files[name])
    header = json.dumps({"files": index}, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-(4 + len(header)) % 8)
    return b"".join([struct.pack("<I", len(header)), header, *(files[name] for name in sorted(files))])


def read_pack(path: Path) -> Files:
    """Return the files of a pack that is a gzip file."""
    return unpack(gzip.decompress(path.read_bytes()))


def unpack(data: bytes) -> Files:
    """Return the files of an uncompressed pack."""
    return {name: data[start : start + size] for name, start, size in _members(data)}


def _members(data: bytes) -> Iterator[tuple[str, int, int]]:
    """Yield the path of each file in an uncompressed pack, where it begins, and its length."""
    (length,) = struct.unpack_from("<I", data)
    for name, offset, size in json.loads(data[4 : 4 + length])["files"]:
        yield name, 4 + length + offset, size


def pyc_path(name: str, tag: str) -> str:
    folder, _, module = name.rpartition("/")
    return f"{folder + '/' if folder else ''}__pycache__/{module[:-3]}.cpython-{tag}.pyc"


def with_bytecode(files: Files, compiler: Compiler) -> Files:
    sources = {f"{compiler.site_packages}/{name}": data for name, data in files.items() if name.endswith(".py")}
    compiled = compiler.compile(sources)
    prefix = len(compiler.site_packages) + 1
    return files | {pyc_path(name[prefix:], compiler.tag): pyc for name, pyc in compiled.items()}


def write_snapshot(
    out: Path, pyodide: Path, pack: Path, *, quick: bool = False, smaller: bool = False
) -> dict[str, Any]:
    """Start the kernel and write its memory to ``snapshot.HASH.bin``, and beside it small copies of Pyodide's own files.

    Return its entry for the manifest, without `pack`.

    Parameters
    ----------
    pyodide
        The distribution as it is published. Kernels will import from its standard library.
    pack
        The pack of the kernel's files, with bytecode for this Python.
    quick
        Whether to compress fast instead of well.
    smaller
        Whether to write smaller forms of the two largest files too, for slow lines. This takes half a minute.

    Raises
    ------
    EngineError
        There is no JavaScript engine, or this Pyodide cannot be frozen.
    """
    with tempfile.TemporaryDirectory() as folder:
        javascript.run("make_snapshot.mjs", pyodide, pack, folder)
        raw = Path(folder, "snapshot.bin").read_bytes()
        javascript.run("first_functions.mjs", pyodide, pack, folder)
        parts = {name: Path(folder, f"{part}.wasm") for name, part in (("wasm", "first"), ("rest", "rest"))}
        core = {name: part.read_bytes() for name, part in parts.items() if part.is_file()}
    level = zstd.QUICK_LEVEL if quick else zstd.LEVEL
    stdlib = (pyodide / STDLIB).read_bytes()
    scripts = {name: (pyodide / name).read_text("utf-8") for name in SCRIPTS}
    core["scripts"] = json.dumps(scripts, ensure_ascii=False).encode()
    entries = {
        name: _write_small(out, name, content, level=level) for name, content in {"snapshot": raw, **core}.items()
    }
    if smaller:
        entries["snapshot"]["smaller"] = _write_smaller(out, "snapshot", raw, xz.WORDS)
        entries["wasm"]["smaller"] = _write_smaller(out, "wasm", core["wasm"], xz.BYTES)
    return {
        **entries.pop("snapshot"),
        "core": entries,
        "pyodide": {name: sha256_of(pyodide / name) for name in (*PYODIDE_FILES, STDLIB)},
        "stdlib_size": len(stdlib),
        "stdlib_crc32": zlib.crc32(stdlib),
        "lock_info": json.loads((pyodide / "pyodide-lock.json").read_text("utf-8"))["info"],
    }


def files_of(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the manifest's entries of files."""
    snapshot = manifest.get("snapshot")
    entries = [*manifest["packs"].values(), *([snapshot, *snapshot["core"].values()] if snapshot else [])]
    return entries + [entry["smaller"] for entry in entries if "smaller" in entry]


def dump(value: object) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode()


def write_atomically(path: Path, data: bytes) -> None:
    """Write a new file and rename it, so that a reader never sees half a file."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(data)
    partial.replace(path)
