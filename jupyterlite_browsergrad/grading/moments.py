"""Finds the tests whose result depends on when they run, since cells below them change what they use.

A rubric runs after all cells. nbgrader and otter run a test where it is in the notebook. Both give the same result unless a later cell
gives a name another meaning that the test depends on. Such tests are judged in a run that ends at their place.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..labs.notebook_metadata import marks_of_cell
from .submissions import NOTEBOOKS

__all__ = ["Check", "Moment", "checks_of", "mark_of", "moments_of", "notebook_cells"]

#: Matches otter's call that checks a question.
_CHECK = re.compile(r"^[ \t]*grader\.check\([\"'](?P<question>[^\"']+)[\"']\)", re.MULTILINE)


@dataclass(frozen=True)
class Check:
    """A check of a rubric."""

    name: str
    group: str | None = None


@dataclass(frozen=True)
class Moment:
    """A place in a submission: after its first `cells` cells of code, these checks are judged."""

    cells: int
    names: frozenset[str]


def mark_of(name: str) -> str:
    """The mark of a hidden test in a notebook for students, which does not show its name."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def checks_of(rubric: str) -> list[Check]:
    """Return the checks of a rubric whose names are written in it: ``bg.check("name", group="group")``."""
    found = []
    for node in ast.walk(_parsed(rubric)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "check"):
            continue
        words = [each.value for each in node.args[:1] if isinstance(each, ast.Constant)]
        group = next((each.value for each in node.keywords if each.arg == "group"), None)
        if words and isinstance(words[0], str):
            found.append(Check(words[0], str(group.value) if isinstance(group, ast.Constant) else None))
    return found


def moments_of(name: str, cells: list[dict[str, Any]], rubric: str) -> list[Moment]:
    """Return the moments before the end of a submission at which checks have to be judged, in the order of its cells.

    Parameters
    ----------
    name
        Name of the file. Only notebooks have places.
    cells
        All cells of the notebook.
    """
    checks = checks_of(rubric) if name.endswith(NOTEBOOKS) else []
    if not checks:
        return []
    codes, places = _places(cells, checks)
    relevant = _relevant(rubric, codes)
    changed = [each.changed & relevant for each in codes]
    found: dict[int, set[str]] = {}
    for check, place in places.items():
        before = set().union(*(each.bound for each in codes[:place]))
        if any(before & names for names in changed[place:]):
            found.setdefault(place, set()).add(check)
    return [Moment(place, frozenset(names)) for place, names in sorted(found.items())]


@dataclass
class _Code:
    """The names that a cell binds, those that it gives another meaning or content, and those that it uses."""

    bound: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)


def _places(cells: Iterable[dict[str, Any]], checks: list[Check]) -> tuple[list[_Code], dict[str, int]]:
    """The code of all cells that are not tests, and for each check the number of them before it. The last place counts, as in otter."""
    by_mark = {mark_of(each.name): each.name for each in checks}
    codes: list[_Code] = []
    places: dict[str, int] = {}
    for cell in cells:
        ours, theirs = marks_of_cell(cell, "browsergrad"), marks_of_cell(cell, "nbgrader")
        if isinstance(ours.get("test"), str):
            names = [ours["test"]]
        elif theirs.get("grade") is True and theirs.get("solution") is not True:
            names = [theirs.get("grade_id")]
        else:
            names = []
            if cell.get("cell_type") == "code":
                source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
                codes.append(_code(source))
                for question in _CHECK.findall(source):
                    names += [each.name for each in checks if question in (each.group, each.name.partition(" - ")[0])]
        hidden = ours.get("tests_below")
        names += [by_mark.get(each) for each in hidden if isinstance(each, str)] if isinstance(hidden, list) else []
        known = {each.name for each in checks}
        places |= {each: len(codes) for each in names if isinstance(each, str) and each in known}
    return codes, places


def _relevant(rubric: str, codes: list[_Code]) -> set[str]:
    """The names on which the rubric depends: those in it, and those that cells use which bind such names."""
    relevant = {node.id for node in ast.walk(_parsed(rubric)) if isinstance(node, ast.Name)}
    while True:
        more = set().union(*(each.used for each in codes if each.changed & relevant)) - relevant
        if not more:
            return relevant
        relevant |= more


def _code(source: str) -> _Code:
    tree = _parsed(source)
    code = _Code()
    code.used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            code.bound.update(node.names)
    for node in _outside_functions(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            code.bound.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            code.bound.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            code.bound.add(node.id)
        elif isinstance(node, (ast.MatchAs, ast.MatchStar, ast.ExceptHandler)) and node.name:
            code.bound.add(node.name)
        elif isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, (ast.Store, ast.Del)):
            code.changed.update(_root(node))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):  # such as `words.append("ant")`
            code.changed.update(_root(node.value.func) if isinstance(node.value.func, ast.Attribute) else ())
    code.changed |= code.bound
    return code


def _outside_functions(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes whose names are the notebook's own. The name of a function or class is, what is inside is not."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            waiting += [each for each in ast.iter_child_nodes(node) if not isinstance(each, ast.comprehension)]


def _root(node: ast.expr) -> Iterator[str]:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Name):
        yield node.id


def _parsed(source: str) -> ast.AST:
    """The tree of a cell's code, without its magics; empty if it is not Python."""
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass
    try:
        return ast.parse(TransformerManager().transform_cell(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def notebook_cells(content: bytes) -> list[dict[str, Any]]:
    """The cells of a notebook; none if it cannot be read, which is reported elsewhere."""
    try:
        cells = json.loads(content.decode("utf-8-sig"))["cells"]
        return [each for each in cells if isinstance(each, dict) and "source" in each]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []
