"""The kernel's streams: as text streams, as byte streams, and as Python's original streams."""

from __future__ import annotations

import pytest

from .conftest import Client


def test_a_restored_stream_writes_to_the_notebook(client: Client) -> None:
    answer = client.run(
        "import io, sys\nsys.stdout = io.StringIO()\nprint('no')\nsys.stdout = sys.__stdout__\nprint('yes')"
    )
    assert answer.text() == "yes\n"
    assert client.run("print('on'); print('err', file=sys.__stderr__)").text("stderr") == "err\n"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("b.write('é'.encode())", "é"),
        ("for i in 'aé€😀'.encode(): b.write(bytes([i]))", "aé€😀"),
        ("print('a', end=''); b.write(b'\\xc3'); print('b', end='')", "a\ufffdb"),
        ("b.write(b'\\xe2\\x82')", "\ufffd"),
        ("b.write(bytearray(b'a')); b.write(memoryview(b'bc')); b.writelines([b'd', b'e'])", "abcde"),
        ("w = io.TextIOWrapper(b, 'utf-8'); w.write('ü'); w.close(); b.write(b'!')", "ü!"),
        ("sys.stdout.detach().write(b'x'); print('y', end='')", "xy"),
    ],
)
def test_bytes_are_shown_as_text(client: Client, code: str, text: str) -> None:
    assert client.run(f"import io, sys\nb = sys.stdout.buffer\n{code};").text() == text


def test_the_stream_for_bytes_takes_no_text(client: Client) -> None:
    assert client.run("import sys\nsys.stdout.buffer.write('x')").reply["ename"] == "TypeError"


def test_streams_name_their_descriptors(client: Client) -> None:
    assert (
        client.run("import sys\nsys.stdout.fileno(), sys.stderr.buffer.fileno(), sys.stdout.isatty()").result
        == "(1, 2, False)"
    )


def test_reconfiguring_changes_nothing(client: Client) -> None:
    assert (
        client.run("import sys\nsys.stdout.reconfigure(encoding='utf-8', line_buffering=True)\nprint('ü')").text()
        == "ü\n"
    )


def test_text_written_while_completing_belongs_to_it_and_later_text_to_the_cell(client: Client) -> None:
    cell = client.run(
        "class Loud:\n    def __dir__(self):\n        print('asked')\n        return ['name']\nloud = Loud()"
    )
    answer = client.send("complete_request", {"code": "loud.", "cursor_pos": 5})
    assert {message["parent_header"]["msg_id"] for message in answer.of("stream")} == {
        answer.request["header"]["msg_id"]
    }
    from browsergrad_kernel import streams

    assert cell.request["header"]["msg_id"] in streams._newest


def test_write_returns_the_length_of_the_given_text(client: Client) -> None:
    """Also if a character was escaped, or an unfinished one comes first."""
    code = r"sys.stdout.buffer.write(b'\xe2'), sys.stdout.write('\ud800'), sys.stdout.write('\ud800b')"
    assert client.run(f"import sys\n{code}").result == "(1, 1, 2)"
