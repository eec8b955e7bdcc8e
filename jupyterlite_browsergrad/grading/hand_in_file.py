"""Reads hand-in files (``.bglab``): zip files with a notebook, its files and a list of their hashes, as they are or encrypted by age.

They come from students, so everything in them may be wrong. docs/reference/hand-in.md describes the format.
"""

from __future__ import annotations

import hashlib
import io
import json
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import GradingError
from ..labs.manifest_rules import path_problem
from .hand_in_keys import open_age

__all__ = ["SUFFIX", "BadHandIn", "HandIn", "read_hand_in"]

SUFFIX = ".bglab"
LIST_NAME = "browsergrad-hand-in.json"
FOLDER = "files/"
FORMAT = "browsergrad-hand-in"
MAX_FILES = 2000
#: Of all files unpacked.
MAX_BYTES = 512 * 1024 * 1024
MAX_LIST_BYTES = 4 * 1024 * 1024
MAX_PATH_LENGTH = 1000
_CHUNK = 1 << 20
_AGE = b"age-encryption.org/"
_ZIP = b"PK\x03\x04"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class BadHandIn(ValueError):
    """A hand-in file cannot be used. The message says why, and begins with "it"."""


@dataclass(frozen=True)
class HandIn:
    """A hand-in file of which everything is sound.

    Attributes
    ----------
    notebook
        The bytes of the notebook that was handed in.
    paths
        All files in it.
    about
        The list, without the files.
    """

    notebook: bytes
    paths: tuple[str, ...]
    about: dict[str, Any]


def read_hand_in(content: bytes, keys: Sequence[Any], most_bytes: int) -> HandIn:
    """Read a hand-in file, and compare every file in it with its hash.

    Parameters
    ----------
    keys
        What `read_keys` returned.
    most_bytes
        Longest notebook.

    Raises
    ------
    BadHandIn
        The file is damaged, foreign or hostile, or none of the keys reads it.
    """
    if content.startswith(_AGE):
        content = _decrypted(content, keys)
    if not content.startswith(_ZIP):
        raise BadHandIn(f"it is not a hand-in file, which *Make Hand-In File* writes with the ending {SUFFIX}")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _read(archive, most_bytes)
    except BadHandIn:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        raise BadHandIn(f"it is damaged: {error}") from error


def _decrypted(content: bytes, keys: Sequence[Any]) -> bytes:
    try:
        age = open_age()
    except GradingError as error:
        raise BadHandIn(f"it is encrypted: {error}") from error
    if not keys:
        raise BadHandIn("it is encrypted: give the private key with --key")
    try:
        return bytes(age.decrypt(content, list(keys)))
    except age.DecryptError as error:
        if "No matching keys" in str(error):
            raise BadHandIn("it is encrypted to another key than those given with --key") from error
        raise BadHandIn(f"it is damaged: it cannot be decrypted ({error})") from error


def _read(archive: zipfile.ZipFile, most_bytes: int) -> HandIn:
    entries = _checked(archive.infolist())
    if LIST_NAME not in entries:
        raise BadHandIn(f"it was not made by *Make Hand-In File*: it has no {LIST_NAME}")
    about = _list(archive, entries.pop(LIST_NAME))
    listed = about.pop("files")
    path, notebook = about["notebook"], None
    for file in listed:
        info = entries.pop(FOLDER + file["path"], None)
        if info is None:
            raise BadHandIn(f"it lacks the file {file['path']!r}, which its list names")
        is_notebook = file["path"] == path
        if is_notebook and info.file_size > most_bytes:
            raise BadHandIn(f"its notebook is {info.file_size:,} bytes long, more than the limit of {most_bytes:,}")
        data, digest = _hashed(archive, info, is_notebook)
        if digest != file["sha256"] or info.file_size != file["size"]:
            raise BadHandIn(f"its file {file['path']!r} was changed: its hash is not that of the list")
        notebook = data if is_notebook else notebook
    if entries:
        raise BadHandIn(f"its list does not name {next(iter(entries))!r}")
    if notebook is None:
        raise BadHandIn(f"it lacks its notebook {path!r}")
    return HandIn(notebook, tuple(file["path"] for file in listed), about)


