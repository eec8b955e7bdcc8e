"""Wheels whose compiled modules need libraries of the same wheel are found."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from jupyterlite_browsergrad.site.shared_libraries import has_shared_libraries, needed_libraries


def module(*needed: str) -> bytes:
    """A compiled module that needs these libraries. Before them there is information about memory, as linkers write it."""
    names = b"".join(bytes([len(name)]) + name.encode() for name in needed)
    content = bytes([1, 4, 0, 0, 0, 0, 2, len(names) + 1, len(needed)]) + names
    section = bytes([8]) + b"dylink.0" + content
    return b"\0asm\1\0\0\0" + bytes([0, 0x80 | len(section), 0]) + section + b"\1\1\0"


@pytest.mark.parametrize("needed", [[], ["libone.so"], ["libone.so", "libtwo.so"]])
def test_a_module_names_what_it_needs(needed: list[str]) -> None:
    assert needed_libraries(module(*needed)) == needed


@pytest.mark.parametrize(
    "data",
    [b"", b"text", b"\0asm\1\0\0\0", module("libone.so")[:20], b"\0asm\1\0\0\0\0\3\1x\0", b"\0asm\1\0\0\0\1\1\0"],
)
def test_other_files_need_nothing(data: bytes) -> None:
    assert needed_libraries(data) == []


@pytest.mark.parametrize(("needed", "found"), [("libown.so", True), ("libother.so", False)])
def test_a_library_of_another_package_does_not_count(tmp_path: Path, needed: str, found: bool) -> None:
    wheel = tmp_path / "one-1-cp314-cp314-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("one/_c.cpython-314.so", module(needed))
        archive.writestr("one/libs/libown.so", module())
    assert has_shared_libraries(wheel) == found
