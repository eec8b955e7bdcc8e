"""Write the entries that npm left out of every ``package-lock.json`` of the project.

usage: python scripts/complete_lock.py    (after every `npm install` that changed one)

npm leaves out optional packages of other platforms when its registry does not carry them, and then `npm ci` refuses the lock. Their
names include version and platform. Download addresses are removed too, since they belong to one machine's registry.
"""

from __future__ import annotations

import json
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
LOCKS = [REPO / folder / "package-lock.json" for folder in ("labextension", "examples/vite")]
SYSTEMS = {"aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"}
PROCESSORS = {"arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "ppc64le", "riscv64", "s390x", "wasm32", "x64"}
LIBRARIES = {"gnu": "glibc", "musl": "musl", "gnueabihf": "glibc", "musleabihf": "musl"}
#: Processor in a package's name -> npm's word for it, if it differs.
ALIASES = {"armhf": "arm", "powerpc64le": "ppc64"}


def platform_of(name: str) -> dict[str, list[str]] | None:
    """Return ``os``, ``cpu`` and ``libc`` as npm writes them; None if the name does not include a platform."""
    words = [ALIASES.get(word, word) for word in name.rpartition("/")[2].split("-")]
    found = {
        "cpu": [word for word in words if word in PROCESSORS],
        "libc": [LIBRARIES[word] for word in words if word in LIBRARIES and "linux" in words],
        "os": [word for word in words if word in SYSTEMS],
    }
    return {key: value for key, value in found.items() if value} or None


def complete(lock: dict) -> list[str]:
    """Add the missing entries to ``lock``, and return their names."""
    packages = lock["packages"]
    added = []
    for path, entry in list(packages.items()):
        entry.pop("resolved", None)
        for name, version in entry.get("optionalDependencies", {}).items():
            # npm hoists these, or nests them if another version was hoisted.
            places = [f"node_modules/{name}", f"{path}/node_modules/{name}"]
            if any(packages.get(place, {}).get("version") == version for place in places):
                continue
            platform = platform_of(name)
            if platform is None or not version[:1].isdigit():
                continue
            place = places[0] if places[0] not in packages else places[1]
            flags = {"dev": True} if entry.get("dev") else {}
            packages[place] = {"version": version, **platform, **flags, "optional": True}
            added.append(place)
    lock["packages"] = {"": packages[""]} | {name: packages[name] for name in sorted(packages) if name}
    return added


if __name__ == "__main__":
    for path in LOCKS:
        lock = json.loads(path.read_text("utf-8"))
        for name in complete(lock):
            print(f"{path.relative_to(REPO)}: added {name}")
        path.write_text(json.dumps(lock, indent=2, ensure_ascii=False) + "\n", "utf-8")
