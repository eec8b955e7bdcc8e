"""The Jupyter kernel that runs inside Pyodide.

Importing this package imports nothing else: the worker imports `startup` for a kernel and `session_code`
for a session, so that a session does not pay for IPython.
"""
