"""The built documentation: every public name is in the reference, and no page needs another host."""

from __future__ import annotations

import argparse
import html
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import browsergrad
import pytest
from traitlets import HasTraits

from jupyterlite_browsergrad import cli, errors, manifest
from jupyterlite_browsergrad.addon import BrowsergradAddon
from jupyterlite_browsergrad.server_kernel.kernel import BrowsergradServerKernel

REPO = Path(__file__).resolve().parent.parent.parent
HTML = REPO / "docs" / "_build" / "html"


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder of pages, built by the command of ``make docs``."""
    done = subprocess.run(
        [sys.executable, REPO / "scripts" / "build_docs.py"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return HTML


def page(built: Path, name: str) -> str:
    return (built / name).read_text("utf-8")


def text(page: str) -> str:
    """The text that a reader sees."""
    return html.unescape(re.sub(r"<[^>]*>", "", page))


def ids(page: str) -> set[str]:
    return set(re.findall(r'\bid="([^"]+)"', page))


def test_every_name_of_the_module_is_in_the_reference(built: Path) -> None:
    found = ids(page(built, "reference/module.html"))
    missing = [name for name in browsergrad.__all__ if f"browsergrad.{name}" not in found]
    assert not missing


@pytest.mark.parametrize(("module", "name"), [(errors, "errors"), (manifest, "manifest")])
def test_every_name_of_a_public_module_of_the_package_is_in_the_reference(built: Path, module, name: str) -> None:
    found = ids(page(built, f"reference/{name}.html"))
    missing = [each for each in module.__all__ if f"{module.__name__}.{each}" not in found]
    assert not missing


def test_every_command_and_option_is_in_the_reference(built: Path) -> None:
    shown = text(page(built, "reference/cli.html"))
    (commands,) = (action for action in cli.parser()._actions if isinstance(action, argparse._SubParsersAction))
    assert set(commands.choices) == set(cli.COMMANDS)
    wanted = [f"browsergrad {name}" for name in commands.choices]
    for parser in commands.choices.values():
        for action in parser._actions:
            if action.default == argparse.SUPPRESS:  # --help
                continue
            wanted += action.option_strings or [action.metavar or action.dest]
    assert [each for each in wanted if each not in shown] == []


@pytest.mark.parametrize("configurable", [BrowsergradAddon, BrowsergradServerKernel])
def test_every_trait_is_in_the_reference_with_its_help(built: Path, configurable: type[HasTraits]) -> None:
    shown = " ".join(text(page(built, "reference/settings.html")).split())
    traits = configurable.class_own_traits(config=True)
    assert traits
    for name, trait in traits.items():
        assert f"{configurable.__name__}.{name}" in shown
        first = re.split(r"[`,;:(]", trait.help)[0].strip()
        assert first in shown


def test_every_export_of_the_runtime_is_in_the_reference(built: Path) -> None:
    source = (REPO / "labextension/src/runtime/index.ts").read_text("utf-8")
    source = re.sub(r"/\*\* @internal.*?\*/\s*export [^;]*;", "", source, flags=re.DOTALL)
    source = re.sub(r"/\*.*?\*/|//[^\n]*", "", source, flags=re.DOTALL)
    names = [
        name.strip().removeprefix("type ").rpartition(" as ")[2]
        for group in re.findall(r"export (?:type )?\{([^}]*)\}", source)
        for name in group.split(",")
        if name.strip()
    ]
    headings = set(re.findall(r"<h3>([^<(]+)", page(built, "reference/runtime/index.html")))
    assert "createSession" in names
    assert [name for name in names if name not in headings] == []


@pytest.mark.parametrize("schema", ["assertions", "artifact"])
def test_every_mime_type_is_in_the_reference(built: Path, schema: str) -> None:
    shown = text(page(built, "reference/mime.html"))
    assert f"application/vnd.browsergrad.{schema}.v1+json" in shown


def test_every_field_of_the_manifest_is_in_the_reference(built: Path) -> None:
    shown = text(page(built, "reference/manifest.html"))
    fields = ["id", "version", "requires_browsergrad", "required_ops", "rubric_path", "starter_path", "reference_path"]
    assert [name for name in [*fields, "datasets", "hash"] if not re.search(rf"^{name}$", shown, re.MULTILINE)] == []


class Loads(HTMLParser):
    """Collects the addresses that a browser fetches when it shows a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in {"script", "img", "iframe", "source"}:
            self.found.append(given.get("src") or "")
        elif tag == "link" and given.get("rel") in {"stylesheet", "preload", "icon", "modulepreload"}:
            self.found.append(given.get("href") or "")


def test_no_page_loads_anything_from_another_host(built: Path) -> None:
    pages = sorted(built.rglob("*.html"))
    assert len(pages) > 10
    for each in pages:
        loads = Loads()
        loads.feed(each.read_text("utf-8"))
        assert [url for url in loads.found if re.match(r"(https?:)?//", url)] == [], each
