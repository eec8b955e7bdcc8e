"""Stands in for ipykernel where libraries import it, such as ipywidgets; the kernel is browsergrad_kernel."""

__version__ = "6.999.0"
version_info = (6, 999, 0)
__all__ = ["__version__", "version_info"]
