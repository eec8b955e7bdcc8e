"""The only folder that a sandbox can access: answers its file requests, and never leaves the folder.

Requests cannot be trusted. Every field is checked before it is used, and every failure becomes an errno in the answer.

Each path is walked from the folder's descriptor, name by name, without following links. So nothing can change between check and use.
Links are resolved before that, and only if they stay inside the folder.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

__all__ = ["Folder"]

#: Longest path, and longest name in it, in bytes: the limits of Linux. Longer paths are refused, since `realpath` would walk them to the end.
MAX_PATH, MAX_NAME = 4096, 255
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PARTIAL = ".browsergrad-partial"


class Folder:
    """A folder shared with a sandbox.

    Parameters
    ----------
    root
        The folder.
    read_only
        Whether writing is refused.
    allow_hidden
        Whether the sandbox sees names that begin with a dot.
    quota_bytes
        By how much the folder may grow.
    quota_files
        How many files and folders may be added.
    file_bytes
        Longest file that is read or written.
    """

    def __init__(
        self,
        root: Path,
        *,
        read_only: bool = False,
        allow_hidden: bool = False,
        quota_bytes: int = 1 << 30,
        quota_files: int = 10_000,
        file_bytes: int = 1 << 28,
    ) -> None:
        self.root = Path(os.path.realpath(root))
        self.read_only = read_only
        self.allow_hidden = allow_hidden
        self.quota_bytes = quota_bytes
        self.quota_files = quota_files
        self.file_bytes = file_bytes
        self.grown_bytes = 0
        self.added_files = 0
        self._root = os.open(self.root, _DIRECTORY)
        self._lock = threading.Lock()
        #: Number of requests that are being answered, and whether `close` was called.
        self._users, self._closed = 0, False

    def close(self) -> None:
        """Close the folder, so that later requests fail. A request that is being answered is finished first; this does not wait for it."""
        with self._lock:
            self._closed = True
        self._let_go()

    def _let_go(self) -> None:
        with self._lock:
            if self._closed and not self._users and self._root >= 0:
                os.close(self._root)
                self._root = -1

    @contextmanager
    def _used(self) -> Iterator[None]:
        with self._lock:
            if self._closed:
                raise _error(errno.EBADF, "")
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
            self._let_go()

    def answer(self, frame: dict[str, Any], buffers: list[bytes]) -> tuple[dict[str, Any], list[bytes]]:
        """Answer one request of the sandbox. Every failure becomes an errno.

        Returns
        -------
        tuple
            The answer, ``{"ok": True, "value": …}`` or ``{"ok": False, "errno": name, "message": text}``, and its bytes.
        """
        try:
            method, path = frame.get("method"), frame.get("path")
            handler = _METHODS.get(method) if isinstance(method, str) else None
            if handler is None or not isinstance(path, str):
                raise _error(errno.ENOSYS, "")
            with self._used():
                value = handler(self, frame, buffers)
        except OSError as error:
            name = errno.errorcode.get(error.errno or errno.EIO, "EIO")
            # ELOOP comes from how we walk paths. To the sandbox, everything outside the folder is not allowed.
            return {
                "ok": False,
                "errno": {"ELOOP": "EACCES"}.get(name, name),
                "message": os.strerror(error.errno or errno.EIO),
            }, []
        except MemoryError:
            return {"ok": False, "errno": "ENOMEM", "message": os.strerror(errno.ENOMEM)}, []
        except Exception as error:  # the calling thread must survive: it is the one that can end this sandbox
            return {"ok": False, "errno": "EINVAL", "message": str(error)[:200]}, []
        if isinstance(value, bytes):
            return {"ok": True, "value": None}, [value]
        return {"ok": True, "value": value}, []

    # --- finding files

    def _names(self, path: str, itself: bool = False) -> list[str]:
        """The names on the way to `path`, with links resolved. With `itself`, a link at the end is not resolved."""
        if len(path) > MAX_PATH or len(os.fsencode(path)) > MAX_PATH:
            raise _error(errno.ENAMETOOLONG, "")
        names = [name for name in path.split("/") if name]
        for name in names:
            if len(os.fsencode(name)) > MAX_NAME:
                raise _error(errno.ENAMETOOLONG, "")
            if "\0" in name or name == "..":
                raise _error(errno.EACCES, path)
            if (name.startswith(".") and not self.allow_hidden) or name.endswith(_PARTIAL):
                raise _error(errno.ENOENT, path)
        last = [names.pop()] if itself and names else []
        real = os.path.realpath(self.root.joinpath(*names))
        inside = os.path.relpath(real, self.root)
        found = [] if inside == os.curdir else inside.split(os.sep)
        found += last
        if not found:
            return []
        if found[0] == os.pardir or os.path.isabs(inside):
            raise _error(errno.EACCES, path)
        if not self.allow_hidden and any(name.startswith(".") for name in found):
            raise _error(errno.EACCES, path)
        return found

    @contextmanager
    def _parent(self, path: str, itself: bool = False) -> Iterator[tuple[int, str]]:
        """The descriptor of the folder that contains `path`, and the name in it; ``"."`` for the root."""
        names = self._names(path, itself)
        folder = os.dup(self._root)
        try:
            for name in names[:-1]:
                below = os.open(name, _DIRECTORY, dir_fd=folder)
                os.close(folder)
                folder = below
            yield folder, names[-1] if names else "."
        finally:
            os.close(folder)

    @staticmethod
    def _state(folder: int, name: str) -> os.stat_result:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
            raise _error(errno.EACCES, name)  # a device, a pipe, a socket, or a link that has just been made
        return found

    # --- requests

    def _lookup(self, frame: dict[str, Any], buffers: list[bytes]) -> dict[str, Any]:
        try:
            with self._parent(frame["path"]) as (folder, name):
                found = self._state(folder, name)
        except FileNotFoundError:
            return {"ok": False}
        return {"ok": True, "mode": 0o40777 if stat.S_ISDIR(found.st_mode) else 0o100666}

    def _getattr(self, frame: dict[str, Any], buffers: list[bytes]) -> dict[str, Any]:
        with self._parent(frame["path"]) as (folder, name):
            found = self._state(folder, name)
        times = [datetime.fromtimestamp(when, UTC).isoformat() for when in (found.st_mtime, found.st_ctime)]
        return {"size": found.st_size, "mtime": times[0], "ctime": times[1]}

    def _readdir(self, frame: dict[str, Any], buffers: list[bytes]) -> list[str]:
        with self._parent(frame["path"]) as (folder, name):
            opened = os.open(name, _DIRECTORY, dir_fd=folder)
            try:
                with os.scandir(opened) as entries:
                    return sorted(entry.name for entry in entries if self._is_there(frame["path"], entry))
            finally:
                os.close(opened)

    def _is_there(self, folder: str, entry: os.DirEntry[str]) -> bool:
        """Whether Python may access an entry. The list leaves out others, since one such entry would make reading the list fail."""
        name = entry.name
        if not _is_text(name) or name.endswith(_PARTIAL) or (name.startswith(".") and not self.allow_hidden):
            return False
        if not entry.is_symlink():
            return entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)
        try:
            return bool(self._lookup({"path": f"{folder}/{name}"}, [])["ok"])
        except OSError:
            return False

    def _get(self, frame: dict[str, Any], buffers: list[bytes]) -> bytes:
        with self._parent(frame["path"]) as (folder, name):
            self._state(folder, name)
            opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        with open(opened, "rb") as file:
            found = os.fstat(opened)
            if stat.S_ISDIR(found.st_mode):
                raise _error(errno.EISDIR, name)
            if not stat.S_ISREG(found.st_mode):
                raise _error(errno.EACCES, name)
            if found.st_size > self.file_bytes:
                raise _error(errno.EFBIG, name)
            data = file.read(self.file_bytes + 1)
        if len(data) > self.file_bytes:
            raise _error(errno.EFBIG, name)
        return data

    def _put(self, frame: dict[str, Any], buffers: list[bytes]) -> None:
        self._writes()
        data = buffers[0] if buffers else b""
        if len(data) > self.file_bytes:
            raise _error(errno.EFBIG, frame["path"])
        with self._parent(frame["path"]) as (folder, name):
            try:
                before = self._state(folder, name)
            except FileNotFoundError:
                before = None
            if before is not None and stat.S_ISDIR(before.st_mode):
                raise _error(errno.EISDIR, name)
            grows = len(data) - (before.st_size if before else 0)
            self._room(grows, 0 if before else 1)
            self._write(folder, name, data, stat.S_IMODE(before.st_mode) if before else 0o666)
            self.grown_bytes += grows
            self.added_files += 0 if before else 1

    @staticmethod
    def _write(folder: int, name: str, data: bytes, mode: int) -> None:
        """Write a new file beside the old one, then replace it. A failure half-way loses nothing, and nobody reads half a file.

        The new file has another name each time, since another kernel may be writing the same file.
        """
        partial = f".{secrets.token_hex(16)}{_PARTIAL}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        opened = os.open(partial, flags, mode & 0o777, dir_fd=folder)
        try:
            with open(opened, "wb") as file:
                file.write(data)
            os.replace(partial, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(partial, dir_fd=folder)
            raise

    def _mknod(self, frame: dict[str, Any], buffers: list[bytes]) -> None:
        mode = frame.get("mode", stat.S_IFREG)
        if type(mode) is not int or not 0 <= mode < 1 << 32 or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise _error(errno.EINVAL, "")
        if stat.S_ISDIR(mode):
            self._writes()
            self._room(0, 1)
            with self._parent(frame["path"]) as (folder, name):
                os.mkdir(name, dir_fd=folder)
            self.added_files += 1
        else:
            self._put(frame, [])

    def _rename(self, frame: dict[str, Any], buffers: list[bytes]) -> None:
        self._writes()
        target = frame.get("newPath")
        if not isinstance(target, str):
            raise _error(errno.EINVAL, "")
        with self._parent(frame["path"], True) as (old, name), self._parent(target, True) as (new, new_name):
            self._state(old, name)
            try:
                replaced = os.stat(new_name, dir_fd=new, follow_symlinks=False)
            except FileNotFoundError:
                replaced = None
            os.rename(name, new_name, src_dir_fd=old, dst_dir_fd=new)
        if replaced is not None:
            self.added_files -= 1
            self.grown_bytes -= replaced.st_size if stat.S_ISREG(replaced.st_mode) else 0

    def _utime(self, frame: dict[str, Any], buffers: list[bytes]) -> None:
        self._writes()
        times = [round(float(frame.get(name, "")) * 1e6) for name in ("atime", "mtime")]
        with self._parent(frame["path"]) as (folder, name):
            self._state(folder, name)
            os.utime(name, ns=(times[0], times[1]), dir_fd=folder, follow_symlinks=False)

    def _remove(self, frame: dict[str, Any], buffers: list[bytes]) -> None:
        self._writes()
        with self._parent(frame["path"], True) as (folder, name):
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                os.rmdir(name, dir_fd=folder)
            else:
                os.unlink(name, dir_fd=folder)
                self.grown_bytes -= found.st_size
        self.added_files -= 1

    def _writes(self) -> None:
        if self.read_only:
            raise _error(errno.EROFS, "")

    def _room(self, size_bytes: int, files: int) -> None:
        too_long = size_bytes > 0 and self.grown_bytes + size_bytes > self.quota_bytes
        if too_long or (files and self.added_files + files > self.quota_files):
            raise _error(errno.EDQUOT, "")


_METHODS = {
    "lookup": Folder._lookup,
    "getattr": Folder._getattr,
    "readdir": Folder._readdir,
    "get": Folder._get,
    "put": Folder._put,
    "mknod": Folder._mknod,
    "rename": Folder._rename,
    "rmdir": Folder._remove,
    "utime": Folder._utime,
}


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _error(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)
