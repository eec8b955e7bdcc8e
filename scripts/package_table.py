"""Try packages in the kernel. Store what was found, from which docs/reference/packages.md is made.

usage: python scripts/package_table.py [--only release|pypi] [NAME…]    (with names: only try these, and store nothing)

Each package is vendored into a site, as an author would do it, imported in a new page of Chromium and called once. Packages of the lock are those of a
distribution of Pyodide 0.27.7 that the package index has. Pure packages of PyPI are tried on the embedded Pyodide.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from playwright.sync_api import Browser, Error, sync_playwright  # noqa: E402  # the modules below are found through the path above

from bench.lab import FLAGS, Lab, Server, open_lab  # noqa: E402
from scripts import packages_page  # noqa: E402
from scripts.chromium import chromium  # noqa: E402
from tests.wheels import DISTRIBUTION, download, unzip_pyodide  # noqa: E402

LOCK = Path("static/browsergrad/pyodide/pyodide-lock.json")


@dataclass(frozen=True)
class Case:
    """A package, and an expression that imports and calls it, with its value."""

    package: str
    code: str
    expected: str
    #: The versions that are asked for.
    versions: str = ""

    @property
    def entry(self) -> str:
        """The entry of `packages`."""
        return self.package + self.versions


LOCKED = [
    Case("asttokens", "import asttokens; len(asttokens.ASTTokens('a + 1', parse=True).tokens)", "5"),
    Case("contourpy", "import contourpy; len(contourpy.contour_generator(z=[[0, 1], [1, 2]]).lines(0.5))", "1"),
    Case("cycler", "from cycler import cycler; len(cycler(a=[1, 2]))", "2"),
    Case("decorator", "from decorator import decorator; decorator(lambda f, *a: f(*a) + 1)(lambda x: x)(1)", "2"),
    Case("executing", "import executing, sys; executing.Source.executing(sys._getframe()).code_qualname()", "'<module>'"),
    Case("fonttools", "from fontTools.misc.fixedTools import floatToFixed; floatToFixed(0.5, 14)", "8192"),
    Case("joblib", "import joblib; joblib.hash([1, 2]) == joblib.hash([1, 2])", "True"),
    Case("kiwisolver", "import kiwisolver; s = kiwisolver.Solver(); x = kiwisolver.Variable('x'); s.addConstraint(x == 2); s.updateVariables(); x.value()", "2.0"),
    Case("matplotlib", "from matplotlib.colors import to_hex; to_hex('red')", "'#ff0000'"),
    Case("matplotlib-inline", "from matplotlib_inline.config import InlineBackend; InlineBackend.close_figures.default_value", "True"),
    Case("numpy", "import numpy as np; np.linalg.inv([[2.0]]).tolist()", "[[0.5]]"),
    Case("packaging", "from packaging.version import Version; Version('1.10') > Version('1.9')", "True"),
    Case("pandas", "import pandas as pd; int(pd.DataFrame({'a': [1, 2]}).a.sum())", "3"),
    Case("pillow", "from PIL import Image; Image.new('RGB', (2, 3)).resize((4, 4)).size", "(4, 4)"),
    Case("prompt-toolkit", "from prompt_toolkit.formatted_text import HTML, to_plain_text; to_plain_text(HTML('<b>x</b>'))", "'x'"),
    Case("pure-eval", "import ast, pure_eval; pure_eval.Evaluator({'x': 1})[ast.parse('x', mode='eval').body]", "1"),
    Case("pyarrow", "import pyarrow as pa; pa.array([1, 2, None]).null_count", "1"),
    Case("pygments", "from pygments import lex; from pygments.lexers import PythonLexer; len(list(lex('a', PythonLexer())))", "2"),
    Case("pyparsing", "from pyparsing import Word, nums; Word(nums).parse_string('12')[0]", "'12'"),
    Case("python-dateutil", "from dateutil.parser import parse; parse('May 3, 2024').month", "5"),
    Case("pytz", "import pytz; str(pytz.timezone('Europe/Berlin'))", "'Europe/Berlin'"),
    Case("scikit-learn", "from sklearn.linear_model import LinearRegression; round(float(LinearRegression().fit([[0], [1]], [1, 3]).coef_[0]), 6)", "2.0"),
    Case("scipy", "from scipy.optimize import brentq; round(brentq(lambda x: x * x - 4, 0, 5), 6)", "2.0"),
    Case("six", "import six; six.ensure_str(b'x')", "'x'"),
    Case("sqlite3", "import sqlite3; sqlite3.connect(':memory:').execute('select 1 + 1').fetchone()", "(2,)"),
    Case("ssl", "import ssl; ssl.OPENSSL_VERSION.split()[0]", "'OpenSSL'"),
    Case("stack-data", "import stack_data; stack_data.Options().before", "3"),
    Case("threadpoolctl", "from threadpoolctl import threadpool_info; isinstance(threadpool_info(), list)", "True"),
    Case("traitlets", "import traitlets; traitlets.Int().default()", "0"),
    Case("wcwidth", "from wcwidth import wcswidth; wcswidth('温度')", "4"),
]  # fmt: skip
PURE = [
    Case("attrs", "import attr; attr.make_class('A', ['x'])(1)", "A(x=1)"),
    Case("beautifulsoup4", "from bs4 import BeautifulSoup; BeautifulSoup('<p>x</p>', 'html.parser').p.text", "'x'"),
    Case("cachetools", "from cachetools import LRUCache; len(LRUCache(2))", "0"),
    Case("certifi", "import certifi, os; os.path.exists(certifi.where())", "True"),
    Case("chardet", "import chardet; chardet.detect(b'abc')['encoding']", "'ascii'"),
    Case("charset-normalizer", "import charset_normalizer; charset_normalizer.from_bytes(b'abc').best().encoding", "'ascii'"),
    Case("click", "import click; click.unstyle(click.style('x', fg='red'))", "'x'"),
    Case("colorama", "import colorama; colorama.Fore.RED", "'\\x1b[31m'"),
    Case("docutils", "from docutils.core import publish_string; b'<em>x</em>' in publish_string('*x*', writer_name='html5')", "True"),
    Case("emoji", "import emoji; emoji.demojize('👍')", "':thumbs_up:'"),
    Case("faker", "from faker import Faker; Faker.seed(1); isinstance(Faker().name(), str)", "True"),
    Case("humanize", "import humanize; humanize.intcomma(12345)", "'12,345'"),
    Case("hypothesis", "from hypothesis import strategies as st; st.integers(1, 1).example()", "1"),
    Case("idna", "import idna; idna.encode('bücher.de')", "b'xn--bcher-kva.de'"),
    Case("lark", "from lark import Lark; Lark('start: \"a\"').parse('a').data.value", "'start'"),
    Case("markdown", "import markdown; markdown.markdown('*x*')", "'<p><em>x</em></p>'"),
    Case("more-itertools", "from more_itertools import chunked; list(chunked([1, 2, 3], 2))", "[[1, 2], [3]]"),
    Case("msgpack", "import msgpack; msgpack.unpackb(msgpack.packb([1, 'x']))", "[1, 'x']", ">=1.2"),
    Case("networkx", "import networkx as nx; nx.shortest_path(nx.path_graph(4), 0, 3)", "[0, 1, 2, 3]"),
    Case("openpyxl", "import openpyxl; openpyxl.Workbook().active.title", "'Sheet'"),
    Case("pint", "import pint; str(pint.UnitRegistry()('3 m').to('cm').units)", "'centimeter'"),
    Case("plotly", "import plotly.graph_objects as go; len(go.Figure(go.Bar(y=[1])).data)", "1"),
    Case("prettytable", "from prettytable import PrettyTable; PrettyTable(['a']).field_names", "['a']"),
    Case("pydantic", "import pydantic; pydantic.create_model('M', x=(int, ...))(x='1').x", "1", ">=2.13"),
    Case("pypdf", "from pypdf import PdfWriter; len(PdfWriter().pages)", "0"),
    Case("pytest", "import pytest; pytest.approx(0.3) == 0.1 + 0.2", "True"),
    Case("requests", "import requests; requests.Request('GET', 'https://a.example', params={'q': 1}).prepare().url", "'https://a.example/?q=1'"),
    Case("rich", "from rich.text import Text; Text.from_markup('[red]x').plain", "'x'"),
    Case("sortedcontainers", "from sortedcontainers import SortedList; list(SortedList([2, 1]))", "[1, 2]"),
    Case("sympy", "import sympy as sp; sp.integrate('x')", "x**2/2"),
    Case("tabulate", "from tabulate import tabulate; tabulate([[1]], tablefmt='plain')", "'1'"),
    Case("tomlkit", "import tomlkit; tomlkit.parse('a = 1')['a'] + 0", "1"),
    Case("toolz", "import toolz; toolz.frequencies('aab')", "{'a': 2, 'b': 1}"),
    Case("tqdm", "from tqdm import tqdm; sum(tqdm([1, 2], disable=True))", "3"),
    Case("typing-extensions", "import typing_extensions; hasattr(typing_extensions, 'TypedDict')", "True"),
    Case("uncertainties", "from uncertainties import ufloat; (ufloat(1, 0.5) * 2).s", "1.0"),
    Case("unidecode", "from unidecode import unidecode; unidecode('ö')", "'o'"),
    Case("xlsxwriter", "import io, xlsxwriter; f = io.BytesIO(); xlsxwriter.Workbook(f).close(); f.getvalue()[:2]", "b'PK'"),
]  # fmt: skip


def build(folder: Path, cases: Iterable[Case], **config: str) -> Path:
    """Build a site with these packages in a new folder."""
    settings = {"BrowsergradAddon": {"packages": [case.entry for case in cases], **config}}
    folder.mkdir()
    site = {"jupyter-lite-schema-version": 0, "jupyter-config-data": {"exposeAppInBrowser": True}}
    (folder / "jupyter-lite.json").write_text(json.dumps(site), "utf-8")
    (folder / "jupyter_lite_config.json").write_text(json.dumps(settings), "utf-8")
    command = [sys.executable, "-m", "jupyterlite_core", "build", "--apps", "lab", "--output-dir", "site"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return folder / "site"


#: Code that prints the version of a package that Python has; nothing where a package has no metadata, such as `ssl`.
VERSION = """
import importlib.metadata
try:
    print(importlib.metadata.version({name!r}))
