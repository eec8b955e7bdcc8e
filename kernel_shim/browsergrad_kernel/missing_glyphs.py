"""Turns matplotlib's warnings about missing glyphs into one line for each cell.

Matplotlib warns of each character that its font does not have, several times for each figure, with the line of a library in every warning.
"""

from __future__ import annotations

import re
import sys
import warnings
from typing import Any

#: Matplotlib's text, before and since 3.9.
_WARNING = re.compile(r"Glyph (\d+) \(.*\) missing from (?:current font|font\(s\) .+)\.", re.DOTALL)
#: Number of characters that the line names.
MAX_CHARACTERS = 20

#: Characters of the running cell that no font has. A dict, to keep the order.
_missing: dict[str, None] = {}
_show: Any = None


def install(shell: Any) -> None:
    """Replace ``warnings.showwarning``. Filters, and code that records warnings or makes them errors, work as before."""
    global _show
    if warnings.showwarning is not _show_other:
        _show = warnings.showwarning
        warnings.showwarning = _show_other
    shell.events.register("post_run_cell", _tell)


def _show_other(message: Any, category: Any, filename: Any, lineno: Any, file: Any = None, line: Any = None) -> None:
    found = _WARNING.fullmatch(str(message)) if file is None else None
    if found is None:
        _show(message, category, filename, lineno, file, line)
    else:
        _missing[chr(int(found[1]))] = None


def _tell(result: Any = None) -> None:
    """Write the line. This event comes after the figures have been shown."""
    if not _missing:
        return
    characters = "".join(_missing)
    _missing.clear()
    more = len(characters) - MAX_CHARACTERS
    named = characters[:MAX_CHARACTERS] + (f" and {more} more" if more > 0 else "")
    print(
        f"The figure's font has no {named}. Put a font file that has them beside the notebook, and write: "
        "import matplotlib as mpl; mpl.font_manager.fontManager.addfont('FILE.ttf'); "
        "mpl.rcParams['font.family'] = ['DejaVu Sans', 'NAME OF THAT FONT']",
        file=sys.stderr,
    )
