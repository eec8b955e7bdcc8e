"""``%run other.ipynb``: runs the code cells of a notebook, one after the other, in the user's namespace.

IPython reads notebooks with nbformat, which sites do not have, and cannot await while it runs them. Here, ``%run`` in a cell becomes an
await, like ``%pip``. So the cells of that notebook may await, install and import packages.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from IPython.utils.contexts import preserve_keys
from IPython.utils.path import get_py_filename
from IPython.utils.syspathcontext import prepended_to_syspath

from . import packages, pip_lines

_MAGIC = "run_line_magic"
#: Options of IPython's own ``%run``, in the form of getopt.
_OPTIONS = "nidtN:b:pD:l:rs:T:em:G"


def sources(path: Path) -> list[str]:
    """The code cells of the notebook at `path`, in any notebook format since 2.

    Raises
    ------
    ValueError
        The file is not a notebook.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        if "worksheets" in notebook:  # formats 2 and 3
            cells = [(cell, "input") for sheet in notebook["worksheets"] for cell in sheet["cells"]]
        else:
            cells = [(cell, "source") for cell in notebook["cells"]]
        code = [cell[key] for cell, key in cells if cell["cell_type"] == "code"]
        return ["".join(source) for source in code]
    except (ValueError, TypeError, LookupError) as error:
        raise ValueError(f"{path.name} cannot be run: it is not a notebook ({type(error).__name__}: {error})") from None


def await_run(transformed: str) -> str:
    """Replace calls of ``%run`` in a transformed cell by awaits of `KernelShell.run_awaiting`, where await is allowed."""
    if f"{_MAGIC}('run'" not in transformed:
        return transformed
    try:
        tree = ast.parse(transformed)
    except SyntaxError:  # shown when the cell runs
        return transformed
    lines = transformed.encode().split(b"\n")
    calls = sorted(_calls(tree, True), key=lambda call: (call.lineno, call.col_offset), reverse=True)
    for call in calls:
        line = lines[call.lineno - 1]
        before, after = line[: call.col_offset], line[call.col_offset :]
        lines[call.lineno - 1] = before + b"await " + after.replace(f"{_MAGIC}('run', ".encode(), b"run_awaiting(", 1)
    return b"\n".join(lines).decode()


def _calls(node: ast.AST, awaits: bool) -> Iterator[ast.Call]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call) and awaits and _is_run(child):
            yield child
        inside = isinstance(child, (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.GeneratorExp))
        yield from _calls(child, isinstance(child, ast.AsyncFunctionDef) or (awaits and not inside))


def _is_run(call: ast.Call) -> bool:
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr == _MAGIC
        and len(call.args) == 2
        and all(isinstance(argument, ast.Constant) for argument in call.args)
        and call.args[0].value == "run"  # type: ignore[attr-defined]
        and _may_name_one(str(call.args[1].value))  # type: ignore[attr-defined]
    )


def _may_name_one(line: str) -> bool:
    """Whether a ``%run`` with these arguments may run a notebook, perhaps named by a variable. Scripts need no await."""
    return ".ipynb" in line.lower() or "{" in line or "$" in line


def named(shell: Any, line: str) -> Path | None:
    """The path of the notebook that ``%run`` with the arguments `line` runs; None if that is not a notebook or does not exist."""
    options, words = shell.magics_manager.registry["ExecutionMagics"].parse_options(
        line, _OPTIONS, mode="list", list_all=1
    )
    if "m" in options or not words:
        return None
    try:
        name = get_py_filename(words[0])
    except OSError:  # IPython's own magic reports this
        return None
    return Path(name).expanduser().resolve() if name.lower().endswith(".ipynb") else None


async def run(shell: Any, path: Path) -> None:
    """Run the notebook at `path`. An exception in one of its cells ends the run, and is raised."""
    with prepended_to_syspath(str(path.parent)), preserve_keys(shell.user_ns, "__file__"):
        shell.user_ns["__file__"] = str(path)
        for source in sources(path):
            transformed, problem = source, None
            try:
                transformed = await_run(pip_lines.await_pip(shell.transform_cell(source)))
            except Exception:  # shown as the error of that cell
                problem = sys.exc_info()
            await packages.load_imports(transformed, shell.transform_cell)
            with shell.errors_raised():
                result = await shell.run_cell_async(
                    source, silent=True, transformed_cell=transformed, preprocessing_exc_tuple=problem
                )
            result.raise_error()


def run_now(shell: Any, path: Path) -> None:
    """Run the notebook at `path` in a place where nothing can be awaited, such as a function."""
    with prepended_to_syspath(str(path.parent)):
        for source in sources(path):
            with shell.errors_raised():
                result = shell.run_cell(source, silent=True)
            result.raise_error()
