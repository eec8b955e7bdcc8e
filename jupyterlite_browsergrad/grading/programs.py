"""Functions that run in a sandbox. `call` makes the text of a cell that defines such a function and calls it.

Each function is complete by itself: it imports what it needs, and takes arguments whose `repr` is Python code.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

__all__ = ["call", "make_code", "make_modules", "set_up_rubric", "set_up_submission", "source_of"]


def source_of(function: Callable[..., object]) -> str:
    """The source of a function."""
    return inspect.getsource(function)


def call(function: Callable[..., object], *arguments: object) -> str:
    """The source of a cell that defines a function, calls it, and deletes its name."""
    name = function.__name__
    return f"{source_of(function)}\n{name}({', '.join(map(repr, arguments))})\ndel {name}\n"


def make_code(sources: list[tuple[str, str]], fresh: tuple[str, ...]) -> str:
    """Compile the grader's modules, and read the code of the packages `fresh`. Returns the argument of `make_modules`, as text."""
    import json  # noqa: F401  so that its code is at hand
    import sys
    from binascii import b2a_base64
    from marshal import dumps

    import browsergrad.hosting  # noqa: F401

    ours = {name: compile(source, f"<browsergrad {name}>", "exec", dont_inherit=True) for name, source in sources}
    theirs = {}
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in fresh and (code := module.__spec__.loader.get_code(name)) is not None:  # type: ignore[union-attr]
            spec = module.__spec__
            theirs[name] = (spec.origin, spec.submodule_search_locations is not None, code)  # type: ignore[union-attr]
    return b2a_base64(dumps((ours, theirs)), newline=False).decode()


def make_modules(text: str, names: tuple[str, ...], package_name: str) -> None:
    """Make the grader's modules with these names, in a package."""
    import sys
    from binascii import a2b_base64
    from marshal import loads
    from types import ModuleType

    ours, theirs = loads(a2b_base64(text))
    package = ModuleType(package_name)
    package.__path__ = []
    package.fresh = theirs  # type: ignore[attr-defined]
    sys.modules[package_name] = package
    for name in names:
        short = name.rpartition(".")[2]
        module = ModuleType(f"{package_name}.{short}")
        module.__package__, module.__file__ = package_name, f"<browsergrad {name}>"
        sys.modules[module.__name__] = module
        exec(ours[name], vars(module))
        setattr(package, short, module)


def set_up_submission(handed: str, imports: list[str], own: str, apart: bool, package_name: str) -> None:
    """Tell `browsergrad` about the lab, and let the package's `begin` install the grader. A request with the key calls it."""
    import json
    import os
    import sys
    from pathlib import Path

    from IPython import get_ipython

    package = sys.modules[package_name]
    module, shell, modules = package.signed_verdict, get_ipython(), json.loads(own)

    def begin(key: str) -> str:
        user = shell.user_ns
        user.pop("make_code", None)
        hidden = set(user)
        exchange = None
        if apart:
            from browsergrad_kernel import blocking

            wait, ask = blocking.read_line, shell._request_input

            def exchange(text: str) -> str:
                answer: str = wait(text, False, ask)
                return answer

        kept = module.Kept(imports, modules, (str(place), content), package.fresh)
        module.install(
            key, lambda: {name: value for name, value in user.items() if name not in hidden}, user, kept, exchange
        )
        for name in [name for name in sys.modules if name.startswith(package_name)]:
            del sys.modules[name]
        return sys.version.split()[0]

    package.begin = begin  # type: ignore[attr-defined]
    lab = json.loads(handed)
    for entry in lab["datasets"].values():
        if "path" in entry:
            entry["path"] = os.path.abspath(entry["path"])
    place = Path("/tmp/browsergrad/lab.json")
    place.parent.mkdir(parents=True, exist_ok=True)
    content = json.dumps({**lab, "folder": os.getcwd()})
    place.write_text(content, "utf-8")


def set_up_rubric(handed: str, modules: str, temporary: str, entry_name: str) -> None:
    """Tell `browsergrad` about the lab, put the lab's modules where no submission can write, and install the rubric's side."""
    import base64
    import json
    import os
    import sys
    import tempfile
    from pathlib import Path
    from types import ModuleType

    from browsergrad_kernel import blocking
    from IPython import get_ipython

    wait, ask = blocking.read_line, get_ipython()._request_input
    lab = json.loads(handed)
    for entry in lab["datasets"].values():
        if "path" in entry:
            entry["path"] = os.path.abspath(entry["path"])
    place = Path("/tmp/browsergrad/lab.json")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps({**lab, "folder": os.getcwd()}), "utf-8")
    own = Path("/tmp/browsergrad/lab")
    contents = json.loads(modules)
    for path, content in contents.items():
        target = own / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(base64.b64decode(content))
    here = os.getcwd()
    sys.path[:] = [each for each in sys.path if each not in ("", ".", here)]
    if contents:
        sys.path.append(str(own))
    tempfile.tempdir = os.path.join(here, temporary)
    os.makedirs(tempfile.tempdir, exist_ok=True)
    from _browsergrad_apart import rubric_side  # type: ignore[import-not-found]  # a part of the program in the sandbox

    module = ModuleType(entry_name)
    module.box = rubric_side.Box(lambda text: wait(text, False, ask))  # type: ignore[attr-defined]
    sys.modules[entry_name] = module
