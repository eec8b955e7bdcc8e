"""Single packages of a Pyodide release: downloaded when a site is built, checked, and kept."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from file_server import FileServer
from hangs import HANG_S

from jupyterlite_browsergrad import PYODIDE_VERSION, paths
from jupyterlite_browsergrad.errors import DistributionError, VendoringError
from jupyterlite_browsergrad.site import distribution, downloads
from jupyterlite_browsergrad.site.release import Release, embedded_lock, version_of
from jupyterlite_browsergrad.site.vendoring import Vendored, vendor
from tests.wheels import make_wheel

INFO = {"abi_version": "2026_0", "arch": "wasm32", "platform": "emscripten_5_0_3", "python": "3.14.2"}
TAG = "cp314-cp314-pyemscripten_2026_0_wasm32"


class Shelf:
    """A release on a server, and its core in a folder."""

    def __init__(self, folder: Path, server: FileServer):
        self.folder = folder
        self.server = server
        self.told: list[str] = []
        self.lock: dict[str, Any] = {"info": INFO, "packages": {}}
        (folder / "core").mkdir()

    def add(
        self, name: str, version: str = "1.0", depends: tuple[str, ...] = (), tag: str = TAG, code: str = ""
    ) -> Path:
        wheel = make_wheel(self.server.folder, name, version, tag, code=code)
        self.lock["packages"][name] = {
            "name": name,
            "version": version,
            "file_name": wheel.name,
            "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
            "depends": list(depends),
            "imports": [name],
            "install_dir": "site",
            "package_type": "package",
        }
        return wheel

    def release(self, base: str | None = None, **options: Any) -> Release:
        options = {"version": "9.9.9", "cache": self.folder / "cache", "tell": self.told.append, **options}
        return Release(self.lock, self.folder / "core", base=base or self.server.address, **options)

    def vendor(self, *requirements: str, provided: dict[str, str] | None = None, **options: Any) -> Vendored:
        release = self.release(**options)
        return vendor(list(requirements), release, provided or {}, self.folder, self.folder / "wheels")


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    monkeypatch.setattr(downloads, "PAUSES_S", (0, 0))
    (tmp_path / "served").mkdir()
    with FileServer(tmp_path / "served").running() as server:
        yield Shelf(tmp_path, server)


def test_a_locked_package_is_fetched_with_what_it_depends_on_and_remembered(shelf: Shelf) -> None:
    shelf.add("plots", "2.0", ("Num_Bers", "small", "given"))
    numbers = shelf.add("num-bers")
    shelf.add("small", tag="py3-none-any")
    shelf.add("given", tag="py3-none-any")
    shelf.add("other")
    done = shelf.vendor("plots", provided={"given": "1.0"})
    assert sorted(done.from_lock) == ["num-bers", "plots", "small"]
    assert done.files["num-bers"].read_bytes() == numbers.read_bytes()
    assert done.entries["plots"]["depends"] == ["num-bers", "small"], (
        "names as the lock spells them, none that is there anyway"
    )
    assert sorted(shelf.server.names) == sorted(path.name for path in done.files.values())
    assert sorted(line.partition(":")[0] for line in shelf.told) == ["num-bers 1.0", "plots 2.0", "small 1.0"]
    asked = len(shelf.server.asked)
    assert shelf.vendor("plots", provided={"given": "1.0"}, offline=True).files == done.files
    assert len(shelf.server.asked) == asked


def test_files_are_fetched_side_by_side(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2, timeout=HANG_S)
    answer = shelf.server.answer
    monkeypatch.setattr(shelf.server, "answer", lambda request: (both.wait(), answer(request)))
    shelf.add("one")
    shelf.add("two")
    assert sorted(shelf.vendor("one", "two").from_lock) == ["one", "two"]


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_shows_how_far_the_files_are(shelf: Shelf, monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(stderr, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(sys, "stderr", stderr)
    shelf.add("one", code="#" * 50_000)
    shelf.add("two")
    shelf.vendor("one", "two")
    assert ("fetching 2 files" in stderr.getvalue()) == terminal


def test_the_usual_address_is_that_of_the_versions_cdn(shelf: Shelf) -> None:
    release = Release(shelf.lock, shelf.folder / "core", version="314.0.7", cache=shelf.folder, tell=shelf.told.append)
    assert release.base == "https://cdn.jsdelivr.net/pyodide/v314.0.7/full/"


def test_a_file_in_the_distribution_is_not_fetched(shelf: Shelf) -> None:
    wheel = shelf.add("plots")
    here = shelf.folder / "core" / wheel.name
    wheel.rename(here)
    done = shelf.vendor("plots")
    assert (done.files, done.entries, shelf.server.asked) == ({"plots": here}, {}, [])


def test_a_folder_can_be_the_mirror(shelf: Shelf) -> None:
    wheel = shelf.add("plots")
    done = shelf.vendor("plots", base="served", lite_dir=shelf.folder)
    assert (done.files, shelf.server.asked) == ({"plots": wheel}, [])
    wheel.unlink()
    with pytest.raises(VendoringError, match=rf"plots: .*served \(package_base_url\) has no file {wheel.name}"):
        shelf.vendor("plots", base="served", lite_dir=shelf.folder)


def test_a_transfer_that_broke_off_goes_on_where_it_ended(shelf: Shelf) -> None:
    wheel = shelf.add("plots", code="#" * 50_000)
    shelf.server.cut = {wheel.name: 100}
    assert shelf.vendor("plots").files["plots"].read_bytes() == wheel.read_bytes()
    assert [first for _, first in shelf.server.asked] == [0, 100]


def test_an_interrupted_build_is_resumed_by_the_next(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = shelf.add("plots")
    monkeypatch.setattr(downloads, "PAUSES_S", ())
    shelf.server.cut = {wheel.name: 70}
    with pytest.raises(
        VendoringError, match=r"the connection ended after 70 of \d+ bytes\. Behind a proxy set HTTPS_PROXY"
    ):
        shelf.vendor("plots")
    shelf.vendor("plots")
    assert [first for _, first in shelf.server.asked] == [0, 70]


def test_what_an_interrupted_build_left_is_fetched_anew_when_it_is_from_another_file(shelf: Shelf) -> None:
    wheel = shelf.add("plots")
    target = shelf.folder / "cache" / shelf.lock["packages"]["plots"]["sha256"][:16] / f"{wheel.name}.part"
    target.parent.mkdir(parents=True)
    for wrong in (b"other", b"x" * wheel.stat().st_size, b"x" * 10_000):
        target.write_bytes(wrong)
        assert shelf.vendor("plots").files["plots"].read_bytes() == wheel.read_bytes()
        target.with_name(wheel.name).unlink()


def test_one_flipped_byte_is_refused_and_not_kept(shelf: Shelf) -> None:
    wheel = shelf.add("plots")
    good = wheel.read_bytes()
    wheel.write_bytes(bytes([good[0] ^ 1]) + good[1:])
    with pytest.raises(
        VendoringError, match=r"plots 1\.0: .*plots-1\.0-.*: what came has the sha256 .{16}…, and the lock says"
    ):
        shelf.vendor("plots")
    wheel.write_bytes(good)
    kept = shelf.vendor("plots").files["plots"]
    kept.write_bytes(b"damaged")
    assert shelf.vendor("plots").files["plots"].read_bytes() == good, "what was damaged since is fetched anew"


@pytest.mark.parametrize(
    ("status", "tries", "text"),
    [
        (404, 1, "the server answered 404 Not Found. Is it the address of Pyodide 9.9.9?"),
        (403, 1, "the server answered 403 Forbidden. Behind a proxy set HTTPS_PROXY"),
        (503, 3, "the server answered 503 Service Unavailable. Behind a proxy set HTTPS_PROXY"),
    ],
)
def test_an_error_names_package_address_reason_and_what_to_set(
    shelf: Shelf, status: int, tries: int, text: str
) -> None:
    wheel = shelf.add("plots")
    shelf.server.replies = {wheel.name: status}
    with pytest.raises(VendoringError) as caught:
        shelf.vendor("plots")
    told = str(caught.value)
    assert told.startswith(f"packages: plots 1.0: {shelf.server.address}{wheel.name} cannot be fetched: {text}")
    assert told.endswith("BrowsergradAddon.package_base_url can name a mirror, or a folder with the release's files")
    assert len(shelf.server.asked) == tries


def test_a_server_that_is_not_there_is_told(shelf: Shelf) -> None:
    shelf.add("plots")
    with pytest.raises(
        VendoringError, match=r"plots 1\.0: http://127\.0\.0\.1:9/x/plots.* cannot be fetched: .*HTTPS_PROXY"
    ):
        shelf.vendor("plots", base="http://127.0.0.1:9/x")


def test_a_redirect_is_followed_and_told(shelf: Shelf) -> None:
    wheel = shelf.add("plots")
    with FileServer(shelf.server.folder).running() as mirror:
        shelf.server.moved = {wheel.name: f"{mirror.address}{wheel.name}"}
        shelf.vendor("plots")
        assert f"plots 1.0: {shelf.server.address}{wheel.name} leads to {mirror.address}{wheel.name}" in shelf.told


def test_offline_says_what_is_missing(shelf: Shelf) -> None:
    shelf.add("plots")
    with pytest.raises(
        VendoringError, match=r"no earlier build has fetched http.*plots.*without --browsergrad-offline"
    ):
        shelf.vendor("plots", offline=True)
    with pytest.raises(VendoringError, match="absent: no earlier build has fetched it"):
        shelf.vendor("absent", offline=True)
    assert shelf.server.asked == []


def test_a_pinned_version_that_the_release_does_not_have_names_the_one_there_is(shelf: Shelf) -> None:
    shelf.add("psutil", "7.0.0")
    with pytest.raises(
        VendoringError, match=r"psutil==5\.9\.0: Pyodide 9\.9\.9 has psutil 7\.0\.0 and no other version"
    ):
        shelf.vendor("psutil==5.9.0")


def test_a_locked_name_of_a_file_cannot_lead_elsewhere(shelf: Shelf) -> None:
    shelf.add("plots")
    for name in ("..", "a/..", "x\\..\\y"):
        shelf.lock["packages"]["plots"]["file_name"] = name
        with pytest.raises(VendoringError, match="the lock names no file"):
            shelf.vendor("plots")


def test_the_embedded_distribution_knows_its_whole_release(tmp_path: Path) -> None:
    folder = paths.static("pyodide")
    core = distribution.read_lock(folder)
    lock = embedded_lock(folder, core)
    assert core == {"info": lock["info"], "packages": {}}, "pages read a lock of what is there"
    assert {"numpy", "pandas", "matplotlib", "scikit-learn"} < set(lock["packages"])
    assert version_of(folder, lock) == PYODIDE_VERSION
    release = Release(lock, folder, version=PYODIDE_VERSION, cache=tmp_path)
    assert release.base == f"https://cdn.jsdelivr.net/pyodide/v{PYODIDE_VERSION}/full/"


@pytest.mark.parametrize("asm", ["pyodide.asm.mjs", "pyodide.asm.js"])
def test_an_address_of_a_release_gives_a_distribution(shelf: Shelf, asm: str) -> None:
    for name in ("pyodide.mjs", "pyodide.asm.wasm", "python_stdlib.zip", asm):
        (shelf.server.folder / name).write_text(name, "utf-8")
    (shelf.server.folder / "pyodide-lock.json").write_text(json.dumps(shelf.lock), "utf-8")
    address = shelf.server.address.rstrip("/")
    assert distribution.is_base_address(address) and not distribution.is_base_address(f"{address}/a.tar.bz2")

    def folder(**options: Any) -> Path:
        return distribution.materialise(
            address, shelf.folder, shelf.folder / "pyodide", tell=shelf.told.append, **options
        )

    with pytest.raises(DistributionError, match="no earlier build has fetched it"):
        folder(offline=True)
    found = folder()
    assert (found / asm).read_text("utf-8") == asm
    asked = len(shelf.server.asked)
    assert folder(offline=True) == found
    assert len(shelf.server.asked) == asked
    (shelf.server.folder / "pyodide.mjs").unlink()
    (shelf.folder / "pyodide").rename(shelf.folder / "gone")
    with pytest.raises(DistributionError, match=r"pyodide\.mjs cannot be fetched: the server answered 404"):
        folder()
