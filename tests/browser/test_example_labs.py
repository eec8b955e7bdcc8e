"""The example labs, done as a student does them, in the site that `make demo` builds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, Lab, build_site, opened, served
from playwright.sync_api import Browser, expect
from test_labs import OPEN, download

pytestmark = pytest.mark.pages("plain")

LABS = ROOT / "examples" / "labs"
#: Kind, name and message of each row of the panel.
SHOWN = """() => [...document.querySelectorAll('#browsergrad-lab-results section li')].map(row => {
  const message = row.querySelector('.bg-message')?.textContent ?? '';
  const name = row.textContent.slice(row.querySelector('.bg-kind').textContent.length).trim();
  return [row.className.replace('bg-row-', ''), name.slice(0, name.length - message.length).trim(), message];
})"""


@pytest.fixture(scope="module")
def labs_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    contents = {path.relative_to(LABS).as_posix(): path.read_bytes() for path in LABS.rglob("*") if path.is_file()}
    return build_site(tmp_path_factory.mktemp("examples"), contents)


@pytest.fixture(params=["isolated", "plain"])
def page(browser: Browser, labs_site: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    with served(labs_site, request.param == "isolated") as address, opened(browser, address) as lab:
        yield lab


def check(page: Lab, passed: int, failed: int) -> dict[str, dict[str, str]]:
    """Click *Check my work*. Return the rows of the panel, and the messages of the downloaded file by kind and name."""
    page.page.locator(".jp-NotebookPanel-toolbar").get_by_text("Check my work").click()
    panel = page.page.locator("#browsergrad-lab-results")
    expect(panel.get_by_role("status")).to_have_text(f"{passed} passed, {failed} failed, 0 errors")
    expect(panel.get_by_role("heading", name="Check my work")).to_be_visible()
    shown = page.js(SHOWN)
    results = download(page)
    assert results["counts"] == {"pass": passed, "fail": failed, "error": 0}
    assert [(item["kind"], item["name"]) for item in results["assertions"]] == [tuple(row[:2]) for row in shown]
    found: dict[str, dict[str, str]] = {"pass": {}, "fail": {}}
    for kind, name, message in shown:
        found[kind][name] = message
    return found


@pytest.mark.thinned(2)
@pytest.mark.parametrize(
    ("name", "passes", "artifacts"),
    [
        ("single-neuron", ["2. tanh is flat far from zero"], {"application/json", "image/png"}),
        ("text-statistics", [], {"application/json"}),
    ],
)
def test_a_student_works_through_the_lab(page: Lab, name: str, passes: list[str], artifacts: set[str]) -> None:
    page.js(OPEN, f"{name}/{name}.ipynb")
    expect(page.page.locator(".bg-LabBadge")).to_have_text(f"{name} 1.0.0")
    cells = json.loads((LABS / name / f"{name}.ipynb").read_text("utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    for source in sources:
        assert page.run(source, ["cat"], after_ms=600).content["status"] == "ok", source
    names = set(re.findall(r'^with bg\.check\("(.*)"\)', (LABS / name / "rubric.py").read_text("utf-8"), re.MULTILINE))
    found = check(page, len(passes), len(names) - len(passes))
    assert (set(found["pass"]), set(found["fail"])) == (set(passes), names - set(passes))
    assert all(len(message) > 20 for message in found["fail"].values()), "each says what to do"
    solution = (LABS / name / "reference.py").read_text("utf-8")
    assert page.run(solution).content["status"] == "ok"
    assert page.run("import browsergrad as bg").content["status"] == "ok"
    exercises = (LABS / name / "starter.py").read_text("utf-8")
    shown: set[str] = set()
    for source in sources:
        if source not in exercises:
            run = page.run(source, ["cat"], after_ms=600)
            assert run.content["status"] == "ok", source
            for data in run.of("display_data"):
                shown |= set(data["data"])
    assert artifacts <= shown
    assert set(check(page, len(names), 0)["pass"]) == names
    assert download(page)["lab"] == {"id": name, "version": "1.0.0"}


def test_no_solution_is_in_the_site(labs_site: Path) -> None:
    for name in ("single-neuron", "text-statistics"):
        solution = (LABS / name / "reference.py").read_bytes()
        line = max(set(solution.splitlines()) - set((LABS / name / "starter.py").read_bytes().splitlines()), key=len)
        holding = [path for path in labs_site.rglob("*") if path.is_file() and line in path.read_bytes()]
        assert holding == []
        assert "reference.py" not in (labs_site / f"api/contents/{name}/all.json").read_text("utf-8")
