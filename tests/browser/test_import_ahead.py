"""What an open notebook imports is imported in the spare Python, and no code can tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from boot_sites import copy
from conftest import Lab, held, opened, served
from playwright.sync_api import Browser
from test_packages import FETCHED, OPEN, plain, right

AHEAD = "browsergrad:imported-ahead"

#: Defines `look`, which returns what code can see of imports. `sysconfig` imports its data once, for whichever library asks first,
#: `six.moves` gets its attributes when the first library asks for them, and Cython's own module when a library raises its first error.
LOOK = """
import browsergrad  # as the idle kernel does, sooner or later
def look():
    import builtins, copyreg, gc, json, locale, logging, os, random, signal, site, sys, threading, warnings
    shell = get_ipython()
    modules = {name: module for name, module in sys.modules.items() if hasattr(module, '__dict__') and not name.startswith(('_sysconfigdata', 'cython_runtime'))}
    vars(modules['six.moves']).pop('range', None) if 'six.moves' in modules else None
    seen = {
        'modules': sorted(modules),
        'attributes': {name: sorted(vars(module)) for name, module in modules.items()},
        'specs': {
            name: [type(spec.loader).__name__, spec.origin, getattr(spec.loader, '__dict__', {}).keys() & {'exec_module'} != set()]
            for name, module in modules.items() if (spec := getattr(module, '__spec__', None))
        },
        'environ': sorted(os.environ.items()),
        'filters': [repr(item) for item in warnings.filters],
        'loggers': sorted((name, getattr(logger, 'level', None), len(getattr(logger, 'handlers', []))) for name, logger in logging.root.manager.loggerDict.items()),
        'root': [logging.root.level, len(logging.root.handlers)],
        'callbacks': {event: [getattr(call, '__qualname__', repr(call)) for call in calls] for event, calls in shell.events.callbacks.items()},
        'pickles': sorted(repr(key) for key in copyreg.dispatch_table),
        'finders': [getattr(finder, '__name__', type(finder).__name__) for finder in sys.meta_path],
        'hooks': [repr(type(hook)) for hook in sys.path_hooks],
        'path': sys.path,
        'folder': os.getcwd(),
        'builtins': [sorted(dir(builtins)), repr(builtins.__import__)],
        'threads': len(threading.enumerate()),
        'configurables': [type(item).__name__ for item in shell.configurables],
        'formatters': {kind: sorted(map(repr, formatter.type_printers)) for kind, formatter in shell.display_formatter.formatters.items()},
        'deferred': {kind: sorted(map(str, formatter.deferred_printers)) for kind, formatter in shell.display_formatter.formatters.items()},
        'collector': [gc.isenabled(), len(gc.callbacks), gc.get_threshold()],
        'context': repr(decimal.getcontext()) if (decimal := sys.modules.get('decimal')) else None,
        'locale': locale.setlocale(locale.LC_ALL),
        'signals': [signal.getsignal(signal.SIGINT).__qualname__, sys.getswitchinterval(), sys.getrecursionlimit()],
        'home': sorted(str(item) for item in os.walk(os.path.expanduser('~'))),
        'packages': sorted(os.listdir(site.getsitepackages()[0])),
        'cached': sorted(path for path in sys.path_importer_cache if '/numpy' in path or '/pandas' in path or '/matplotlib' in path),
        'names': sorted(globals()),
        'settings': sorted((key, str(value)) for key, value in sys.modules['matplotlib'].rcParams.items() if key != 'backend') if 'matplotlib' in sys.modules else None,
    }
    if 'matplotlib.pyplot' in sys.modules:
        seen['backend'] = sys.modules['matplotlib'].get_backend()
    descriptor = os.open('/dev/null', os.O_RDONLY)
    os.close(descriptor)
    return json.dumps({**seen, 'descriptor': descriptor})
