"""The server with which the benchmark stands for a slow line: it keeps to the rate, and counts what it sends."""

from __future__ import annotations

import urllib.request
from pathlib import Path

from bench.slow_server import Line, SlowServer, compressing


def test_a_line_carries_so_many_bits_a_second_for_all_together() -> None:
    waited: list[float] = []
    line = Line(8, 40, clock=lambda: 100.0, sleep=waited.append)
    line.wait()
    for _ in range(3):
        line.carry(500_000)  # half a second each, one after the other
    assert [round(seconds, 6) for seconds in waited] == [0.04, 0.5, 1.0, 1.5]
    free = Line(0, 0, clock=lambda: 0.0, sleep=waited.append)
    free.carry(10**9)
    assert len(waited) == 4


def test_it_counts_the_bytes_it_sends_of_each_file(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "a.js").write_text("x" * 40_000, "utf-8")
    (site / "b.bin").write_bytes(b"y" * 1000)
    folder = compressing(site, tmp_path / "compressed")
    server = SlowServer(folder, True, Line(0, 0))
    try:
        for name, encoding in (("a.js", "identity"), ("a.js", "gzip"), ("b.bin", "gzip")):
            request = urllib.request.Request(f"{server.url}/{name}", headers={"Accept-Encoding": encoding})
            with urllib.request.urlopen(request, timeout=60) as answer:
                answer.read()
                assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    finally:
        server.close()
    assert server.by_path["/b.bin"] == 1000
    assert 40_000 < server.by_path["/a.js"] < 41_000
    assert server.sent == sum(server.by_path.values())
    assert server.asked == ["/a.js", "/a.js", "/b.bin"]
