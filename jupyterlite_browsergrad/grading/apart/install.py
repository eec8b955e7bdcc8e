"""The code that puts one end of the line into a sandbox: as text, since the sandbox has nothing of this package."""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["RUBRIC", "STUDENT", "install_code"]

#: Modules of each side, in the order in which they are made.
STUDENT = ("values", "link", "student_side")
RUBRIC = ("values", "link", "clean", "rubric_side")
#: Name of their package in the sandbox.
PACKAGE = "_browsergrad_apart"

_INSTALL = """
def _browsergrad_install(sources):
    import sys
    from types import ModuleType

    package = ModuleType({package!r})
    package.__path__ = []
    sys.modules[{package!r}] = package
    for name, source in sources:
        module = ModuleType(f"{package}.{{name}}")
        module.__package__, module.__file__ = {package!r}, f"<browsergrad {{name}}>"
        sys.modules[module.__name__] = module
        exec(compile(source, module.__file__, "exec", dont_inherit=True), vars(module))
        setattr(package, name, module)

_browsergrad_install({sources!r})
del _browsergrad_install
"""


@cache
def install_code(names: tuple[str, ...]) -> str:
    """Python code that makes the modules of these names."""
    folder = Path(__file__).parent
    sources = [(name, (folder / f"{name}.py").read_text("utf-8")) for name in names]
    return _INSTALL.format(package=PACKAGE, sources=sources)
