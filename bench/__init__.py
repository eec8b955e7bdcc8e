"""Measures this kernel beside jupyterlite-pyodide-kernel: one machine, one browser, one run, alternating."""
