"""The arguments with which a sandbox starts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .deno import Permissions
from .folder import Folder
from .limits import Limits

__all__ = ["Launch"]


@dataclass(frozen=True)
class Launch:
    """Arguments of `Sandbox` that matter when it starts. Paths are resolved."""

    folder: Path | str | None
    folder_options: Mapping[str, bool]
    packages: list[Path] = field(default_factory=list)
    pyodide: Path | None = None
    kernel: Path | None = None
    allow_pypi: bool = False
    from_files: bool = False
    brief: bool = False

    def permissions(self, static: Path, limits: Limits) -> Permissions:
        """The permissions of Deno. `static` is the labextension's folder of that name."""
        script = static / "runtime" / "server.js"
        return Permissions(script, limits.memory_bytes, self._readable(static), self.allow_pypi, self.brief)

    def _readable(self, static: Path) -> list[Path]:
        """The files and folders that Deno may read."""
        readable = [static, *self.packages, *([self.pyodide] if self.pyodide else [])]
        if self.kernel:
            packs = json.loads((self.kernel / "manifest.json").read_text("utf-8"))["packs"].values()
            readable += [self.kernel, *dict.fromkeys((self.kernel / pack["file"]).resolve() for pack in packs)]
        return readable

    def open_folder(self, limits: Limits) -> Folder | None:
        """Open the shared folder; None if there is none."""
        if self.folder is None:
            return None
        return Folder(
            Path(self.folder),
            quota_bytes=limits.disk_bytes,
            quota_files=limits.files,
            file_bytes=limits.file_bytes,
            **self.folder_options,
        )

    def frame(self, static: Path, limits: Limits, session_id: str, cell_s: float | None) -> dict[str, Any]:
        """Return the first frame, which `labextension/src/server/host.ts` reads."""
        return {
            "type": "start",
            "static_url": f"{static.as_uri()}/",
            "pyodide_url": f"{(self.pyodide or static / 'pyodide').as_uri()}/",
            "kernel_url": f"{(self.kernel or static / 'kernel').as_uri()}/",
            "session_id": session_id,
            "shares_folder": self.folder is not None,
            "piplite_urls": [f"{folder.as_uri()}/all.json" for folder in self.packages],
            "disable_pypi": not self.allow_pypi,
            "from_files": self.from_files,
            "cell_ms": cell_s and round(cell_s * 1000),
            "output_bytes": limits.output_bytes,
            "reply_bytes": limits.reply_bytes,
            "file_bytes": limits.file_bytes,
        }
