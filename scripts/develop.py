"""Make the environment use the labextension of this source tree, so that a rebuild shows without a new installation."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "jupyterlite_browsergrad" / "labextension"
TARGET = Path(sys.prefix) / "share/jupyter/labextensions/jupyterlite-browsergrad"


def main() -> None:
    if TARGET.is_symlink() and TARGET.resolve() == SOURCE:
        return
    if TARGET.is_symlink():
        TARGET.unlink()
    elif TARGET.exists():
        shutil.rmtree(TARGET)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.symlink_to(SOURCE, target_is_directory=True)


if __name__ == "__main__":
    main()
