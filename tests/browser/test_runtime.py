"""The runtime in a plain page, without a bundler and without Jupyter."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, new_page, serve
from hangs import HANG_MS
from playwright.sync_api import Browser, Page

from jupyterlite_browsergrad.site.wheels import read_wheel

pytestmark = pytest.mark.pages("either")

#: `hardStop(session)` runs code that no interrupt ends, aborts it when it runs, and returns the result.
HARD_STOP = """() => { window.hardStop = session => { const controller = new AbortController();
  const code = "print('in')\\nwhile True:\\n  try:\\n    while True: pass\\n  except KeyboardInterrupt: pass";
  return session.exec({ code, signal: controller.signal, onStdout: () => controller.abort() }); }; }"""


@pytest.fixture(scope="module")
def page(browser: Browser, base: str, static: str) -> Iterator[Page]:
    page = new_page(browser)
    page.goto(f"{base}{static}/kernel/manifest.json")
    page.evaluate(
        """async base => { window.rt = await import(`${base}/runtime/index.js`); window.options = { pyodideIndexURL: `${base}/pyodide/` };
        window.session = await rt.createSession(options);
        window.exec = async options => { const seen = { out: '', assertions: [], artifacts: [] };
          const result = await session.exec({ ...options, onStdout: t => { seen.out += t; }, onAssertion: a => seen.assertions.push(a), onArtifact: a => seen.artifacts.push(a) });
          return { ...result, seen }; };
        window.code = promise => promise.then(() => 'resolved', e => e.code); }""",
        static,
    )
    page.evaluate(HARD_STOP)
    yield page
    page.context.close()


def run(page: Page, code: str, **options: Any) -> dict[str, Any]:
    return page.evaluate("options => exec(options)", {"code": code, **options})


def test_the_namespace_persists_and_output_streams(page: Page) -> None:
    assert run(page, "x = 20")["ok"]
    result = run(page, "print(x + 1)")
    assert result["stdout"] == result["seen"]["out"] == "21\n"


def test_indented_snippets_run(page: Page) -> None:
    assert run(page, "\n      if True:\n        print('in')\n    ")["stdout"] == "in\n"


def test_assertions_and_artifacts_arrive_in_order(page: Page) -> None:
    code = "import browsergrad as bg\nbg.assert_pass('a')\nbg.assert_fail('b', 'no', expected=None, actual=1)\nbg.emit_json('j', [1])\nbg.log('l', 'x')"
    result = run(page, code)
    assert [a["kind"] for a in result["assertions"]] == ["pass", "fail"]
    assert result["assertions"][1]["expectedRepr"] == "None"
    assert [a["kind"] for a in result["artifacts"]] == ["json", "log"]
    assert result["seen"]["assertions"] == result["assertions"]


@pytest.mark.parametrize(
    ("code", "options", "kind"),
    [
        ("def f(:", {}, "syntax"),
        ("1 / 0", {}, "runtime"),
        ("import sys\nsys.exit(1)", {}, "runtime"),
        ("while True: pass", {"timeoutMs": 200}, "timeout"),
        ("import time\ntime.sleep(60)", {"timeoutMs": 200}, "timeout"),
        ("import asyncio\nawait asyncio.sleep(60)", {"timeoutMs": 200}, "timeout"),
    ],
)
def test_each_error_has_its_kind(page: Page, code: str, options: dict[str, Any], kind: str) -> None:
    run(page, "kept = 1")
    result = run(page, code, **options)
    assert not result["ok"] and result["error"]["kind"] == kind, result
    assert run(page, "print(1)")["stdout"] == "1\n"


def test_a_signal_aborts_and_an_aborted_signal_runs_nothing(page: Page) -> None:
    kinds = page.evaluate(
        """async () => { const controller = new AbortController(); setTimeout(() => controller.abort(), 100);
        const first = await session.exec({ code: 'while True: pass', signal: controller.signal });
        const second = await session.exec({ code: 'never = 1', signal: controller.signal });
        const third = await session.exec({ code: "print('never' in globals())" });
        return [first.error.kind, second.error.kind, third.stdout]; }"""
    )
    assert kinds == ["aborted", "aborted", "False\n"]


def test_code_that_ignores_interrupts_loses_its_worker_and_files_come_back(page: Page) -> None:
    page.evaluate("() => session.fs.write('deep/er/a.txt', 'kept')")
    code = "while True:\n  try:\n    while True: pass\n  except KeyboardInterrupt: pass"
    result = run(page, code, timeoutMs=200)
    assert result["error"]["kind"] == "timeout" and "namespace was lost" in result["error"]["message"]
    assert result["durationMs"] < HANG_MS
    assert run(page, "print(open('deep/er/a.txt').read(), 'x' in globals())")["stdout"] == "kept False\n"


def test_a_crash_is_told_and_survived(page: Page) -> None:
    result = run(page, "import os\nos._exit(1)")
    assert result["error"]["kind"] == "worker-crash"
    assert run(page, "print(1)")["stdout"] == "1\n"


def test_files_go_both_ways(page: Page) -> None:
    read = page.evaluate(
        "async () => { await session.fs.write('/tmp/b', new Uint8Array([0, 255])); await session.fs.write('/tmp/t', 'grüße'); return [Array.from(await session.fs.readBytes('/tmp/b')), await session.fs.read('/tmp/t'), await session.fs.read('/nowhere').catch(e => [e.code, e.message])]; }"
    )
    assert read == [[0, 255], "grüße", ["file", "/nowhere could not be read: there is no such file (ENOENT)"]]


def test_a_second_exec_is_refused_while_one_runs(page: Page) -> None:
    codes = page.evaluate(
        "async () => { const first = session.exec({ code: 'import asyncio; await asyncio.sleep(0.2)' }); const second = await code(session.exec({ code: '1' })); return [second, (await first).ok]; }"
    )
    assert codes == ["busy", True]


def test_clear_namespace_forgets_names(page: Page) -> None:
    run(page, "forgotten = 1; __name__ = 'mine'; del __builtins__")
    page.evaluate("() => session.clearNamespace()")
    names = run(page, "print(__name__, [name for name in globals() if not name.startswith('__')])")["stdout"]
    assert names == "__main__ []\n", "as in a fresh session"


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("import sys\nsys.exit(1)", {}),
        ("import asyncio, sys\nawait asyncio.sleep(0)\nsys.exit(1)", {}),
        ("raise KeyboardInterrupt", {}),
        ("while True: pass", {"timeoutMs": 200}),
        ("import time\ntime.sleep(60)", {"timeoutMs": 200}),
        ("import asyncio\nawait asyncio.sleep(60)", {"timeoutMs": 200}),
        ("import asyncio\nawait asyncio.sleep(0)\nwhile True: pass", {"timeoutMs": 200}),
    ],
)
def test_what_was_ended_writes_to_no_stderr_then_or_later(page: Page, code: str, options: dict[str, Any]) -> None:
    ended = run(page, code, **options)
    assert ended["error"] is not None and ended["stderr"] == ""
    later = run(page, "import asyncio, gc\ngc.collect()\nawait asyncio.sleep(0)\nprint('clean')")
    assert (later["stdout"], later["stderr"]) == ("clean\n", "")


def test_what_waits_for_a_new_worker_works_and_what_was_aborted_never_runs(page: Page) -> None:
    outcome = page.evaluate(
        """async () => { await session.fs.write('kept.txt', 'kept');
        const stopped = await hardStop(session);
        const controller = new AbortController();
        const waiting = session.exec({ code: "never = 1", signal: controller.signal });
        const files = Promise.all([session.fs.read('kept.txt'), session.fs.write('new.txt', 'new')]);
        setTimeout(() => controller.abort(), 0);
        const aborted = await waiting; const can = session.canInterrupt; const [kept] = await files;
        const next = await session.exec({ code: "print('never' in globals(), open('new.txt').read())" });
        return [stopped.error.kind, aborted.error.kind, aborted.durationMs, can, kept, next.stdout]; }"""
    )
    assert outcome == ["aborted", "aborted", 0, True, "kept", "False new\n"]


def test_a_wrong_signal_leaves_the_session_as_it_was(page: Page) -> None:
    outcome = page.evaluate(
        """async () => { const frame = document.body.appendChild(document.createElement('iframe'));
        const others = new frame.contentWindow.AbortController();
        const codes = await Promise.all([new AbortController(), {}, 'x'].map(signal => code(session.exec({ code: 'wrong = 1', signal }))));
        const fine = await session.exec({ code: "print('wrong' in globals())", signal: others.signal });
        frame.remove(); return [codes, fine.stdout]; }"""
    )
    assert outcome == [["bad-option"] * 3, "False\n"]


def test_bad_options_are_refused(page: Page) -> None:
    codes = page.evaluate(
        """async () => Promise.all([code(rt.createSession()), code(rt.createSession({})), code(rt.createSession({ pyodideIndexURL: 'https://elsewhere.example/' })),
        code(rt.createSession({ ...options, packages: 'numpy' })), code(session.exec({})), code(session.exec({ code: '1', timeoutMs: -1 }))])"""
    )
    assert codes == ["bad-option"] * 6


@pytest.mark.parametrize(
    ("option", "file"),
    [("pyodideIndexURL", "/nothing/here/pyodide-lock.json"), ("kernelURL", "/nothing/here/manifest.json")],
)
def test_a_missing_asset_is_named_with_status_and_remedy(page: Page, option: str, file: str) -> None:
    message = page.evaluate(
        "name => rt.createSession({ ...options, [name]: '/nothing/here/' }).then(() => '', e => `${e.code} ${e.message}`)",
        option,
    )
    assert message.startswith("boot-failed")
    assert file in message and "HTTP 404" in message and option in message
    assert "jupyter browsergrad sync" in message and "jupyter lite" not in message


def test_dispose_settles_what_runs_and_rejects_what_comes(page: Page) -> None:
    outcome = page.evaluate(
        """async () => { const other = await rt.createSession(options); const running = other.exec({ code: 'while True: pass' });
        setTimeout(() => { other.dispose(); other.dispose(); }, 100);
        return [(await running).error.kind, await code(other.exec({ code: '1' })), await code(other.fs.read('/x'))]; }"""
    )
    assert outcome == ["aborted", "disposed", "disposed"]


def test_an_interrupt_has_its_kind_and_keeps_names(page: Page) -> None:
    run(page, "kept = 1")
    outcome = page.evaluate(
        """async () => { session.interrupt(); const running = session.exec({ code: "print('in')\\nwhile True: pass", onStdout: () => { if (session.canInterrupt) session.interrupt(); } });
        const result = await running; return [session.canInterrupt, result.ok, result.error.kind, result.stdout]; }"""
    )
    assert outcome == [True, False, "interrupted", "in\n"]
    assert run(page, "print(kept)")["stdout"] == "1\n", "an interrupt while idle has no effect either"


def test_stderr_and_every_artifact_stream_as_they_come(page: Page) -> None:
    code = """
      import sys, browsergrad as bg
      print('to err', file=sys.stderr)
      bg.log('note', {'n': 1}, level='warn')
      bg.emit_image('dot', 'image/png', 'iVBORw0KGgo=')
      bg.assert_error('broken', 'could not run', exc=ValueError('v'))
    """
    result = run(page, code)
    assert result["stderr"] == "to err\n" and result["stdout"] == ""
    assert result["artifacts"] == result["seen"]["artifacts"]
    log, image = result["artifacts"]
    assert log == {"kind": "log", "name": "note", "level": "warn", "data": {"n": 1}}
    assert image == {"kind": "image", "name": "dot", "mime": "image/png", "dataBase64": "iVBORw0KGgo="}
    (error,) = result["assertions"]
    assert error["kind"] == "error" and "ValueError: v" in error["traceback"]
    assert isinstance(result["durationMs"], (int, float)) and result["error"] is None


def test_a_traceback_names_the_users_lines_only(page: Page) -> None:
    traceback = run(page, "def f():\n    import time\n    time.sleep('x')\nf()")["error"]["traceback"]
    assert "time.sleep('x')" in traceback and "TypeError" in traceback
    assert "browsergrad_kernel" not in traceback
    assert "browsergrad_kernel" not in run(page, "x = (")["error"]["traceback"]


@pytest.fixture(scope="module", params=["isolated", "plain"])
def own_page(
    request: pytest.FixtureRequest, browser: Browser, site: Path, static: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    """A site of an author: the runtime, a package in its distribution's lock, and a JavaScript module."""
    folder = tmp_path_factory.mktemp("own") / "site"
    shutil.copytree(site / static.lstrip("/"), folder)
    path = folder / "pyodide" / "greeter-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("greeter/__init__.py", "def greet(): return 'hello'\n")
        archive.writestr("greeter-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: greeter\nVersion: 1.0\n")
        archive.writestr(
            "greeter-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("greeter-1.0.dist-info/RECORD", "")
    lock_path = folder / "pyodide" / "pyodide-lock.json"
    lock = json.loads(lock_path.read_text("utf-8"))
    lock["packages"]["greeter"] = read_wheel(path).lock_entry([])
    lock_path.write_text(json.dumps(lock), "utf-8")
    (folder / "broken.js").write_text("export default {", "utf-8")
    (folder / "module.js").write_text("export const api = { double: x => 2 * x };\nexport const other = 3;\n", "utf-8")
    server, address = serve(folder, request.param == "isolated")
    page = new_page(browser)
    page.goto(f"{address}/kernel/manifest.json")
    page.evaluate(
        """async () => { window.rt = await import('/runtime/index.js');
        window.lines = async (options, code) => { const session = await rt.createSession({ pyodideIndexURL: '/pyodide/', ...options });
          const { stdout, error } = await session.exec({ code }); const can = session.canInterrupt; session.dispose(); return { stdout, error, can }; }; }"""
    )
    page.evaluate(HARD_STOP)
    yield page
    page.context.close()
    server.shutdown()
    server.server_close()


def test_packages_load_with_progress_and_javascript_modules_import(own_page: Page) -> None:
    outcome, progress = own_page.evaluate(
        """async () => { const progress = []; const jsModules = [{ name: 'page_api', importURL: '/module.js', exportName: 'api' }, { name: 'whole', importURL: '/module.js' }];
        const done = await lines({ packages: ['greeter'], onPackageProgress: p => progress.push([p.package, p.status]), jsModules },
          "import greeter, page_api, whole\\nprint(greeter.greet(), page_api.double(4), whole.other)");
        return [done, progress]; }"""
    )
    assert (outcome["stdout"], outcome["error"]) == ("hello 8 3\n", None)
    assert progress == [["greeter", "loading"], ["greeter", "loaded"]]


def test_clearing_keeps_loaded_packages(own_page: Page) -> None:
    fetched: list[str] = []
    outcome = own_page.evaluate(
        """async () => { window.session = await rt.createSession({ pyodideIndexURL: '/pyodide/', packages: ['greeter'] });
        await session.exec({ code: 'import greeter; mine = 1' });
        await session.clearNamespace();
        return (await session.exec({ code: "print('mine' in globals(), 'greeter' in globals())" })).stdout; }"""
    )
    assert outcome == "False False\n"
    own_page.on("request", lambda request: fetched.append(request.url))
    assert (
        own_page.evaluate("async () => (await session.exec({ code: 'import greeter; print(greeter.greet())' })).stdout")
        == "hello\n"
    )
    assert fetched == []
    own_page.evaluate("() => session.dispose()")


def test_a_package_that_is_unknown_is_reported_and_named(own_page: Page) -> None:
    message, progress = own_page.evaluate(
        """async () => { const progress = []; const onPackageProgress = p => progress.push([p.package, p.status]);
        return [await rt.createSession({ pyodideIndexURL: '/pyodide/', packages: ['no-such-thing'], onPackageProgress }).then(() => '', String), progress]; }"""
    )
    assert "/pyodide/pyodide-lock.json names no package no-such-thing" in message
    assert progress == [["no-such-thing", "failed"]]


def test_without_an_interrupt_buffer_only_hard_stops_remain(own_page: Page) -> None:
    outcome = own_page.evaluate(
        """async () => { const session = await rt.createSession({ pyodideIndexURL: '/pyodide/', disableInterruptBuffer: true });
        const running = session.exec({ code: "import sys\\nprint('in')\\nprint('side', file=sys.stderr)\\nprint('last')\\nwhile True: pass", timeoutMs: 2000, onStdout: () => session.interrupt() });
        const first = await running;
        const second = await session.exec({ code: "print('first' in globals())" });
        const can = session.canInterrupt; session.dispose();
        return [can, first.stdout, first.stderr, first.error.kind, first.error.message, second.stdout]; }"""
    )
    can, stdout, stderr, kind, message, after = outcome
    assert (can, stdout, stderr, kind, after) == (False, "in\nlast\n", "side\n", "timeout", "False\n")
    assert "namespace was lost" in message


def test_a_worker_that_is_missing_is_named_with_status_and_remedy(own_page: Page) -> None:
    own_page.context.route("**/runtime/worker.js", lambda route: route.fulfill(status=404))
    message = own_page.evaluate(
        "() => rt.createSession({ pyodideIndexURL: '/pyodide/' }).then(() => '', e => `${e.code} ${e.message}`)"
    )
    own_page.context.unroute("**/runtime/worker.js")
    assert message.startswith("boot-failed") and "/runtime/worker.js could not be loaded (HTTP 404)" in message
    assert "worker: () => new Worker" in message


def test_a_function_makes_a_worker_for_each_start(own_page: Page) -> None:
    outcome = own_page.evaluate(
        """async () => { let made = 0; const worker = () => { made++; return new Worker('/runtime/worker.js', { type: 'module' }); };
        const session = await rt.createSession({ pyodideIndexURL: '/pyodide/', worker });
        const first = await hardStop(session);
        const second = await session.exec({ code: 'print(6)' });
        await session.dispose();
        return [first.error.kind, second.stdout, made]; }"""
    )
    assert outcome == ["aborted", "6\n", 2]


def test_a_worker_of_the_pages_own_is_used_for_the_first_boot(own_page: Page) -> None:
    outcome = own_page.evaluate(
        """async () => { const made = []; const Own = Worker;
        window.Worker = class extends Own { constructor(...args) { super(...args); made.push(String(args[0])); } };
        const worker = new Own('/runtime/worker.js', { type: 'module' });
        let heard = 0; worker.addEventListener('message', () => { heard++; });
        const session = await rt.createSession({ pyodideIndexURL: '/pyodide/', worker });
        const first = await session.exec({ code: 'print(5)' });
        const before = made.length;
        await session.exec({ code: 'import os; os._exit(1)' });
        const second = await session.exec({ code: 'print(6)' });
        session.dispose(); window.Worker = Own;
        return [first.stdout, heard > 0, before, second.stdout, made.length]; }"""
    )
    assert outcome == ["5\n", True, 0, "6\n", 1]


@pytest.mark.parametrize(
    ("module", "named"),
    [
        ("{ name: 'gone', importURL: '/gone.js' }", "/gone.js"),
        ("{ name: 'gone', importURL: '/module.js', exportName: 'absent' }", "no export named absent"),
        ("{ name: 'gone', importURL: '/broken.js' }", "/broken.js"),
    ],
)
def test_a_module_that_cannot_be_had_is_named(own_page: Page, module: str, named: str) -> None:
    message = own_page.evaluate(
        f"() => rt.createSession({{ pyodideIndexURL: '/pyodide/', jsModules: [{module}] }}).then(() => '', e => `${{e.code}} ${{e.message}}`)"
    )
    assert message.startswith("boot-failed") and named in message


def test_a_package_whose_wheel_is_missing_is_reported_and_named(own_page: Page) -> None:
    own_page.context.route("**/greeter-1.0-py3-none-any.whl", lambda route: route.fulfill(status=404))
    code, message, progress = own_page.evaluate(
        """async () => { const progress = []; const onPackageProgress = p => progress.push([p.package, p.status, p.message ?? '']);
        const error = await rt.createSession({ pyodideIndexURL: '/pyodide/', packages: ['greeter'], onPackageProgress }).then(() => null, e => e);
        return [error?.code, error?.message, progress]; }"""
    )
    imported = own_page.evaluate("() => lines({}, 'import greeter')")
    own_page.context.unroute("**/greeter-1.0-py3-none-any.whl")
    assert code == "boot-failed"
    assert [entry[:2] for entry in progress] == [["greeter", "loading"], ["greeter", "failed"]]
    assert imported["error"]["kind"] == "runtime" and "No module named 'greeter'" in imported["error"]["message"]
    for said in (message, progress[-1][2], imported["error"]["message"], imported["error"]["traceback"]):
        assert "/pyodide/greeter-1.0-py3-none-any.whl is missing (HTTP 404)" in said
        assert "jupyter browsergrad sync" in said and "jupyter lite" not in said


def test_a_callback_that_throws_loses_nothing(page: Page) -> None:
    outcome = page.evaluate(
        """async () => { const heard = []; const onError = e => { heard.push(e.message); e.preventDefault(); };
        addEventListener('error', onError);
        const fail = () => { throw new Error('mine'); };
        const code = "import sys, browsergrad as bg\\nprint('out')\\nprint('err', file=sys.stderr)\\nbg.assert_pass('a')\\nbg.log('l', 1)\\nprint('end')";
        const result = await session.exec({ code, onStdout: fail, onStderr: fail, onAssertion: fail, onArtifact: fail });
        removeEventListener('error', onError);
        return [result.ok, result.stdout, result.stderr, result.assertions.length, result.artifacts.length, [...new Set(heard)]]; }"""
    )
    assert outcome == [True, "out\nend\n", "err\n", 1, 1, ["Uncaught Error: mine"]]


def test_dispose_while_booting_and_idle_settles(own_page: Page) -> None:
    outcome = own_page.evaluate(
        """async () => { const session = await rt.createSession({ pyodideIndexURL: '/pyodide/' });
        session.dispose(); session.interrupt(); session.dispose();
        const code = promise => promise.then(() => 'resolved', e => e.code);
        return Promise.all([code(session.clearNamespace()), code(session.fs.write('/a', 'b')), code(session.fs.readBytes('/a')), code(session.exec({ code: '1' }))]); }"""
    )
    assert outcome == ["disposed"] * 4


def test_the_example_page_runs_and_stops(browser: Browser, site: Path, static: str, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    shutil.copytree(site / static.lstrip("/"), folder)
    shutil.copy(ROOT / "examples" / "vanilla" / "index.html", folder)
    server, address = serve(folder, isolated=True)
    page = new_page(browser)
    page.goto(f"{address}/index.html")
    page.get_by_text("Ready", exact=True).wait_for()
    page.get_by_role("button", name="Run").click()
    page.get_by_text("Done", exact=True).wait_for()
    assert page.locator("#output").inner_text() == "line 0\nline 1\nline 2\n"
    assert page.locator("#assertions li").count() == 2
    assert page.locator("#artifacts li").count() >= 1
    page.get_by_label("Code").fill("while True: pass")
    page.get_by_role("button", name="Run").click()
    page.get_by_text("Running", exact=True).wait_for()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Ended: interrupted").wait_for()
    page.close()
    server.shutdown()
    server.server_close()
