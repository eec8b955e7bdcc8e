"""The folder that a sandbox sees: all of it, and nothing outside of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyterlite_browsergrad.server_kernel.folder import Folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("secret")
    root = tmp_path / "inside"
    (root / "sub").mkdir(parents=True)
    (root / "data.txt").write_text("data")
    (root / ".hidden").write_text("hidden")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "secret").symlink_to(tmp_path / "outside" / "secret.txt")
    (root / "again").symlink_to("sub")
    (root / "loop").symlink_to("loop")
    (root / "nowhere").symlink_to(tmp_path / "outside" / "made.txt")
    os.mkfifo(root / "pipe")
    return root


@pytest.fixture
def folder(root: Path) -> Iterator[Folder]:
    folder = Folder(root, quota_bytes=1000, quota_files=5)
    yield folder
    folder.close()


def ask(folder: Folder, method: str, path: str, data: bytes | None = None, **more: Any) -> Any:
    """The value of an answer, or the name of its errno."""
    answer, buffers = folder.answer({"method": method, "path": path, **more}, [] if data is None else [data])
    return (buffers[0] if buffers else answer["value"]) if answer["ok"] else answer["errno"]


def test_files_are_read_and_written(folder: Folder, root: Path) -> None:
    assert ask(folder, "get", "data.txt") == b"data"
    assert ask(folder, "put", "sub/new.bin", b"\xff\0") is None
    assert (root / "sub" / "new.bin").read_bytes() == b"\xff\0"
    assert ask(folder, "getattr", "sub/new.bin")["size"] == 2
    assert ask(folder, "mknod", "made", mode=0o40777) is None
    assert ask(folder, "rename", "sub/new.bin", newPath="made/old.bin") is None
    assert ask(folder, "readdir", "made") == ["old.bin"]
    assert ask(folder, "rmdir", "made/old.bin") is None
    assert ask(folder, "rmdir", "made") is None
    assert ask(folder, "lookup", "made") == {"ok": False}
    assert ask(folder, "lookup", "") == {"ok": True, "mode": 0o40777}


def test_a_link_that_stays_inside_is_followed(folder: Folder, root: Path) -> None:
    assert ask(folder, "put", "again/new.txt", b"x") is None
    assert (root / "sub" / "new.txt").read_bytes() == b"x"


@pytest.mark.parametrize("method", ["get", "put", "getattr", "readdir", "mknod", "rename", "lookup"])
@pytest.mark.parametrize(
    "path",
    [
        "secret",
        "out/secret.txt",
        "out/new.txt",
        "../outside/secret.txt",
        "sub/../../outside/x",
        "loop",
        "nowhere",
        "pipe",
    ],
)
def test_nothing_beyond_is_reached(folder: Folder, root: Path, method: str, path: str) -> None:
    answer = ask(folder, method, path, b"overwritten" if method == "put" else None, mode=0o40777, newPath="taken")
    if method == "lookup" and answer == {"ok": False}:
        return
    if path in ("secret", "nowhere", "loop") and method == "rename":
        assert answer == "EACCES"
    assert answer in ("EACCES", "ENOTDIR", "ENOENT", "EEXIST"), answer
    assert (root.parent / "outside" / "secret.txt").read_text() == "secret"
    assert sorted(os.listdir(root.parent / "outside")) == ["secret.txt"]


@pytest.mark.parametrize("path", ["out/secret.txt", "../outside/secret.txt", "taken/../../outside/secret.txt"])
def test_nothing_is_moved_or_removed_beyond(folder: Folder, root: Path, path: str) -> None:
    assert ask(folder, "rename", "data.txt", newPath=path) == "EACCES"
    assert ask(folder, "rmdir", path) == "EACCES"
    assert (root / "data.txt").exists() and (root.parent / "outside" / "secret.txt").exists()


def test_removing_a_link_removes_the_link(folder: Folder, root: Path) -> None:
    assert ask(folder, "rmdir", "secret") is None
    assert not (root / "secret").is_symlink()
    assert (root.parent / "outside" / "secret.txt").exists()


def test_a_list_holds_what_can_be_looked_at(folder: Folder, root: Path) -> None:
    (root / "sub" / "back").symlink_to("../data.txt")
    (root / "shown").symlink_to(".hidden")
    assert ask(folder, "readdir", "") == ["again", "data.txt", "sub"]
    assert ask(folder, "readdir", "sub") == ["back"]


def test_hidden_files_exist_only_when_allowed(folder: Folder, root: Path) -> None:
    assert ask(folder, "get", ".hidden") == "ENOENT"
    assert ask(folder, "put", ".bashrc", b"x") == "ENOENT"
    assert ".hidden" not in ask(folder, "readdir", "")
    open_folder = Folder(root, allow_hidden=True)
    assert ask(open_folder, "get", ".hidden") == b"hidden"
    open_folder.close()


def test_a_quota_limits_growth(folder: Folder, root: Path) -> None:
    assert ask(folder, "put", "big", b"x" * 900) is None
    assert ask(folder, "put", "more", b"x" * 200) == "EDQUOT"
    assert not (root / "more").exists()
    assert ask(folder, "put", "big", b"x" * 100) is None
    assert ask(folder, "put", "more", b"x" * 200) is None


def test_a_quota_limits_the_number_of_files(folder: Folder) -> None:
    assert [ask(folder, "mknod", f"f{i}", mode=0o100666) for i in range(6)] == [None] * 5 + ["EDQUOT"]


def test_a_read_only_folder_takes_nothing(root: Path) -> None:
    folder = Folder(root, read_only=True)
    assert ask(folder, "get", "data.txt") == b"data"
    requests = [("put", b"x"), ("mknod", None), ("rename", None), ("rmdir", None)]
    assert [ask(folder, method, "data.txt", data, newPath="b", mode=0o100666) for method, data in requests] == [
        "EROFS"
    ] * 4
    folder.close()


@pytest.mark.parametrize(
    "frame", [{}, {"method": 1, "path": ""}, {"method": "get", "path": 3}, {"method": "x", "path": ""}]
)
def test_requests_that_make_no_sense_are_refused(folder: Folder, frame: dict[str, Any]) -> None:
    assert folder.answer(frame, [])[0]["ok"] is False


def test_a_name_the_system_cannot_hold_is_refused(folder: Folder) -> None:
    assert ask(folder, "put", "a\0b", b"") == "EACCES"
    assert ask(folder, "put", "x" * 300, b"") == "ENAMETOOLONG"


def test_times_are_set(folder: Folder, root: Path) -> None:
    assert ask(folder, "utime", "data.txt", atime=1_000_000.5, mtime=2_000_000_250) is None
    found = os.stat(root / "data.txt")
    assert (found.st_atime, found.st_mtime) == (1000.0005, 2_000_000.25)
    assert ask(folder, "getattr", "data.txt")["mtime"] == "1970-01-24T03:33:20.250000+00:00"
    for times in ({}, {"atime": "x", "mtime": 1}, {"atime": float("inf"), "mtime": 1}, {"atime": 1e300, "mtime": 1}):
        assert ask(folder, "utime", "data.txt", **times) == "EINVAL"
    assert ask(folder, "utime", "secret", atime=0, mtime=0) == "EACCES"
    assert ask(folder, "utime", "none", atime=0, mtime=0) == "ENOENT"


@pytest.mark.parametrize("name", ["n" * 255, "ü" * 127, "€" * 85, "😀" * 63])
def test_the_longest_names_can_be_written(folder: Folder, root: Path, name: str) -> None:
    assert ask(folder, "put", name, b"x") is None
    assert (root / name).read_bytes() == b"x"
    assert ask(folder, "put", name + "€€", b"x") == "ENAMETOOLONG"


def test_what_a_move_replaces_no_longer_counts(folder: Folder) -> None:
    for _ in range(20):
        assert ask(folder, "put", "new.txt", b"x" * 400) is None
        assert ask(folder, "rename", "new.txt", newPath="old.txt") is None
    assert (folder.grown_bytes, folder.added_files) == (400, 1)


def test_a_name_may_be_as_long_as_the_system_allows(folder: Folder, root: Path) -> None:
    for name in ("\u0436" * 120, "\u0436" * 127, "x" * 255):
        assert ask(folder, "put", name, b"x") is None, len(name.encode())
        assert ask(folder, "get", name) == b"x"
        assert ask(folder, "rmdir", name) is None
    assert ask(folder, "put", "\u0436" * 128, b"x") == "ENAMETOOLONG"


@pytest.mark.parametrize("method", ["lookup", "getattr", "readdir", "get", "put", "mknod", "rename", "rmdir"])
@pytest.mark.parametrize("path", ["a/" * 1_000_000, "/" * 5000, "\u0436/" * 1400, "sub/" + "x" * 256])
def test_a_long_path_is_refused_before_anything_walks_it(
    folder: Folder, method: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os.path, "realpath", lambda path: pytest.fail("it was walked"))
        assert ask(folder, method, path, newPath=path) == "ENAMETOOLONG"
    assert ask(folder, "rename", "data.txt", newPath=path) in ("ENAMETOOLONG", "EACCES")


@pytest.mark.parametrize(
    "mode", [-1, 2**32, 2**70, 1.5, float("inf"), float("nan"), "1", None, True, [], 0o10666, 0o20666]
)
def test_a_mode_that_is_none_makes_nothing(folder: Folder, root: Path, mode: Any) -> None:
    before = sorted(os.listdir(root))
    assert ask(folder, "mknod", "made", mode=mode) == "EINVAL"
    assert sorted(os.listdir(root)) == before


def test_a_long_file_is_neither_read_nor_written(root: Path) -> None:
    folder = Folder(root, file_bytes=100)
    with open(root / "sparse", "wb") as file:
        file.truncate(40 << 30)
    assert ask(folder, "get", "sparse") == "EFBIG"
    assert ask(folder, "put", "long", b"x" * 101) == "EFBIG"
    assert ask(folder, "put", "just", b"x" * 100) is None
    folder.close()


def test_a_folder_that_is_let_go_of_answers_no_more(folder: Folder) -> None:
    folder.close()
    folder.close()
    assert ask(folder, "get", "data.txt") == "EBADF"
