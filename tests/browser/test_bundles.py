"""Outputs of the module's displays in notebooks: small, and the same in the browser kernel and in an ordinary one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import browsergrad
import jsonschema
import nbclient
import nbformat
import pytest
from conftest import Lab, Run
from hangs import HANG_S

from browsergrad._mime import ARTIFACT_MIME, ASSERTIONS_MIME  # isort: skip  # the module that the environment has installed

pytestmark = pytest.mark.pages("isolated")

SCHEMAS = {
    mime: json.loads((Path(browsergrad.__file__).parent / "schemas" / f"{kind}.v1.schema.json").read_text("utf-8"))
    for mime, kind in ((ASSERTIONS_MIME, "assertions"), (ARTIFACT_MIME, "artifact"))
}
CELLS = [
    "import browsergrad as bg\nbg.assert_pass('adds')\nbg.assert_fail('zero', 'wrong sign', expected=0, actual=-1)\nbg.assert_fail('none', 'm', expected=None, actual=[1, {'a': 2.5}])",
    "with bg.check('sorts'):\n    assert sorted([2, 1]) == [1, 3]\n@bg.check('raises')\ndef f():\n    1 / 0\nf()",
    "bg.log('timing', {'seconds': 0.2}, level='warn')\nbg.emit_json('curve', {'x': [0, 1], 'loss': [2, 1.5]})",
    "bg.emit_image('dot', 'image/png', 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==')",
    "bg.assert_error('breaks', 'it broke', exc=ValueError('x <b>bold</b>'))\nfor i in range(1500): bg.assert_pass(f'p{i}')",
    "print(len(bg.results()))",
]
MANY = (
    "import browsergrad as bg\nfor i in range(10_000):\n"
    "    bg.assert_fail(f'case {i}', 'm', expected=i, actual=-i) if i % 100 == 0 else bg.assert_pass(f'case {i}')"
)


def without_times(value: Any) -> Any:
    text = json.dumps(value, sort_keys=True)
    text = re.sub(r'"durationMs": [\d.e-]+', '"durationMs": 0', text)
    text = re.sub(r"[\d.]+ (ms|s)\b", "0 ms", text)
    # File names and addresses differ between kernels.
    return re.sub(r"File [^,]*, line|<ipython-input-[^>]*>|0x[0-9a-f]+", "", text)


def shown(run: Run) -> list[dict[str, Any]]:
    """The data of a cell's displays after all updates, without a display that was emptied. Checks that it follows our schemas."""
    displays: dict[str, dict[str, Any]] = {}
    for message in run.messages:
        if message["type"] in ("display_data", "update_display_data"):
            content = message["content"]
            key = content.get("transient", {}).get("display_id") or f"#{len(displays)}"
            displays[key] = content["data"]
    kept = [data for data in displays.values() if data != {"text/plain": ""}]
    for data in kept:
        (ours,) = SCHEMAS.keys() & data
        jsonschema.Draft202012Validator(SCHEMAS[ours]).validate(data[ours])
        assert data["text/html"] and data["text/plain"]
    return kept


@pytest.fixture(scope="module")
def ordinary() -> list[list[dict[str, Any]]]:
    """The outputs that nbclient stores when it runs the same cells with ipykernel."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in CELLS])
    nbclient.NotebookClient(notebook, kernel_name="python3", timeout=HANG_S).execute()
    return [
        [dict(output.data) for output in cell.outputs if output.output_type == "display_data"]
        for cell in notebook.cells
    ]


def test_both_kernels_store_equal_bundles(lab: Lab, ordinary: list[list[dict[str, Any]]]) -> None:
    runs = [lab.run(code) for code in CELLS]
    assert [run.content["status"] for run in runs] == ["ok"] * len(CELLS)
    for run, stored in zip(runs, ordinary, strict=True):
        assert [without_times(data) for data in shown(run)] == [without_times(data) for data in stored]
    assert [len(stored) for stored in ordinary] == [1, 1, 2, 1, 1, 0]
    assert runs[-1].text() == "1506\n"


def test_ten_thousand_assertions_are_one_small_output(lab: Lab) -> None:
    run = lab.run(MANY)
    (data,) = shown(run)
    assert data[ASSERTIONS_MIME]["counts"] == {"pass": 9900, "fail": 100, "error": 0}
    assert len(json.dumps(data)) < 1_000_000
    assert len(run.messages) < 200, "updates are throttled"


def test_ten_thousand_failures_keep_their_detail_in_a_small_output(lab: Lab) -> None:
    run = lab.run(
        "import browsergrad as bg\nfor i in range(10_000): bg.assert_fail(f'c{i}', 'm', expected=i, actual=-i)"
    )
    (data,) = shown(run)
    assert data[ASSERTIONS_MIME]["counts"]["fail"] == 10_000
    assert len(data[ASSERTIONS_MIME]["assertions"]) == 10_000
    assert len(json.dumps(data)) < 1_000_000


#: A repr that prints when it begins, and never ends.
ENDLESS = """import browsergrad as bg
from browsergrad import _text
_text.REPR_SECONDS = {seconds}
class Endless:
    def __repr__(self):
        print('begun', flush=True)
        while True:
            try:
                int('x')
            except Exception:
                pass
