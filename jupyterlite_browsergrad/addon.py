"""The module that JupyterLite loads, by the entry point ``jupyterlite.addon.v0``."""

from .site.lite_addon import BrowsergradAddon

__all__ = ["BrowsergradAddon"]
