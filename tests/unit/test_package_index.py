"""Entries of ``packages`` that cannot be followed: the build says why, what to write instead, and names all of them at once."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import pytest
from file_server import FileServer
from packaging.specifiers import SpecifierSet

from jupyterlite_browsergrad.errors import VendoringError
from jupyterlite_browsergrad.site.package_index import explain_failure
from jupyterlite_browsergrad.site.release import Release
from jupyterlite_browsergrad.site.vendoring import Vendored, vendor
from tests.wheels import make_wheel

INFO = {"abi_version": "2026_0", "arch": "wasm32", "platform": "emscripten_5_0_3", "python": "3.14.2"}
NUMPY = {"name": "numpy", "version": "2.4.6", "file_name": "numpy-2.4.6-cp314-cp314-x.whl", "imports": ["numpy"]}
PILLOW = {"name": "pillow", "version": "12.0", "file_name": "pillow-12.0-cp314-cp314-x.whl", "imports": ["PIL"]}
LOCK = {"info": INFO, "packages": {"numpy": NUMPY, "pillow": PILLOW}}

NO_PAGE = "Could not fetch URL {}shape/: 404 Client Error: Not Found for url: {}shape/ - skipping"
PYPI = "https://pypi.org/simple/"
SDIST = "  Skipping link: No sources permitted for shape: https://files.example/packages/shape-1.5.tar.gz (from …)"
WHEEL = "  Skipping link: none of the wheel's tags (cp314-cp314-win32) are compatible (run pip debug): https://files.example/p/shape-2.0-cp314-cp314-win32.whl (from …)"
EXE = "  Skipping link: unsupported archive format: .exe: https://files.example/packages/shape-0.2.0.win-amd64-py2.7.exe (from …)"
PAGE = "Skipping link: not a file: https://pypi.org/simple/shape/"
DEAD = "Could not fetch URL http://mirror.example/shape/: connection error: [Errno 111] Connection refused - skipping"
END = "ERROR: Could not find a version that satisfies the requirement shape (from versions: none)\nERROR: No matching distribution found for shape"


@pytest.mark.parametrize(
    ("log", "specifier", "said"),
    [
        ([NO_PAGE.format(PYPI, PYPI), PAGE, END], "", "PyPI does not know the name shape: check the spelling"),
        (
            [NO_PAGE.format("https://a.example/", "https://a.example/"), END],
            "",
            "PyPI (here the index at a.example) does not know",
        ),
        ([NO_PAGE.format(PYPI, PYPI), DEAD, END], "", "the package index cannot be reached (mirror.example: connection"),
        ([DEAD, PAGE, END], "", "or give the paths of wheels"),
        ([NO_PAGE.format(PYPI, PYPI), WHEEL, END], "", "on PyPI, no wheel runs in the browser: it has to be pure Python"),
        ([SDIST, WHEEL, EXE, END], ">=3", "PyPI has no version of shape that fits >=3: the newest is 2.0"),
        ([SDIST, WHEEL, EXE, END], "<2", "on PyPI, no wheel runs in the browser"),
        ([EXE, END], "<2", "on PyPI, no wheel runs in the browser"),
        (["ERROR: the disk is full"], "", "pip says: ERROR: the disk is full"),
        (["Ignoring indexes: https://pypi.org/simple", END], "", "no folder that PIP_FIND_LINKS names has shape"),
        (["/usr/bin/python3: No module named pip"], "", "pip is not installed"),
    ],
)  # fmt: skip
def test_the_reason_is_read_from_pips_log(log: list[str], specifier: str, said: str) -> None:
    found = explain_failure("\n".join(log), "shape", SpecifierSet(specifier), "cp314 pyemscripten_2026_0_wasm32")
    assert said in found
    assert END.splitlines()[0] not in found


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An index that has no package, and pip without any other configuration."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    (tmp_path / "served").mkdir()
    with FileServer(tmp_path / "served").running() as server:
        monkeypatch.setenv("PIP_INDEX_URL", server.address)
        yield server


def put(folder: Path, *requirements: str, lock: dict[str, Any] = LOCK, **options: Any) -> Vendored:
    release = Release(lock, folder, version="9.9.9", cache=folder / "cache", offline=True)
    return vendor(list(requirements), release, {"traitlets": "5.0"}, folder, folder / "wheels", **options)


def test_one_build_names_all_packages_that_it_cannot_have(tmp_path: Path, index: FileServer) -> None:
    make_wheel(tmp_path, "native", "1.0", "cp314-cp314-win32")
    wanted = {
        "no name!": "no name!: is not a requirement (Expected semicolon",
        "https://a.example/a-1.0-py3-none-any.whl": "an address cannot be vendored; download the wheel and give its path",
        "a @ https://a.example/a-1.0.whl": "an address cannot be vendored",
        "git+https://a.example/a": "an address cannot be vendored",
        "none.whl": f"{tmp_path / 'none.whl'} does not exist",
        "./folder": "is not a wheel; make one with `pip wheel --no-deps ./folder`",
        "my-1.0.tar.gz": "is not a wheel; make one with `pip wheel --no-deps my-1.0.tar.gz`",
        "native-1.0-cp314-cp314-win32.whl": "native-1.0-cp314-cp314-win32.whl does not run in the browser",
        "traitlets<1": "every kernel already has traitlets 5.0, which does not fit",
    }
    with pytest.raises(VendoringError) as caught:
        put(tmp_path, *wanted)
    lines = str(caught.value).splitlines()
    assert lines[0] == "packages:" and len(lines) == 1 + len(wanted)
    for text, said in wanted.items():
        assert any(said in line for line in lines), text
    assert index.asked == []


def test_an_unknown_name_is_told_with_the_one_that_may_be_meant(tmp_path: Path, index: FileServer) -> None:
    release = Release(LOCK, tmp_path, version="9.9.9", cache=tmp_path / "cache")
    with pytest.raises(VendoringError) as caught:
        vendor(["nunpy", "PIL", "traitlets"], release, {"traitlets": "5.0"}, tmp_path, tmp_path / "wheels")
    first, second = str(caught.value).splitlines()[1:]
    assert "PyPI (here the index at 127.0.0.1" in first and first.endswith('check the spelling. Do you mean "numpy"?')
    assert second.endswith('A module of this name is in the package pillow: write "pillow"')


def test_a_package_that_only_the_embedded_pyodide_has_is_told(tmp_path: Path, index: FileServer) -> None:
    other = {"info": INFO, "packages": {}}
    release = Release(other, tmp_path, version="9.9.9", cache=tmp_path / "cache")
    with pytest.raises(
        VendoringError, match="has numpy, the lock of this distribution does not: leave pyodide_url out"
    ):
        vendor(["numpy"], release, {}, tmp_path, tmp_path / "wheels", embedded=LOCK)


def test_wheels_come_from_the_folder_that_pip_find_links_names(
    tmp_path: Path, index: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "my wheels"
    folder.mkdir()
    make_wheel(folder, "mylab", "1.0", requires=("mydata",))
    make_wheel(folder, "mydata", "2.0")
    monkeypatch.setenv("PIP_FIND_LINKS", folder.as_uri())
    release = Release(LOCK, tmp_path, version="9.9.9", cache=tmp_path / "cache")
    found = vendor(["mylab"], release, {}, tmp_path, tmp_path / "wheels")
    assert [(wheel.name, wheel.version) for wheel in found.wheels] == [("mydata", "2.0"), ("mylab", "1.0")]
    again = put(tmp_path, "mylab")
    assert [wheel.path for wheel in again.wheels] == [wheel.path for wheel in found.wheels], "a rebuild needs no folder"


def test_a_path_that_a_command_shows_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(VendoringError) as caught:
        put(tmp_path, "./my folder")
    assert shlex.quote("./my folder") in str(caught.value)
