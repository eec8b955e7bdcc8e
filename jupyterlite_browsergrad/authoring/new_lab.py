"""Makes a lab to begin with: small and complete, with comments that say what each part is for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from .._version import __version__
from ..errors import AuthoringError
from .notebooks import cell, lab_id, notebook, notebook_text

__all__ = ["TEMPLATES", "create_lab", "lab_files", "pin", "write_new_folder"]

_TASK = """# {title}

Replace this text by what your students should learn and do.

**Exercise 1.** Write `mean`, which gives the arithmetic mean of a list of numbers. The mean of an empty list is 0.

Run the cell below, then press *Check my work* in the toolbar as often as you like.
"""
_STARTER = '''def mean(numbers):
    """Exercise 1: the sum of the numbers, divided by how many there are; 0 for an empty list."""
    # Write your code here.
'''
_REFERENCE = '''def mean(numbers):
    """Exercise 1: the sum of the numbers, divided by how many there are; 0 for an empty list."""
    if not numbers:
        return 0
    return sum(numbers) / len(numbers)
'''
_RUBRIC = '''"""Checks behind *Check my work*, and for grading.

The student's functions and variables are this file's globals. Keep one check for each thing that a student can get right:
what comes after a failed assert in a block is not reached.
"""

import browsergrad as bg

# The name of a check is what students see in the list of results; the text after the comma is their hint when it fails.
with bg.check("1. the mean of two numbers"):
    assert mean([2, 4]) == 3, "add the numbers with sum(numbers), then divide by len(numbers)"

# Both sides of == are shown to the student. Compare values, not printed text.
with bg.check("1. a mean need not be a whole number"):
    assert mean([1, 2]) == 1.5, "divide by / and not by //"

# Think of what students forget: empty lists, negative numbers, one element.
with bg.check("1. the mean of nothing"):
    assert mean([]) == 0, "an empty list has no elements to divide by: treat it first, with `if not numbers:`"
'''
_DATA_TASK = """

**Exercise 2.** Write `read_numbers`, which reads a file with one number in each line and gives a list of them. The lab has such a file:

```python
import browsergrad as bg
print(mean(read_numbers(bg.dataset("numbers"))))
```
"""
_DATA_STARTER = '''

# %%
def read_numbers(path):
    """Exercise 2: the numbers in the file at `path`, one in each line, as a list of float."""
    # Write your code here.
'''
_DATA_REFERENCE = '''

# %%
def read_numbers(path):
    """Exercise 2: the numbers in the file at `path`, one in each line, as a list of float."""
    with open(path, encoding="utf-8") as file:
        return [float(line) for line in file]
'''
_DATA_RUBRIC = """
# A check may write a file of its own: then it works wherever the rubric runs, and students cannot guess its content.
with bg.check("2. read_numbers gives the numbers of a file"):
    path = Path(tempfile.mkdtemp()) / "numbers.txt"
    path.write_text("1.5\\n-2\\n", encoding="utf-8")
    assert read_numbers(path) == [1.5, -2.0], "open the file, and make a float of each line"
"""
_NUMBERS = "3.5\n1\n4\n1.25\n5\n9\n"


def pin() -> str:
    """Return the versions of the runtime that a lab made now requires."""
    major, minor, *_ = __version__.split(".")
    return f"^{major}.{minor}.0"


def _manifest(name: str, starter: str, reference: str, datasets: list[dict[str, str]]) -> str:
    fields = {
        "id": name,
        "version": "1.0.0",
        "requires_browsergrad": pin(),
        "required_ops": [],
        "rubric_path": "rubric.py",
        "starter_path": starter,
        "reference_path": reference,
    }
    return json.dumps(fields | ({"datasets": datasets} if datasets else {}), indent=2) + "\n"


def _title(name: str) -> str:
    return name.replace("-", " ").capitalize()


def _script(name: str) -> dict[str, str]:
    task = cell("markdown", _TASK.format(title=_title(name)).strip(), 0)
    return {
        "manifest.json": _manifest(name, "starter.py", "reference.py", []),
        f"{name}.ipynb": notebook_text(notebook([task, cell("code", _STARTER.strip(), 1)])),
        "starter.py": "# What *Insert starter code* puts into the notebook. `# %%` begins a new cell.\n\n# %%\n"
        + _STARTER,
        "reference.py": "# Your solution: it has to pass every check. A built site does not have this file.\n\n# %%\n"
        + _REFERENCE,
        "rubric.py": _RUBRIC,
    }


def _notebook(name: str) -> dict[str, str]:
    files = _script(name)
    solved = notebook(
        [cell("markdown", "A solution: it has to pass every check.", 0), cell("code", _REFERENCE.strip(), 1)]
    )
    files = {path: text for path, text in files.items() if not path.startswith(("starter", "reference"))}
    # Students begin with the notebook itself, so it is the starter too.
    files["manifest.json"] = _manifest(name, f"{name}.ipynb", "reference.ipynb", [])
    return files | {"reference.ipynb": notebook_text(solved)}


def _data(name: str) -> dict[str, str]:
    files = _script(name)
    digest = "sha256:" + hashlib.sha256(_NUMBERS.encode()).hexdigest()
    data = {"name": "numbers", "url": "data/numbers.txt", "hash": digest}
    cells = [
        cell("markdown", _TASK.format(title=_title(name)).strip(), 0),
        cell("code", _STARTER.strip(), 1),
        cell("markdown", _DATA_TASK.strip(), 2),
        cell("code", _DATA_STARTER.strip().removeprefix("# %%\n"), 3),
    ]
    return {
        "manifest.json": _manifest(name, "starter.py", "reference.py", [data]),
        f"{name}.ipynb": notebook_text(notebook(cells)),
        "starter.py": files["starter.py"] + _DATA_STARTER,
        "reference.py": files["reference.py"] + _DATA_REFERENCE,
        "rubric.py": _RUBRIC.replace(
            "import browsergrad", "import tempfile\nfrom pathlib import Path\n\nimport browsergrad"
        )
        + _DATA_RUBRIC,
        "data/numbers.txt": _NUMBERS,
    }


#: Name of a template -> function that makes its files from the lab's id.
TEMPLATES: dict[str, Callable[[str], dict[str, str]]] = {"script": _script, "notebook": _notebook, "data": _data}


def lab_files(name: str, template: str) -> dict[str, str]:
    """Return the files of a template, path to text, for a lab of this id."""
    return TEMPLATES[template](name)


def create_lab(folder: Path, template: str = "script") -> list[Path]:
    """Write a new lab. Its id is the folder's name in kebab case.

    Returns
    -------
    list of Path
        The files that were written.

    Raises
    ------
    AuthoringError
        The folder exists and is not empty, it cannot be written, or its name has no letter.
    """
    return write_new_folder(folder, lab_files(lab_id(folder), template))


def write_new_folder(folder: Path, files: dict[str, str]) -> list[Path]:
    """Write `files` into a new or empty folder. Raises `AuthoringError` for any other folder."""
    try:
        if folder.is_dir() and any(folder.iterdir()):
            raise AuthoringError(f"{folder} is not empty, and nothing there is overwritten: give another name")
        written = []
        for path, text in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
            written.append(target)
    except OSError as error:
        raise AuthoringError(f"{folder} cannot be written: {error.strerror or error}") from error
    return written
