"""Empty modules for those of CPython's library that a browser lacks, where libraries import them."""

from __future__ import annotations

import importlib.util
import sys
import types

#: What the modules must offer to be imported.
_ATTRIBUTES = {
    "termios": {"TCSAFLUSH": 2, "error": OSError},
    "fcntl": {},
    "resource": {},
    "pexpect": {},
}


def install() -> None:
    """Put a stand-in into ``sys.modules`` for each module that can't be found."""
    for name, attributes in _ATTRIBUTES.items():
        if name not in sys.modules and importlib.util.find_spec(name) is None:
            module = types.ModuleType(name, "Stand-in: this module does not exist in a browser.")
            module.__dict__.update(attributes)
            sys.modules[name] = module
