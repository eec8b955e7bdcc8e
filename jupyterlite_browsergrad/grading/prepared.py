"""The grader's own code for a sandbox, compiled by the first one of a run: each further one is only given what that made.

Compiling it, and reading the code of `browsergrad` from the runtime's files, takes longer than all the rest of an ordinary submission.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from .site_python import SitePython

__all__ = ["RUBRIC", "STUDENT", "install_code", "prepare"]

#: Modules of each kind of sandbox, in the order in which they are made; `inside` is alone, the others make a package.
STUDENT = ("apart.values", "apart.link", "apart.student_side", "inside")
SHARED = ("inside",)
RUBRIC = ("apart.values", "apart.link", "apart.clean", "apart.rubric_side")
#: Name of the package in the sandbox.
PACKAGE = "_browsergrad_apart"

_MAKE = """
def _browsergrad_make(sources, fresh):
    import sys
    from binascii import b2a_base64
    from marshal import dumps

    import browsergrad._lab
    import json

    ours = {{name: compile(source, f"<browsergrad {{name}}>", "exec", dont_inherit=True) for name, source in sources}}
    theirs = {{}}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in fresh and (code := module.__spec__.loader.get_code(name)) is not None:
            spec = module.__spec__
            theirs[name] = (spec.origin, spec.submodule_search_locations is not None, code)
    return b2a_base64(dumps((ours, theirs)), newline=False).decode()
"""
_INSTALL = """
def _browsergrad_install(text, names):
    import sys
    from binascii import a2b_base64
    from marshal import loads
    from types import ModuleType

    ours, theirs = loads(a2b_base64(text))
    package = ModuleType({package!r})
    package.__path__ = []
    package.fresh = theirs
    sys.modules[{package!r}] = package
    for name in names:
        short = name.rpartition(".")[2]
        module = ModuleType(f"{package}.{{short}}")
        module.__package__, module.__file__ = {package!r}, f"<browsergrad {{name}}>"
        sys.modules[module.__name__] = module
        exec(ours[name], vars(module))
        setattr(package, short, module)

_browsergrad_install({text!r}, {names!r})
del _browsergrad_install
"""

_made: dict[bytes, str] = {}
_lock = threading.Lock()


def prepare(python: SitePython, evaluate: Callable[[str, str], str]) -> str:
    """What `install_code` takes: made once for each Python.

    Parameters
    ----------
    evaluate
        Runs code and gives the text of an expression, in a sandbox where no student code has run.
    """
    with _lock:
        made = _made.get(python.identity)
    if made is None:
        from .inside import FRESH

        folder = Path(__file__).parent
        names = dict.fromkeys((*STUDENT, *RUBRIC))
        sources = [(name, (folder / f"{name.replace('.', '/')}.py").read_text("utf-8")) for name in names]
        made = evaluate(_MAKE.format(), f"_browsergrad_make({sources!r}, {FRESH!r})")
        with _lock:
            _made[python.identity] = made
    return made


def install_code(made: str, names: tuple[str, ...]) -> str:
    """Python code that makes the modules of these names."""
    return _INSTALL.format(package=PACKAGE, text=made, names=names)