"""
#: Cells, after each of which both Pythons are compared.
PROGRAMS = {
    "in the notebook's order": [
        "import numpy as np",
        "import pandas as pd",
        "import matplotlib.pyplot as plt",
        "plt.plot(pd.Series(np.arange(3)))\nplt.show()",
    ],
    "in another order": [
        "import matplotlib",
        "import dateutil, decimal",
        "import importlib\nimportlib.import_module('matplotlib.pyplot').plot([1])",
        "from pandas import *",
    ],
    "parts": [
        "import html.parser, concurrent.futures, PIL",
        "from matplotlib import colors",
        "import numpy.linalg as la",
        "import six",
    ],
    "other settings": [
        "import logging, os\nos.environ['MPLBACKEND'] = 'agg'\nlogging.getLogger('matplotlib').setLevel(logging.WARNING)",
        "import matplotlib.pyplot as plt\nplt.plot([1])",
        "import pandas",
    ],
    "a log": [
        "import logging\nlogging.basicConfig(level=logging.DEBUG)",
        "import matplotlib.font_manager",
        "import numpy",
    ],
    "every warning": [
        "import random, warnings\nrandom.seed(1)\nwarnings.simplefilter('always')",
        "import numpy as np\nnp.random.seed(2)\nprint(np.random.rand(), random.random())",
        "import pandas\nprint(np.random.rand(), random.random())",
        "import matplotlib.pyplot as plt\nplt.plot([1])\nprint(np.random.rand(), random.random())",
    ],
    "again": [
        "import importlib, sys\nimport numpy as np\nnp = importlib.reload(np)\nprint(np.__spec__.origin, type(np.__loader__))",
        "import pandas.errors\nold = sys.modules.pop('pandas.errors')\nfrom pandas import errors\nprint(errors is old)\nimport pandas.errors as new\nprint(new is old)",
        "import matplotlib.colors as colors\nprint(importlib.reload(colors) is colors, importlib.util.find_spec('matplotlib.pyplot').origin)",
        "del sys.modules['matplotlib.colors'], sys.modules['matplotlib']\nimport matplotlib\nprint(matplotlib.colors is colors)",
    ],
    "sources": [
        "import inspect, linecache, pandas\nprint(inspect.getsource(pandas.DataFrame.head), inspect.getsourcefile(pandas), pandas.__cached__)",
        "import matplotlib.pyplot as plt\nprint(inspect.getsource(plt.plot), inspect.getmodule(plt.plot), len(linecache.getlines(plt.__file__)))",
        "import traceback\ntry:\n    pandas.DataFrame({'a': [1]})['b']\nexcept KeyError:\n    print(traceback.format_exc())",
    ],
    "a file of settings": [
        "open('matplotlibrc', 'w').write('lines.linewidth: 9')",
        "import matplotlib\nprint(matplotlib.rcParams['lines.linewidth'])",
        "import matplotlib.pyplot\nimport os\nos.remove('matplotlibrc')",
    ],
}

#: The others run with `make test-release`.
FIRST_PROGRAM = next(iter(PROGRAMS))


@contextmanager
def notebook(browser: Browser, site: Path, isolated: bool = True, path: str = "science.ipynb") -> Iterator[Lab]:
    with served(site, isolated) as address, opened(browser, address) as lab:
        lab.js(OPEN, path)
        yield lab


def ahead(lab: Lab, times: int = 1) -> None:
    """Wait until the spare has imported what the notebook imports."""
    lab.page.wait_for_function(
        "([name, times]) => performance.getEntriesByName(name).length >= times", arg=[AHEAD, times]
    )


def spare(lab: Lab, times: int = 1) -> None:
    """Wait until so many spares have started."""
    lab.page.wait_for_function("times => performance.getEntriesByName('browsergrad:spare').length >= times", arg=times)


def looks(lab: Lab, cells: list[str]) -> Iterator[dict[str, Any]]:
    """What code sees before the first of the cells and after each of them."""
    for cell in [LOOK, *cells]:
        lines = right_or_logs(lab, cell)
        seen = json.loads(json.loads(right_or_logs(lab, "print(look())")[0]))
        yield {"output": lines, **seen}


def right_or_logs(lab: Lab, cell: str) -> list[str]:
    run = lab.run(cell)
    assert run.content["status"] == "ok", run.of("error")
    return [json.dumps(run.text().strip()), run.text("stderr")]


@pytest.fixture(scope="module")
def lazy_site(packed_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site that imports nothing ahead."""
    return copy(packed_site, tmp_path_factory.mktemp("lazy"), importAhead=False)


