"""The static server: headers, types, caching, and requests that it refuses."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from urllib.parse import quote

import brotli
import pytest
from hangs import HANG_S

from jupyterlite_browsergrad import __version__
from jupyterlite_browsergrad.cli import main
from jupyterlite_browsergrad.isolation.web_hosts import HOSTS
from jupyterlite_browsergrad.site import static_server
from jupyterlite_browsergrad.site.static_server import ISOLATION, SiteServer

FILES = {
    "index.html": "text/html; charset=utf-8",
    "a.mjs": "text/javascript; charset=utf-8",
    "a.js": "text/javascript; charset=utf-8",
    "a.wasm": "application/wasm",
    "a.json": "application/json",
    "a.ipynb": "application/json",
    "a.whl": "application/zip",
    "a.unknown": "application/octet-stream",
    "with space é.txt": "text/plain; charset=utf-8",
    "sub/index.html": "text/html; charset=utf-8",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in FILES:
        path = tmp_path / "site" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"this is {name}", "utf-8")
    (tmp_path / "secret.txt").write_text("secret", "utf-8")
    (tmp_path / "site" / "link.txt").symlink_to(tmp_path / "secret.txt")
    os.mkfifo(tmp_path / "site" / "pipe")
    return tmp_path / "site"


@pytest.fixture
def server(root: Path):
    with SiteServer(root) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def ask(server: SiteServer):
    def ask(path: str, method: str = "GET", **headers: str):
        connection = http.client.HTTPConnection(*server.server_address[:2], timeout=HANG_S)
        try:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            return response.status, dict(response.getheaders()), response.read()
        finally:
            connection.close()

    return ask


@pytest.mark.parametrize(("name", "kind"), FILES.items())
def test_a_file_has_its_type_and_every_isolation_header(ask, name, kind):
    status, headers, body = ask(f"/{quote(name)}?v=1")
    assert (status, body) == (200, f"this is {name}".encode())
    assert headers["Content-Type"] == kind
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_head_answers_as_get_does_without_the_body(ask):
    _, expected, _ = ask("/a.json")
    status, headers, body = ask("/a.json", "HEAD")
    assert (status, body) == (200, b"")
    assert {**headers, "Date": ""} == {**expected, "Date": ""}


def test_a_known_etag_is_answered_with_304_and_a_changed_file_is_not(ask, root):
    _, headers, _ = ask("/a.json")
    status, _, body = ask("/a.json", **{"If-None-Match": headers["ETag"]})
    assert (status, body) == (304, b"")
    (root / "a.json").write_text("another text", "utf-8")
    assert ask("/a.json", **{"If-None-Match": headers["ETag"]})[0] == 200


def test_a_folder_shows_its_index_after_a_redirect_to_the_slash(ask):
    status, headers, _ = ask("/sub?x=1")
    assert (status, headers["Location"]) == (301, "/sub/?x=1")
    assert ask("/sub/")[2] == b"this is sub/index.html"


def test_a_redirect_never_leads_to_another_host(ask):
    status, headers, _ = ask("//sub")
    assert (status, headers["Location"]) == (301, "/sub/")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/sub/..%2f..%2fsecret.txt",
        "/..%5csecret.txt",
        "/link.txt",
        "/%00",
        "//etc/passwd",
        "/absent",
        "/" + "a" * 300,
        "/" + "a/" * 4000,
        "/sub/" + "%d0%b6" * 200,
        "/pipe",
    ],
)
def test_nothing_outside_the_folder_is_handed_out(ask, path):
    status, headers, body = ask(path)
    assert status == 404
    assert b"secret" not in body
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"


TEXT = "all the same text\n" * 500


def test_a_compressed_copy_is_sent_to_those_who_take_it(ask, root, capsys):
    (root / "files").mkdir()
    for name in ("a.js", "files/a.js"):
        (root / name).write_text(TEXT, "utf-8")
    assert main(["compress", str(root)]) == 0
    assert "as br or gzip" in capsys.readouterr().out
    for accepted, encoding in (("gzip, deflate", "gzip"), ("gzip, br;q=1.0", "br"), ("identity", None)):
        status, headers, body = ask("/a.js", **{"Accept-Encoding": accepted})
        assert (status, headers.get("Content-Encoding"), headers["Vary"]) == (200, encoding, "Accept-Encoding")
        assert headers["Content-Type"] == "text/javascript; charset=utf-8"
        unpack = {"gzip": gzip.decompress, "br": brotli.decompress, None: bytes}[encoding]
        assert unpack(body) == TEXT.encode()
        assert len(body) == int(headers["Content-Length"])
    assert "Vary" not in ask("/files/a.js", **{"Accept-Encoding": "gzip"})[1], "contents are their author's affair"
    assert not (root / "index.html.gz").exists(), "it would not get smaller"


def test_a_copy_of_what_a_file_was_is_not_sent(ask, root):
    (root / "a.js").write_text(TEXT, "utf-8")
    main(["compress", str(root)])
    changed = (root / "a.js").stat().st_mtime + 1
    (root / "a.js").write_text("new", "utf-8")
    os.utime(root / "a.js", (changed, changed))
    _, headers, body = ask("/a.js", **{"Accept-Encoding": "gzip, br"})
    assert (headers.get("Content-Encoding"), body) == (None, b"new")
    main(["compress", str(root)])
    assert not list(root.glob("a.js.*"))


def test_compressing_needs_a_folder(tmp_path, capsys):
    assert main(["compress", str(tmp_path / "absent")]) == 2
    assert "is not a folder; build a site first" in capsys.readouterr().err


def test_names_with_a_hash_are_kept_for_ever_and_others_asked_for(ask, root):
    for name, kept in {
        "build/1.a8fa7b2.js": True,
        "extensions/jupyterlite-browsergrad/static/kernel/snapshot.7d4bc7dd.bin": True,
        "extensions/jupyterlite-browsergrad/static/kernel/site-cp314.f1888f44.pack.gz": True,
        "extensions/jupyterlite-browsergrad/static/kernel/manifest.json": False,
        "static/browsergrad/kernel/snapshot.7d4bc7dd.bin": True,
        "files/data.20240101.csv": False,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x", "utf-8")
        assert ("immutable" in ask(f"/{name}")[1]["Cache-Control"]) == kept, name


def test_a_file_is_kept_for_ever_at_the_address_with_its_own_version(ask, root):
    (root / "worker.js").write_text("1", "utf-8")
    version = hashlib.sha256(b"1").hexdigest()[:16]
    addresses = {f"?v={version}": True, f"?v={'0' * 16}": False, f"?v={version[:4]}": False, f"?v={version}&a": False}
    for query, kept in {**addresses, "": False}.items():
        assert ("immutable" in ask(f"/worker.js{query}")[1]["Cache-Control"]) == kept, query
    (root / "worker.js").write_text("2", "utf-8")
    assert ask(f"/worker.js?v={version}")[1]["Cache-Control"] == "no-cache", "another version has been published"


def test_without_isolation_the_two_headers_are_left_out(root):
    with SiteServer(root, isolated=False) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        connection = http.client.HTTPConnection(*server.server_address[:2], timeout=HANG_S)
        connection.request("GET", "/a.json")
        response = connection.getresponse()
        assert response.read() == b"this is a.json"
        connection.close()
        server.shutdown()
    assert response.getheader("Cross-Origin-Opener-Policy") is None
    assert response.getheader("Cross-Origin-Embedder-Policy") is None


def test_the_command_prints_its_address_and_ends_cleanly_on_ctrl_c(root):
    command = [sys.executable, "-m", "jupyterlite_browsergrad", "serve", str(root), "--port", "0"]
    # If a shell runs the tests in the background, they ignore SIGINT, and so would this child.
    listen = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, preexec_fn=listen, **pipes) as process:
        line = process.stdout.readline()
        address = re.search(r"http://(127\.0\.0\.1):(\d+)/", line)
        connection = http.client.HTTPConnection(address[1], int(address[2]), timeout=HANG_S)
        connection.request("GET", "/a.json")
        assert connection.getresponse().read() == b"this is a.json"
        connection.close()
        process.send_signal(signal.SIGINT)
        try:
            _, errors = process.communicate(timeout=HANG_S)
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, "")


def test_a_missing_folder_and_a_busy_port_are_said_in_one_line(tmp_path, capsys):
    assert main(["serve", str(tmp_path / "absent")]) == 2
    assert "is not a folder; build a site first" in capsys.readouterr().err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", str(tmp_path), "--port", str(port)]) == 2
    assert f"127.0.0.1:{port} cannot be used" in capsys.readouterr().err


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"{__version__}\n"


@pytest.mark.parametrize("name", sorted(HOSTS))
def test_other_hosts_are_told_to_send_the_same_headers(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["serve", "--print-headers", name])
    assert exit.value.code == 0
    printed = capsys.readouterr()
    for header, value in ISOLATION.items():
        assert header in printed.out
        assert value in printed.out
    assert HOSTS[name].file in printed.err


def test_the_documentation_shows_what_is_printed() -> None:
    page = (Path(__file__).parents[2] / "docs/howto/hosts.md").read_text("utf-8")
    for host in HOSTS.values():
        assert host.text in page, host.title


def answers(server: SiteServer, request: bytes) -> bytes:
    """All bytes that come back for a request, until the connection ends."""
    with socket.create_connection(server.server_address[:2], timeout=60) as connection:
        connection.sendall(request)
        found = b""
        while piece := connection.recv(1 << 16):
            found += piece
    return found


NEXT = b"GET /a.json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_body_is_not_taken_for_the_next_request(server: SiteServer, method: str) -> None:
    body = b"GET /a.js HTTP/1.1\r\nHost: a\r\n\r\n"
    head = f"{method} /a.mjs HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    found = answers(server, head + body + NEXT)
    assert found.count(b"HTTP/1.1 200 OK") == 2 and b"this is a.js\r" not in found
    assert found.endswith(b"this is a.json") and b"this is a.jsHTTP" not in found


@pytest.mark.parametrize(
    "field",
    [
        "Transfer-Encoding: chunked",
        "Content-Length: 99999999999",
        "Content-Length: -1",
        "Content-Length: x",
        "Content-Length: 1\r\nContent-Length: 2",
    ],
)
def test_a_body_of_unknown_length_ends_the_connection(server: SiteServer, field: str) -> None:
    found = answers(server, f"GET /a.mjs HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n".encode())
    assert found.startswith(b"HTTP/1.1 200 OK") and b"Connection: close" in found and found.endswith(b"this is a.mjs")


def test_a_client_that_sends_slowly_has_a_limited_time(server: SiteServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(static_server, "REQUEST_S", 0.3)
    with socket.create_connection(server.server_address[:2], timeout=60) as connection:
        ended = threading.Event()

        def drip() -> None:
            with contextlib.suppress(OSError):
                connection.sendall(b"GET /a.json HTTP/1.1\r\nX: ")
                while not ended.wait(0.05):  # No single pause is long.
                    connection.sendall(b"x")

        dripping = threading.Thread(target=drip)
        dripping.start()
        with contextlib.suppress(ConnectionError):
            assert connection.recv(1000) == b""
        ended.set()
        dripping.join()


def test_a_client_that_takes_nothing_has_a_limited_time(
    server: SiteServer, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(static_server, "PIECE_S", 0.3)
    with open(root / "large.bin", "wb") as file:
        file.truncate(64 << 20)
    before = threading.active_count()
    with socket.create_connection(server.server_address[:2], timeout=60) as connection:
        connection.sendall(NEXT.replace(b"a.json", b"large.bin"))
        assert connection.recv(10).startswith(b"HTTP/1.1")
        deadline = time.monotonic() + 60
        while threading.active_count() > before:
            assert time.monotonic() < deadline
            time.sleep(0.02)  # The server's threads are not ours to join.


def test_requests_are_logged_without_control_characters(root: Path) -> None:
    lines: list[str] = []
    command = [sys.executable, "-m", "jupyterlite_browsergrad", "serve", str(root), "--port", "0", "--verbose"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        port = int(re.search(r":(\d+)/", process.stdout.readline())[1])
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(b"GET /\x1b[2J\x9b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            while connection.recv(1000):
                pass
        lines.append(process.stderr.readline())
        process.terminate()
    assert "[2J" in lines[0] and lines[0].rstrip().isprintable(), lines
