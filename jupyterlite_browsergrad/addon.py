"""The module that JupyterLite loads, by the entry points ``jupyterlite.addon.v0``."""

from .site.last_addon import LastAddon
from .site.lite_addon import BrowsergradAddon

__all__ = ["BrowsergradAddon", "LastAddon"]
