"""The example labs as a student works on them, in the site that `make demo` builds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Lab, build_site, open_lab, serve
from playwright.sync_api import Browser, expect
from test_labs import OPEN, download

LABS = ROOT / "examples" / "labs"
CHECK = "() => jupyterapp.commands.execute('browsergrad:check-my-work')"


@pytest.fixture(scope="module")
def labs_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    contents = {path.relative_to(LABS).as_posix(): path.read_bytes() for path in LABS.rglob("*") if path.is_file()}
    return build_site(tmp_path_factory.mktemp("examples"), contents)


@pytest.fixture
def page(browser: Browser, labs_site: Path) -> Iterator[Lab]:
    server, address = serve(labs_site, True)
    lab = open_lab(browser, address)
    yield lab
    assert lab.foreign == [], "nothing may come from another origin"
    lab.page.context.close()
    server.shutdown()
    server.server_close()


def check(page: Lab) -> dict[str, Any]:
    page.js(CHECK)
    return download(page)


@pytest.mark.parametrize(
    ("name", "passes", "artifact"),
    [("single-neuron", ["2. tanh is flat far from zero"], "image/png"), ("text-statistics", [], "application/json")],
)
def test_a_student_works_through_the_lab(page: Lab, name: str, passes: list[str], artifact: str) -> None:
    page.js(OPEN, f"{name}/{name}.ipynb")
    expect(page.page.locator(".bg-LabBadge")).to_have_text(f"{name} 1.0.0")
    cells = json.loads((LABS / name / f"{name}.ipynb").read_text("utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    for source in sources:
        assert page.run(source, ["cat"]).content["status"] == "ok", source
    results = check(page)
    assert [item["name"] for item in results["assertions"] if item["kind"] == "pass"] == passes
    assert results["counts"]["fail"] >= 6
    solution = (LABS / name / "reference.py").read_text("utf-8")
    assert page.run(solution).content["status"] == "ok"
    assert page.run("import browsergrad as bg").content["status"] == "ok"
    exercises = (LABS / name / "starter.py").read_text("utf-8")
    shown: set[str] = set()
    for source in sources:
        if source not in exercises:
            run = page.run(source, ["cat"])
            assert run.content["status"] == "ok", source
            for data in run.of("display_data"):
                shown |= set(data["data"])
    assert artifact in shown
    results = check(page)
    assert results["lab"] == {"id": name, "version": "1.0.0"}
    assert (results["counts"]["fail"], results["counts"]["error"]) == (0, 0)
    assert results["counts"]["pass"] >= 6


def test_no_solution_is_in_the_site(labs_site: Path) -> None:
    for name in ("single-neuron", "text-statistics"):
        solution = (LABS / name / "reference.py").read_bytes()
        line = max(set(solution.splitlines()) - set((LABS / name / "starter.py").read_bytes().splitlines()), key=len)
        holding = [path for path in labs_site.rglob("*") if path.is_file() and line in path.read_bytes()]
        assert holding == []
        assert "reference.py" not in (labs_site / f"api/contents/{name}/all.json").read_text("utf-8")
