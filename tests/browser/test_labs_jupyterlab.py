"""Labs in JupyterLab on a server. Its ordinary kernel does not know labs, so the front end refuses to run them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Lab, jupyterlab, open_jupyterlab, wait_for_app, write_files
from playwright.sync_api import Browser, expect
from test_labs import MANIFEST, MOVE, OPEN, RUN_ALL, SAVE, choose, download, lab_files, notebook, texts
from work_pages import SHOW_SETTINGS

from jupyterlite_browsergrad.grading.hand_in_file import read_hand_in

CONTENTS = re.compile(r"/api/contents/plain/manifest\.json")
KERNELSPEC = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
FOLDERS = {
    **lab_files("good"),
    **lab_files("pinned", requires_browsergrad="^0.9.0"),
    "good/lab.ipynb": notebook("x = 41 + 1\nprint('ran', x)", kernelspec=KERNELSPEC),
    "pinned/lab.ipynb": notebook("print('ran')", kernelspec=KERNELSPEC),
    **lab_files("again"),
    **lab_files("edited"),
    "again/lab.ipynb": notebook(
        "# Adding",
        "mine = 1\ndef add(a, b): ...",
        "given = 1",
        "Now double.",
        "double = len",
        "The end",
        kernelspec=KERNELSPEC,
    ),
    "edited/lab.ipynb": notebook("print('ran')", kernelspec=KERNELSPEC),
    **lab_files("own"),
    **lab_files("course/adding", version="1.1.0"),
    "own/lab.ipynb": notebook("x = 1", "given = 1", kernelspec=KERNELSPEC),
    "course/adding/lab.ipynb": notebook("x = 2", "given = 1", "z = 3", kernelspec=KERNELSPEC),
    "plain/plain.ipynb": notebook("print('ran')", kernelspec=KERNELSPEC),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    root = tmp_path_factory.mktemp("server")
    write_files(root, FOLDERS)
    with jupyterlab(root, tmp_path_factory.mktemp("home")) as (address, _):
        yield address, root


@pytest.fixture
def page(browser: Browser, server: tuple[str, Path]) -> Iterator[Lab]:
    with open_jupyterlab(browser, server[0]) as page:
        yield page


def open_here(page: Lab, path: str) -> None:
    page.js(OPEN, path)
    assert page.js("() => kernel.name") == "python3"


def test_a_good_lab_runs_and_is_checked(page: Lab) -> None:
    open_here(page, "good/lab.ipynb")
    expect(page.page.locator(".bg-LabBadge")).to_have_text("adding 1.0.0")
    assert texts(page.js(RUN_ALL)) == "ran 42\n"
    page.run("def add(a, b): return a + b\ndef double(a): return a")
    page.js("() => jupyterapp.commands.execute('browsergrad:check-my-work')")
    assert download(page)["counts"] == {"pass": 1, "fail": 1, "error": 0}


def test_a_lab_that_pins_another_runtime_is_refused(page: Lab) -> None:
    open_here(page, "pinned/lab.ipynb")
    message = "lab requires ^0.9.0, runtime is 0.8.1"
    expect(page.page.locator(".jp-Dialog")).to_contain_text(message)
    page.page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(page.page.locator(".bg-LabBanner")).to_contain_text(message)
    (error,) = page.js(RUN_ALL)
    assert (error["output_type"], error["ename"], error["evalue"]) == ("error", "LabRuntimeMismatch", message)


def test_an_ordinary_notebook_runs(page: Lab) -> None:
    open_here(page, "plain/plain.ipynb")
    assert texts(page.js(RUN_ALL)) == "ran\n"
    assert page.page.locator(".bg-LabBadge, .bg-LabBanner").count() == 0


def test_a_manifest_that_cannot_be_read_refuses(page: Lab, server: tuple[str, Path]) -> None:
    open_here(page, "plain/plain.ipynb")
    page.page.context.route(CONTENTS, lambda route: route.fulfill(status=500, body="{}"))
    page.js("() => document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.page.locator(".bg-LabBanner")).to_contain_text("could not be found out")
    (error,) = page.js(RUN_ALL)
    assert error["ename"] == "LabRuntimeMismatch"
    (server[1] / "plain" / "manifest.json").write_text(json.dumps(MANIFEST | {"id": "No"}), "utf-8")
    page.page.context.unroute(CONTENTS)
    page.js("() => document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.page.locator(".bg-LabBanner")).to_contain_text("/id: must be kebab-case")
    (server[1] / "plain" / "manifest.json").unlink()


CELLS = "() => panel.content.model.toJSON().cells.map(cell => [cell.cell_type, cell.source])"
BEGUN = [
    ["markdown", "# Adding"],
    ["markdown", "## Your turn"],
    ["code", "def add(a, b):\n    return 0"],
    ["code", "given = 1"],
    ["markdown", "Now double."],
    ["code", "def double(a):\n    return 2 * a"],
    ["markdown", "The end"],
]


def saved_cells(path: Path) -> list[list[str]]:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return [[cell["cell_type"], "".join(cell["source"])] for cell in cells]


@pytest.mark.release
def test_reset_asks_keeps_a_backup_and_restarts(page: Lab, server: tuple[str, Path]) -> None:
    open_here(page, "again/lab.ipynb")
    own = page.js(CELLS)
    page.js(RUN_ALL)
    dialog = page.page.locator(".jp-Dialog")
    choose(page, "Reset lab")
    expect(dialog).to_contain_text("What you have now is kept as lab-backup-")
    dialog.get_by_text("Cancel").click()
    expect(dialog).to_have_count(0)
    assert page.js(CELLS) == own
    assert list((server[1] / "again").glob("*-backup-*")) == []
    for backups in (1, 2):
        page.js(
            "() => { window.restarted = new Promise(r => panel.sessionContext.statusChanged.connect((_, s) => s === 'restarting' && r())); }"
        )
        choose(page, "Reset lab")
        dialog.get_by_role("button", name="Reset", exact=True).click()
        expect(page.page.locator(".Toastify__toast").filter(has_text="The lab is as it began")).to_have_count(backups)
        page.js("() => restarted")
        page.page.wait_for_function("panel.sessionContext.session.kernel.status === 'idle'")
        assert page.js(CELLS) == BEGUN, "a second time too"
        assert len(list((server[1] / "again").glob("lab-backup-*.ipynb"))) == backups
    assert saved_cells(min((server[1] / "again").glob("lab-backup-*.ipynb"))) == own
    assert saved_cells(server[1] / "again/lab.ipynb") == BEGUN
    assert page.run("'mine' in globals()").result == "False"


def refused(page: Lab) -> str | None:
    """The reason why the notebook's cells do not run; None if they run."""
    outputs = page.js(RUN_ALL)
    if texts(outputs) == "ran\n":
        return None
    (error,) = outputs
    assert error["ename"] == "LabRuntimeMismatch"
    return error["evalue"]


