"""NumPy, pandas and matplotlib from a site's packs, on Pyodide 0.27.7: imports of every kind, what a package tells of itself, and bad packs."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from boot_sites import copy, replace
from conftest import STACK_SWITCHING, Lab, Run, held, opened, served, without
from playwright.sync_api import Browser

PYODIDE = Path("static/browsergrad/pyodide")


@pytest.fixture(scope="module", params=["isolated", "plain"])
def lab(request: pytest.FixtureRequest, browser: Browser, packed_site: Path) -> Iterator[Lab]:
    with served(packed_site, request.param == "isolated") as address, opened(browser, address) as lab:
        lab.start("lab")
        yield lab


def right(run: Run) -> Run:
    """A run that wrote nothing to stderr and ended well."""
    assert (run.content["status"], run.text("stderr")) == ("ok", ""), run.of("error")
    return run


def plain(text: str) -> str:
    """A text without its colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def traceback(run: Run) -> str:
    return plain("\n".join(run.content["traceback"]))


@pytest.mark.pages("either")
def test_imports_work_wherever_they_are_written(lab: Lab) -> None:
    lab.start("lab")
    text = right(lab.run("%%time\nimport numpy as np\nprint(np.arange(3))")).text()
    assert text.startswith("[0 1 2]") and "Wall time" in text
    assert right(lab.run("import near\nnear.total([1, 2])")).result == "3", (
        "a module beside the notebook imports pandas"
    )
    assert right(lab.run("%run script.py")).text() == "cowsay __main__\n"
    code = "import importlib\nfor name in ['matplotlib' + '.pyplot']:\n    print(importlib.import_module(name).plot.__name__)"
    assert right(lab.run(code)).text() == "plot\n"


#: Runs before matplotlib is imported.
NOTE_FONTS = """
import logging
noted = []
handler = logging.Handler()
handler.emit = lambda record: noted.append(record.getMessage())
logger = logging.getLogger("matplotlib.font_manager")
logger.addHandler(handler)
logger.setLevel(logging.DEBUG)
logger.propagate = False
"""


@pytest.mark.pages("either")
def test_the_first_figure_uses_the_list_of_fonts_from_the_build(lab: Lab) -> None:
    lab.start("lab")
    right(lab.run(NOTE_FONTS))
    drawn = right(lab.run("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.title('Größe')\nplt.show()"))
    (shown,) = drawn.of("display_data")
    assert shown["data"]["image/png"].startswith("iVBOR")
    noted = right(lab.run("[line for line in noted if 'fontManager' in line]")).result
    assert "Using fontManager instance from" in noted and "generated new" not in noted
    # The list names the fonts of this site, and nothing was written in its place.
    code = """
import os
from matplotlib import font_manager
there = [os.path.exists(font.fname) for font in font_manager.fontManager.ttflist]
all(there), len(there) > 30, os.listdir(os.environ.get("MPLCONFIGDIR", "/home/pyodide/.matplotlib"))"""
    assert right(lab.run(code)).result == "(True, True, [])"


@pytest.mark.pages("either")
def test_tracebacks_show_the_sources_of_packages(lab: Lab) -> None:
    failed = lab.run("import pandas as pd\npd.DataFrame({'a': [1]})['b']")
    text = traceback(failed)
    assert failed.content["ename"] == "KeyError"
    assert "indexer = self.columns.get_loc(key)" in text and "return self._engine.get_loc(casted_key)" in text
    assert right(lab.run("import inspect\ninspect.getsource(pd.DataFrame.head).split('(')[0].split()")).result == (
        "['@final', 'def', 'head']"
    )
    help_text = lab.run("pd.DataFrame.head??").content["payload"][0]["data"]["text/plain"]
    assert "return self.iloc[:n]" in plain(help_text)


SELF = """
import importlib.metadata as metadata, importlib.resources as resources
import cowsay, matplotlib, numpy, pandas
"""


