"""Labs in JupyterLite: what is checked before anything runs, and what a student does with one."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lab_manifest
import pytest
from conftest import ROOT, Lab, build_site, held, new_page, opened, served, wait_for_app
from playwright.sync_api import Browser, Route, expect

from jupyterlite_browsergrad.platforms.site_package import scorm_package

pytestmark = pytest.mark.pages("either")

MANIFEST = lab_manifest.MANIFEST | {"id": "adding", "reference_path": "solution.py"}
RUBRIC = """
import browsergrad as bg

with bg.check("add adds"):
    assert add(1, 2) == 3, "add(1, 2) is 3"
with bg.check("double doubles"):
    assert double(4) == 8, "double(4) is 8"
print("a rubric may print")
"""
STARTER = (
    "# %% [markdown]\n# ## Your turn\n# %%\ndef add(a, b):\n    return 0\n# %%\ndef double(a):\n    return 2 * a\n"
)
PINS = ["^0.9.0", "~0.8.99", "1.0.0"]
DATA = b"1,2\n3,4\n"
BIG = b"0123456789" * 600_000


def notebook(*cells: str, **metadata: Any) -> bytes:
    """A notebook with these cells: text if a cell begins with a capital letter or `#`, otherwise code."""
    made = []
    for index, source in enumerate(cells):
        cell = {"id": f"c{index}", "source": source, "metadata": {}}
        is_text = source[:1].isupper() or source.startswith("#")
        kind = {"cell_type": "markdown"} if is_text else {"cell_type": "code", "outputs": [], "execution_count": None}
        made.append(cell | kind)
    kernelspec = {"name": "browsergrad", "display_name": "Python (BrowserGrad)", "language": "python"}
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernelspec, **metadata}, "cells": made}
    ).encode()


def lab_files(folder: str, **changes: Any) -> dict[str, bytes]:
    return {
        f"{folder}/manifest.json": json.dumps(MANIFEST | changes).encode(),
        f"{folder}/lab.ipynb": notebook("x = 41 + 1\nprint('ran', x)"),
        f"{folder}/rubric.py": RUBRIC.encode(),
        f"{folder}/starter.py": STARTER.encode(),
        f"{folder}/solution.py": b"def add(a, b):\n    return a + b  # the-secret-solution\n",
    }


def hash_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


CONTENTS = {
    "plain.ipynb": notebook("print('ran')"),
    **lab_files("good"),
    **{name: data for pin in PINS for name, data in lab_files(f"pin {pin}", requires_browsergrad=pin).items()},
    "named/labs/adding.json": json.dumps(MANIFEST | {"requires_browsergrad": "^0.9.0"}).encode(),
    "named/lab.ipynb": notebook("print('ran')", browsergrad={"manifest": "labs/adding.json"}),
    **lab_files(
        "data",
        datasets=[
            {"name": "points", "url": "files/points.csv", "hash": hash_of(DATA)},
            {"name": "wrong", "url": "files/points.csv", "hash": "sha256:" + "0" * 64},
            {"name": "gone", "url": "files/gone.csv"},
            {"name": "loose", "url": "files/points.csv"},
        ],
    ),
    "data/files/points.csv": DATA,
    "data/files/big.bin": BIG,
}

OPEN = """async path => {
  await jupyterapp.restored;
  const panel = await jupyterapp.commands.execute('docmanager:open', { path, factory: 'Notebook' });
  await panel.context.ready;
  const context = panel.context.sessionContext;
  await context.ready;
  while (!context.session?.kernel) await new Promise(r => context.kernelChanged.connect(r));
  window.panel = panel;
  window.kernel = context.session.kernel;
}"""
RUN_ALL = """async () => {
  await jupyterapp.commands.execute('notebook:run-all-cells').catch(() => undefined);
  return panel.content.model.toJSON().cells.flatMap(cell => cell.outputs ?? []);
}"""
SAVE = """async ([path, text]) => {
  const { contents } = jupyterapp.serviceManager;
  await contents.save(path, { type: 'file', format: 'text', content: text });
}"""


@pytest.fixture(scope="module")
def labs_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(tmp_path_factory.mktemp("labs"), CONTENTS)


@pytest.fixture(scope="module", params=["isolated", "plain"])
def labs_base(request: pytest.FixtureRequest, labs_site: Path) -> Iterator[str]:
    with served(labs_site, request.param == "isolated") as address:
        yield address


@pytest.fixture(scope="module")
def isolated(labs_site: Path) -> Iterator[str]:
    with served(labs_site, True) as address:
        yield address


@pytest.fixture
def once(browser: Browser, isolated: str) -> Iterator[Lab]:
    """A page for tests that do not depend on isolation."""
    with opened(browser, isolated) as lab:
        yield lab


@pytest.fixture
def page(browser: Browser, labs_base: str) -> Iterator[Lab]:
    with opened(browser, labs_base) as lab:
        yield lab


def texts(outputs: list[dict[str, Any]]) -> str:
    return "".join("".join(output.get("text", "")) for output in outputs)


def open_notebook(page: Lab, path: str) -> None:
    page.js(OPEN, path)


def refusal(page: Lab, code: str = "print('ran')") -> str:
    """The kernel's answer to a cell that comes through its client and must not run."""
    run = page.run(code)
    assert run.content["status"] == "error"
    assert run.content["ename"] == "LabRuntimeMismatch"
    assert [error["evalue"] for error in run.of("error")] == [run.content["evalue"]]
    assert run.text() == ""
    assert run.idle
    return run.content["evalue"]