def _checked(infos: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """Check everything that the directory says, before anything is unpacked, and return the entries by name."""
    if len(infos) > MAX_FILES + 1:
        raise BadHandIn(f"it has {len(infos):,} files, more than the limit of {MAX_FILES:,}")
    total = sum(info.file_size for info in infos)
    if total > MAX_BYTES:
        raise BadHandIn(f"its files are {total:,} bytes long, more than the limit of {MAX_BYTES:,}")
    seen: set[str] = set()
    for info in infos:
        name = info.orig_filename
        problem = _name_problem(name)
        # Names that differ only in case are one file on some computers.
        key = unicodedata.normalize("NFC", name).casefold()
        kind = stat.S_IFMT(info.external_attr >> 16)
        if problem is not None:
            raise BadHandIn(f"its entry {name[:200]!r} {problem}")
        if kind not in (0, stat.S_IFREG):
            raise BadHandIn(f"its entry {name!r} is {'a link' if kind == stat.S_IFLNK else 'not an ordinary file'}")
        if info.flag_bits & 1:
            raise BadHandIn(f"its entry {name!r} has a password")
        if info.compress_type not in _METHODS:
            raise BadHandIn(f"its entry {name!r} is compressed by a method that hand-in files do not use")
        if key in seen:
            raise BadHandIn(f"its entry {name!r} comes more than once")
        seen.add(key)
    return {info.orig_filename: info for info in infos}


def _name_problem(name: str) -> str | None:
    if name == LIST_NAME:
        return None
    if not name.startswith(FOLDER):
        return f"is not in the folder {FOLDER}"
    return _path_problem(name.removeprefix(FOLDER))


def _path_problem(path: str) -> str | None:
    if len(path) > MAX_PATH_LENGTH:
        return f"has more than {MAX_PATH_LENGTH} characters"
    if any(step in ("", ".", "..") for step in path.split("/")):
        return "has an empty step, . or .."
    return path_problem(path)


def _hashed(archive: zipfile.ZipFile, info: zipfile.ZipInfo, is_kept: bool) -> tuple[bytes, str]:
    """Return a file's bytes, if they are to be kept, and their hash. At most as much is unpacked as the directory says."""
    digest, parts = hashlib.sha256(), []
    with archive.open(info) as file:
        while part := file.read(_CHUNK):
            digest.update(part)
            if is_kept:
                parts.append(part)
    return b"".join(parts), digest.hexdigest()


def _list(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> dict[str, Any]:
    """Return the list, whose fields `files` and `notebook` are valid."""
    if info.file_size > MAX_LIST_BYTES:
        raise BadHandIn(f"its {LIST_NAME} is longer than {MAX_LIST_BYTES:,} bytes")
    try:
        found = json.loads(archive.read(info).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadHandIn(f"its {LIST_NAME} is not JSON: {error}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise BadHandIn(f"its {LIST_NAME} is not the list of a hand-in file")
    if found.get("format_version") != 1:
        raise BadHandIn("it was made by a newer version: update jupyterlite-browsergrad")
    files = found.get("files")
    if not isinstance(files, list) or not all(map(_is_file, files)) or not isinstance(found.get("notebook"), str):
        raise BadHandIn(f"its {LIST_NAME} lists something that is not a file")
    if len({file["path"] for file in files}) < len(files):
        raise BadHandIn(f"its {LIST_NAME} lists a file more than once")
    return found


def _is_file(file: Any) -> bool:
    return (
        isinstance(file, dict)
        and all(isinstance(file.get(name), str) for name in ("path", "sha256"))
        and type(file.get("size")) is int
        and _path_problem(file["path"]) is None
    )
