"""The addon that comes last: it lists the files of the site when all other addons have written theirs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jupyterlite_core.addons.base import BaseAddon
from jupyterlite_core.manager import LiteManager

from .. import offline
from ..errors import SiteError
from ..terminal import say
from .lite_addon import BrowsergradAddon

__all__ = ["LastAddon"]

Tasks = Iterator[dict[str, Any]]


class LastAddon(BaseAddon):
    """Write and check the list of an offline copy, for `BrowsergradAddon.offline_copy`.

    JupyterLite runs addons in the order of their entry points' names, so that of this one begins with ``zz``.
    """

    __all__ = ["post_build", "check"]

    @property
    def output(self) -> Path:
        return Path(self.manager.output_dir)

    @property
    def is_wanted(self) -> bool:
        return any(
            isinstance(addon, BrowsergradAddon) and addon.offline_copy for addon in self.manager._addons.values()
        )

    def post_build(self, manager: LiteManager) -> Tasks:
        """Write the list. `jupyter lite check` builds too, and must find a stale list, not mend it."""
        is_check = getattr(manager.parent, "_doit_task", "") == "check"
        if self.is_wanted and not (is_check and (self.output / offline.LIST).is_file()):
            yield self.task(name="offline:list", actions=[self.write_list])

    def write_list(self) -> None:
        content = offline.write_list(self.output)
        size, count = content["size_bytes"], len(content["files"])
        say(f"    offline copy: {count} files, {size / 1e6:.0f} MB in each visitor's browser", keep="")

    def check(self, manager: LiteManager) -> Tasks:
        if self.is_wanted:
            yield self.task(name="offline:check", actions=[self.check_list])

    def check_list(self) -> None:
        if problems := offline.problems(self.output):
            raise SiteError(problems)
