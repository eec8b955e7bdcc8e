"""Interpreters for rubrics. They start while the student's cells run, and are used again as long as they are unchanged."""

from __future__ import annotations

import ast
import base64
import json
import os
import queue
import shutil
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import GradingError
from .. import programs, scratch
from ..prepared import RUBRIC, install_code

__all__ = ["RubricBox", "Wanted", "close_all", "release", "take"]

#: Name of the module by which the rubric's interpreter is found.
ENTRY = "_browsergrad_rubric"
#: Seconds after which an interpreter that is not used is ended.
IDLE_S = 60.0
#: Seconds in which one that has started is prepared, its packages loaded; only for a hang.
SET_UP_S = 300.0

#: Folder for temporary files, in the folder that both sides see.
TEMPORARY = "browsergrad-tmp"


@dataclass(frozen=True)
class Wanted:
    """The requirements on an interpreter for a rubric. Interpreters with equal ones can replace each other."""

    lab_sha256: str
    memory_bytes: int
    disk_bytes: int
    from_files: bool
    site: Path | None
    #: Import statements whose packages are loaded.
    imports: tuple[str, ...] = ()


@dataclass(eq=False)
class RubricBox:
    """A sandbox with a rubric's interpreter, and its folder."""

    wanted: Wanted
    sandbox: Any
    folder: Path
    #: Removes the folder.
    held: ExitStack
    lab: Any = field(repr=False)
    #: How many rubrics have run in it.
    uses: int = 0
    #: Ends it when it has been idle for long.
    expiry: threading.Timer = field(default_factory=lambda: threading.Timer(IDLE_S, lambda: None))
    _begun: bool = False
    _ready: bool = False
    _replies: queue.SimpleQueue[dict[str, Any]] = field(default_factory=queue.SimpleQueue)

    def begin(self, made: str) -> None:
        """Prepare it with the code of `prepared`. Does not wait for the end. A second call does nothing."""
        if self._begun:
            return
        self._begun = True
        content = {
            "code": _set_up(self.lab, self.wanted.imports, made),
            "silent": True,
            "store_history": False,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,
        }

        def receive(message: dict[str, Any]) -> None:
            if message["channel"] == "shell":
                self._replies.put(message["content"])

        self.sandbox.send(self.sandbox.message("execute_request", content), receive)

    def wait_ready(self) -> None:
        """Wait until it can run a rubric.

        Raises
        ------
        GradingError
            It could not be prepared.
        SandboxError
            It could not be started.
        """
        if self._ready:
            return
        self.sandbox.wait_ready()
        try:
            done = self._replies.get(timeout=SET_UP_S)
        except queue.Empty:
            raise GradingError(f"the rubric's interpreter was not prepared within {SET_UP_S:g} s") from None
        if done.get("status") != "ok":
            raise GradingError(
                f"the rubric's interpreter could not be prepared: {done.get('ename')}: {done.get('evalue')}"
            )
        self._ready = True

    def tidy(self) -> None:
        """Restore the folder."""
        parents = {parent.as_posix() for path in self.lab.files for parent in Path(path).parents}
        for top, folders, names in os.walk(self.folder, topdown=False):
            here = Path(top).relative_to(self.folder)
            for name in names:
                if (here / name).as_posix() not in self.lab.files:
                    (Path(top) / name).unlink()
            for name in folders:
                if (here / name).as_posix() not in (*parents, TEMPORARY):
                    shutil.rmtree(Path(top) / name)
        _write(self.folder, self.lab.files)

    def close(self) -> None:
        """End it."""
        self.expiry.cancel()
        self.sandbox.kill()
        self.held.close()


_lock = threading.Lock()
_idle: list[RubricBox] = []


def take(wanted: Wanted, lab: Any, start: Callable[[Path], Any]) -> RubricBox:
    """Return an interpreter that nobody else uses: a used one that is unchanged, or a new one that is starting.

    Parameters
    ----------
    lab
        Its bundle.
    start
        Starts a sandbox with this folder and returns it.
    """
    with _lock:
        others = [box for box in _idle if box.wanted != wanted]
        for box in others:
            _idle.remove(box)
        found = next((box for box in _idle if box.sandbox.is_alive), None)
        if found is not None:
            _idle.remove(found)
            found.expiry.cancel()
    for box in others:
        box.close()
    return found or _start(wanted, lab, start)


def release(box: RubricBox) -> None:
    """Keep an interpreter for the next submission. The caller has checked that it is unchanged."""
    try:
        box.tidy()
    except OSError:
        box.close()
        return
    box.expiry = threading.Timer(IDLE_S, _expire, (box,))
    box.expiry.daemon = True
    with _lock:
        _idle.append(box)
        box.expiry.start()


def _expire(box: RubricBox) -> None:
    """End an interpreter that nobody has taken. A worker of a cluster lives longer than a run."""
    with _lock:
        if box not in _idle:
            return
        _idle.remove(box)
    box.close()


def close_all() -> None:
    """End all interpreters that are kept."""
    with _lock:
        boxes = _idle[:]
        _idle.clear()
    for box in boxes:
        box.close()


def _start(wanted: Wanted, lab: Any, start: Callable[[Path], Any]) -> RubricBox:
    with ExitStack() as stack:
        folder = stack.enter_context(scratch.folder())
        _write(folder, lab.files)
        sandbox = start(folder)
        box = RubricBox(wanted, sandbox, folder, stack.pop_all(), lab)
    return box


def _set_up(lab: Any, imports: tuple[str, ...], made: str) -> str:
    """The code that prepares a sandbox for a rubric."""
    handed = {"manifest": lab.manifest, "datasets": lab.datasets}
    hidden = {lab.manifest.get("starter_path")}
    modules = {
        path: base64.b64encode(content).decode()
        for path, content in lab.files.items()
        if path.endswith(".py") and path not in hidden
    }
    begin = programs.call(programs.set_up_rubric, json.dumps(handed), json.dumps(modules), TEMPORARY, ENTRY)
    # Never run: the kernel loads the packages that a cell's text imports.
    wanted = "".join(f"if False:\n    {line}\n" for line in imports)
    return install_code(made, RUBRIC) + begin + wanted


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        target = folder / path
        if (
            target.is_file()
            and not target.is_symlink()
            and target.stat().st_size == len(content)
            and target.read_bytes() == content
        ):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def imports_of(*sources: str) -> tuple[str, ...]:
    """The import statements in Python texts, which say what a sandbox must load. Texts that are not Python have none."""
    found: dict[str, None] = {}
    for source in sources:
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {f"import {each.name}": None for each in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found[f"import {node.module}"] = None
    return tuple(found)
