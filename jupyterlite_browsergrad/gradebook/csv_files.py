"""Reads CSV files that platforms and spreadsheets write."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path

from ..errors import GradingError

__all__ = ["delimiter_of", "read_csv_text", "rows_of"]


def read_csv_text(path: Path) -> str:
    """Return the text of a CSV file in UTF-8, or in UTF-16 with a byte order mark.

    Raises
    ------
    GradingError
        The file cannot be read, or has another encoding.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise GradingError(f"{path} cannot be read: {error.strerror or error}: give a file in CSV form") from error
    # Blackboard exports UTF-16 with a byte order mark.
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise GradingError(
            f"{path}, line {line}: it is not {encoding.upper().removesuffix('-SIG')} text, so names would be damaged: "
            "save it as CSV UTF-8"
        ) from error


def delimiter_of(text: str) -> str:
    """Return the character that separates the columns: a comma, semicolon or tab, whichever is most frequent in the first line."""
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def rows_of(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Read a CSV file with any of these delimiters. Yields each row with the number of its first line.

    Raises
    ------
    GradingError
        It cannot be read, or is not CSV.
    """
    text = read_csv_text(path)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
    number = 1
    try:
        for row in reader:
            yield number, row
            number = reader.line_num + 1
    except csv.Error as error:
        raise GradingError(
            f"{path}, line {number}: it is not CSV: {error}: save it as CSV from a spreadsheet"
        ) from error
