"""Report checks and artifacts from lab code.

``import browsergrad as bg`` works the same in the browser kernel, in the runtime's plain exec and in
an ordinary ipykernel. In plain CPython it prints one line per event.
"""

from __future__ import annotations

from ._check import check
from ._in_place import in_place
from ._lab import LabError, dataset, lab
from ._report import assert_error, assert_fail, assert_pass, emit_image, emit_json, log, results
from ._version import __version__

__all__ = [
    "LabError",
    "__version__",
    "assert_error",
    "assert_fail",
    "assert_pass",
    "check",
    "dataset",
    "emit_image",
    "emit_json",
    "in_place",
    "lab",
    "log",
    "results",
]
