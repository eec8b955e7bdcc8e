"""Opens pages in a Chromium with little memory, and says how far they get: our kernel and the stock one.

A control group of Linux limits all processes of the browser together. This needs root and the memory controller of version 1:

    python scripts/little_memory.py 2048 1024 768 512
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import BrowserContext, Error, sync_playwright

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench import sites  # noqa: E402
from bench.lab import Lab, Server, lab_in  # noqa: E402
from scripts.chromium import FLAGS, chromium  # noqa: E402

CONTROLLER = Path("/sys/fs/cgroup/memory")
#: Takes memory until Python refuses it, and goes on without it.
FILL = """
taken = []
try:
    while len(taken) < 256:
        taken.append(bytes(16 << 20).replace(b"\\0", b"1"))
        print(f"\\n{16 * len(taken)}", end="", flush=True)
except MemoryError:
    print("\\nMemoryError", end="")
del taken
"""
#: Runs a cell and collects what it prints in `bench.filled`, with *end* at the end.
RUN = """code => {
  bench.filled = '';
  const add = text => { bench.filled += text; };
  bench.run(code, message => add(message.content.text ?? '')).then(() => add('\\nend'));
}"""


@contextlib.contextmanager
def limited(megabytes: int) -> Iterator[str]:
    """Yield the path of a program that starts Chromium with at most so much memory."""
    group = CONTROLLER / f"browser-{os.getpid()}"
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text(f"{megabytes}M")
        with contextlib.suppress(OSError):  # where swap is not counted
            (group / "memory.memsw.limit_in_bytes").write_text(f"{megabytes}M")
        with tempfile.TemporaryDirectory() as folder:
            start = Path(folder) / "chromium"
            start.write_text(f'#!/bin/sh\necho $$ > {group}/cgroup.procs\nexec {chromium()} "$@"\n')
            start.chmod(0o755)
            yield str(start)
    finally:
        while (group / "cgroup.procs").read_text():
            time.sleep(0.1)  # until the browser's processes have ended
        group.rmdir()


def steps(lab: Lab, kernels: int) -> Iterator[str]:
    """Use the page more and more. Yields what has been reached."""
    yield "JupyterLab"
    for number in range(1, kernels + 1):
        lab.start()
        yield f"kernel {number}"
    lab.js("() => bench.restart()")
    yield "a restart"
    lab.js(RUN, FILL)
    while True:
        said = lab.js("() => bench.filled").split("\n")
        taken = [line for line in said if line.isdigit()]
        yield f"{taken[-1] if taken else 0} MB of data" + (", MemoryError" if "MemoryError" in said else "")
        if said[-1] == "end":
            break
        lab.page.wait_for_timeout(100)
    lab.run("sum(range(10))")
    yield "a cell after it"


def reach(context: BrowserContext, which: str, server: Server, kernels: int) -> tuple[str, str]:
    """Return the last that a page has reached, and what ended it."""
    reached = "nothing"
    try:
        with lab_in(context, server, which) as lab:
            for step in steps(lab, kernels):
                reached = step
    except Error as error:
        return reached, error.message.splitlines()[0]
    return reached, "nothing"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("megabytes", nargs="+", type=int)
    parser.add_argument("--kernels", type=int, default=1)
    options = parser.parse_args()
    folders = sites.build()
    print("MB", "kernel", "the last that was reached", "ended by", sep=" | ")
    for megabytes in options.megabytes:
        for which in ("ours", "stock"):
            server = Server(folders[which], isolated=False)
            with limited(megabytes) as program, sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
                context = browser.new_context()
                context.add_init_script("Object.defineProperty(navigator, 'deviceMemory', { value: 2 })")
                print(megabytes, which, *reach(context, which, server, options.kernels), sep=" | ", flush=True)
                with contextlib.suppress(Error):
                    browser.close()
            server.close()


if __name__ == "__main__":
    main()
