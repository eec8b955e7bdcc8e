"""The places where events go: a host's sink, a notebook, a terminal."""

from __future__ import annotations

import html
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import browsergrad as bg
import jsonschema
import nbformat
import pytest
from browsergrad import _mime, _notebook, _render, _sink
from hangs import HANG_S
from hypothesis import given, strategies
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from jupyter_client.manager import start_new_kernel

SHIM = str(Path(bg.__file__).parents[1])
SCHEMAS = {
    mime: json.loads((Path(bg.__file__).parent / "schemas" / f"{kind}.v1.schema.json").read_text("utf-8"))
    for mime, kind in ((_mime.ASSERTIONS_MIME, "assertions"), (_mime.ARTIFACT_MIME, "artifact"))
}
PIXEL = "iVBORw0KGgo="
HOSTILE = "<script>alert(1)</script>\u202e\0\"'&\n"


class RecordingPublisher(DisplayPublisher):
    """Keeps the messages that a front end would get."""

    def publish(
        self, data: Any, metadata: Any = None, *, transient: Any = None, update: bool = False, **_: Any
    ) -> None:
        record = {"data": json.loads(json.dumps(data)), "transient": transient or {}, "update": update}
        self.shell.user_ns["published"].append(record)


class RecordingShell(InteractiveShell):
    display_pub_class = RecordingPublisher


@pytest.fixture
def shell() -> Iterator[RecordingShell]:
    RecordingShell.clear_instance()
    shell = RecordingShell.instance()
    shell.history_manager.enabled = False
    shell.user_ns.update(published=[], bg=bg)
    yield shell
    _sink.reset()
    shell.history_manager.end_session()
    shell.configurables.clear()
    RecordingShell.clear_instance()


def published(shell: RecordingShell) -> list[dict[str, Any]]:
    return shell.user_ns["published"]


