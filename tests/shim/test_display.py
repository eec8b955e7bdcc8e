"""Displays, results and clearing."""

from __future__ import annotations

import base64
import sys
from types import ModuleType

import pytest

from .conftest import Client

PNG = b"\x89PNG\r\n\x1a\nrest"


def test_display_sends_a_mime_bundle(client: Client) -> None:
    (content,) = client.run("from IPython.display import HTML\ndisplay(HTML('<b>x</b>'))").contents("display_data")
    assert content["data"]["text/html"] == "<b>x</b>"


def test_a_display_is_updated_by_its_id(client: Client) -> None:
    client.run("handle = display('old', display_id='one')")
    (content,) = client.run("handle.update('new')").contents("update_display_data")
    assert (content["transient"], content["data"]["text/plain"]) == ({"display_id": "one"}, "'new'")


def test_clear_output_says_whether_to_wait(client: Client) -> None:
    answer = client.run("from IPython.display import clear_output\nclear_output(wait=True)\nclear_output()")
    assert answer.contents("clear_output") == [{"wait": True}, {"wait": False}]


def test_text_printed_before_a_display_comes_before_it(client: Client) -> None:
    answer = client.run("print('a')\ndisplay(1)\nprint('b')")
    assert answer.types[2:5] == ["stream", "display_data", "stream"]


def test_images_given_as_bytes_become_base64(client: Client) -> None:
    code = (
        "class Picture:\n"
        f"    def _repr_mimebundle_(self, **kw): return {{'image/png': {PNG!r}, 'text/plain': 'p'}}\n"
        "Picture()"
    )
    assert client.run(code).contents("execute_result")[0]["data"]["image/png"] == base64.b64encode(PNG).decode()


def test_numbers_that_json_lacks_become_text(client: Client) -> None:
    code = "display({'application/json': {'a': [float('nan'), float('inf'), 1.5]}}, raw=True)"
    (content,) = client.run(code).contents("display_data")
    assert content["data"]["application/json"] == {"a": ["nan", "inf", 1.5]}


def test_a_value_without_a_form_in_json_is_the_cells_error(client: Client) -> None:
    answer = client.run("display({'application/json': {'a': object()}}, raw=True)")
    assert (answer.reply["ename"], answer.of("display_data")) == ("TypeError", [])


def test_lone_surrogates_cross(client: Client) -> None:
    answer = client.run("display({'text/plain': '\\ud800'}, raw=True)")
    assert answer.contents("display_data")[0]["data"]["text/plain"] == "\ud800"


def test_a_hook_can_change_and_keep_back_displays(client: Client) -> None:
    client.run(
        "def hook(message):\n"
        "    if 'secret' in message['content']['data']['text/plain']: return None\n"
        "    message['content']['metadata']['seen'] = message['msg_type']\n"
        "    return message\n"
        "pub = get_ipython().display_pub\npub.register_hook(hook)"
    )
    answer = client.run("display('secret'); display('open')")
    assert [content["metadata"] for content in answer.contents("display_data")] == [{"seen": "display_data"}]
    assert client.run("pub.unregister_hook(hook), pub.unregister_hook(hook)").result == "(True, False)"


def test_captured_output_is_not_sent(client: Client) -> None:
    answer = client.run("%%capture out\nprint('x')\ndisplay(1)\n2")
    assert (answer.of("stream"), answer.of("display_data"), answer.of("execute_result")) == ([], [], [])
    assert client.run("out.stdout").result == "'x\\n'"


def test_libraries_recognise_a_notebook(client: Client) -> None:
    answer = client.run("ip = get_ipython()\ntype(ip).__name__, 'IPKernelApp' in ip.config, hasattr(ip, 'kernel')")
    assert answer.result == "('ZMQInteractiveShell', True, True)"


def test_figures_are_drawn_after_the_cell_by_the_inline_backend(client: Client) -> None:
    assert client.run("import os; os.environ['MPLBACKEND']").result == "'module://matplotlib_inline.backend_inline'"