def test_a_good_lab_opens_and_its_cells_run(page: Lab) -> None:
    open_notebook(page, "good/lab.ipynb")
    expect(page.page.locator(".bg-LabBadge")).to_have_text("adding 1.0.0")
    assert texts(page.js(RUN_ALL)) == "ran 42\n"
    run = page.run("import browsergrad as bg; bg.lab.id, bg.lab.version, str(bg.lab.folder)")
    assert run.result == "('adding', '1.0.0', '/drive/good')"


def test_a_notebook_without_a_manifest_is_an_ordinary_one(page: Lab) -> None:
    open_notebook(page, "plain.ipynb")
    assert texts(page.js(RUN_ALL)) == "ran\n"
    run = page.run("import browsergrad as bg; bg.lab.id")
    assert "belongs to no lab" in run.content["evalue"]
    assert page.page.locator(".bg-LabBadge, .bg-LabBanner").count() == 0


@pytest.mark.thinned(2)
@pytest.mark.parametrize("pin", PINS)
def test_a_lab_that_pins_another_runtime_does_not_run(page: Lab, pin: str) -> None:
    open_notebook(page, f"pin {pin}/lab.ipynb")
    message = f"lab requires {pin}, runtime is 0.8.1"
    expect(page.page.locator(".jp-Dialog")).to_contain_text(message)
    page.page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(page.page.locator(".bg-LabBanner")).to_contain_text(message)
    (error,) = page.js(RUN_ALL)
    assert (error["output_type"], error["ename"], error["evalue"]) == ("error", "LabRuntimeMismatch", message)
    assert refusal(page) == message
    assert refusal(page, "") == message
    page.js("() => kernel.restart()")
    assert refusal(page) == message


@pytest.mark.release
def test_a_pin_in_a_manifest_that_the_metadata_names_counts(once: Lab) -> None:
    open_notebook(once, "named/lab.ipynb")
    assert refusal(once) == "lab requires ^0.9.0, runtime is 0.8.1"


def test_a_manifest_edited_while_the_notebook_is_open_is_checked_again(once: Lab) -> None:
    open_notebook(once, "good/lab.ipynb")
    badge, banner = once.page.locator(".bg-LabBadge"), once.page.locator(".bg-LabBanner")
    expect(badge).to_have_text("adding 1.0.0")
    assert once.run("a = 1").content["status"] == "ok"
    once.js(SAVE, ["good/manifest.json", json.dumps(MANIFEST | {"requires_browsergrad": "1.0.0"})])
    expect(banner).to_contain_text("lab requires 1.0.0, runtime is 0.8.1")
    expect(badge).to_have_count(0)
    assert refusal(once) == "lab requires 1.0.0, runtime is 0.8.1"
    once.js(SAVE, ["good/manifest.json", json.dumps(MANIFEST | {"version": "1.1.0"})])
    expect(badge).to_have_text("adding 1.1.0")
    expect(banner).to_have_count(0)
    assert once.run("a").result == "1", "what refused cells did not touch is still there"
    # Also checked again if Python itself writes the file. The cell that does so still runs.
    assert once.run("open('manifest.json', 'w').write('{}')").content["status"] == "ok"
    assert "/requires_browsergrad: requires_browsergrad is missing" in refusal(once)