class Tags(HTMLParser):
    """The names of the tags and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes.update(name for name, _ in attrs)


def validate(bundle: dict[str, Any]) -> None:
    """Check an output against our schemas, and as an output of a saved notebook."""
    for mime, schema in SCHEMAS.items():
        if mime in bundle:
            jsonschema.Draft202012Validator(schema).validate(bundle[mime])
    assert {"text/html", "text/plain"} <= set(bundle)
    output = nbformat.v4.new_output("display_data", bundle)
    cell = nbformat.v4.new_code_cell(outputs=[output])
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))


@pytest.mark.parametrize("mime", SCHEMAS)
def test_the_schemas_are_schemas(mime: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[mime])
    assert SCHEMAS[mime]["title"] == mime


def test_schemas_refuse_what_is_not_in_the_design() -> None:
    artifact = jsonschema.Draft202012Validator(SCHEMAS[_mime.ARTIFACT_MIME])
    assert not artifact.is_valid({"kind": "image", "name": "i", "mime": "text/html", "dataBase64": "abcd"})
    assert not artifact.is_valid({"kind": "json", "name": "", "data": 1})
    assertions = jsonschema.Draft202012Validator(SCHEMAS[_mime.ASSERTIONS_MIME])
    counts = {"pass": 0, "fail": 1, "error": 0}
    assert not assertions.is_valid({"assertions": [{"kind": "fail", "name": "f"}], "counts": counts})
    assert not assertions.is_valid({"assertions": []})


# --- notebook


def test_a_short_cell_has_one_display(shell: RecordingShell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_notebook, "FIRST_UPDATE", 1000)
    shell.run_cell("bg.assert_pass('a'); bg.assert_fail('b', 'm')")
    (message,) = published(shell)
    assert not message["update"]
    assert message["data"]["text/plain"].startswith("1 passed, 1 failed, 0 errors\n")


def test_a_cell_that_goes_on_shows_how_far_it_is(shell: RecordingShell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_notebook, "FIRST_UPDATE", 0)
    shell.run_cell(
        "for i in range(10_000): bg.assert_pass(f'p{i}')\nfor i in range(1500): bg.assert_fail(f'f{i}', 'm')"
    )
    first, *updates, emptied, last = published(shell)
    assert [message["update"] for message in (first, *updates, emptied, last)] == [
        False,
        *[True] * len(updates),
        True,
        False,
    ]
    assert len({message["transient"]["display_id"] for message in (first, *updates, emptied)}) == 1
    assert last["transient"]["display_id"] != first["transient"]["display_id"]
    assert first["data"]["text/plain"].startswith("1 passed, 0 failed, 0 errors so far: the cell is running\n")
    assert " so far: the cell is running</strong>" in first["data"]["text/html"]
    assert emptied["data"] == {"text/plain": ""}
    assert len(updates) < 100
    bundle = last["data"]
    assert bundle["text/plain"].startswith("10,000 passed, 1,500 failed, 0 errors\n")
    validate(bundle)
    content = bundle[_mime.ASSERTIONS_MIME]
    assert content["counts"] == {"pass": 10_000, "fail": 1500, "error": 0}
    assert [event["name"] for event in content["assertions"]] == [
        *(f"p{i}" for i in range(1000)),
        *(f"f{i}" for i in range(1500)),
    ]
    assert "and 9,900 more passed" in bundle["text/plain"]
    assert len(bg.results()) == 11_500


def test_many_failures_of_long_values_are_kept_in_brief(shell: RecordingShell) -> None:
    shell.run_cell("for i in range(10_000): bg.assert_fail(f'f{i}', 'm' * 100, 'e' * 2000, 'a' * 2000)")
    bundle = published(shell)[-1]["data"]
    validate(bundle)
    content = bundle[_mime.ASSERTIONS_MIME]
    assert content["counts"] == {"pass": 0, "fail": 10_000, "error": 0}
    assert [event["name"] for event in content["assertions"]] == [f"f{i}" for i in range(10_000)]
    first, last = content["assertions"][0], content["assertions"][-1]
    assert first["expectedRepr"] == repr("e" * 2000)
    assert last == {
        "kind": "fail",
        "name": "f9999",
        "message": "m" * 30 + "…",
        "expectedRepr": "'" + "e" * 29 + "…",
        "actualRepr": "'" + "a" * 29 + "…",
    }
    assert len(json.dumps(bundle, ensure_ascii=False)) < 3_000_000
    assert bg.results()[-1]["expectedRepr"] == repr("e" * 2000)


def test_each_cell_has_its_own_display(shell: RecordingShell) -> None:
    for _ in range(2):
        shell.run_cell("bg.assert_pass('a'); bg.assert_pass('b')")
    identities = [message["transient"]["display_id"] for message in published(shell)]
    assert len(set(identities)) == 2
    assert published(shell)[-1]["data"][_mime.ASSERTIONS_MIME]["counts"]["pass"] == 2


def test_a_cell_without_assertions_shows_none(shell: RecordingShell) -> None:
    shell.run_cell("bg.assert_pass('a')")
    shell.run_cell("1 + 1")
    assert len(published(shell)) == 1


@pytest.mark.parametrize("ending", ["1 / 0", "raise KeyboardInterrupt", "raise SystemExit"])
@pytest.mark.filterwarnings("ignore:To exit")
def test_the_display_comes_however_the_cell_ends(
    ending: str, shell: RecordingShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_notebook, "FIRST_UPDATE", 1000)
    shell.run_cell(f"for i in range(100): bg.assert_pass(f'p{{i}}')\n{ending}")
    assert len(published(shell)) == 1
    assert published(shell)[-1]["data"][_mime.ASSERTIONS_MIME]["counts"]["pass"] == 100


def test_an_update_that_was_interrupted_is_made_up_for(shell: RecordingShell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_notebook, "FIRST_UPDATE", 0)
    publish = _notebook._publish

    def interrupted(*args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(_notebook, "_publish", publish)
        raise KeyboardInterrupt

    monkeypatch.setattr(_notebook, "_publish", interrupted)
    shell.run_cell("bg.assert_pass('a')")
    (message,) = published(shell)
    assert not message["update"]
    assert message["data"][_mime.ASSERTIONS_MIME]["counts"]["pass"] == 1


def test_updates_come_during_a_long_await(shell: RecordingShell) -> None:
    code = """
import asyncio
bg.assert_pass('a'); bg.assert_pass('b')
while not published:
    await asyncio.sleep(0.01)
