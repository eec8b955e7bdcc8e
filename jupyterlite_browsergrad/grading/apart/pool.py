"""Keeps interpreters for rubrics. They start while the student's cells run, and are used again as long as they are unchanged."""

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

#: Name of the module in the rubric's sandbox that holds its `Box`.
ENTRY = "_browsergrad_rubric"
#: Seconds after which an unused interpreter is ended.
IDLE_S = 60.0
#: Seconds in which an interpreter has to load its packages after it has started. Only reached if it hangs.
SET_UP_S = 300.0

#: Folder for temporary files. It is inside the folder whose files both sides see.
TEMPORARY = "browsergrad-tmp"


@dataclass(frozen=True)
class Wanted:
    """The requirements on an interpreter for a rubric. Interpreters with equal requirements can replace each other."""

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
    #: Ends it when it has been idle for `IDLE_S`.
    expiry: threading.Timer = field(default_factory=lambda: threading.Timer(IDLE_S, lambda: None))
    _begun: bool = False
    _ready: bool = False
    #: Contents of the replies to the code that prepares it.
    _replies: queue.SimpleQueue[dict[str, Any]] = field(default_factory=queue.SimpleQueue)

    def begin(self, made: str) -> None:
        """Start to prepare it, with the code of `prepared`. Does not wait for the end. A second call does nothing."""
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
        """Wait until it can run a rubric. `begin` has been called before.

        Raises
        ------
        GradingError
            The interpreter could not be prepared.
        SandboxError
            The sandbox could not be started.
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
        """Give the folder the content that it had at first: the lab's files, and an empty folder for temporary files."""
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
        """End the sandbox and remove its folder."""
        self.expiry.cancel()
        self.sandbox.kill()
        self.held.close()


_lock = threading.Lock()
_idle: list[RubricBox] = []


def take(wanted: Wanted, lab: Any, start: Callable[[Path], Any]) -> RubricBox:
    """Return an interpreter that nobody else uses: an idle one, or a new one that is starting.

    Ends idle interpreters with other requirements.

    Parameters
    ----------
    lab
        The lab's bundle.
    start
        Starts a sandbox in a folder and returns it.
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
    """End an interpreter that nobody has taken. A worker in a cluster outlives a run of the grader, so nothing else would end it."""
    with _lock:
        if box not in _idle:
            return
        _idle.remove(box)
    box.close()


def close_all() -> None:
    """End all idle interpreters."""
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
    # These imports never run. But the kernel loads the packages of all imports in a cell's text.
    wanted = "".join(f"if False:\n    {line}\n" for line in imports)
    return install_code(made, RUBRIC) + begin + wanted


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """Write files, by path, except those that have their content already."""
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
    """Return the import statements in Python sources, for the packages that a sandbox has to load. Skips texts that are not Python."""
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