@pytest.mark.thinned(2)
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"id": "adding"', "is not JSON"),
        (json.dumps(MANIFEST).replace("{", '{"id": "other", ', 1), '/id: the key "id" comes more than once'),
        (json.dumps(MANIFEST | {"rubric_path": "../rubric.py"}), "/rubric_path: leaves the folder by .."),
        ('"' + "x" * 10_000_000 + '"', "has 10000002 bytes, at most 1048576 are allowed"),
    ],
    ids=["broken", "doubled", "traversal", "10 MB"],
)
def test_an_invalid_manifest_is_refused_with_its_problems(once: Lab, text: str, message: str) -> None:
    once.js(SAVE, ["manifest.json", text])
    open_notebook(once, "plain.ipynb")
    expect(once.page.locator(".jp-Dialog")).to_contain_text(message)
    expect(once.page.locator(".bg-LabBanner")).to_contain_text(message)
    assert message in refusal(once)


@pytest.mark.thinned(3)
@pytest.mark.parametrize("part", ["api/contents/good/all.json", "files/good/manifest.json"])
@pytest.mark.parametrize("how", ["500", "failed", "html"])
def test_when_the_site_fails_nothing_runs(once: Lab, part: str, how: str) -> None:
    def answer(route: Route) -> None:
        if how == "failed":
            route.abort()
        elif how == "html":
            route.fulfill(status=200, content_type="text/html", body="<p>Sign in</p>")
        else:
            route.fulfill(status=500)

    # The kernel is started by its client alone, so that requests of the notebook do not fail.
    once.page.context.route(f"**/{part}*", answer)
    once.start("good")
    problem = refusal(once)
    assert "could not be found out" in problem or "is not JSON" in problem
    once.page.context.unroute(f"**/{part}*")
    once.js("() => document.dispatchEvent(new Event('visibilitychange'))")
    assert once.run("print('ran')").text() == "ran\n"


def test_a_slow_manifest_is_waited_for_and_stop_ends_the_wait(once: Lab) -> None:
    held: list[Route] = []
    once.page.context.route("**/files/good/manifest.json*", lambda route: held.append(route))
    once.start("good")
    once.page.evaluate("() => { window.cell = bg.run(\"print('ran')\"); }")
    while not held:
        once.page.wait_for_timeout(50)
    once.js("() => kernel.interrupt()")
    reply = once.js("async () => (await cell).reply")
    assert reply["content"]["status"] in ("error", "aborted")
    once.page.evaluate("() => { window.cell = bg.run(\"print('ran')\"); }")
    while held:
        held.pop().continue_()
    assert once.js("async () => (await cell).reply")["content"]["status"] == "ok"


MOVE = """async ([from, to]) => {
  const { contents } = jupyterapp.serviceManager;
  await jupyterapp.commands.execute('docmanager:save');
  await contents.rename(from, to);
  const moved = panel.context.path === to || await new Promise(resolve => {
    panel.context.pathChanged.connect((_, path) => path === to && resolve(true));
  });
  const { sessions } = jupyterapp.serviceManager;
  while (![...sessions.running()].some(model => model.path === to)) {
    await new Promise(resolve => sessions.runningChanged.connect(resolve));
  }
}"""


def test_a_notebook_that_moves_takes_no_verdict_along(once: Lab) -> None:
    open_notebook(once, "plain.ipynb")
    assert once.run("print('ran')").text() == "ran\n"
    once.js(MOVE, ["plain.ipynb", "pin 1.0.0/plain.ipynb"])
    assert refusal(once) == "lab requires 1.0.0, runtime is 0.8.1"
    expect(once.page.locator(".bg-LabBanner")).to_contain_text("lab requires 1.0.0")
    once.js(MOVE, ["pin 1.0.0/plain.ipynb", "pin 1.0.0/renamed.ipynb"])
    assert refusal(once) == "lab requires 1.0.0, runtime is 0.8.1"
    once.js(MOVE, ["pin 1.0.0/renamed.ipynb", "free.ipynb"])
    assert once.run("print('ran')").text() == "ran\n"


