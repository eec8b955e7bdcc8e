"""The factory ``jupyter_packaging`` calls (``[tool.jupyter-packaging.builder]``) before it makes a wheel or an sdist."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def create() -> Callable[..., None]:
    def build(*_: object) -> None:
        # In a process of its own, which does not see the build back end's modules and working folder.
        subprocess.run([sys.executable, str(Path(__file__).with_name("build.py"))], check=True)

    return build