"""
    shell.run_cell(code)
    first, _emptied, last = published(shell)
    for message in (first, last):
        assert message["data"][_mime.ASSERTIONS_MIME]["counts"]["pass"] == 2


def test_an_assertion_after_the_cell_updates_its_display(
    shell: RecordingShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_notebook, "UPDATE_INTERVAL", 0)
    monkeypatch.setattr(_notebook, "UPDATE_COST", 0)
    shell.run_cell("bg.assert_pass('a')")
    bg.assert_pass("late")
    first, update = published(shell)
    assert update["update"] and update["transient"] == first["transient"]
    assert update["data"][_mime.ASSERTIONS_MIME]["counts"]["pass"] == 2


def test_a_cell_that_runs_another_loses_no_assertion(shell: RecordingShell) -> None:
    shell.run_cell("bg.assert_pass('a')\nget_ipython().run_cell('bg.assert_pass(\"inner\")')\nbg.assert_pass('b')")
    last = {message["transient"]["display_id"]: message["data"] for message in published(shell)}
    names = [event["name"] for data in last.values() for event in data[_mime.ASSERTIONS_MIME]["assertions"]]
    assert names == ["a", "inner", "b"]


def test_what_is_captured_is_displayed_again_outside(shell: RecordingShell) -> None:
    shell.run_cell("bg.log('choose', 1)")
    published(shell).clear()
    shell.user_ns["capture_output"] = capture_output
    shell.run_cell("with capture_output() as taken: bg.assert_pass('a')\nbg.assert_pass('b')")
    (message,) = published(shell)
    assert not message["update"]
    assert len(shell.user_ns["taken"].outputs) == 1
    assert message["data"][_mime.ASSERTIONS_MIME]["counts"]["pass"] == 2


def test_counts_are_exact_with_threads(shell: RecordingShell) -> None:
    def report() -> None:
        for _ in range(500):
            bg.assert_pass("p")

    shell.user_ns.update(report=report, threading=threading)
    code = "threads = [threading.Thread(target=report) for _ in range(8)]\n"
    shell.run_cell(code + "for t in threads: t.start()\nfor t in threads: t.join()")
    assert published(shell)[-1]["data"][_mime.ASSERTIONS_MIME]["counts"]["pass"] == 4000


@pytest.mark.parametrize(
    ("code", "native"),
    [
        ("bg.log('n', {'a': 1})", set()),
        ("bg.log('n', 'text', 'error')", set()),
        ("bg.emit_json('n', [1, {'a': None}])", {"application/json"}),
        ("bg.emit_json('n', 1)", {"application/json"}),
        (f"bg.emit_image('n', 'image/png', {PIXEL!r})", {"image/png"}),
        (f"bg.emit_image('n', 'image/svg+xml', {PIXEL!r})", set()),
    ],
)
def test_artifacts_carry_fallbacks(code: str, native: set[str], shell: RecordingShell) -> None:
    shell.run_cell(code)
    (message,) = published(shell)
    assert set(message["data"]) == {_mime.ARTIFACT_MIME, "text/html", "text/plain"} | native
    validate(message["data"])


def test_fallbacks_write_series_on_one_line(shell: RecordingShell) -> None:
    shell.run_cell("bg.emit_json('n', {'x': list(range(9)), 'rows': [[1, 'a'], {}, {'b': None}], 'text': 'é'})")
    (message,) = published(shell)
    shown = html.unescape(message["data"]["text/html"].split(">", 4)[4].split("</pre>")[0])
    assert (
        shown
        == """{
  "x": [0, 1, 2, 3, 4, 5, 6, 7, 8],
  "rows": [
    [1, "a"],
    {},
    {
      "b": null
    }
  ],
  "text": "é"
}"""
    )


@given(strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.text(),
    lambda inner: strategies.lists(inner) | strategies.dictionaries(strategies.text(), inner),
))  # fmt: skip
def test_what_fallbacks_write_is_the_data(data: Any) -> None:
    assert json.loads("".join(_render._pretty(data))) == data


def test_fallbacks_escape_all_that_users_give(shell: RecordingShell) -> None:
    shell.user_ns["hostile"] = HOSTILE
    shell.run_cell(
        "bg.assert_pass(hostile); bg.assert_fail(hostile, hostile, hostile, [hostile])\n"
        "with bg.check(hostile): raise ValueError(hostile)\n"
        f"bg.log(hostile, hostile); bg.emit_json(hostile, {{hostile: hostile}})\n"
        f"bg.emit_image(hostile, 'image/svg+xml', {PIXEL!r})"
    )
    kept = published(shell)[-1]["data"][_mime.ASSERTIONS_MIME]["assertions"]
    assert [event["name"] for event in kept] == [HOSTILE] * 3
    for message in published(shell):
        validate(message["data"])
        page, text = message["data"]["text/html"], message["data"]["text/plain"]
        tags = Tags(page)
        assert tags.names <= {
            "div", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "br", "code", "details",
            "summary", "pre", "ul", "li", "figure", "figcaption", "img",
        }  # fmt: skip
        assert tags.attributes <= {"style", "scope", "alt", "src"}
        for shown in (page, text):
            assert "\u202e" not in shown
            assert "\0" not in shown
        assert "\\u202e" in text


# --- terminals and hosts


def run_python(code: str, **options: Any) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        check=True,
        env={"PYTHONPATH": SHIM, "PYTHONIOENCODING": options.get("encoding", "utf-8")},
    )
    assert done.stderr == b""
    return done.stdout.decode(options.get("encoding", "utf-8"))


def test_plain_python_prints_one_line_an_event() -> None:
    text = run_python(
        "import browsergrad as bg, sys\n"
        "bg.assert_pass('a\\nb')\n"
        "bg.assert_fail('f', 'm', None, 'x' * 10**6)\n"
        "bg.assert_error('e', 'broken')\n"
        "bg.log('l', {'a': 1}, 'warn')\n"
        "bg.emit_json('j', [1])\n"
        f"bg.emit_image('i', 'image/png', {PIXEL!r})\n"
        "assert 'IPython' not in sys.modules"
    )
    lines = text.splitlines()
    assert lines[0] == "pass a\\nb"
    assert lines[1].startswith("FAIL f: m (expected None, got 'xxx")
    assert len(lines[1]) < 600
    assert lines[2:] == ["ERROR e: broken", 'warn l: {"a": 1}', "json j: [1]", "image i: image/png, 9 bytes"]


def test_a_terminal_without_unicode_gets_escapes() -> None:
    assert run_python("import browsergrad as bg; bg.assert_pass('\\u2713')", encoding="ascii") == "pass \\u2713\n"


def test_an_ipython_terminal_gets_lines_too(capsys: pytest.CaptureFixture[str]) -> None:
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    try:
        bg.assert_pass("a")
        assert capsys.readouterr().out == "pass a\n"
    finally:
        shell.history_manager.end_session()
        shell.configurables.clear()
        InteractiveShell.clear_instance()


def test_a_host_takes_all_further_events(capsys: pytest.CaptureFixture[str]) -> None:
    bg.assert_pass("printed")
    record: list[dict[str, Any]] = []
    _sink.install(record.append)
    bg.assert_pass("given")
    _sink.reset()
    assert bg.results() == []
    bg.assert_pass("printed again")
    assert [message["event"]["name"] for message in record] == ["given"]
    assert capsys.readouterr().out == "pass printed\npass printed again\n"


def test_an_ordinary_kernel_shows_bundles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", SHIM)
    manager, client = start_new_kernel(kernel_name="python3")
    messages: list[dict[str, Any]] = []
    try:
        code = "import browsergrad as bg\nfor i in range(2000): bg.assert_pass(f'p{i}')\nbg.emit_json('j', 1)\n1 / 0"
        reply = client.execute_interactive(code, output_hook=messages.append, timeout=HANG_S)
        assert reply["content"]["ename"] == "ZeroDivisionError"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    shown = [message for message in messages if "display_data" in message["msg_type"]]
    last = [m["content"]["data"] for m in shown if _mime.ASSERTIONS_MIME in m["content"]["data"]][-1]
    assert last[_mime.ASSERTIONS_MIME]["counts"] == {"pass": 2000, "fail": 0, "error": 0}
    created = [message for message in shown if message["msg_type"] == "display_data"]
    assert len(created) == 2
    for message in shown:
        validate(message["content"]["data"])
