"""Make the environment use this source tree: an editable installation, which the build back end does not offer.

usage: python scripts/develop.py    (with the environment's Python)

The wheel is installed first, for its metadata, commands and entry points. Then its copies of our files give way to a
``.pth`` file and to a link to the built labextension, and leave its RECORD, so that uninstalling cannot reach the source.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import distribution
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
BUILT = REPO / "jupyterlite_browsergrad" / "labextension"
SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
SHARED = Path(sys.prefix) / "share/jupyter/labextensions/jupyterlite-browsergrad"
KERNELSPEC = Path(sys.prefix) / "share/jupyter/kernels/browsergrad"
PTH = SITE_PACKAGES / "jupyterlite_browsergrad_source.pth"


def install_wheel() -> None:
    for leftover in (PTH, SHARED, KERNELSPEC):
        if leftover.is_symlink() or leftover.is_file():
            leftover.unlink()
    # setuptools would put files of an earlier build into the wheel.
    shutil.rmtree(REPO / "build", ignore_errors=True)
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--force-reinstall", str(REPO)], check=True
    )


def redirect() -> None:
    record = Path(str(distribution("jupyterlite-browsergrad").locate_file(""))) / next(
        str(file) for file in distribution("jupyterlite-browsergrad").files or [] if file.name == "RECORD"
    )
    marks = (".dist-info/", "/bin/", "/Scripts/")
    kept = [line for line in record.read_text("utf-8").splitlines() if any(mark in line for mark in marks)]
    for package in ("jupyterlite_browsergrad", "browsergrad"):
        shutil.rmtree(SITE_PACKAGES / package, ignore_errors=True)
    shutil.rmtree(SHARED)
    record.write_text("\n".join(kept) + "\n", "utf-8")
    PTH.write_text(f"{REPO}\n{REPO / 'kernel_shim'}\n", "utf-8")
    SHARED.symlink_to(BUILT, target_is_directory=True)
    shutil.rmtree(KERNELSPEC)
    KERNELSPEC.symlink_to(REPO / "jupyterlite_browsergrad/server_kernel/kernelspec", target_is_directory=True)


if __name__ == "__main__":
    install_wheel()
    redirect()