except importlib.metadata.PackageNotFoundError:
    pass
"""


def found(lab: Lab, case: Case) -> dict[str, str]:
    """Import and call a package in a new page. Return its row; `problem` is empty if it works."""
    imported, _, called = case.code.rpartition("; ")
    lab.reload()
    lab.start()
    try:
        value = lab.text(f"{imported}\nprint(repr({called}))").strip()
        problem = "" if value == case.expected else f"{value}, wanted {case.expected}"
    except Error as error:
        value, problem = "", error.message.splitlines()[0]
    version = lab.text(VERSION.format(name=case.package)).strip()
    return {"package": case.entry, "version": version, "code": case.code, "value": value, "problem": problem}


def tried(browser: Browser, site: Path, cases: Iterable[Case]) -> list[dict[str, str]]:
    """Return the rows of a table."""
    locked = json.loads((site / LOCK).read_text("utf-8"))["packages"]
    server = Server(site, isolated=True)
    rows = []
    with open_lab(browser, server, "ours") as lab:
        for case in cases:
            row = found(lab, case)
            row["version"] = row["version"] or locked[case.package]["version"]
            print(f"{case.package}: {row['problem'] or 'works'}", flush=True)
            rows.append(row)
    server.close()
    return rows


def release_site(root: Path, cases: list[Case]) -> Path:
    download(root / "wheels", DISTRIBUTION)
    return build(root / "locked", cases, pyodide_url=str(unzip_pyodide(root / "wheels", root)))


#: Name of a table -> its title, its cases, and what builds its site.
TABLES: dict[str, tuple[str, list[Case], Callable[[Path, list[Case]], Path]]] = {
    "release": ("Packages of Pyodide's release", LOCKED, release_site),
    "pypi": ("Packages of PyPI", PURE, lambda root, cases: build(root / "pure", cases)),
}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Try packages in the kernel.")
    parser.add_argument("--only", choices=TABLES, help="fill this table alone; the other one keeps its rows")
    parser.add_argument("names", nargs="*", metavar="NAME", help="try these packages alone, and store nothing")
    options = parser.parse_args(argv)
    known = {case.package for _, cases, _ in TABLES.values() for case in cases}
    if unknown := set(options.names) - known:
        parser.error(f"no case for {', '.join(sorted(unknown))}: add one to scripts/package_table.py")
    failed = []
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        for name in [options.only] if options.only else TABLES:
            title, cases, make = TABLES[name]
            chosen = [case for case in cases if not options.names or case.package in options.names]
            if not chosen:
                continue
            rows = tried(browser, make(Path(temporary), chosen), chosen)
            failed += [row["package"] for row in rows if row["problem"]]
            if not options.names:
                run = f"{datetime.now(UTC).date().isoformat()}, Chromium {browser.version}"
                packages_page.store(title, run, rows)
        browser.close()
    print(f"{len(failed)} packages do not work: {', '.join(failed)}" if failed else "all work")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