@pytest.mark.pages("either")
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("metadata.version('pandas') == pandas.__version__, metadata.version('cowsay')", "(True, '6.1')"),
        (
            "[point.value for point in metadata.entry_points(group='pandas_plotting_backends')]",
            "['pandas:plotting._matplotlib']",
        ),
        ("point, = metadata.distribution('cowsay').entry_points\npoint.load().__name__", "'cli'"),
        (
            "file, = [f for f in metadata.files('numpy') if str(f) == 'numpy/version.py']\n'short_version' in file.read_text()",
            "True",
        ),
        ("all(f.locate().exists() for f in metadata.files('matplotlib'))", "True"),
        ("metadata.distribution('cowsay').read_text('INSTALLER')", "'jupyterlite-browsergrad\\n'"),
        (
            "resources.files('matplotlib').joinpath('mpl-data/matplotlibrc').read_text()[:24]",
            "'#### MATPLOTLIBRC FORMAT'",
        ),
        ("resources.files('matplotlib.mpl-data.images').joinpath('home.png').read_bytes()[1:4]", "b'PNG'"),
        ("import pkgutil\nlen(pkgutil.get_data('cowsay', '__init__.py')) > 100", "True"),
        ("matplotlib.cbook.get_sample_data('topobathy.npz')['topo'].ndim", "2"),
        ("import numpy.testing\nnumpy.testing.assert_equal(1, 1)", None),
        ("numpy.__file__, numpy.__spec__.has_location", "('/lib/python3.12/site-packages/numpy/__init__.py', True)"),
    ],
)
def test_a_package_tells_of_itself(lab: Lab, code: str, expected: str | None) -> None:
    run = right(lab.run(f"{SELF}\n{code}"))
    assert expected is None or run.result == expected


@pytest.mark.pages("either")
def test_a_package_that_the_site_lacks_is_named_with_the_setting(lab: Lab) -> None:
    text = traceback(lab.run("import sklearn"))
    assert "sklearn is not part of this site" in text and "BrowsergradAddon.packages = ['scikit-learn']" in text


@pytest.mark.thinned(4)
@pytest.mark.parametrize("isolated", [True, False], ids=["isolated", "plain"])
@pytest.mark.parametrize("code", ["import pandas", "import near", "%%capture\nimport pandas", "import cowsay, pandas"])
def test_stop_gives_up_the_load_of_a_pack(browser: Browser, packed_site: Path, isolated: bool, code: str) -> None:
    with held(packed_site, isolated, "/packs/pandas-") as (address, asked, release), opened(browser, address) as lab:
        lab.start("lab")
        lab.js("code => { window.running = bg.run(code); }", code)
        wait_until(lab, asked)
        lab.js("() => kernel.interrupt()")
        assert lab.js("() => running")["reply"]["content"]["ename"] == "KeyboardInterrupt"
        assert right(lab.run("import numpy\nnumpy.arange(3).sum().item()")).result == "3"
        release.set()
        assert right(lab.run("import near\nnear.total([1, 2])")).result == "3"


#: Opens a notebook and waits until its Python has started.
OPEN = """async path => {
  await jupyterapp.restored;
  const panel = await jupyterapp.commands.execute('docmanager:open', { path, factory: 'Notebook' });
  const context = panel.context.sessionContext;
  await context.ready;
  while (!context.session?.kernel) await new Promise(resolve => context.kernelChanged.connect(resolve));
  window.kernel = context.session.kernel;
  await kernel.info;
}"""
FETCHED = "Fetched ahead of their import: "


def wait_until(lab: Lab, event: threading.Event) -> None:
    while not event.is_set():
        lab.page.wait_for_timeout(20)  # Playwright only passes requests on while it waits.


@pytest.mark.parametrize("isolated", [True, pytest.param(False, marks=pytest.mark.release)], ids=["isolated", "plain"])
def test_what_an_open_notebook_imports_lies_ready_and_no_cell_waits_for_it(
    browser: Browser, packed_site: Path, tmp_path: Path, isolated: bool
) -> None:
    site = copy(packed_site, tmp_path)
    with held(site, isolated, "/packs/pandas-") as (address, asked, release), opened(browser, address) as lab:
        lab.js(OPEN, "science.ipynb")
        wait_until(lab, asked)
        assert right(lab.run("1 + 1")).result == "2", "pandas is on its way"
        with lab.page.expect_console_message(lambda message: FETCHED in message.text) as message:
            release.set()
        assert {"numpy", "pandas", "matplotlib"} < set(message.value.text.partition(FETCHED)[2].split(", "))
        code = "import os, site, sys\n'pandas' in sys.modules, 'pandas' in os.listdir(site.getsitepackages()[0])"
        assert right(lab.run(code)).result == "(False, False)", "Python sees nothing of it"
        for pack in (site / PYODIDE / "packs").iterdir():
            pack.unlink()
        assert right(lab.run("import pandas as pd\nint(pd.Series([1, 2]).sum())")).result == "3"


