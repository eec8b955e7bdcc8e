"""Programs that run notebooks, and nbgrader's own notebooks that are made to break such programs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from hangs import HANG_S
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert.preprocessors import ExecutePreprocessor
from nbformat.v4 import new_code_cell, new_notebook

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
    # Warnings of Papermill and about older notebooks are not ours.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]
NBGRADER = "nbgrader==0.9.6"
FILES = "nbgrader/tests/"
LIMITS = ["--BrowsergradServerKernel.cell_timeout=6", "--BrowsergradServerKernel.memory_mb=512"]


@pytest.fixture(scope="session")
def adversaries(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The notebooks of nbgrader's own tests, from its wheel, which is kept between runs."""
    folder = Path(request.config.cache.mkdir("wheels"))
    if not list(folder.glob("nbgrader-*.whl")):
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), NBGRADER]
        subprocess.run(command, check=True)
    (wheel,) = folder.glob("nbgrader-*.whl")
    target = tmp_path_factory.mktemp("nbgrader")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target, [name for name in archive.namelist() if name.startswith(FILES)])
    return target / FILES


def notebook(*cells: str) -> Any:
    return new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata={"kernelspec": SPEC})


SPEC = {"name": "browsergrad", "display_name": "Python (BrowserGrad)", "language": "python"}


def client_of(made: Any, folder: Path) -> NotebookClient:
    """A client that runs a notebook in a kernel with limits."""
    return NotebookClient(
        made,
        kernel_name="browsergrad",
        timeout=HANG_S,
        allow_errors=True,
        extra_arguments=LIMITS,
        resources={"metadata": {"path": str(folder)}},
    )


def run(made: Any, folder: Path) -> Any:
    """Run all cells with nbclient."""
    client = client_of(made, folder)
    with client.setup_kernel(cwd=str(folder)):
        for index, cell in enumerate(made.cells):
            client.execute_cell(cell, index)
    return made


def errors(made: Any) -> list[str]:
    """The names of the errors of each code cell; an empty text for a cell without an error."""
    return [
        "".join(output.ename for output in cell.outputs if output.output_type == "error")
        for cell in made.cells
        if cell.cell_type == "code"
    ]


def test_nbclient_runs_a_notebook(tmp_path: Path) -> None:
    made = notebook("import browsergrad as bg\nbg.assert_pass('one')", "open('made.txt', 'w').write('x')", "1 / 0")
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        NotebookClient(made, kernel_name="browsergrad", resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert "application/vnd.browsergrad.assertions.v1+json" in made.cells[0].outputs[0].data
    assert (tmp_path / "made.txt").read_text() == "x"


def test_nbconvert_runs_a_notebook(tmp_path: Path) -> None:
    made, _ = ExecutePreprocessor(kernel_name="browsergrad", timeout=HANG_S).preprocess(
        notebook("print('hello')"), {"metadata": {"path": str(tmp_path)}}
    )
    assert made.cells[0].outputs[0].text == "hello\n"


def test_papermill_runs_a_notebook_with_parameters(tmp_path: Path) -> None:
    made = notebook("n = 1", "n + 1")
    made.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(made, tmp_path / "in.ipynb")
    papermill.execute_notebook(
        str(tmp_path / "in.ipynb"),
        str(tmp_path / "out.ipynb"),
        parameters={"n": 41},
        kernel_name="browsergrad",
        progress_bar=False,
        cwd=str(tmp_path),
    )
    assert nbformat.read(tmp_path / "out.ipynb", 4).cells[-1].outputs[0].data["text/plain"] == "42"


#: Notebook of nbgrader's tests: the errors with which its cells end.
ADVERSARIES = {
    "apps/files/infinite-loop": ["CellTimeoutError"],
    "apps/files/infinite-loop-with-output": ["CellTimeoutError|MemoryError"],
    "apps/files/timeout": ["", ""],
    "apps/files/side-effects": [""],
    "apps/files/submitted-cheat-attempt": ["", "", "NameError", "", ""],
    "apps/files/submitted-cheat-attempt-alternative": ["", "", "TypeError", "", ""],
    "preprocessors/files/infinite-recursion": ["RecursionError"],
    "preprocessors/files/long-output": [""],
}


@pytest.mark.thinned(2)
@pytest.mark.parametrize("name", ADVERSARIES)
def test_a_notebook_made_to_break_graders_ends_as_it_should(adversaries: Path, tmp_path: Path, name: str) -> None:
    made = nbformat.read(adversaries / f"{name}.ipynb", 4)
    made.cells.append(new_code_cell("'usable'"))
    run(made, tmp_path)
    found = errors(made)
    assert len(found) == len(ADVERSARIES[name]) + 1
    for error, expected in zip(found, ADVERSARIES[name], strict=False):
        assert error in expected.split("|"), found
    assert made.cells[-1].outputs[0].data["text/plain"] == "'usable'"
    if name.endswith("long-output"):
        text = "".join(output.text for output in made.cells[0].outputs)
        assert text.split() == [str(i) for i in range(2000)]
    if name.endswith("side-effects"):
        assert (tmp_path / "side-effect.txt").read_text() == "a side effect"
    assert sorted(path.name for path in tmp_path.iterdir()) == (
        ["side-effect.txt"] if name.endswith("side-effects") else []
    )
    # The next notebook, in the same folder.
    following = run(notebook("print('works')", "sorted(set(globals()) & {'a', 'x', 'i'})", "6 * 7"), tmp_path)
    assert errors(following) == ["", "", ""]
    assert following.cells[0].outputs[0].text == "works\n"
    assert [cell.outputs[0].data["text/plain"] for cell in following.cells[1:]] == ["[]", "42"]


def test_adversaries_and_good_notebooks_run_side_by_side(adversaries: Path, tmp_path: Path) -> None:
    """A sandbox in trouble does not disturb others: good notebooks run while others hang, flood and recurse."""
    names = [name for name in ADVERSARIES if "infinite" in name]
    good = [notebook("print(sum(range(10)))") for _ in names]
    bad = [nbformat.read(adversaries / f"{name}.ipynb", 4) for name in names]

    async def all_at_once() -> None:
        await asyncio.gather(*(client_of(made, tmp_path).async_execute() for made in [*bad, *good]))

    asyncio.run(all_at_once())
    assert [made.cells[0].outputs[0].text for made in good] == ["45\n"] * len(names)
    for name, made in zip(names, bad, strict=True):
        assert errors(made)[0] in ADVERSARIES[name][0].split("|")


def test_one_notebook_leaves_nothing_to_the_next(tmp_path: Path) -> None:
    run(notebook("import builtins\nbuiltins.print = None\nopen = None\nmark = 1"), tmp_path)
    made = run(notebook("print('works')", "mark"), tmp_path)
    assert errors(made) == ["", "NameError"]
