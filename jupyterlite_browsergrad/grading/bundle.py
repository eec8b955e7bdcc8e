"""The parts of a lab that grading needs, in a form that can be sent to another machine."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from ..errors import GradingError
from ..exit_status import FAULTS, UNUSABLE
from ..labs import folders
from ..labs.folders import HIDDEN
from ..labs.manifest_rules import Manifest
from .site_python import python_of

__all__ = ["LabBundle", "load_lab"]

#: Largest folder of a lab: it is copied into every sandbox.
MAX_BYTES = 256 << 20


@dataclass(frozen=True)
class LabBundle:
    """A lab without its reference.

    Attributes
    ----------
    manifest
        The fields of the manifest, as `browsergrad.lab` shows them.
    rubric, rubric_path
        The rubric's text, and its name in tracebacks.
    files
        The files beside the student's code: path -> content. Neither the rubric nor the reference.
    sha256
        Hash of everything on which results depend.
    site
        Folder of the built site whose Python and packages students have. If None, those of this package.
    """

    manifest: dict[str, Any]
    rubric: str
    rubric_path: str
    files: dict[str, bytes] = field(repr=False)
    sha256: str
    site: Path | None = None

    @property
    def datasets(self) -> dict[str, dict[str, str]]:
        """For each dataset, its path in the sandbox's folder, or why it cannot be used."""
        found = {}
        for entry in self.manifest.get("datasets", []):
            path = unquote(entry["url"])
            if entry["url"].lower().startswith("https:"):
                found[entry["name"]] = {"error": f"{entry['url']} is on another host, and the sandbox has no network"}
            elif path in self.files:
                found[entry["name"]] = {"path": path}
            else:
                found[entry["name"]] = {"error": f"the lab has no file {path}"}
        return found


def hidden_folder(folder: Path) -> Path:
    """The folder of a rubric that is not published. It lies beside the lab's folder."""
    return folder.with_name(folder.name + HIDDEN)


def load_lab(path: Path, site: Path | None = None, rubric_file: Path | None = None) -> tuple[LabBundle, Manifest, Path]:
    """Read a lab from its folder or its manifest. Also returns the manifest and the folder.

    Parameters
    ----------
    rubric_file
        A rubric to use instead of the lab's own.

    Raises
    ------
    GradingError
        There is no lab, its manifest has errors, its rubric is missing, or `site` is not a site.
    """
    file = path / folders.MANIFEST_NAME if path.is_dir() else path
    if not file.is_file():
        raise GradingError(f"there is no lab at {path}: give the folder that holds {folders.MANIFEST_NAME}")
    lab = folders.examine(file)
    if lab.manifest is None or lab.errors:
        lines = "\n".join(f"- {finding}" for finding in lab.errors)
        raise GradingError(f"the lab is not valid:\n{lines}", exit_status=FAULTS)
    manifest, folder = lab.manifest, lab.folder
    hidden = hidden_folder(folder.resolve()) / "rubric.py"
    rubric = rubric_file or (hidden if hidden.is_file() else folder / manifest.rubric_path)
    try:
        text = rubric.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        status = UNUSABLE if rubric_file else FAULTS
        raise GradingError(f"the rubric {rubric} cannot be read: {error}", exit_status=status) from error
    files = _files(folder, {manifest.rubric_path, manifest.reference_path}, rubric)
    digest = hashlib.sha256(python_of(site).identity)
    # The assertions that the reference passes, a submission must pass too.
    reference = folder / manifest.reference_path
    solution = reference.read_bytes() if reference.is_file() else b""
    for part in (
        file.read_bytes(),
        text.encode(),
        solution,
        *(each for item in sorted(files.items()) for each in item),
    ):
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    shown = manifest.rubric_path if rubric == folder / manifest.rubric_path else rubric.name
    bundle = LabBundle(manifest.to_dict(), text, shown, files, digest.hexdigest(), site)
    return bundle, manifest, folder


def _files(folder: Path, without: set[str], rubric: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    size = 0
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") or part in folders.SKIPPED for part in inside.parts)
        if hidden or inside.as_posix() in without or path.is_symlink() or not path.is_file():
            continue
        if path.samefile(rubric):
            continue
        size += path.stat().st_size
        if size > MAX_BYTES:
            raise GradingError(
                f"the lab's folder {folder} holds more than {MAX_BYTES >> 20} MB, and every sandbox gets a copy: "
                "keep submissions and other large files elsewhere",
                exit_status=FAULTS,
            )
        files[inside.as_posix()] = path.read_bytes()
    return files