def test_another_kernel_or_another_view_does_not_get_round_the_check(once: Lab) -> None:
    open_notebook(once, "pin ^0.9.0/lab.ipynb")
    message = "lab requires ^0.9.0, runtime is 0.8.1"
    switched = """async () => {
      await panel.sessionContext.changeKernel({ name: 'browsergrad' });
      window.kernel = panel.sessionContext.session.kernel;
    }"""
    once.js(switched)
    assert refusal(once) == message
    # A second view of the notebook, then a notebook without a lab that shares the kernel.
    once.js("""async () => {
      const context = panel.context;
      const view = await jupyterapp.commands.execute('docmanager:open', { path: context.path, factory: 'Notebook', options: { mode: 'split-right' } });
      await view.context.ready;
      window.kernel = view.sessionContext.session.kernel;
    }""")
    assert refusal(once) == message
    once.js("""async () => {
      const id = kernel.id;
      const view = await jupyterapp.commands.execute('docmanager:open', { path: 'plain.ipynb', factory: 'Notebook' });
      await view.sessionContext.ready;
      await view.sessionContext.changeKernel({ id });
      window.kernel = view.sessionContext.session.kernel;
    }""")
    assert refusal(once) == message


# --- datasets


def test_datasets_are_verified_kept_and_read_by_name(once: Lab) -> None:
    fetched: list[str] = []
    once.page.on("request", lambda request: fetched.append(request.url) if "points.csv" in request.url else None)
    open_notebook(once, "data/lab.ipynb")
    run = once.run(
        "import browsergrad as bg\n"
        "print(bg.dataset('points').read_text(), bg.dataset('points').name, bg.dataset('loose').stat().st_size)"
    )
    assert run.text() == "1,2\n3,4\n points.csv 8\n"
    refused = once.run("bg.dataset('wrong')").content
    assert refused["ename"] == "LabError"
    assert refused["evalue"].startswith(f"dataset 'wrong': it has {hash_of(DATA)}, the lab's manifest says sha256:000")
    assert "there is no file data/files/gone.csv" in once.run("bg.dataset('gone')").content["evalue"]
    notices = once.page.locator(".Toastify__toast")
    expect(notices.filter(has_text="Dataset wrong: it has sha256:")).to_have_count(1)
    first = len(fetched)
    assert first > 0
    once.js("() => kernel.restart()")
    assert once.run("import browsergrad as bg; bg.dataset('points').read_text()").result == "'1,2\\n3,4\\n'"


@pytest.mark.release
def test_the_second_time_a_dataset_with_a_hash_is_not_fetched(once: Lab) -> None:
    with_datasets(once, {"name": "points", "url": "files/points.csv", "hash": hash_of(DATA)})
    code = "import browsergrad as bg; bg.dataset('points').read_text()"
    once.start("data")
    assert once.run(code).result == "'1,2\\n3,4\\n'"
    fetched: list[str] = []
    once.page.on("request", lambda request: fetched.append(request.url) if "points.csv" in request.url else None)
    once.page.reload()
    wait_for_app(once.page)
    once.start("data")
    assert once.run(code).result == "'1,2\\n3,4\\n'"
    assert fetched == []


FAR = "https://data.example/far.csv"


def with_datasets(lab: Lab, *datasets: dict[str, str]) -> None:
    lab.js(SAVE, ["data/manifest.json", json.dumps(MANIFEST | {"datasets": list(datasets)})])


@pytest.mark.parametrize("isolated_page", [True, False], ids=["isolated", "plain"])
def test_the_progress_of_a_dataset_is_shown(browser: Browser, labs_site: Path, isolated_page: bool) -> None:
    part = held(labs_site, isolated_page, "/big.bin", after=2_000_000)
    with part as (address, _, release), opened(browser, address) as page:
        with_datasets(page, {"name": "big", "url": "files/big.bin", "hash": hash_of(BIG)})
        open_notebook(page, "data/lab.ipynb")
        notices = page.page.locator(".Toastify__toast")
        notices.filter(has_text="Loading dataset big: 2.0 of 6.0 MB").wait_for()
        release.set()
        notices.filter(has_text="Dataset big is loaded").wait_for()
        assert page.run("import browsergrad as bg; bg.dataset('big').stat().st_size").result == "6000000"


