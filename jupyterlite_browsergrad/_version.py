"""The versions everything else repeats; a test keeps the copies equal."""

#: Version of this distribution (semantic versioning).
__version__ = "0.8.1"

#: Version of the npm package ``pyodide`` whose files are embedded.
PYODIDE_VERSION = "314.0.7"
