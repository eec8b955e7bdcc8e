"""``jupyter browsergrad pack``: a built site with a program that serves it and needs only Python."""

from __future__ import annotations

import ast
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest

from jupyterlite_browsergrad.cli import main


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "course"
    for name, text in {
        "index.html": "<!doctype html>",
        "jupyter-lite.json": "{}",
        "lab/a b.mjs": "export {}",
        "extensions/x/kernel/wasm.0123abcd.bin": "packed",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def test_what_it_packs_serves_the_site_with_python_alone(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pack", str(site)]) == 0
    packed = tmp_path / "course.zip"
    assert str(packed) in capsys.readouterr().out
    with zipfile.ZipFile(packed) as archive:
        assert {name.split("/")[0] for name in archive.namelist()} == {"course"}
        modes = {info.filename.rpartition("/")[2]: info.external_attr >> 16 for info in archive.infolist()}
        archive.extractall(tmp_path / "elsewhere")
    assert modes["start.sh"] & 0o111 and modes["start.command"] & 0o111 and not modes["start.py"] & 0o111
    folder = tmp_path / "elsewhere/course"
    # Isolated: neither this environment's packages nor the folder it was started in.
    command = [sys.executable, "-I", "-S", str(folder / "start.py"), "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            with urllib.request.urlopen(f"{url}lab/a%20b.mjs", timeout=60) as answer:
                assert answer.read() == b"export {}"
                assert answer.headers["Content-Type"].startswith("text/javascript")
                assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
                assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
            with urllib.request.urlopen(f"{url}extensions/x/kernel/wasm.0123abcd.bin", timeout=60) as answer:
                assert "immutable" in answer.headers["Cache-Control"]
                assert "Content-Encoding" not in answer.headers
        finally:
            process.terminate()


def test_the_program_runs_in_the_oldest_python_it_names(site: Path, tmp_path: Path) -> None:
    main(["pack", str(site)])
    with zipfile.ZipFile(tmp_path / "course.zip") as archive:
        for name in archive.namelist():
            if name.endswith(".py"):
                ast.parse(archive.read(name), name, feature_version=(3, 9))


def test_a_site_has_the_same_port_each_time_since_browsers_keep_files_by_address(site: Path, tmp_path: Path) -> None:
    import importlib.util

    from jupyterlite_browsergrad import platforms

    path = Path(platforms.__path__[0], "start.py")
    ports = []
    for name in ("one", "one", "other"):
        spec = importlib.util.spec_from_file_location("start", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        module.HERE = tmp_path / name
        ports.append(module.usual_port())
    assert ports[0] == ports[1] != ports[2]


def test_what_is_no_site_is_refused_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "course").mkdir()
    assert main(["pack", str(tmp_path / "course")]) == 2
    assert "give the folder that `jupyter lite build` wrote" in capsys.readouterr().err
    assert not (tmp_path / "course.zip").exists()
