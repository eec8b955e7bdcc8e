"""The names that can be imported are those that the documentation promises."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
RUNTIME = REPO / "labextension/src/runtime"
PAGE = (REPO / "docs/reference/names.md").read_text("utf-8")
#: Import path -> the promised names.
PROMISED = {
    place: re.findall(r"`(\w+)`", names) for place, names in re.findall(r"^\| (`.+?) \| (.+) \|$", PAGE, re.MULTILINE)
}
PYTHON = [place.strip("`") for place in PROMISED if place.startswith(("`browsergrad", "`jupyterlite_"))]
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
#: A statement that exports names of another module, with the comment before it if there is one.
EXPORT = re.compile(r"(/\*\*(?:(?!\*/).)*\*/\s*)?export (type )?\{(.*?)\} from '[^']+';", re.DOTALL)


def exported() -> tuple[set[str], set[str]]:
    """The runtime's public values and types, without those that are marked as internal."""
    values: set[str] = set()
    types: set[str] = set()
    for comment, kind, inner in EXPORT.findall((RUNTIME / "index.ts").read_text("utf-8")):
        if "@internal" in comment:
            continue
        for name in filter(None, (each.strip() for each in COMMENT.sub("", inner).split(","))):
            is_type = bool(kind) or name.startswith("type ")
            (types if is_type else values).add(name.removeprefix("type ").rpartition(" as ")[2])
    return values, types


def test_every_place_is_listed_once() -> None:
    assert len(PROMISED) == 7
    assert {place: names for place, names in PROMISED.items() if len(set(names)) != len(names)} == {}


@pytest.mark.parametrize("module", PYTHON)
def test_a_python_module_exports_what_is_promised(module: str) -> None:
    found = importlib.import_module(module)
    assert sorted(found.__all__) == sorted(PROMISED[f"`{module}`"])
    assert [name for name in found.__all__ if not hasattr(found, name)] == []


def test_the_runtime_exports_what_is_promised() -> None:
    values, types = exported()
    assert sorted(values) == sorted(PROMISED["`runtime/index.js`"])
    assert sorted(types) == sorted(PROMISED["`runtime/index.js`, types"])


def test_the_runtime_exports_every_type_of_its_interface() -> None:
    source = COMMENT.sub("", (RUNTIME / "api.ts").read_text("utf-8"))
    declared = set(re.findall(r"^export (?:interface|type|class|const|function) (\w+)", source, re.MULTILINE))
    events = COMMENT.sub("", (RUNTIME / "events.ts").read_text("utf-8"))
    events_declared = set(re.findall(r"^export (?:interface|type) ((?:Assertion|Artifact)\w*)", events, re.MULTILINE))
    assert declared and events_declared
    # The content of an assertions output concerns notebooks only.
    assert (declared | events_declared) - exported()[1] == {"AssertionsContent"}
