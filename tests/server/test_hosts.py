"""Output in programs that print or compare outputs and do not follow updates of a display."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

CHECKS = "import browsergrad as bg\nbg.assert_pass('one')\nbg.assert_fail('two', 'no')"


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run([sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_jupyter_run_prints_the_counts_of_all_assertions(tmp_path: Path) -> None:
    (tmp_path / "checks.py").write_text(CHECKS, "utf-8")
    said = run("jupyter", "run", "--kernel=browsergrad", "checks.py", cwd=tmp_path)
    assert said.splitlines() == ["1 passed, 1 failed, 0 errors", "FAIL two: no", "pass one"]


def test_nbval_finds_the_outputs_that_were_saved(tmp_path: Path) -> None:
    spec = {"name": "browsergrad", "display_name": "Python (BrowserGrad)", "language": "python"}
    made = new_notebook(cells=[new_code_cell(CHECKS)], metadata={"kernelspec": spec})
    NotebookClient(made, kernel_name="browsergrad", resources={"metadata": {"path": str(tmp_path)}}).execute()
    nbformat.write(made, tmp_path / "checks.ipynb")
    said = run("pytest", "--nbval", "-p", "no:cacheprovider", "checks.ipynb", cwd=tmp_path)
    assert "1 passed" in said
