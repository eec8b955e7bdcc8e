"""Compare this kernel with jupyterlite-pyodide-kernel.

usage: python -m bench [--quick] [--only SUITE…] [--stock VERSION] [--repetitions N] [--json FILE] [--markdown FILE]

Builds the sites into ``bench/out/`` if something in them has changed, then runs the suites in ``bench/suites/``.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from pathlib import Path

from . import sites, suites
from .runner import Bench
from .table import Row, machine, table_of, write_json, write_markdown

REPO = Path(__file__).resolve().parent.parent
#: The first suites of the table. The others follow by name.
FIRST = ("start", "throughput", "computing")


def names() -> list[str]:
    """Return the names of all suites, in the order of the table."""
    found = sorted(module.name for module in pkgutil.iter_modules(suites.__path__))
    return [name for name in FIRST if name in found] + [name for name in found if name not in FIRST]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--quick",
        action="store_true",
        help="two repetitions, and few submissions to grade: shows that it runs, not how fast",
    )
    parser.add_argument("--only", nargs="+", choices=names(), help="run these suites; the others keep their rows")
    parser.add_argument(
        "--stock",
        metavar="VERSION",
        help="compare with this version of jupyterlite-pyodide-kernel, in its own JupyterLite; its rows get tables of their own",
    )
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--rebuild", action="store_true", help="build the sites again")
    parser.add_argument("--json", type=Path, default=REPO / "docs" / "performance.json")
    parser.add_argument("--markdown", type=Path, default=REPO / "docs" / "performance.md")
    options = parser.parse_args(argv)
    repetitions = 2 if options.quick else options.repetitions

    folders = sites.build(options.rebuild, options.stock)
    with Bench(folders, repetitions, options.quick) as bench:
        about = machine(bench.browser_version, options.stock)
        for name in options.only or names():
            print(f"# {name}", flush=True)
            rows: list[Row] = importlib.import_module(f"bench.suites.{name}").run(bench)
            if not options.quick:  # after each suite, since the next one may take long or fail
                write_markdown(
                    options.markdown, write_json(options.json, about, {table_of(name, options.stock): rows}, names())
                )
    if options.quick:
        print("a quick run is no measurement: nothing was written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
