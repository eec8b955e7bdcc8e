"""``webbrowser``: Python cannot open a tab from a worker, so a cell shows a link to click."""

from __future__ import annotations

import html
import sys
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

#: Schemes of links that open a page. Others, such as ``javascript``, would do something else.
_SCHEMES = ("", "http", "https", "ftp", "mailto")


def open(url: Any, new: int = 0, autoraise: bool = True) -> bool:
    """Show a link to `url`.

    Returns
    -------
    bool
        Whether a link is shown; if not, the address was printed.
    """
    url = str(url)
    shell = _shell()
    if shell is None or urlsplit(url.strip()).scheme not in _SCHEMES:
        print(f"Open in a browser: {url}")
        return False
    text = html.escape(url)
    link = f'<a href="{text}" target="_blank" rel="noopener noreferrer">Open {text}</a>'
    shell.display_pub.publish({"text/html": link, "text/plain": f"Open {url}"})
    return True


def _shell() -> Any:
    """The notebook's shell; None in sessions without one."""
    interactive: Any = sys.modules.get("IPython.core.interactiveshell")
    return interactive.InteractiveShell._instance if interactive else None


def open_new(url: Any) -> bool:
    """Show a link to `url`."""
    return open(url, 1)


def open_new_tab(url: Any) -> bool:
    """Show a link to `url`."""
    return open(url, 2)


def amend(module: ModuleType) -> None:
    """Replace Pyodide's functions, which need the page's window, by those of this module."""
    for function in (open, open_new, open_new_tab):
        setattr(module, function.__name__, function)