try:
    bg.assert_fail('endless', 'm', expected=[1, Endless()], actual=2)
finally:
    _text.REPR_SECONDS = 2.0"""
#: Runs a cell and stops it when it prints.
STOPPED = """async code => {
  const future = kernel.requestExecute({ code });
  future.onIOPub = message => { if (message.header.msg_type === 'stream') void kernel.interrupt(); };
  return (await future.done).content;
}"""


def test_a_repr_that_never_ends_is_cut(lab: Lab) -> None:
    run = lab.run(ENDLESS.format(seconds=1))
    assert run.content["status"] == "ok"
    (data,) = shown(run)
    (failure,) = data[ASSERTIONS_MIME]["assertions"]
    assert failure["expectedRepr"] == "[1, … (repr took longer than 1 seconds)"
    assert failure["actualRepr"] == "2"


def test_a_repr_that_never_ends_can_be_stopped(lab: Lab) -> None:
    assert lab.js(STOPPED, ENDLESS.format(seconds=600))["ename"] == "KeyboardInterrupt"
    run = lab.run("import browsergrad as bg\nbg.assert_fail('next', 'm', expected=1, actual=2)")
    assert [one["name"] for one in shown(run)[0][ASSERTIONS_MIME]["assertions"]] == ["next"]


#: Odd arguments, and the start of the error. None if the argument is accepted, cut or taken as text.
HOSTILE = [
    ("bg.assert_pass('n' * 10**7)", None),
    ("bg.assert_fail('n', 'm' * 10**7, expected='e' * 10**7, actual=['a'] * 10**6)", None),
    ("bg.assert_error('n', 'm', exc=ValueError('x' * 10**7))", None),
    ("bg.assert_fail('<script>\\u202e\\0', '\\ud800', expected=float('nan'), actual=float('-inf'))", None),
    (
        "class Bad:\n  def __repr__(self): raise SystemExit\nbg.assert_fail('n', 'm', expected=Bad(), actual=[Bad()])",
        None,
    ),
    ("own = []; own.append(own); bg.assert_fail('n', 'm', expected=own, actual=1); bg.log('n', own)", None),
    ("bg.log('n', 'x' * 10**7, level='error')", None),
    ("bg.log('n', float('inf'))", None),
    ("bg.emit_json('n', {'a': ['x' * 10**7]})", None),
    ("own = {}; own['own'] = own; bg.emit_json('n', own)", "ValueError: $.own holds itself"),
    ("deep = []\nfor _ in range(10**5): deep = [deep]\nbg.emit_json('n', deep)", "ValueError: $[0][0]"),
    ("bg.emit_json('n', {'a': [0.0, float('nan')]})", "ValueError: $.a[1] is nan"),
    ("bg.emit_json('n', {'a': {1, 2}})", "TypeError: $.a is of type set"),
    ("bg.emit_image('n', 'text/html', 'eA==')", "ValueError: mime must be one of"),
    ("bg.emit_image('n', 'image/png', 'javascript:alert(1)')", "ValueError: data_base64 is not base64"),
]


@pytest.mark.thinned(3)
@pytest.mark.parametrize(("code", "error"), HOSTILE)
def test_hostile_values_are_cut_or_refused(code: str, error: str | None, lab: Lab) -> None:
    run = lab.run(f"import browsergrad as bg\n{code}")
    if error:
        assert f"{run.content['ename']}: {run.content['evalue']}".startswith(error)
        assert shown(run) == []
    else:
        assert run.content["status"] == "ok"
        assert shown(run)
        for data in shown(run):
            assert len(data["text/html"]) + len(data["text/plain"]) < 100_000
    assert lab.run("1 + 1").result == "2"
