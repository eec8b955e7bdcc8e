"""Tables of `make bench` for other versions of the stock kernel."""

from __future__ import annotations

import json
from pathlib import Path

from bench.table import Row, table_of, write_json


def row(name: str) -> Row:
    return Row(name=name, unit="ms", ours=1.0, stock=2.0, ratio=0.5, samples={"ours": [1.0], "stock": [2.0]})


def test_rows_for_another_stock_kernel_have_a_table_after_that_of_their_suite(tmp_path: Path) -> None:
    file = tmp_path / "performance.json"
    for suite, stock in (("stop", None), ("start", "0.9.0a1"), ("start", None), ("gone", None)):
        write_json(file, {}, {table_of(suite, stock): [row(suite)]}, ["start", "stop", "gone"])
    content = write_json(file, {}, {}, ["start", "stop"])
    assert list(content["suites"]) == ["start", "start, stock kernel 0.9.0a1", "stop"]
    assert json.loads(file.read_text("utf-8")) == content
