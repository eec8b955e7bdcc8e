"""Decides whether the notebook of a server kernel may run. If that is not certain, it is refused."""

from __future__ import annotations

from pathlib import Path

from .._version import __version__
from .folders import MANIFEST_NAME
from .manifest_rules import LabRuntimeMismatch, ManifestError, assert_compatible_runtime, parse_manifest
from .notebook_metadata import named_manifest

__all__ = ["REFUSAL_NAME", "refusal"]

#: The ``ename`` of a cell that is refused.
REFUSAL_NAME = "LabRuntimeMismatch"


def refusal(folder: Path, notebook: Path | None = None) -> str | None:
    """Return why cells of a notebook must not run, or None if they may.

    Parameters
    ----------
    folder
        The kernel's working folder.
    notebook
        The notebook, if it is known. Its metadata may name another manifest than the one beside it.
    """
    file = folder / MANIFEST_NAME
    try:
        named = named_manifest(notebook) if notebook is not None else None
        if named is not None:
            if named.file is None:
                return f"the notebook's metadata browsergrad.manifest {named.problem}"
            file = named.file
        try:
            source = file.read_bytes()
        except FileNotFoundError:
            return None if named is None else f"the notebook names the lab manifest {file}, which does not exist"
        assert_compatible_runtime(parse_manifest(source), __version__)
    except LabRuntimeMismatch as error:
        return str(error)
    except ManifestError as error:
        lines = [f"{item.path or '(document)'}: {item.message}" for item in error.errors]
        return "\n".join([f"the lab manifest {file} is invalid:", *lines])
    except (OSError, ValueError, RecursionError) as error:
        return f"whether this notebook belongs to a lab could not be found out, so nothing runs: {error}"
    return None
