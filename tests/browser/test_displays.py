"""What plotting libraries and widgets show, as students write it. Nothing may come from another origin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Lab, build_site
from notebook_page import forms, notebook, run
from playwright.sync_api import Browser, expect

from tests.wheels import pack_installed

pytestmark = pytest.mark.release


@pytest.fixture(scope="module")
def pure(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site on the embedded Pyodide, with libraries in pure Python."""
    packages = ["plotly", "tqdm", "ipywidgets"]
    return build_site(tmp_path_factory.mktemp("site"), front_ends=False, packages=packages)


@pytest.fixture(scope="module")
def scientific(full_pyodide: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site on Pyodide 0.27.7, with libraries that need NumPy or pandas, and wheels of what that distribution lacks."""
    own = [str(pack_installed(tmp_path_factory.mktemp("wheels"), name)) for name in ("PyYAML", "MarkupSafe")]
    packages = [
        "matplotlib",
        "seaborn",
        "altair",
        "jsonschema<4.18",
        "bqplot",
        "bokeh",
        "jupyter_bokeh",
        "folium",
        "ipympl",
    ]
    return build_site(
        tmp_path_factory.mktemp("site"), front_ends=False, pyodide_url=str(full_pyodide), packages=[*packages, *own]
    )


@pytest.fixture(scope="module", params=["isolated", "plain"])
def pure_notebook(request: pytest.FixtureRequest, browser: Browser, pure: Path) -> Iterator[Lab]:
    yield from notebook(browser, pure, request.param == "isolated")


@pytest.fixture(scope="module", params=["isolated", "plain"])
def scientific_notebook(request: pytest.FixtureRequest, browser: Browser, scientific: Path) -> Iterator[Lab]:
    yield from notebook(browser, scientific, request.param == "isolated")


BAR = "import plotly.graph_objects as go\nfig = go.Figure(go.Bar(x=['a', 'b'], y=[1, 3]))\n"


@pytest.mark.parametrize("last", ["fig", "fig.show()"])
def test_plotly(pure_notebook: Lab, last: str) -> None:
    outputs, shown = run(pure_notebook, BAR + last)
    assert forms(outputs) == ["application/vnd.plotly.v1+json"]
    expect(shown.locator(".bars .point")).to_have_count(2)


@pytest.mark.parametrize("module", ["tqdm.auto", "tqdm.notebook"])
def test_tqdm_with_widgets(pure_notebook: Lab, module: str) -> None:
    outputs, shown = run(pure_notebook, f"from {module} import tqdm\nfor i in tqdm(range(3)): pass")
    assert forms(outputs) == ["text/plain", "application/vnd.jupyter.widget-view+json"]
    expect(shown.locator(".widget-html").last).to_contain_text("3/3")


def test_tqdm_as_text(pure_notebook: Lab) -> None:
    outputs, _ = run(pure_notebook, "from tqdm import tqdm\nfor i in tqdm(range(3)): pass")
    (output,) = outputs
    assert output["name"] == "stderr" and "3/3" in output["text"] and "Warning" not in output["text"]


def test_ipywidgets(pure_notebook: Lab) -> None:
    _, shown = run(pure_notebook, "import ipywidgets\nipywidgets.IntSlider(value=4)")
    expect(shown.locator(".widget-readout")).to_have_text("4")


CHART = "alt.Chart({data}).mark_bar().encode(x='x:O', y='y:Q')"


@pytest.mark.parametrize(
    ("data", "last"),
    [
        ("alt.Data(values=[{'x': 1, 'y': 2}, {'x': 2, 'y': 5}])", "chart"),
        ("pd.DataFrame({'x': [1, 2], 'y': [4, 5]})", "chart.show()"),
    ],
    ids=["values", "pandas"],
)
def test_altair(scientific_notebook: Lab, data: str, last: str) -> None:
    code = f"import altair as alt, pandas as pd\nchart = {CHART.format(data=data)}\n{last}"
    outputs, shown = run(scientific_notebook, code)
    found = [form for form in forms(outputs) if form != "image/png"]  # JupyterLab adds a picture of what it has drawn
    assert found == ["application/vnd.vegalite.v5+json", "text/plain"]
    expect(shown.locator("canvas, svg.marks").first).to_be_visible()


SEABORN = """import pandas as pd, seaborn as sns
frame = pd.DataFrame({'day': ['Mon', 'Mon', 'Tue', 'Tue'], 'hour': [1, 2, 1, 2], 'sold': [3, 5, 4, 9]})
"""


@pytest.mark.parametrize(
    ("last", "texts"),
    [
        ("sns.lineplot(data=frame, x='hour', y='sold', hue='day');", 0),  # pyplot's figure
        ("sns.relplot(data=frame, x='hour', y='sold', col='day')", 1),  # a grid of seaborn's, which shows its repr too
        ("import seaborn.objects as so\nso.Plot(frame, x='hour', y='sold').add(so.Bar())", 0),  # draws without pyplot
    ],
    ids=["axes", "grid", "objects"],
)
def test_seaborn(scientific_notebook: Lab, last: str, texts: int) -> None:
    outputs, shown = run(scientific_notebook, SEABORN + last)
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 1 and len(outputs) == 1 + texts, outputs
    picture = shown.locator("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("async image => { await image.decode(); return image.naturalWidth; }") > 100


def test_bqplot(scientific_notebook: Lab) -> None:
    code = "import bqplot.pyplot as plt\nplt.figure(title='Bars')\nplt.bar(['a', 'b'], [1, 2])\nplt.show()"
    outputs, shown = run(scientific_notebook, code)
    assert forms(outputs) == ["text/plain", "application/vnd.jupyter.widget-view+json"]
    expect(shown.locator(".bqplot rect.bar, .bqplot .bar rect").first).to_be_visible()


def test_bokeh(scientific_notebook: Lab) -> None:
    run(
        scientific_notebook,
        "from bokeh.plotting import figure, show\nfrom bokeh.io import output_notebook\noutput_notebook()",
    )
    outputs, shown = run(
        scientific_notebook, "p = figure(width=300, height=200)\np.line([1, 2, 3], [4, 6, 5])\nshow(p)"
    )
    assert "application/vnd.bokehjs_exec.v0+json" in forms(outputs)
    expect(shown.locator(".bk-Figure canvas").first).to_be_visible()


def test_folium_asks_other_origins(scientific_notebook: Lab) -> None:
    """The documentation says so. The cell ends well without them."""
    assert scientific_notebook.foreign == []
    page = scientific_notebook.page
    with page.expect_event("requestfailed", lambda request: "leaflet" in request.url):
        outputs, shown = run(scientific_notebook, "import folium\nfolium.Map(location=[48.1, 11.6])")
    assert sorted(forms(outputs)) == ["text/html", "text/plain"]
    expect(shown.locator("iframe")).to_be_visible()
    scientific_notebook.foreign.clear()


def test_a_styled_table(scientific_notebook: Lab) -> None:
    imported, _ = run(scientific_notebook, "import pandas as pd\nframe = pd.DataFrame({'x': [1, 2]})")
    assert imported == []
    outputs, shown = run(scientific_notebook, "frame.style.highlight_max(color='lime')")
    assert sorted(forms(outputs)) == ["text/html", "text/plain"], outputs
    expect(shown.locator("td", has_text="2")).to_have_css("background-color", "rgb(0, 255, 0)")
    expect(shown.locator("td", has_text="1")).to_have_css("background-color", "rgba(0, 0, 0, 0)")


def test_a_figure_that_can_be_moved(scientific_notebook: Lab) -> None:
    code = "%matplotlib widget\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
    outputs, _ = run(scientific_notebook, code)
    assert "application/vnd.jupyter.widget-view+json" in forms(outputs)
    figure = scientific_notebook.page.locator(".jupyter-matplotlib")
    canvas = figure.locator("canvas").last
    expect(canvas).to_be_visible()
    canvas.hover()  # shows the buttons
    figure.locator("button[title*=pans]").click()
    mode, _ = run(scientific_notebook, "str(plt.gcf().canvas.toolbar.mode)")  # runs after the click's message
    assert mode[-1]["data"]["text/plain"] == "'pan/zoom'"
    canvas.hover()
    mouse = scientific_notebook.page.mouse
    mouse.down()
    box = canvas.bounding_box()
    assert box
    for step in range(1, 9):  # as slow as a hand, since the figure leaves out moves that follow quickly
        mouse.move(box["x"] + box["width"] / 2 + 10 * step, box["y"] + box["height"] / 2)
        scientific_notebook.page.wait_for_timeout(100)
    mouse.up()
    moved, _ = run(
        scientific_notebook, "left = plt.gca().get_xlim()[0]\nplt.close('all')\n%matplotlib inline\nbool(left < -0.1)"
    )
    assert moved[-1]["data"]["text/plain"] == "True", "the axis begins at -0.05 before"
