"""Modules that some distributions of Pyodide lack, whole: files that `stand_ins` finds where there is no real one."""
