"""Pairs of keys for hand-in files, in the format age: pages encrypt to the public key, and the private key reads.

A file of private keys is as the program ``age-keygen`` writes it: one key a line, and comments after ``#``.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import GradingError
from ..exit_status import FAULTS

__all__ = [
    "PRIVATE_PREFIX",
    "PUBLIC_PREFIX",
    "is_readable_by_others",
    "make_keys",
    "open_age",
    "public_key_problem",
    "public_keys",
    "read_keys",
]

PUBLIC_PREFIX = "age1"
PRIVATE_PREFIX = "AGE-SECRET-KEY-"
#: Digits of Bech32 (BIP 173), in which keys are written.
_DIGITS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
#: Digits of a public key behind its prefix: 32 bytes, and six digits of checksum.
_PUBLIC_LENGTH = 58
#: Longest file of keys that is read, in bytes.
MAX_BYTES = 64 * 1024


def open_age() -> Any:
    """Return the library.

    Raises
    ------
    GradingError
        It is not installed. The message says what to install.
    """
    try:
        import pyrage
    except ImportError as error:
        raise GradingError(
            f'encrypted hand-in files need the package pyrage ({error}): pip install "jupyterlite-browsergrad[hand-in]"'
        ) from error
    return pyrage


def make_keys(path: Path) -> str:
    """Write a new private key to a file that only its owner can read, and return the public key.

    Raises
    ------
    GradingError
        The file is there already: it stays as it is, since work that is encrypted to its key could not be read any more. Or it cannot
        be written.
    """
    key = open_age().x25519.Identity.generate()
    public = str(key.to_public())
    made = datetime.now(UTC).isoformat(timespec="seconds")
    text = f"# created: {made}\n# public key: {public}\n{key}\n"
    try:
        # O_EXCL does not follow links either.
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
    except FileExistsError as error:
        raise GradingError(
            f"{path} is there already and is not overwritten: what students have encrypted to its key could not be read any more. "
            "Give another name, or use --show to see its public key",
            exit_status=FAULTS,
        ) from error
    except OSError as error:
        raise GradingError(f"{path} cannot be written: {error.strerror}") from error
    try:
        with open(opened, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        path.unlink(missing_ok=True)  # nobody has seen the public key yet
        raise GradingError(f"{path} cannot be written: {error.strerror}") from error
    return public


def public_key_problem(text: str) -> str | None:
    """Say why a text is not a public key; None if it is one. This needs no library, so that every build of a site can ask."""
    if text.upper().startswith(PRIVATE_PREFIX):
        return "is a private key, which would let every visitor read what students hand in: name the public one (age1…)"
    digits = text.removeprefix(PUBLIC_PREFIX)
    if digits == text or len(digits) != _PUBLIC_LENGTH or not set(digits) <= set(_DIGITS):
        return "is not a public key, which begins with age1: `jupyter browsergrad keys --show FILE` prints it"
    sign = PUBLIC_PREFIX[:-1]
    values = [*(ord(each) >> 5 for each in sign), 0, *(ord(each) & 31 for each in sign), *map(_DIGITS.index, digits)]
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate(_GENERATORS):
            check ^= generator if top >> i & 1 else 0
    return None if check == 1 else "has a wrong checksum: copy it again"


def read_keys(paths: Iterable[Path]) -> list[Any]:
    """Read files of private keys.

    Raises
    ------
    GradingError
        A file cannot be read or has no key. The message never quotes the file.
    """
    return [key for path in paths for key in _keys_in(path)]


def public_keys(path: Path) -> list[str]:
    """Return the public keys of a file of private keys. Raises GradingError as `read_keys` does."""
    return [str(key.to_public()) for key in _keys_in(path)]


def is_readable_by_others(path: Path) -> bool:
    """Whether other users of this machine can read a file of keys. Always false on Windows, whose files have no such bits."""
    return os.name == "posix" and bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _keys_in(path: Path) -> list[Any]:
    try:
        with open(path, "rb") as file:
            text = file.read(MAX_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise GradingError(f"the key {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise GradingError(
            f"{path} is not a file of private keys: it is not text. `jupyter browsergrad keys` makes one"
        ) from error
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines or not all(line.startswith(PRIVATE_PREFIX) for line in lines):
        only_public = any(line.startswith(PUBLIC_PREFIX) for line in lines)
        raise GradingError(
            f"{path} has {'a public key, which cannot decrypt' if only_public else 'no private key'}: "
            "give the file that `jupyter browsergrad keys` has written"
        )
    age = open_age()
    try:
        return [age.x25519.Identity.from_str(line) for line in lines]
    except age.IdentityError as error:
        raise GradingError(f"{path} has a private key that is damaged ({error})") from None
