"""``binder/postBuild`` in a fresh environment with the built wheel: the kernel runs notebooks, and labs and site exist."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

REPO = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = sorted((REPO / "dist").glob("*.whl"))
    if not built:
        subprocess.run(["make", "build"], cwd=REPO, check=True)
        built = sorted((REPO / "dist").glob("*.whl"))
    return built[-1]


@pytest.mark.release
def test_the_environment_offers_the_kernel_the_labs_and_a_site(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    home = tmp_path / "home"
    home.mkdir()
    commands = tmp_path / "venv" / "bin"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "JUPYTER"))},
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "BROWSERGRAD_WHEEL": str(wheel),
    }
    script = REPO / "binder" / "postBuild"
    done = subprocess.run(["bash", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]

    listed = subprocess.run(
        [commands / "jupyter", "kernelspec", "list", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "browsergrad" in json.loads(listed.stdout)["kernelspecs"]
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "data.txt").write_text("here", "utf-8")
    cells = [new_code_cell("import sys; sys.platform"), new_code_cell("print(open('data.txt').read())")]
    nbformat.write(new_notebook(cells=cells), folder / "one.ipynb")
    run = [commands / "jupyter", "execute", "--kernel_name=browsergrad", "--inplace", "one.ipynb"]
    done = subprocess.run(run, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    first, second = nbformat.read(folder / "one.ipynb", 4).cells
    assert first.outputs[0].data["text/plain"] == "'emscripten'"
    assert second.outputs[0].text == "here\n"

    contents = sorted(path.relative_to(REPO / "examples") for path in (REPO / "examples").glob("*/**/*.ipynb"))
    mine = [path for path in contents if path.parts[0] in ("demo", "labs")]
    assert mine
    for path in mine:
        assert (home / path).is_file()
        assert (home / "site" / "files" / Path(*path.parts[1:])).is_file()
    assert (home / "site" / "lab" / "index.html").is_file()
