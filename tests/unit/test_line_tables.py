"""The memory snapshot's tables of lines: without columns, they give each instruction the same line."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

from jupyterlite_browsergrad.boot import javascript
from scripts import toolchain

FOLDER = Path(javascript.__file__).parent
SCRIPT = """
import { withoutColumns } from %s;
const tables = JSON.parse(await new Response(process.stdin).text());
console.log(JSON.stringify(tables.map(hex => Buffer.from(withoutColumns(Buffer.from(hex, 'hex'))).toString('hex'))));
"""
#: Long statements, jumps back in lines, and code without a line.
SOURCE = (
    "def f(a):\n    with open(a) as b, open(a) as c:\n        for d in b:\n            try:\n                yield [\n"
    + "".join(f"                    {i} + a * {i},\n" for i in range(300))
    + "                ]\n            except (OSError,\n                    ValueError): return (yield)\n"
    + "\n" * 5000
    + "    return 1\n"
)


def codes_in(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes_in(constant)


def lines(code: CodeType) -> list[int | None]:
    """The line of each instruction."""
    return [line for start, end, line in code.co_lines() for _ in range(start, end, 2)]


def test_each_instruction_has_the_same_line() -> None:
    """The same format is used since Python 3.11, so the Python that runs the tests can read it."""
    library = Path(random.__file__).parent
    codes = [*codes_in(compile(SOURCE, "long.py", "exec"))]
    for name in ("argparse", "dataclasses", "inspect", "random", "typing"):
        codes += codes_in(compile((library / f"{name}.py").read_text("utf-8"), name, "exec"))
    command = [str(toolchain.node_bin() / "node"), "--input-type=module", "-e"]
    script = SCRIPT % json.dumps((FOLDER / "line_tables.mjs").as_uri())
    given = json.dumps([code.co_linetable.hex() for code in codes])
    done = subprocess.run([*command, script], input=given, capture_output=True, text=True, check=True)
    shorter = [bytes.fromhex(table) for table in json.loads(done.stdout)]
    assert len(shorter) == len(codes) > 500
    for code, table in zip(codes, shorter, strict=True):
        assert len(table) <= len(code.co_linetable)
        changed = code.replace(co_linetable=table)
        assert lines(changed) == lines(code), code.co_qualname
        assert {columns[2:] for columns in changed.co_positions()} <= {(None, None)}
    assert sum(map(len, shorter)) < 0.5 * sum(len(code.co_linetable) for code in codes)
