"""Compares this kernel with jupyterlite-pyodide-kernel: alternately, on one machine, in one browser, in one run."""
