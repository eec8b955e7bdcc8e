"""What ``pyproject.toml`` cannot say: packages from two folders, and the labextension as data files."""

from pathlib import Path

from jupyter_packaging import get_data_files
from setuptools import find_packages, setup

NAME = "jupyterlite-browsergrad"
SHARED = f"share/jupyter/labextensions/{NAME}"

ours = find_packages(".", include=["jupyterlite_browsergrad*"])
# `browsergrad_kernel` runs in Pyodide alone and travels in the labextension's packs; `browsergrad` is for everywhere.
shim = find_packages("kernel_shim", include=["browsergrad", "browsergrad.*"])
package_dir = {name: f"kernel_shim/{name.replace('.', '/')}" for name in shim}

setup(
    packages=[*ours, *shim],
    package_dir=package_dir,
    package_data={
        "": ["py.typed", "*.json", "schemas/*.json", "isolation/*.js", "offline/*.js", "boot/*.mjs", "scorm.js"]
    },
    include_package_data=False,
    data_files=get_data_files(
        [
            (SHARED, "jupyterlite_browsergrad/labextension", "**"),
            (SHARED, ".", "install.json"),
            # What `jupyter browsergrad demo` builds.
            ("share/jupyter/browsergrad/examples/demo", "examples/demo", "**"),
            ("share/jupyter/browsergrad/examples/labs", "examples/labs", "**"),
            ("share/jupyter/browsergrad/examples/labs-numpy", "examples/labs-numpy", "**"),
            ("share/jupyter/kernels/browsergrad", "jupyterlite_browsergrad/server_kernel/kernelspec", "*"),
        ],
        top=Path(__file__).parent,
    ),
    zip_safe=False,
)
