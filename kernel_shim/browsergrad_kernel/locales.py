"""``locale``: C's library here takes any name of a locale, and goes on as before. Now it says that there are none."""

from __future__ import annotations

from types import ModuleType
from typing import Any

_UTF8 = "C.UTF-8"
#: Names there are, in lower case and without hyphens, and what C's library calls them.
_KNOWN = {"": _UTF8, "c": "C", "posix": "C", "c.utf8": _UTF8}


def amend(module: ModuleType) -> None:
    """Let ``setlocale`` take the names of locales that exist, and no others."""
    locale: Any = module
    change = locale._setlocale

    def setlocale(category: int, locale: Any = None) -> str:
        """Ask for the locale of `category`, or set it: C, POSIX, C.UTF-8, or '', which is C.UTF-8."""
        if locale is not None:
            if not isinstance(locale, str):
                locale = module.normalize(module._build_localename(locale))
            locale = ";".join(_known(part, module) for part in locale.split(";"))
        result: str = change(category, locale)
        return result

    # It has been set to the browser's language, which changes nothing but its name.
    change(locale.LC_CTYPE, _UTF8)
    locale.setlocale = setlocale


def _known(name: str, module: Any) -> str:
    value = name.rpartition("=")[2]  # as in LC_CTYPE=C
    found = _KNOWN.get(value.lower().replace("-", ""))
    if found is None:
        raise module.Error(
            f"unsupported locale setting: {value!r}. Python in WebAssembly has the locales C, POSIX and C.UTF-8 only: "
            "no other language's names of months, nor its signs in numbers"
        )
    return found
