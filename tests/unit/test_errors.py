"""Every error class is named where errors are documented."""

from __future__ import annotations

import ast
import builtins
import re
from pathlib import Path

from jupyterlite_browsergrad import errors

REPO = Path(__file__).resolve().parents[2]
PAGE = (REPO / "docs/reference/errors.md").read_text("utf-8")
BUILT_IN = {
    name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)
}
#: Exceptions of other projects that ours derive from.
FOREIGN = {"CancelledError", "UsageError"}
ROOT = "BrowsergradError"
ENTRY = re.compile(r"^    [├└]── (\w+) +\((\w+)\)", re.MULTILINE)
#: `termios.error` is Python's own. Wrong requests of a front end never reach a cell.
ELSEWHERE = {"error", "BadRequest"}


def classes_of(folder: str) -> dict[str, list[str]]:
    """The exception classes of a folder's modules, with the names of their bases. Private classes are left out."""
    bases: dict[str, list[str]] = {}
    for path in sorted((REPO / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases.setdefault(node.name, [ast.unparse(base).rpartition(".")[2] for base in node.bases])
    known = BUILT_IN | FOREIGN
    while found := {name for name, parents in bases.items() if name not in known and known & set(parents)}:
        known |= found
    return {name: parents for name, parents in bases.items() if name in known and not name.startswith("_")}


OURS = classes_of("jupyterlite_browsergrad")


def descends(name: str) -> bool:
    return name == ROOT or any(descends(parent) for parent in OURS.get(name, ()))


def test_the_tree_holds_every_error_of_the_package_with_its_built_in_class() -> None:
    wanted = {name: tuple(parents) for name, parents in OURS.items() if descends(name) and name != ROOT}
    assert {name: (ROOT, built_in) for name, built_in in ENTRY.findall(errors.__doc__ or "")} == wanted


def test_an_error_outside_the_tree_is_named_as_one_that_stays_inside() -> None:
    (inside,) = re.findall(r"never leave the package: (.*?)\.\n", errors.__doc__ or "", re.DOTALL)
    assert set(re.findall(r"`(\w+)`", inside)) == {name for name in OURS if not descends(name)}


def test_the_page_tells_of_every_error_that_cells_can_meet() -> None:
    rows = re.findall(r"^\| `(?:browsergrad\.)?(\w+)`.* \| `(\w+)` \|", PAGE, re.MULTILINE)
    found = classes_of("kernel_shim")
    assert {name for name, _ in rows} == set(found) - ELSEWHERE
    assert [name for name, built_in in rows if built_in not in found[name]] == []
