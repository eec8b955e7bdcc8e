"""The two forms in which a rubric runs, ``apart`` from the submission or in one interpreter with it (``shared``), and which one a lab can have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..labs.manifest_rules import Manifest
from .apart.pool import imports_of
from .bundle import LabBundle
from .run import Job, JobLimits
from .submissions import Unreadable, cells_of

__all__ = ["FORMS", "jobs_of", "outcome", "why_shared"]

FORMS = ("apart", "shared")


def jobs_of(lab: LabBundle, manifest: Manifest, folder: Path, limits: JobLimits) -> dict[tuple[str, str], Job]:
    """Jobs that show whether a lab's rubric can run apart, by role (``reference`` or ``starter``) and form. A missing file has no jobs."""
    found = {}
    imports = reference_imports(folder / manifest.reference_path)
    for role, path in (("reference", manifest.reference_path), ("starter", manifest.starter_path)):
        if (folder / path).is_file():
            content = (folder / path).read_bytes()
            for form in FORMS:
                found[role, form] = Job(lab, Path(path).name, content, limits, form=form, imports=imports)
    return found


def reference_imports(path: Path) -> tuple[str, ...]:
    """Import statements of the reference. Its values may need these packages."""
    try:
        return imports_of(*cells_of(path.name, path.read_bytes()))
    except (OSError, Unreadable):
        return ()


def why_shared(results: dict[tuple[str, str], dict[str, Any]]) -> str | None:
    """Why a rubric cannot run apart, from the results of `jobs_of`; None if it can."""
    if ("reference", "apart") not in results:
        return "there is no reference that shows whether the rubric can run apart"
    for role in ("reference", "starter"):
        if (role, "apart") in results:
            apart, shared = (outcome(results[role, form]) for form in FORMS)
            for what, value in shared.items():
                if apart[what] != value:
                    return f"the {role} comes out differently apart: {what}: {_differing(apart[what], value)}{_example(results[role, 'apart'])}"
    return None


def _differing(apart: Any, shared: Any) -> str:
    if isinstance(apart, list) and isinstance(shared, list):
        pairs = [(one, other) for one, other in zip(apart, shared, strict=False) if one != other]
        if pairs:
            (kind, name), (before, _) = pairs[0]
            return f"{name!r} is {kind!r}, and {before!r} in the shared form"
    return f"{apart!r}, and {shared!r} in the shared form"


def _example(result: dict[str, Any]) -> str:
    """The first problem."""
    for each in result["assertions"]:
        if each["kind"] == "error":
            return f" ({each['name']}: {each['message']})"
    return ""


def outcome(result: dict[str, Any]) -> dict[str, Any]:
    """The part of a result that must be the same in both forms. Texts are left out, since they may contain addresses, for example."""
    error = result["error"]
    return {
        "error": error and (error["kind"], error["ename"]),
        "cells": result["cells"],
        "assertions": [(each["kind"], each["name"]) for each in result["assertions"]],
        "counts": result["counts"],
        "python_version": result["python_version"],
    }
