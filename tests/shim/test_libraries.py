"""Libraries that are changed when they are imported. Here they are small modules with the names on which the changes rely."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from packaging.version import Version

from . import conftest  # noqa: F401  # makes the shim importable

from browsergrad_kernel import amended, cell_imports, libraries, on_demand, packages  # isort: skip  # conftest has made it importable

RENDERERS = "nbformat = {nbformat}\nclass renderers:\n    default = {default!r}\n"
BOTH = "plotly_mimetype+notebook"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder from which modules are imported, with the finder that changes them."""
    finder = amended._Finder()
    monkeypatch.setattr(sys, "meta_path", [finder, *sys.meta_path])
    monkeypatch.syspath_prepend(str(tmp_path))
    names = {name.partition(".")[0] for name in libraries.LIBRARIES}
    kept = {name: sys.modules.pop(name) for name in [*sys.modules] if name.partition(".")[0] in names}
    with warnings.catch_warnings():
        yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] in names]:
        del sys.modules[name]
    sys.modules.update(kept)


def imported(site: Path, name: str, source: str) -> ModuleType:
    """Write a module with the packages that it is in, and import it."""
    path = site.joinpath(*name.split(".")).with_suffix(".py")
    path.parent.mkdir(parents=True, exist_ok=True)
    for folder in path.relative_to(site).parents[:-1]:
        (site / folder / "__init__.py").touch()
    path.write_text(source, "utf-8")
    importlib.invalidate_caches()
    __import__(name)  # as a cell does, without a function of importlib
    return sys.modules[name]


def test_plotly_shows_figures_without_nbformat(site: Path) -> None:
    module = imported(site, "plotly.io._renderers", RENDERERS.format(nbformat=None, default=BOTH))
    assert Version(module.nbformat.__version__) >= Version("4.2.0"), "which plotly demands"
    assert module.renderers.default == BOTH, "the page may have no labextension"


def test_plotly_of_a_site_leaves_its_javascript_to_the_labextension(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "_vendored", frozenset({"plotly"}))
    module = imported(site, "plotly.io._renderers", RENDERERS.format(nbformat="'real'", default=BOTH))
    assert (module.nbformat, module.renderers.default) == ("real", "plotly_mimetype")


@pytest.mark.parametrize("default", ["png", "plotly_mimetype", None])
def test_another_renderer_of_plotly_stays(site: Path, monkeypatch: pytest.MonkeyPatch, default: str | None) -> None:
    monkeypatch.setattr(packages, "_vendored", frozenset({"plotly"}))
    module = imported(site, "plotly.io._renderers", RENDERERS.format(nbformat=None, default=default))
    assert module.renderers.default == default


@pytest.mark.parametrize("name", sorted(libraries.LIBRARIES))
def test_a_version_that_a_change_does_not_fit_is_left_as_it_is(site: Path, name: str) -> None:
    assert imported(site, name, "mine = 1").mine == 1


def test_tqdm_starts_no_thread_and_does_not_complain_of_widgets(site: Path) -> None:
    source = "class TqdmWarning(Warning): ...\nclass tqdm:\n    monitor_interval = 10\n"
    module = imported(site, "tqdm.std", source)
    assert module.tqdm.monitor_interval == 0
    with warnings.catch_warnings(record=True) as caught:
        warnings.warn("IProgress not found. Please update jupyter", module.TqdmWarning, stacklevel=1)
        assert caught == []


ALTAIR = """
class Renderers(dict):
    active = {active!r}
    register = dict.__setitem__
    def enable(self, name): self.active = name
renderers = Renderers()
"""


def test_altair_lets_the_front_end_draw(site: Path) -> None:
    renderers = imported(site, "altair", ALTAIR.format(active="default")).renderers
    assert renderers[renderers.active]({"mark": "bar"})["application/vnd.vegalite.v5+json"] == {"mark": "bar"}


def test_altair_keeps_a_renderer_that_was_chosen_and_its_own_on_a_server(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert imported(site, "altair", ALTAIR.format(active="png")).renderers.active == "png"
    del sys.modules["altair"]
    monkeypatch.setattr(packages, "_on_server", True)
    assert imported(site, "altair", ALTAIR.format(active="default")).renderers.active == "default"


@pytest.mark.parametrize(("name", "is_found"), [("tqdm.notebook", True), ("pandas_like", False)])
def test_a_library_gets_what_it_shows_its_output_with(
    site: Path, monkeypatch: pytest.MonkeyPatch, name: str, is_found: bool
) -> None:
    """Others only test whether the package exists, and do not get it."""
    monkeypatch.setattr(cell_imports, "_OWN", (*cell_imports._OWN, str(site)))  # it is not a user's folder
    monkeypatch.setattr(
        on_demand,
        "host",
        SimpleNamespace(package_of=lambda module: "ipywidgets", background_offers=lambda module: False),
    )
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, on_demand._finder])
    source = "import sys\nfound = sys.meta_path[-1].find_spec('ipywidgets')\n"
    assert (imported(site, name, source).found is not None) == is_found