@pytest.mark.release
def test_a_dataset_of_another_site_that_cannot_be_reached_is_named(page: Lab) -> None:
    with_datasets(page, {"name": "far", "url": FAR, "hash": hash_of(DATA)}, {"name": "near", "url": "files/points.csv"})
    page.page.context.route(FAR, lambda route: route.abort("internetdisconnected"))
    open_notebook(page, "data/lab.ipynb")
    told = page.page.locator(".Toastify__toast").filter(has_text=f"Dataset far: {FAR} could not be fetched")
    expect(told.first).to_contain_text("are you online")
    refused = page.run("import browsergrad as bg; bg.dataset('far')").content
    assert refused["ename"] == "LabError"
    assert refused["evalue"].startswith(f"dataset 'far': {FAR} could not be fetched")
    assert page.run("bg.dataset('near').read_text()").result == "'1,2\\n3,4\\n'", "the others can be used"
    page.page.context.unroute(FAR)

    # Fetched once the network works again, without cookies and without the page's address, and not again.
    headers: list[dict[str, str]] = []

    def answer(route: Route) -> None:
        headers.append(route.request.all_headers())
        route.fulfill(body=DATA, headers={"Access-Control-Allow-Origin": "*"})

    page.page.context.route(FAR, answer)
    for _ in range(2):
        page.js("() => kernel.restart()")
        assert page.run("import browsergrad as bg; bg.dataset('far').read_text()").result == "'1,2\\n3,4\\n'"
    assert len(headers) == 1
    assert not {"cookie", "referer"} & set(headers[0])


@pytest.mark.thinned(2)
@pytest.mark.parametrize("status", [404, 500])
def test_a_dataset_that_another_site_refuses_is_named(once: Lab, status: int) -> None:
    with_datasets(once, {"name": "far", "url": FAR})
    once.page.context.route(
        FAR, lambda route: route.fulfill(status=status, headers={"Access-Control-Allow-Origin": "*"})
    )
    once.start("data")
    evalue = once.run("import browsergrad as bg; bg.dataset('far')").content["evalue"]
    assert f"dataset 'far': {FAR} could not be fetched: the server answered {status}" in evalue


def test_cells_wait_for_datasets_and_stop_ends_the_wait(once: Lab) -> None:
    with_datasets(once, {"name": "far", "url": FAR})
    held: list[Route] = []
    once.page.context.route(FAR, lambda route: held.append(route))
    once.start("data")
    once.page.evaluate("() => { window.cell = bg.run(\"print('ran')\"); }")
    while not held:
        once.page.wait_for_timeout(50)
    once.js("() => kernel.interrupt()")
    assert once.js("async () => (await cell).reply")["content"]["status"] in ("error", "aborted")
    once.page.evaluate("() => { window.cell = bg.run(\"import browsergrad as bg; bg.dataset('far').read_text()\"); }")
    held.pop().fulfill(body=DATA, headers={"Access-Control-Allow-Origin": "*"})
    assert once.js("async () => (await cell).reply")["content"]["status"] == "ok"


# --- a student's work


def choose(lab: Lab, label: str) -> None:
    """Choose an entry of the menu that opens below the lab's name."""
    lab.page.locator(".jp-NotebookPanel-toolbar .bg-LabBadge").click()
    lab.page.locator(".lm-Menu").get_by_text(label).click()


def download(lab: Lab) -> dict[str, Any]:
    with lab.page.expect_download() as waiting:
        lab.js("() => { void jupyterapp.commands.execute('browsergrad:download-results'); }")
    return json.loads(Path(waiting.value.path()).read_text("utf-8"))


def test_check_my_work_fails_the_starter_and_passes_the_solution(page: Lab) -> None:
    open_notebook(page, "good/lab.ipynb")
    button = page.page.locator(".jp-NotebookPanel-toolbar .bg-CheckButton")
    expect(button).to_have_text("Check my work")
    choose(page, "Insert starter code")
    page.page.wait_for_function("panel.content.model.cells.length === 4")
    cells = page.js("() => panel.content.model.toJSON().cells.map(cell => [cell.cell_type, cell.source])")
    assert cells[1:] == [
        ["markdown", "## Your turn"],
        ["code", "def add(a, b):\n    return 0"],
        ["code", "def double(a):\n    return 2 * a"],
    ]
    page.js(RUN_ALL)
    before = page.js("() => panel.content.model.toJSON().cells.map(cell => cell.outputs ?? [])")
    button.click()
    expect(button).to_have_accessible_name("Check my work, 1 of 2 passed")
    expect(button).to_be_focused()
    status = page.page.locator(".jp-NotebookPanel-toolbar [role=status]")
    expect(status).to_have_text("Your work was checked: 1 passed, 1 failed, 0 errors")
    expect(page.page.locator("#browsergrad-lab-results .bg-next")).to_contain_text("add adds")
    assert page.js("() => panel.content.model.toJSON().cells.map(cell => cell.outputs ?? [])") == before
    results = download(page)
    assert results["lab"] == {"id": "adding", "version": "1.0.0"}
    assert results["runtime"] == "0.8.1"
    assert results["counts"] == {"pass": 1, "fail": 1, "error": 0}
    (failed,) = [item for item in results["assertions"] if item["kind"] == "fail"]
    assert (failed["name"], failed["message"], failed["expectedRepr"]) == ("add adds", "add(1, 2) is 3", "3")
    page.run("def add(a, b): return a + b")
    page.js("() => jupyterapp.commands.execute('browsergrad:check-my-work')")
    assert download(page)["counts"] == {"pass": 2, "fail": 0, "error": 0}
    expect(button).to_have_text("Check my work2/2")
    expect(page.page.locator("#browsergrad-lab-results .bg-next")).to_contain_text("All checks have passed.")


