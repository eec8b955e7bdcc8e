"""Figures and tables of matplotlib and pandas, as a notebook shows them."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Lab
from notebook_page import RUN, forms, notebook, run
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.pages("either")

PLOT = "import matplotlib.pyplot as plt\n"


@pytest.fixture(scope="module", params=["isolated", "plain"])
def page(request: pytest.FixtureRequest, browser: Browser, packed_site: Path) -> Iterator[Lab]:
    yield from notebook(browser, packed_site, request.param == "isolated")


def size(output: dict[str, Any]) -> tuple[int, ...]:
    """Width and height of a PNG."""
    return struct.unpack(">II", base64.b64decode(output["data"]["image/png"])[16:24])


def text(outputs: list[dict[str, Any]]) -> str:
    return "".join("".join(output["text"]) for output in outputs if output["output_type"] == "stream")


def test_a_figure_shows_without_a_magic_and_closes_after_its_cell(page: Lab) -> None:
    outputs, shown = run(page, f"{PLOT}plt.plot([1, 2])\nplt.gcf().number, plt.get_backend()")
    assert forms(outputs[:1]) == ["text/plain"] and set(forms(outputs[1:])) == {"image/png", "text/plain"}
    assert outputs[0]["data"]["text/plain"] == "(1, 'module://matplotlib_inline.backend_inline')"
    assert size(outputs[1]) > (300, 200)
    expect(shown.locator("img")).to_be_visible()
    outputs, _ = run(page, f"{PLOT}plt.get_fignums()")
    assert outputs[0]["data"]["text/plain"] == "[]"


def test_show_draws_at_its_place_in_functions_and_loops(page: Lab) -> None:
    code = """
def draw(number):
    print("before", number)
    plt.plot([number, 2])
    plt.show()
    print("after", number)
for number in range(2):
    draw(number)
"""
    outputs, _ = run(page, PLOT + code)
    kinds = [output["output_type"] for output in outputs]
    assert kinds == ["stream", "display_data", "stream", "display_data", "stream"]
    assert [output["text"] for output in outputs[::2]] == ["before 0\n", "after 0\nbefore 1\n", "after 1\n"]


def test_retina_and_svg(page: Lab) -> None:
    figure = "plt.figure(figsize=(2, 1), dpi=100)\nplt.plot([1, 2])\nplt.show()"
    outputs, _ = run(page, f"{PLOT}%config InlineBackend.figure_formats = ['retina']\n{figure}")
    metadata = outputs[0]["metadata"]["image/png"]
    width, height = size(outputs[0])
    assert (width // 2, height // 2) == (metadata["width"], metadata["height"]), "twice as many points as it is wide"
    outputs, shown = run(page, f"{PLOT}%config InlineBackend.figure_formats = ['svg']\n{figure}")
    assert set(forms(outputs)) == {"image/svg+xml", "text/plain"}
    expect(shown.locator("img, svg").first).to_be_visible()
    run(page, "%config InlineBackend.figure_formats = ['png']")


def test_what_no_font_has_is_said_in_one_line(page: Lab) -> None:
    outputs, _ = run(page, f"{PLOT}plt.title('Größe in € 温度')\nplt.plot([1, 2])\nplt.show()")
    assert "image/png" in forms(outputs)
    (line,) = text(outputs).splitlines()
    assert line.startswith("The figure's font has no 温度.") and "addfont('FILE.ttf')" in line


def test_an_animation_plays_in_the_page(page: Lab) -> None:
    code = """
from matplotlib.animation import FuncAnimation
from IPython.display import HTML
figure, axes = plt.subplots(figsize=(2, 1))
line, = axes.plot([0, 1])
moving = FuncAnimation(figure, lambda i: line.set_ydata([0, i]), frames=3)
plt.close(figure)
HTML(moving.to_jshtml())
"""
    outputs, shown = run(page, PLOT + code)
    assert "text/html" in forms(outputs)
    picture = shown.locator(".animation img")
    expect(picture).to_be_visible()
    expect(shown.locator(".anim-buttons button").first).to_be_visible()
    assert all("font-awesome" in url for url in page.foreign), "only the icons come from elsewhere, as documented"
    page.foreign.clear()


def test_a_table_and_its_figure(page: Lab) -> None:
    outputs, shown = run(page, "import pandas as pd\nframe = pd.DataFrame({'x': [1, 2], 'y': [3, 4]})\nframe")
    assert sorted(forms(outputs)) == ["text/html", "text/plain"]
    expect(shown.locator("table.dataframe tbody tr")).to_have_count(2)
    outputs, _ = run(page, "frame.plot(x='x', kind='bar')")
    assert "image/png" in forms(outputs)


def test_a_style_without_its_package_says_what_to_set(page: Lab) -> None:
    outputs = page.js(RUN, "import pandas as pd\npd.DataFrame({'x': [1]}).style")
    (error,) = [output for output in outputs if output["output_type"] == "error"]
    assert error["ename"] == "ImportError"
    said = error["traceback"][-1]
    assert "jinja2 is not part of this site" in said and "BrowsergradAddon.packages = ['jinja2']" in said
