"""Which tests change names that the student's functions use: they have to work on the student's own names."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterable, Iterator

__all__ = ["ReferenceNames", "bound_by"]


class ReferenceNames:
    """Names of the reference: those that its cells define, and those that its functions look up when they are called."""

    def __init__(self, cells: Iterable[str]) -> None:
        self.defined: set[str] = set()
        self.used: set[str] = set()
        for code in cells:
            try:
                top = symtable.symtable(code, "cell", "exec")
            except (SyntaxError, ValueError):  # magics, or a fault that shows when the reference runs
                continue
            self.defined |= {each.get_name() for each in top.get_symbols() if _binds(each)}
            for inner in _inside(top):
                self.used |= {each.get_name() for each in inner.get_symbols() if each.is_global()}

    def changed_by(self, code: str) -> list[str]:
        """What a test has to declare as ``global`` to change the reference's names as a cell does: all names that it binds; empty if it changes none."""
        bound, deleted = bound_by(code)
        if (deleted & self.defined) or (bound & self.defined & self.used):
            return sorted(bound | deleted)
        return []


def bound_by(code: str) -> tuple[set[str], set[str]]:
    """The names that a cell's code binds, and those that it deletes. Raises SyntaxError."""
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
