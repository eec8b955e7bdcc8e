"""Runs inside the sandbox: keeps what a verdict rests on as it was before the student's code, and signs the verdict.

Only its text is used: it is sent into a fresh kernel before the student's first cell. It imports nothing of this package.

Student code and rubric share one interpreter, so nothing here is out of reach of code that walks through frames and closures to
find it. What it stops is what students try: replaced built-ins, a patched `browsergrad`, printed or invented results, `sys.exit`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import CodeType, ModuleType
from typing import Any

#: The module by which the grader finds its way back; whatever a student puts there can't sign.
ENTRY = "_browsergrad_grader"
#: Characters of assertions that a result holds; counts are always exact.
MOST_ASSERTIONS = 4 << 20
#: Made anew from their code for the rubric.
FRESH = ("browsergrad", "json")
#: Get back what their names meant.
RESTORED = (
    "_json",
    "ast",
    "asyncio",
    "base64",
    "builtins",
    "collections",
    "contextlib",
    "copy",
    "dataclasses",
    "functools",
    "hashlib",
    "importlib",
    "inspect",
    "io",
    "itertools",
    "linecache",
    "math",
    "operator",
    "os",
    "random",
    "re",
    "string",
    "time",
    "traceback",
    "types",
    "typing",
)


def code_of(prefix: str) -> dict[str, tuple[Any, CodeType]]:
    """The loaded modules of a package: spec and code, which nothing can change."""
    found = {}
    for name, module in list(sys.modules.items()):
        if name == prefix or name.startswith(prefix + "."):
            spec = module.__spec__
            code = spec.loader.get_code(name)
            if code is not None:
                found[name] = (spec, code)
    return found


def make_grade(key: str, namespace: Callable[[], Mapping[str, Any]]) -> Callable[[str, str, str], str]:
    """Return the function that runs the rubric.

    Parameters
    ----------
    key
        Signs results.
    namespace
        Gives the student's names.
    """
    import builtins
    import gc
    import importlib
    import importlib.util
    from binascii import b2a_base64

    import browsergrad._lab  # noqa: F401  so that its code is at hand
    from _sha2 import sha256
    from browsergrad_kernel.interrupts import CellTimeoutError

    for name in RESTORED:
        importlib.import_module(name)
    secret = key.encode()
    saved = {name: (sys.modules[name], dict(vars(sys.modules[name]))) for name in RESTORED}
    code = {name: entry for prefix in FRESH for name, entry in code_of(prefix).items()}
    old = dict(vars(sys.modules["browsergrad"]))
    old_module = sys.modules["browsergrad"]
    modules, meta_path, path = sys.modules, sys.meta_path, sys.path
    finders, places = list(meta_path), list(path)
    exits = (sys.settrace, sys.setprofile, sys.setrecursionlimit, sys.getrecursionlimit())
    run = exec

    class Loader:
        def create_module(self, spec: Any) -> None:
            return None

        def exec_module(self, module: ModuleType) -> None:
            run(code[module.__name__][1], vars(module))

    class Finder:
        def find_spec(self, name: str, where: Any = None, target: Any = None) -> Any:
            if name not in code:
                return None
            spec, _ = code[name]
            fresh = importlib.machinery.ModuleSpec(
                name, Loader(), origin=spec.origin, is_package=spec.submodule_search_locations is not None
            )
            fresh.has_location = True
            return fresh

    finder = Finder()

    def restore() -> None:
        settrace, setprofile, set_limit, limit = exits
        settrace(None)
        setprofile(None)
        set_limit(limit)
        gc.callbacks.clear()
        for name, (module, names) in saved.items():
            modules[name] = module
            here = module.__dict__
            if module is builtins:
                for extra in [each for each in here if each not in names]:
                    del here[extra]
            here.update(names)
        sys.modules, sys.meta_path, sys.path = modules, meta_path, path
        meta_path[:] = [finder, *finders]
        path[:] = places
        for name in [each for each in modules if each.partition(".")[0] in FRESH]:
            del modules[name]

    def grade(rubric: str, filename: str, challenge: str) -> str:
        restore()
        from json import dumps

        from browsergrad._lab import run_rubric

        fresh = modules["browsergrad"]
        replaced = {id(value): vars(fresh).get(name, value) for name, value in old.items() if not name.startswith("__")}
        replaced[id(old_module)] = fresh
        names = {name: replaced.get(id(value), value) for name, value in namespace().items()}
        # Nobody presses Stop here: any other KeyboardInterrupt was raised by what the rubric called.
        content = run_rubric(rubric, names, filename, CellTimeoutError)
        kept, room = [], MOST_ASSERTIONS
        for each in map(dumps, content["assertions"]):
            room -= len(each)
            if room < 0:
                break
            kept.append(each)
        whole = f'{{"assertions": [{", ".join(kept)}], "counts": {dumps(content["counts"])}}}'
        text = b2a_base64(whole.encode(), newline=False).decode()
        digest = sha256(rubric.encode()).hexdigest()
        inner = sha256(secret + f"{challenge}\n{digest}\n{text}".encode()).digest()
        return sha256(secret + inner).hexdigest() + text

    return grade


def install(key: str, namespace: Callable[[], Mapping[str, Any]]) -> None:
    """Put the grader where `ENTRY` finds it."""
    module = ModuleType(ENTRY)
    module.grade = make_grade(key, namespace)  # type: ignore[attr-defined]
    sys.modules[ENTRY] = module