def test_a_site_may_fetch_nothing_ahead(browser: Browser, packed_site: Path, tmp_path: Path) -> None:
    site = copy(packed_site, tmp_path, prefetchPackages=False)
    with held(site, True, "/packs/pandas-") as (address, asked, _), opened(browser, address) as lab:
        lab.js(OPEN, "science.ipynb")
        assert right(lab.run("import numpy\nnumpy.arange(3).sum().item()")).result == "3"
        assert not asked.is_set()


@pytest.mark.parametrize("isolated", [True, pytest.param(False, marks=pytest.mark.release)], ids=["isolated", "plain"])
def test_python_starts_from_a_part_of_the_kernels_files_and_finds_the_others(
    browser: Browser, packed_site: Path, isolated: bool
) -> None:
    with held(packed_site, isolated, "site-cp312.later.") as (address, asked, release), opened(browser, address) as lab:
        lab.start("lab")
        failed = lab.run("import numpy as np\n1 / 0")
        assert failed.content["ename"] == "ZeroDivisionError"
        assert not asked.is_set(), "neither a start nor a cell reads the other part"
        release.set()
        code = "import inspect, prompt_toolkit, traitlets\n'class HasTraits' in inspect.getsource(traitlets.traitlets)"
        assert right(lab.run(code)).result == "True"
        assert right(
            lab.run("from pygments.lexers import get_lexer_by_name\nget_lexer_by_name('sql').name")
        ).result == ("'SQL'")


@pytest.mark.release
def test_packs_are_found_where_python_cannot_be_suspended(
    browser: Browser, packed_site: Path, static: str, tmp_path: Path
) -> None:
    site = without(packed_site, static, tmp_path, STACK_SWITCHING)
    with served(site, True) as address, opened(browser, address) as lab:
        lab.start("lab")
        assert right(lab.run("import near\nnear.total([1, 2])")).result == "3"
        code = "from importlib import import_module\nplt = import_module('matplotlib' + '.pyplot')\nplt.plot([1, 2])\nplt.show()"
        (shown,) = right(lab.run(code)).of("display_data")
        assert shown["data"]["image/png"].startswith("iVBOR")
        assert "return self._engine.get_loc" in traceback(lab.run("import pandas as pd\npd.DataFrame({'a': [1]})['b']"))
        assert right(lab.run("import parso\nparso.parse('a = 1').children[0].type")).result == "'expr_stmt'"


def spoiled(site: Path, folder: Path, package: str, missing: bool) -> Path:
    """A copy of the site in which a package's first pack is damaged or missing."""
    copy = without(site, "/extensions/jupyterlite-browsergrad/static", folder, ())
    (pack,) = (copy / PYODIDE / "packs").glob(f"{package}-*.now.*")
    if missing:
        pack.unlink()
    else:
        data = bytearray(pack.read_bytes())
        data[len(data) // 2] ^= 1
        replace(pack, bytes(data))
    return copy


@pytest.mark.thinned(2)
@pytest.mark.parametrize("missing", [True, False], ids=["missing", "damaged"])
@pytest.mark.parametrize("suspends", [True, False], ids=["suspends", "blocks"])
def test_a_bad_pack_is_named(
    browser: Browser, packed_site: Path, static: str, tmp_path: Path, missing: bool, suspends: bool
) -> None:
    site = spoiled(packed_site, tmp_path, "cowsay", missing)
    if not suspends:
        site = without(site, static, tmp_path / "old", STACK_SWITCHING)
    with served(site, True) as address, opened(browser, address) as lab:
        lab.start("lab")
        for code in ("import cowsay", "__import__('cow' + 'say')"):
            run = lab.run(code)
            said = run.text("stderr") + traceback(run)
            assert run.content["ename"] == "ModuleNotFoundError"
            assert re.search(r"/packs/cowsay-6\.1\.now\.\w+\.bin is (missing|damaged)", said), said
            assert ("HTTP 404" in said) == missing
        assert right(lab.run("import numpy\nnumpy.arange(3).sum().item()")).result == "3", "other packages come"
