"""``locale``: raises an error for locales that do not exist. WebAssembly's C library accepts every name, with no effect."""

from __future__ import annotations

from types import ModuleType
from typing import Any

_UTF8 = "C.UTF-8"
#: Name of a locale in lower case and without hyphens -> its name in the C library.
_KNOWN = {"": _UTF8, "c": "C", "posix": "C", "c.utf8": _UTF8}


def amend(module: ModuleType) -> None:
    """Make ``setlocale`` accept only the names of locales that exist."""
    locale: Any = module
    change = locale._setlocale

    def setlocale(category: int, locale: Any = None) -> str:
        """Return the locale of `category`, or set it to C, POSIX, C.UTF-8, or '', which means C.UTF-8."""
        if locale is not None:
            if not isinstance(locale, str):
                locale = module.normalize(module._build_localename(locale))
            locale = ";".join(_known(part, module) for part in locale.split(";"))
        result: str = change(category, locale)
        return result

    # Emscripten has set it to the browser's language, which changes only its name.
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