#: Code that lets another formatter know values of Python's own types, and the MIME types of `display(VALUE)` then.
OTHER_FORMATTERS = {
    "a printer of the type": ("HTML.for_type(int, lambda n: f'<b>{n}</b>')", "5", "text/html"),
    "a printer of a base class": ("HTML.for_type(object, lambda n: '<b></b>')", "'x'", "text/html"),
    "a printer by the type's name": ("HTML.for_type_by_name('builtins', 'list', lambda n: '<ul>')", "[1]", "text/html"),
    "a printer of one object": ("one = {}\nHTML.singleton_printers[id(one)] = lambda n: '<i>'", "one", "text/html"),
    "other printers": ("HTML.type_printers = {float: lambda n: '<i>'}", "2.5", "text/html"),
    "another method": ("HTML.print_method = '__str__'", "5", "text/html"),
    "another formatter": (
        "from IPython.core.formatters import BaseFormatter\n"
        "class Mine(BaseFormatter):\n    format_type = 'text/mine'\n    def __call__(self, obj): return 'mine'\n"
        "formatter.formatters['text/mine'] = Mine(parent=formatter)",
        "5",
        "text/mine",
    ),
    "a formatter without a method of its own": (
        "from IPython.core.formatters import BaseFormatter\n"
        "class Plain(BaseFormatter):\n    format_type = 'text/other'\n"
        "formatter.register_formatter(Plain(parent=formatter))",
        "5",
        "text/other",
    ),
    "a bundle": ("formatter.mimebundle_formatter.for_type(int, lambda n: {'text/html': '<b>'})", "5", "text/html"),
    "text with metadata": ("formatter.formatters['text/plain'].for_type(int, lambda n, p, cycle: p.text('n'))", "5", "text/plain"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "value", "mime"), OTHER_FORMATTERS.values(), ids=OTHER_FORMATTERS)
def test_formatters_that_know_numbers_are_asked(client: Client, code: str, value: str, mime: str) -> None:
    client.run("formatter = get_ipython().display_formatter\nHTML = formatter.formatters['text/html']\ndisplay(1, 'x')")
    client.run(code)
    (content,) = client.run(f"display({value})").contents("display_data")
    assert mime in content["data"]


def test_values_are_shown_as_ipython_shows_them(client: Client) -> None:
    values = "0, -1.5, 2j, True, None, ..., 'a', b'b', bytearray(b'c'), [1, [2]], (3,), {'k': {4}}, frozenset(), range(3), 10**30, '', 'a\\nb\\u2028', 'x' * 300"
    client.run(
        f"from IPython.core.formatters import DisplayFormatter\nvalues = [{values}]\nmine = get_ipython().display_formatter"
    )
    assert client.run("[v for v in values if mine.format(v) != DisplayFormatter.format(mine, v)]").result == "[]"
    code = "[mine.format(7, **how) for how in ({'include': ['text/html']}, {'exclude': ['text/plain']}, {'include': ['text/plain']})]"
    assert client.run(code).result == "[({}, {}), ({}, {}), ({'text/plain': '7'}, {})]"
    client.run("%precision 2")
    assert client.run("display(1 / 3)").contents("display_data")[0]["data"] == {"text/plain": "0.33"}


@pytest.mark.parametrize(
    ("code", "value", "text"),
    [
        ("text.for_type(int, lambda n, p, cycle: p.text(f'{n:,}'))", "1234", "1,234"),
        ("text.for_type(bool, lambda b, p, cycle: p.text('yes'))", "True", "True"),
        ("one = 'word'\ntext.singleton_printers[id(one)] = lambda v, p, cycle: p.text('mine')", "one", "mine"),
        ("text.pprint = False", "12", "12"),
    ],
    ids=["a type", "a type of singletons", "one object", "no layout"],
)
def test_printers_of_plain_text_are_asked(client: Client, code: str, value: str, text: str) -> None:
    client.run("text = get_ipython().display_formatter.formatters['text/plain']\n" + code)
    assert client.run(value).result == text


def test_displayed_text_that_cannot_be_made_is_reported(client: Client) -> None:
    code = "class Bad:\n    def __repr__(self): raise ValueError('no')\ndisplay([Bad()])"
    answer = client.run(code)
    assert (answer.contents("display_data"), answer.contents("error")[0]["evalue"]) == ([], "no")


def test_results_are_shown_although_a_students_file_is_called_numpy(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "numpy", ModuleType("numpy"))
    assert client.run("(1, 1.5)").result == "(1, 1.5)"


def test_numpys_floats_have_the_precision_that_was_set(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.run("1.5").result == "1.5"  # before NumPy is there
    float64 = type("float64", (float,), {"__module__": "numpy"})
    numpy = ModuleType("numpy")
    vars(numpy).update(float64=float64, set_printoptions=lambda precision: None)
    monkeypatch.setitem(sys.modules, "numpy", numpy)
    client.run("%precision 2\nimport numpy")
    assert client.run("[1.0, numpy.float64(1.5)]").result == "[1.00, 1.50]"
