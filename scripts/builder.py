"""The factory ``jupyter_packaging`` calls (``[tool.jupyter-packaging.builder]``) before it makes a wheel or an sdist."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def create() -> Callable[..., None]:
    def build(*_: object) -> None:
        # A process of its own: the build back end's modules and working folder stay out of it.
        subprocess.run([sys.executable, str(Path(__file__).with_name("build.py"))], check=True)

    return build
