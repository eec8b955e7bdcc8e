"""The versions. Other files repeat them, and a test makes sure that the copies are equal."""

#: Version of this distribution (semantic versioning).
__version__ = "0.8.1"

#: Version of the npm package ``pyodide`` whose files are embedded.
PYODIDE_VERSION = "314.0.7"
