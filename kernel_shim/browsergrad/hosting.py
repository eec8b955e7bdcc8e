"""What kernels, graders and commands need of `browsergrad`, and students' code does not.

Everything else with an underscore is the module's own: nothing outside of it imports that. These names may change in any version.
"""

from __future__ import annotations

from ._lab import check_my_work, run_rubric
from ._mime import ARTIFACT_MIME, ASSERTIONS_MIME, artifact_bundle, assertions_bundle
from ._render import event_line, summary
from ._sink import install as install_sink
from ._text import visible

__all__ = [
    "ARTIFACT_MIME",
    "ASSERTIONS_MIME",
    "artifact_bundle",
    "assertions_bundle",
    "check_my_work",
    "event_line",
    "install_sink",
    "load_notebook_sink",
    "run_rubric",
    "summary",
    "visible",
]


def load_notebook_sink() -> None:
    """Import what a notebook's first event needs, ahead of it; needs IPython."""
    from . import _notebook  # noqa: F401