def test_a_check_can_be_stopped(once: Lab) -> None:
    once.js(SAVE, ["good/rubric.py", "while True: pass"])
    open_notebook(once, "good/lab.ipynb")
    assert once.run("print('ran')").text() == "ran\n"
    once.js("() => { window.check = jupyterapp.commands.execute('browsergrad:check-my-work'); }")
    once.page.wait_for_function("kernel.status === 'busy'")
    button = once.page.locator(".bg-CheckButton")
    expect(button).to_have_text("Checking…")
    expect(button).to_have_attribute("aria-disabled", "true")
    once.js("() => kernel.interrupt()")
    once.js("async () => await check")
    expect(button).to_have_text("Check my work")
    expect(button).to_have_attribute("aria-disabled", "false")
    expect(once.page.locator(".Toastify__toast").filter(has_text="the check was interrupted")).to_have_count(1)


def test_reset_asks_and_keeps_a_backup(once: Lab) -> None:
    open_notebook(once, "good/lab.ipynb")
    once.js("() => panel.content.model.sharedModel.cells[0].setSource('mine = 1')")
    dialog = once.page.locator(".jp-Dialog")
    source = "() => panel.content.model.toJSON().cells[0].source"
    choose(once, "Reset lab")
    dialog.get_by_text("Cancel").click()
    expect(dialog).to_have_count(0)
    assert once.js(source) == "mine = 1"
    choose(once, "Reset lab")
    dialog.get_by_role("button", name="Reset", exact=True).click()
    notice = once.page.locator(".Toastify__toast").filter(has_text="The lab is as it began")
    expect(notice).to_have_count(1)
    assert once.js(source) == "x = 41 + 1\nprint('ran', x)"
    backups = """async () => {
      const { contents } = jupyterapp.serviceManager;
      const folder = await contents.get('good', { content: true });
      const names = folder.content.map(entry => entry.name).filter(name => name.includes('-backup-'));
      return Promise.all(names.map(async name => (await contents.get(`good/${name}`, { content: true })).content.cells[0].source));
    }"""
    assert once.js(backups) == ["mine = 1"]


#: Names of the toolbar's items that are outside of it.
OUTSIDE = """() => {
  const bar = panel.toolbar.node.getBoundingClientRect();
  return [...panel.toolbar.node.children].filter(item => {
    const box = item.getBoundingClientRect();
    return box.width && (box.bottom > bar.bottom + 1 || box.right > bar.right + 1);
  }).map(item => item.dataset.jpItemName);
}"""


@pytest.mark.thinned(3)
@pytest.mark.parametrize("size", [(390, 844), (820, 1180), (1024, 768), (1400, 900)], ids=str)
def test_the_toolbar_holds_its_items(once: Lab, size: tuple[int, int]) -> None:
    width, height = size
    once.page.set_viewport_size({"width": width, "height": height})
    open_notebook(once, "good/lab.ipynb")
    for item in (".bg-CheckButton", ".bg-LabBadge"):
        expect(once.page.locator(f".jp-NotebookPanel-toolbar {item}")).to_be_in_viewport(ratio=1)
    once.page.wait_for_function(f"({OUTSIDE})().length === 0")
    assert width >= 900 or once.js("() => jupyterapp.shell.leftCollapsed"), "the notebook has the room"
    choose(once, "Show Lab Results")
    panel = once.page.locator("#browsergrad-lab-results")
    expect(panel.get_by_role("status")).to_be_in_viewport(ratio=1)
    if width == 390:
        panel.get_by_role("button", name="Back to the notebook").click()
        expect(panel).to_be_hidden()
    # The button becomes wider.
    once.page.locator(".bg-CheckButton").click()
    expect(once.page.locator(".bg-passed")).to_have_text("0/2")
    once.page.wait_for_function(f"({OUTSIDE})().length === 0")


