"""The Jupyter kernel that runs inside Pyodide.

Importing this package imports nothing else: the worker imports `main` for a kernel and `plain`
for a session, so that a session does not pay for IPython.
"""
