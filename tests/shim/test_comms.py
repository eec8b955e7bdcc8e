"""Comms, with buffers both ways."""

from __future__ import annotations

from .conftest import Client


def test_a_comm_opened_by_the_kernel_sends_its_buffers(client: Client) -> None:
    answer = client.run(
        "import comm, array\n"
        "c = comm.create_comm(target_name='t', data={'a': 1}, "
        "buffers=[b'12', memoryview(array.array('B', [3]))])"
    )
    (opened,) = answer.of("comm_open")
    assert opened["content"]["data"] == {"a": 1}
    assert opened["content"]["target_name"] == "t"
    assert opened["buffers"] == [b"12", b"\x03"]
    comms = client.send("comm_info_request").reply["comms"]
    assert comms == {opened["content"]["comm_id"]: {"target_name": "t"}}
    assert client.send("comm_info_request", {"target_name": "other"}).reply["comms"] == {}


def test_a_comm_opened_by_the_front_end_talks_back(client: Client) -> None:
    client.run(
        "import comm\n"
        "def target(c, message):\n"
        "    c.on_msg(lambda m: c.send({'echo': m['content']['data']}, "
        "buffers=[bytes(b)[::-1] for b in m['buffers']]))\n"
        "    c.on_close(lambda m: print('closed'))\n"
        "comm.get_comm_manager().register_target('echo', target)"
    )
    client.send("comm_open", {"comm_id": "one", "target_name": "echo", "data": {}})
    answer = client.send("comm_msg", {"comm_id": "one", "data": {"x": 1}}, buffers=[b"abc"])
    (sent,) = answer.of("comm_msg")
    assert (sent["content"]["data"], sent["buffers"]) == ({"echo": {"x": 1}}, [b"cba"])
    assert sent["parent_header"]["msg_id"] == answer.request["header"]["msg_id"]
    assert client.send("comm_close", {"comm_id": "one", "data": {}}).text() == "closed\n"
    assert client.send("comm_info_request").reply["comms"] == {}


def test_an_unknown_target_is_closed(client: Client) -> None:
    answer = client.send("comm_open", {"comm_id": "two", "target_name": "nobody", "data": {}})
    assert answer.contents("comm_close")[0]["comm_id"] == "two"


def test_a_message_for_an_unknown_comm_ends_in_idle(client: Client) -> None:
    assert client.send("comm_msg", {"comm_id": "gone", "data": {}}).states == ["busy", "idle"]


def test_a_failing_comm_callback_leaves_the_kernel_idle(client: Client) -> None:
    client.run(
        "import comm\ndef target(c, m): c.on_msg(lambda m: 1/0)\ncomm.get_comm_manager().register_target('bad', target)"
    )
    client.send("comm_open", {"comm_id": "three", "target_name": "bad", "data": {}})
    assert client.send("comm_msg", {"comm_id": "three", "data": {}}).states == ["busy", "idle"]


def test_a_widget_follows_its_front_end(client: Client) -> None:
    answer = client.run("import ipywidgets\nslider = ipywidgets.IntSlider(3)\nslider")
    (shown,) = answer.contents("execute_result")
    model = shown["data"]["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert model in {content["comm_id"] for content in answer.contents("comm_open")}
    client.send("comm_msg", {"comm_id": model, "data": {"method": "update", "state": {"value": 9}, "buffer_paths": []}})
    assert client.run("slider.value").result == "9"


def test_an_output_widget_takes_over_the_cell_it_is_in(client: Client) -> None:
    answer = client.run("import ipywidgets\nout = ipywidgets.Output()\nwith out:\n    print('inside')\nout.msg_id")
    assert answer.reply["status"] == "ok"
    states = [content["data"]["state"] for content in answer.contents("comm_msg")]
    assert {"msg_id": answer.request["header"]["msg_id"]} in states


def test_comms_can_be_imported_under_ipykernels_name() -> None:
    import ast
    from pathlib import Path

    stub = Path(__file__).resolve().parents[2] / "kernel_shim" / "ipykernel_stub"
    imported = {
        alias.name
        for node in ast.walk(ast.parse((stub / "comm" / "__init__.py").read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "browsergrad_kernel.comms"
        for alias in node.names
    }
    import browsergrad_kernel.comms as comms

    assert imported == {"Comm", "CommManager"}
    assert all(hasattr(comms, name) for name in imported)