#: The entries of the palette. They are read at once, since the palette closes when something else takes the focus.
PALETTE = """async () => {
  await jupyterapp.commands.execute('apputils:activate-command-palette');
  const labels = () => [...document.querySelectorAll('.lm-CommandPalette-itemLabel')].map(label => label.textContent);
  while (!labels().length) await new Promise(requestAnimationFrame);
  return labels();
}"""


def test_the_commands_are_in_menu_and_palette_of_labs_alone(once: Lab) -> None:
    open_notebook(once, "good/lab.ipynb")
    expect(once.page.locator(".bg-LabBadge")).to_be_visible()
    labels = {"Check my work", "Insert starter code", "Reset lab…", "Download results"}
    assert labels | {"Show Lab Results"} <= set(once.js(PALETTE))
    once.page.keyboard.press("Escape")
    once.page.locator(".lm-MenuBar-item").filter(has_text="Run").click()
    menu = once.page.locator(".lm-Menu")
    for label in labels:
        expect(menu.get_by_text(label)).to_be_visible()
    once.page.keyboard.press("Escape")
    ids = ["browsergrad:check-my-work", "browsergrad:reset-lab"]
    assert once.js("ids => ids.map(id => jupyterapp.commands.isEnabled(id))", ids) == [True, True]
    open_notebook(once, "plain.ipynb")
    assert once.js("ids => ids.map(id => jupyterapp.commands.isEnabled(id))", ids) == [False, False]


#: A learning platform: a page with SCORM's run-time, and a page of the package in a frame.
PLATFORM = """<!doctype html><meta charset="utf-8"><title>School</title>
<script src="scorm12.js"></script>
<script>window.API = new Scorm12API({ autocommit: false, lmsCommitUrl: false });</script>
<iframe src="package/browsergrad-scorm.html" style="width: 1300px; height: 900px"></iframe>"""


def test_a_scorm_package_reports_what_check_my_work_found(browser: Browser, labs_site: Path, tmp_path: Path) -> None:
    archive = tmp_path / "package.zip"
    scorm_package(labs_site, archive, "1.2", "good/lab.ipynb")
    with zipfile.ZipFile(archive) as package:
        package.extractall(tmp_path / "package")
    shutil.copyfile(ROOT / "labextension/node_modules/scorm-again/dist/scorm12.js", tmp_path / "scorm12.js")
    (tmp_path / "index.html").write_text(PLATFORM, "utf-8")
    with served(tmp_path, False) as address:
        page = new_page(browser)
        page.goto(f"{address}/index.html")
        page.wait_for_function("API.LMSGetValue('cmi.core.lesson_status') === 'incomplete'")
        outer = page.frame_locator("iframe")
        inner = outer.frame_locator("#lab")
        inner.get_by_text("Check my work").first.wait_for()
        (frame,) = [each for each in page.frames if "notebooks/index.html" in each.url]
        for code, score, status in (
            ("def add(a, b): return 0\ndef double(a): return 2 * a", "50", "incomplete"),
            ("def add(a, b): return a + b", "100", "passed"),
        ):
            frame.evaluate(IN_THE_NOTEBOOK, code)
            frame.evaluate("() => jupyterapp.commands.execute('browsergrad:check-my-work')")
            page.wait_for_function("score => API.LMSGetValue('cmi.core.score.raw') === score", arg=score)
            assert page.evaluate("API.LMSGetValue('cmi.core.lesson_status')") == status
        expect(outer.get_by_role("status")).to_have_text("Reported to your course: 100 of 100.")
        page.evaluate("() => document.querySelector('iframe').remove()")
        page.wait_for_function("API.isTerminated()")
        page.context.close()


IN_THE_NOTEBOOK = """async code => {
  const panel = jupyterapp.shell.currentWidget;
  await panel.context.ready;
  const { sessionContext } = panel.context;
  await sessionContext.ready;
  while (!sessionContext.session?.kernel) await new Promise(done => sessionContext.kernelChanged.connect(done));
  await sessionContext.session.kernel.requestExecute({ code }).done;
}"""