@pytest.mark.release
def test_a_manifest_edited_while_the_notebook_is_open_is_checked_again(page: Lab) -> None:
    open_here(page, "edited/lab.ipynb")
    badge = page.page.locator(".bg-LabBadge")
    expect(badge).to_have_text("adding 1.0.0")
    assert refused(page) is None
    page.js(SAVE, ["edited/manifest.json", json.dumps(MANIFEST | {"requires_browsergrad": "1.0.0"})])
    expect(badge).to_have_count(0)
    assert refused(page) == "lab requires 1.0.0, runtime is 0.8.1"
    page.page.locator(".jp-Dialog .jp-mod-accept").click()
    page.js("() => kernel.restart()")
    assert refused(page) == "lab requires 1.0.0, runtime is 0.8.1"
    page.js("() => panel.sessionContext.changeKernel({ name: 'python3' })")
    assert refused(page) == "lab requires 1.0.0, runtime is 0.8.1"
    page.js(MOVE, ["edited/lab.ipynb", "edited/renamed.ipynb"])
    assert refused(page) == "lab requires 1.0.0, runtime is 0.8.1"
    page.js(MOVE, ["edited/renamed.ipynb", "free.ipynb"])
    assert refused(page) is None


@pytest.mark.thinned(2)
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (json.dumps(MANIFEST).replace("{", '{"id": "other", ', 1), '/id: the key "id" comes more than once'),
        ('"' + "x" * 10_000_000 + '"', "has 10000002 bytes, at most 1048576 are allowed"),
    ],
    ids=["doubled", "10 MB"],
)
def test_an_invalid_manifest_is_refused_with_its_problems(
    page: Lab, server: tuple[str, Path], text: str, message: str
) -> None:
    (server[1] / "plain" / "manifest.json").write_text(text, "utf-8")
    open_here(page, "plain/plain.ipynb")
    expect(page.page.locator(".bg-LabBanner")).to_contain_text(message)
    assert message in str(refused(page))
    (server[1] / "plain" / "manifest.json").unlink()


