"""Names of `browsergrad` for kernels, graders and commands. Students' code does not need them.

Nothing outside of `browsergrad` imports its other private modules. The names of this module may change in any version.
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
    """Import the modules that a notebook's first event needs, ahead of time. Needs IPython."""
    from . import _notebook  # noqa: F401
