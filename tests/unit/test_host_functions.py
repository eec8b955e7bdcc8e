"""The worker offers exactly the functions that Python calls."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

import pytest
from browsergrad_kernel._host import REQUIRED, WORKER_ONLY
from browsergrad_kernel.interrupts.state import Snapshot

REPO = Path(__file__).resolve().parents[2]
WORKER = REPO / "labextension/src/runtime/worker"
SHIM = REPO / "kernel_shim/browsergrad_kernel"
LISTED = REQUIRED + WORKER_ONLY

#: The object that `hostModule()` returns; the formatter indents its fields by four spaces.
MODULE = re.compile(
    r"^export function hostModule\(.*?\): object \{\n.*?^  return \{\n(.*?)^  \};\n\}$", re.MULTILINE | re.DOTALL
)
FIELD = re.compile(r"^    (\w+)(?=[:,(])", re.MULTILINE)


def offered() -> list[str]:
    """The names of the functions of the worker's module, in their order."""
    found = [match for path in sorted(WORKER.rglob("*.ts")) for match in MODULE.findall(path.read_text("utf-8"))]
    assert len(found) == 1, "one function hostModule() is expected among the worker's files"
    return FIELD.findall(found[0])


def asked(source: str) -> set[str]:
    """The attributes of `host` that Python code uses."""
    return {
        node.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "host"
    }


def reported(source: str) -> set[str]:
    """The outcomes that Python code reports with `host.interrupt_outcome`."""
    return {
        node.value
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "host.interrupt_outcome"
        for argument in call.args
        for node in ([argument.body, argument.orelse] if isinstance(argument, ast.IfExp) else [argument])
        if isinstance(node, ast.Constant)
    }


def modules() -> list[Path]:
    """The kernel's modules that use the host."""
    uses = re.compile(r"^\s*from \.+_host import .*\bhost\b", re.MULTILINE)
    return [path for path in sorted(SHIM.rglob("*.py")) if uses.search(path.read_text("utf-8"))]


def test_no_function_is_listed_twice() -> None:
    assert [name for name, count in Counter(LISTED).items() if count > 1] == []


def test_the_worker_offers_exactly_what_python_lists() -> None:
    names = offered()
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert sorted(names) == sorted(LISTED)


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.stem)
def test_a_module_of_the_kernel_asks_only_for_listed_functions(path: Path) -> None:
    assert asked(path.read_text("utf-8")) - set(LISTED) == set()


def test_both_languages_name_the_fields_of_a_snapshot_alike() -> None:
    source = (WORKER / "interrupt_snapshot.ts").read_text("utf-8")
    (listed,) = re.findall(r"SNAPSHOT_FIELDS = \[(.*?)\]", source, re.DOTALL)
    assert tuple(re.findall(r"'(\w+)'", listed)) == Snapshot._fields


def test_python_reports_exactly_the_outcomes_that_the_worker_knows() -> None:
    source = (WORKER / "interrupt_state.ts").read_text("utf-8")
    (listed,) = re.findall(r"^export type Outcome =(.*?);", source, re.MULTILINE | re.DOTALL)
    known = set(re.findall(r"\| '([\w-]+)'", listed))
    assert known == set().union(*(reported(path.read_text("utf-8")) for path in modules()))


def test_every_listed_function_is_asked_for() -> None:
    used = set().union(*(asked(path.read_text("utf-8")) for path in modules()))
    assert set(LISTED) - used == set()
