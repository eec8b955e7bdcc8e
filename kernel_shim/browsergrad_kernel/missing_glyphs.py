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
    """Replace what shows a warning in the end. Filters, and code that records warnings or makes them errors, work as before.

    In the place of ``warnings.showwarning``, which is public, it would not get the objects that a warning is about.
    """
    global _show
    if warnings._showwarnmsg_impl is not _show_other:  # type: ignore[attr-defined]
        _show = warnings._showwarnmsg_impl  # type: ignore[attr-defined]
        warnings._showwarnmsg_impl = _show_other  # type: ignore[attr-defined]
    shell.events.register("post_run_cell", _tell)


def _show_other(warning: warnings.WarningMessage) -> None:
    found = _WARNING.fullmatch(str(warning.message)) if warning.file is None else None
    if found is None:
        _show(warning)
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
