"""A JupyterLite Python kernel, its site builder, and its command line."""

from ._version import PYODIDE_VERSION, __version__

__all__ = ["PYODIDE_VERSION", "__version__"]