@pytest.fixture(scope="module")
def eager_site(packed_site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same site, which does."""
    return copy(packed_site, tmp_path_factory.mktemp("eager"), importAhead=True)


@pytest.mark.parametrize("isolated", [True, pytest.param(False, marks=pytest.mark.release)], ids=["isolated", "plain"])
@pytest.mark.parametrize(
    "program", [FIRST_PROGRAM, *(pytest.param(name, marks=pytest.mark.release) for name in list(PROGRAMS)[1:])]
)
def test_code_cannot_tell(browser: Browser, eager_site: Path, lazy_site: Path, program: str, isolated: bool) -> None:
    with notebook(browser, lazy_site, isolated) as lazy, notebook(browser, eager_site, isolated) as lab:
        ahead(lab)
        steps = zip(looks(lazy, PROGRAMS[program]), looks(lab, PROGRAMS[program]), strict=True)
        for number, (expected, seen) in enumerate(steps):
            for what, value in expected.items():
                assert difference(seen[what], value) == ([], []), (number, what)
                assert seen[what] == value, (number, what)


def difference(seen: Any, expected: Any) -> tuple[list[Any], list[Any]]:
    """What only one of two lists or tables has, for a message that says it."""
    if isinstance(seen, dict) and isinstance(expected, dict):
        seen, expected = list(seen.items()), list(expected.items())
    if not isinstance(seen, list) or not isinstance(expected, list):
        return ([], []) if seen == expected else ([seen], [expected])
    return [item for item in seen if item not in expected], [item for item in expected if item not in seen]


FIGURE = [
    "import numpy as np",
    "import pandas as pd",
    "import matplotlib.pyplot as plt\nplt.plot([1, 2, 3])\nplt.show()",
]


def spent_ms(lab: Lab, cells: list[str]) -> float:
    begin = lab.js("() => performance.now()")
    for cell in cells:
        right(lab.run(cell))
    return lab.js("begin => performance.now() - begin", begin)


@pytest.mark.release
def test_the_first_figure_comes_sooner(browser: Browser, eager_site: Path, lazy_site: Path) -> None:
    taken: dict[Path, list[float]] = {eager_site: [], lazy_site: []}
    for turn in range(3):
        for site in (eager_site, lazy_site) if turn % 2 else (lazy_site, eager_site):
            with notebook(browser, site) as lab:
                if site == eager_site:
                    ahead(lab)
                else:
                    with lab.page.expect_console_message(lambda message: FETCHED in message.text):
                        pass
                taken[site].append(spent_ms(lab, FIGURE))
    print(taken.values())
    assert min(taken[eager_site]) < 0.6 * min(taken[lazy_site]), taken


@pytest.mark.release
@pytest.mark.parametrize("isolated", [True, False], ids=["isolated", "plain"])
def test_no_cell_waits_for_a_spare_that_imports_and_another_one_comes(
    browser: Browser, eager_site: Path, isolated: bool
) -> None:
    with (
        held(eager_site, isolated, "/packs/pandas-") as (address, _, release),
        opened(browser, address) as lab,
    ):
        lab.js(OPEN, "science.ipynb")
        spare(lab)
        assert right(lab.run("1 + 1")).result == "2"
        spare(lab, 2)
        release.set()
        assert right(lab.run("import pandas as pd\nint(pd.Series([1, 2]).sum()), _")).result == "(3, 2)"
        assert lab.js("name => performance.getEntriesByName(name).length", AHEAD) == 0


@pytest.mark.release
def test_a_restarted_kernel_and_the_next_notebook_get_a_python_of_their_own(browser: Browser, eager_site: Path) -> None:
    with notebook(browser, eager_site) as lab:
        ahead(lab)
        right(lab.run("import numpy\nx = 1"))
        lab.js("() => kernel.restart()")
        assert right(lab.run("import sys\n'x' in globals(), 'numpy' in sys.modules")).result == "(False, False)"
        lab.js(OPEN, "one.ipynb")
        code = "import sys\n'x' in globals(), 'numpy' in sys.modules"
        assert right(lab.run(code)).result == "(False, False)"
        drawn = right(lab.run("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"))
        assert drawn.of("display_data")[0]["data"]["image/png"].startswith("iVBOR")


@pytest.mark.release
def test_the_notebooks_folder_and_its_files_come_first(browser: Browser, eager_site: Path) -> None:
    with notebook(browser, eager_site) as lab:
        ahead(lab)
        right(lab.run("%%writefile numpy.py\nmine = 1"))
        try:
            assert right(lab.run("import numpy, os\nnumpy.mine, os.getcwd()")).result == "(1, '/drive')"
        finally:
            right(lab.run("os.remove('numpy.py')"))
        failed = lab.run("import pandas as pd\npd.DataFrame({'a': [1]})['b']")
        assert failed.content["ename"] == "KeyError"
        assert "indexer = self.columns.get_loc(key)" in plain("\n".join(failed.content["traceback"]))
