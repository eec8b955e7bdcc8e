"""Makes hand-in files, good ones and all kinds of bad ones."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import struct
import warnings
import zipfile
from collections.abc import Callable
from typing import Any

import pyrage

FORMAT = "browsergrad-hand-in"
#: What *Download my work* writes instead.
WORK_FORMAT = "browsergrad-work"
NOTEBOOK = "search.ipynb"


def notebook(*cells: str) -> bytes:
    found = [
        {"cell_type": "code", "id": str(i), "metadata": {}, "outputs": [], "source": text, "execution_count": None}
        for i, text in enumerate(cells)
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": found}).encode()


def about(files: dict[str, bytes], form: str = FORMAT) -> dict[str, Any]:
    return {
        "format": form,
        "format_version": 1,
        "notebook": NOTEBOOK,
        "folder": "search",
        "lab": {"id": "search", "version": "1.2.3"},
        "runtime": "0.8.1",
        "results": {},
        "checks": [],
        "made_at": "2026-11-29T20:00:00.000Z",
        "files": [
            {"path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for path, data in files.items()
        ],
    }


def zipped(entries: list[tuple[zipfile.ZipInfo | str, bytes]]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that come twice
        for name, data in entries:
            archive.writestr(name, data)
    return target.getvalue()


def hand_in(
    files: dict[str, bytes], change: Callable[[dict[str, Any]], object] = lambda listed: None, form: str = FORMAT
) -> bytes:
    """A hand-in file that is not encrypted.

    Parameters
    ----------
    change
        Called with the list before it is written.
    """
    listed = copy.deepcopy(about(files, form))
    change(listed)
    entries: list[tuple[zipfile.ZipInfo | str, bytes]] = [(f"{form}.json", json.dumps(listed).encode())]
    entries += [(f"files/{path}", data) for path, data in files.items()]
    return zipped(entries)


def encrypted(content: bytes, *public: str) -> bytes:
    recipients = [pyrage.x25519.Recipient.from_str(each) for each in public]
    return bytes(pyrage.encrypt(content, recipients))


def marked(name: str, mode: int = 0, method: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    info.compress_type = method
    return info


def with_size(content: bytes, name: str, size: int) -> bytes:
    """A zip file whose directory and header give another length for an entry."""
    changed = bytearray(content)
    for sign, length, at_size, at_name in ((b"PK\x01\x02", 28, 24, 46), (b"PK\x03\x04", 26, 22, 30)):
        at = -1
        while (at := changed.find(sign, at + 1)) >= 0:
            (count,) = struct.unpack_from("<H", changed, at + length)
            if bytes(changed[at + at_name : at + at_name + count]) == name.encode():
                struct.pack_into("<I", changed, at + at_size, size)
    return bytes(changed)


def bad_files(good: dict[str, bytes], form: str = FORMAT) -> dict[str, tuple[bytes, str]]:
    """All kinds of files that are not encrypted and must be refused, each with a part of the grader's message."""
    listed_in = f"{form}.json"
    sound = hand_in(good, form=form)
    place = f"files/{NOTEBOOK}"

    def entry(name: zipfile.ZipInfo | str, data: bytes = b"x", *, listed: str | None = None) -> bytes:
        files = {**good, **({} if listed is None else {listed: data})}
        entries: list[tuple[zipfile.ZipInfo | str, bytes]] = [(listed_in, json.dumps(about(files, form)).encode())]
        return zipped([*entries, *((f"files/{path}", content) for path, content in good.items()), (name, data)])

    def listing(**fields: Any) -> bytes:
        return hand_in(good, lambda listed: listed.update(fields), form)

    def first(**fields: Any) -> bytes:
        return hand_in(good, lambda listed: listed["files"][0].update(fields), form)

    many = zipped([(f"files/{i}", b"") for i in range(2005)])
    return {
        "empty": (b"", "is not a hand-in file"),
        "text": (b"x = 1", "is not a hand-in file"),
        "notebook": (good[NOTEBOOK], "is not a hand-in file"),
        "cut": (sound[:-30], "is damaged"),
        "cut_in_the_middle": (sound[: len(sound) // 2], "is damaged"),
        "another_zip": (zipped([("a.txt", b"x")]), "is not in the folder files/"),
        "zip_of_files": (zipped([("files/a.txt", b"x")]), "was not made by"),
        "flipped": (sound.replace(b"PK\x03\x04\x14", b"PK\x03\x04\x15", 1)[:60] + b"\xff" + sound[61:], "is damaged"),
        "up": (entry("files/../../evil.py", listed="../../evil.py"), "has an empty step"),
        "absolute": (entry("/etc/passwd"), "is not in the folder files/"),
        "absolute_inside": (entry("files//etc/passwd"), "has an empty step"),
        "backslash": (entry("files/..\\evil.py"), "holds a backslash"),
        "drive": (entry("files/C:evil.py"), "has a scheme"),
        "escaped": (entry("files/%2e%2e/evil.py"), "leaves the folder"),
        "control": (entry("files/a\x1b[2J.py"), "control character"),
        "nul": (entry(marked("files/a?.py")).replace(b"files/a?.py", b"files/a\0.py"), "control character"),
        "folder": (entry(marked("files/sub/", 0o040755)), "has an empty step"),
        "link": (entry(marked("files/link", 0o120777), b"/etc/passwd", listed="link"), "is a link"),
        "device": (entry(marked("files/zero", 0o020666), listed="zero"), "is not an ordinary file"),
        "twice": (entry(place), "comes more than once"),
        "twice_by_case": (entry(place.upper().replace("FILES", "files")), "comes more than once"),
        "unlisted": (entry("files/extra.py"), "does not name 'files/extra.py'"),
        "method": (entry(marked("files/a", method=zipfile.ZIP_LZMA), listed="a"), "method that hand-in files"),
        "many": (many, "more than the limit of 2,000"),
        "bomb": (with_size(entry("files/zeros"), "files/zeros", 600 << 20), "more than the limit of 536,870,912"),
        "long_notebook": (hand_in(good | {NOTEBOOK: bytes(17 << 20)}, form=form), "more than the limit of 16,777,216"),
        "lying_size": (
            with_size(hand_in(good | {"zeros": bytes(9 << 20)}, form=form), "files/zeros", 100),
            "is damaged",
        ),
        "no_json": (zipped([(listed_in, b"{"), (place, good[NOTEBOOK])]), "is not JSON"),
        "deep_json": (zipped([(listed_in, b"[" * 200_000)]), "is not JSON"),
        "list_of_nothing": (zipped([(listed_in, b"[]")]), "is not the list of a hand-in file"),
        "long_list": (zipped([(listed_in, b" " * (5 << 20))]), "is longer than"),
        "other_format": (listing(format="other"), "is not the list of a hand-in file"),
        "newer": (listing(format_version=2), "was made by a newer version"),
        "files_no_list": (listing(files={}), "lists something that is not a file"),
        "file_no_object": (listing(files=[1]), "lists something that is not a file"),
        "no_notebook_named": (listing(notebook=None), "lists something that is not a file"),
        "other_notebook": (listing(notebook="b.ipynb"), "lacks its notebook 'b.ipynb'"),
        "path_up": (first(path="../x"), "lists something that is not a file"),
        "size_true": (first(size=True), "lists something that is not a file"),
        "wrong_hash": (first(sha256="0" * 64), "was changed"),
        "wrong_size": (first(size=1), "was changed"),
        "missing_file": (listing(files=[*about(good)["files"], *about({"b": b"x"})["files"]]), "lacks the file 'b'"),
        "listed_twice": (listing(files=about(good)["files"] * 2), "lists a file more than once"),
    }
