"""Displays, results and clearing."""

from __future__ import annotations

import base64

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
