"""Public names of `labs.manifest_rules`: read, check and write manifests of labs."""

from .labs.manifest_rules import (
    Dataset,
    LabRuntimeMismatch,
    Manifest,
    ManifestError,
    Problem,
    assert_compatible_runtime,
    is_semver_compatible,
    parse_manifest,
    path_problem,
)

__all__ = [
    "Dataset",
    "LabRuntimeMismatch",
    "Manifest",
    "ManifestError",
    "Problem",
    "assert_compatible_runtime",
    "is_semver_compatible",
    "parse_manifest",
    "path_problem",
]