def test_hand_in_files_are_made_and_what_needs_the_browsers_storage_is_absent(page: Lab, tmp_path: Path) -> None:
    open_here(page, "good/lab.ipynb")
    with page.page.expect_download() as waiting:
        page.js("() => { void jupyterapp.commands.execute('browsergrad:make-hand-in'); }")
    waiting.value.save_as(tmp_path / waiting.value.suggested_filename)
    toast = page.page.locator(".Toastify__toast", has_text="is in your downloads")
    expect(toast).to_contain_text("It is not encrypted: anybody can read it.")
    found = read_hand_in(next(tmp_path.iterdir()).read_bytes(), [], 1 << 24)
    assert found.about["lab"] == {"id": "adding", "version": "1.0.0"}
    assert {"lab.ipynb", "manifest.json", "rubric.py"} <= set(found.paths)
    commands = page.js("() => jupyterapp.commands.listCommands().filter(one => one.startsWith('browsergrad:'))")
    assert "browsergrad:make-hand-in" in commands
    absent = {"show-history", "download-work", "open-work", "keep-folder"}
    assert not absent & {one.removeprefix("browsergrad:") for one in commands}
    page.page.get_by_role("menuitem", name="File", exact=True).click()
    menu = page.page.locator(".lm-Menu")
    expect(menu.locator(".lm-Menu-item", has_text="Make Hand-In File")).to_be_visible()
    expect(menu.locator(".lm-Menu-item", has_text=re.compile("History|My Work|in Step"))).to_have_count(0)
    assert page.page.locator("#jp-browsergrad-work, #browsergrad-history").count() == 0
    page.page.keyboard.press("Escape")


def test_settings_of_sites_are_hidden_on_servers(page: Lab) -> None:
    page.js(SHOW_SETTINGS)
    plugins = page.page.locator(".jp-PluginList")
    expect(plugins.get_by_text("Updates of labs")).to_be_visible()
    expect(plugins.get_by_text("Student's work")).to_have_count(0)


def test_a_newer_lab_comes_from_the_folder_of_the_teacher(page: Lab, server: tuple[str, Path]) -> None:
    root = server[1]
    settings = '{"labsFolder": "course"}'
    page.js("text => jupyterapp.serviceManager.settings.save('jupyterlite-browsergrad:updates', text)", settings)
    page.page.reload()
    wait_for_app(page.page)
    open_here(page, "own/lab.ipynb")
    page.js("() => { panel.content.model.sharedModel.insertCell(1, { cell_type: 'code', source: 'answer = 42' }); }")
    notice = page.page.locator(".Toastify__toast", has_text="Lab adding: version 1.1.0 is here, you have 1.0.0.")
    notice.get_by_role("button", name="Update").click()
    page.page.locator(".jp-Dialog").get_by_role("button", name="Update").click()
    done = page.page.locator(
        ".Toastify__toast", has_text="The lab is up to date. What you had before is in lab-before-"
    )
    done.wait_for()
    sources = [source for _, source in saved_cells(root / "own/lab.ipynb")]
    assert {"answer = 42", "z = 3"} <= set(sources)
    assert json.loads((root / "own/manifest.json").read_text("utf-8"))["version"] == "1.1.0"
    (copy,) = (root / "own").glob("lab-before-*.ipynb")
    assert "answer = 42" in [source for _, source in saved_cells(copy)]
    done.get_by_role("button", name="Undo").click()
    page.page.wait_for_function("panel.content.model.cells.length === 3")
