"""The server kernel refuses labs that must not run, and lets all others find their lab."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hangs import HANG_S
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import start_new_kernel
from lab_manifest import MANIFEST

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

LAB = MANIFEST | {"datasets": [{"name": "points", "url": "points.csv"}]}


@contextmanager
def kernel(folder: Path, **environ: str) -> Iterator[BlockingKernelClient]:
    manager, client = start_new_kernel(
        startup_timeout=HANG_S, kernel_name="browsergrad", cwd=str(folder), env=os.environ | environ
    )
    try:
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        client.context.destroy(linger=0)
        manager.context.destroy(linger=0)


def run(client: BlockingKernelClient, code: str) -> tuple[dict[str, Any], str]:
    """The reply's content, and the text that was printed."""
    printed: list[str] = []

    def hear(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            printed.append(message["content"]["text"])

    reply = client.execute_interactive(code, timeout=HANG_S, output_hook=hear, allow_stdin=False)
    return reply["content"], "".join(printed)


def write(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps(LAB | changes), "utf-8")


def test_a_manifest_decides_before_each_cell(tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text("1,2", "utf-8")
    with kernel(tmp_path) as client:
        assert run(client, "print('ran')")[1] == "ran\n"
        write(tmp_path / "manifest.json", requires_browsergrad="^0.9.0")
        content, printed = run(client, "print('ran')")
        assert (content["ename"], content["evalue"]) == ("LabRuntimeMismatch", "lab requires ^0.9.0, runtime is 0.8.1")
        assert printed == ""
        write(tmp_path / "manifest.json")
        code = "import browsergrad as bg; print(bg.lab.id, bg.dataset('points').read_text())"
        assert run(client, code)[1] == "one 1,2\n"


def test_the_notebook_of_the_session_may_name_the_manifest(tmp_path: Path) -> None:
    write(tmp_path / "other.json", requires_browsergrad="1.0.0")
    notebook = tmp_path / "nb.ipynb"
    notebook.write_text(json.dumps({"metadata": {"browsergrad": {"manifest": "other.json"}}}), "utf-8")
    with kernel(tmp_path, JPY_SESSION_NAME=str(notebook)) as client:
        content, _ = run(client, "print('ran')")
        assert content["evalue"] == "lab requires 1.0.0, runtime is 0.8.1"
