"""Every class of ``IPython.display`` gives the same output as in IPython itself."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from typing import Any

import pytest
from IPython.core.formatters import DisplayFormatter

from jupyterlite_browsergrad.server_kernel.sandbox import Sandbox

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg=="
)
#: Files beside the notebook.
FILES = {
    "k.py": b"x = 1  # one\n",
    "p.png": PNG,
    "s.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><circle r="1"/></svg>',
    "v.mp4": b"\0\1video",
    "w.mp3": b"RIFFwave",
}
OBJECTS = [
    "Latex('$x$')", "Math('x^2')", "Markdown('*a*')", "HTML('<b>x</b>')", "Pretty('p')", "TextDisplayObject('t')",
    "JSON({'a': [1, None]}, expanded=True)",
    "Code('k.py')", "Code(data='y = 2', language='python')", "Javascript('1')", "Javascript('1', css='a.css', lib=['b.js'])",
    "SVG('s.svg')", "SVG(data='<svg><g/></svg>')", "Image('p.png')", "Image('p.png', width=9, retina=False)",
    "Image(data=__import__('pathlib').Path('p.png').read_bytes())", "Image(url='https://e.invalid/x.png')", "Image('p.png', embed=False)",
    "Audio([0.0, 0.5, -0.5] * 9, rate=8000)", "Audio('w.mp3')", "Audio(data=b'RIFF', autoplay=True)", "Audio(url='https://e.invalid/x.mp3')",
    "Video('v.mp4')", "Video('v.mp4', embed=True, mimetype='video/mp4')", "Video('https://e.invalid/v.mp4', width=3)",
    "FileLink('k.py')", "FileLink('k.py', url_prefix='/files/')", "FileLink('none.py')", "FileLinks('.', recursive=False, included_suffixes=['.py'])",
    "IFrame('https://e.invalid', 9, 9, a=1)", "YouTubeVideo('x')", "VimeoVideo('1')", "ScribdDocument('1', start_page=3)", "ProgressBar(3)",
]  # fmt: skip


def expected(expression: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec("from IPython.display import *", names)
    data, metadata = DisplayFormatter().format(eval(expression, names))
    return {"data": data, "metadata": metadata}


def plain(bundle: dict[str, Any], folder: str) -> Any:
    """A text without addresses of objects, without the folder's path, and without the form in which bytes are written."""
    data = {
        key: base64.b64encode(value).decode() if isinstance(value, bytes) else value
        for key, value in bundle["data"].items()
    }
    text = repr((sorted(data.items()), bundle["metadata"]))
    return re.sub(r"0x[0-9a-f]+|\\n", "", text).replace(folder, "FOLDER")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shown")
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    return folder


def test_what_is_displayed_is_what_ipython_makes_of_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    wanted = {expression: plain(expected(expression), os.fspath(home)) for expression in OBJECTS}
    with Sandbox(home) as sandbox:
        sandbox.execute("from IPython.display import *")
        shown = {}
        for expression in OBJECTS:
            result = sandbox.execute(f"display({expression})")
            assert result.content["status"] == "ok", (expression, result.content)
            shown[expression] = plain(result.of("display_data")[0], "/drive")
    assert shown == wanted


def test_a_display_is_updated_through_its_handle(home: Path) -> None:
    with Sandbox(home) as sandbox:
        result = sandbox.execute("h = display(1, display_id=True)\nh.update(2)")
        assert [c["data"]["text/plain"] for c in result.of("display_data") + result.of("update_display_data")] == [
            "1",
            "2",
        ]
        result = sandbox.execute(
            "from IPython.display import ProgressBar, clear_output\nfor _ in ProgressBar(2): pass\nclear_output(wait=True)"
        )
        assert [c["data"]["text/plain"][-3:] for c in result.of("update_display_data")][-1] == "2/2"
        assert result.of("clear_output") == [{"wait": True}]


def test_a_map_has_its_type(home: Path) -> None:
    with Sandbox(home) as sandbox:
        result = sandbox.execute(
            "from IPython.display import GeoJSON, display\ndisplay(GeoJSON({'type': 'Point', 'coordinates': [0, 0]}))"
        )
        assert result.of("display_data")[0]["data"]["application/geo+json"] == {"type": "Point", "coordinates": [0, 0]}
