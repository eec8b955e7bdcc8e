"""Finds the tests that change names which the student's functions use. Such a test has to run with the student's own names."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterable, Iterator

__all__ = ["ReferenceNames", "bound_by"]


class ReferenceNames:
    """Names in the reference: `defined` are those that its cells define, `used` the global names that its functions use."""

    def __init__(self, cells: Iterable[str]) -> None:
        self.defined: set[str] = set()
        self.used: set[str] = set()
        for code in cells:
            try:
                top = symtable.symtable(code, "cell", "exec")
            except (SyntaxError, ValueError):  # magics, or an error that shows when the reference runs
                continue
            self.defined |= {each.get_name() for each in top.get_symbols() if _binds(each)}
            for inner in _inside(top):
                self.used |= {each.get_name() for each in inner.get_symbols() if each.is_global()}

    def changed_by(self, code: str) -> list[str]:
        """Return the names that a test must declare as ``global`` so that it changes the student's names, as a cell does.

        These are all names that the test binds or deletes. The list is empty if it changes none of the reference's names.
        """
        bound, deleted = bound_by(code)
        if (deleted & self.defined) or (bound & self.defined & self.used):
            return sorted(bound | deleted)
        return []


def bound_by(code: str) -> tuple[set[str], set[str]]:
    """Return the names that a cell's code binds, and the names that it deletes. Raises SyntaxError."""
    top = symtable.symtable(code, "test", "exec")
    bound = {each.get_name() for each in top.get_symbols() if _binds(each)}
    for inner in _inside(top):
        bound |= {each.get_name() for each in inner.get_symbols() if each.is_declared_global()}
    deleted = {
        target.id
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Delete)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id in bound
    }
    return bound, deleted


def _binds(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()


def _inside(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    """The functions and classes in a table, at any depth."""
    for inner in table.get_children():
        yield inner
        yield from _inside(inner)
