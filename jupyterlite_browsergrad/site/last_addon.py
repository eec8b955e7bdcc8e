"""The addon that comes last: it notes versions of the site's files when all other addons have written theirs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jupyterlite_core.addons.base import BaseAddon
from jupyterlite_core.manager import LiteManager

from .. import offline
from ..errors import SiteError
from ..terminal import say
from . import file_versions
from .lite_addon import BrowsergradAddon

__all__ = ["LastAddon"]

Tasks = Iterator[dict[str, Any]]


class LastAddon(BaseAddon):
    """Write versions of files into the settings, and write and check the list of an offline copy, for `BrowsergradAddon.offline_copy`.

    JupyterLite runs addons in the order of their entry points' names, so that of this one begins with ``zz``.
    """

    __all__ = ["post_build", "check"]

    @property
    def output(self) -> Path:
        return Path(self.manager.output_dir)

    @property
    def first(self) -> BrowsergradAddon | None:
        """The addon that makes the site; None if the site has switched it off."""
        return next((addon for addon in self.manager._addons.values() if isinstance(addon, BrowsergradAddon)), None)

    @property
    def is_wanted(self) -> bool:
        return self.first is not None and bool(self.first.offline_copy)

    def post_build(self, manager: LiteManager) -> Tasks:
        """Write versions and list. `jupyter lite check` builds too, and must find what is stale, not mend it."""
        is_check = getattr(manager.parent, "_doit_task", "") == "check"
        if self.first is not None and not is_check:
            yield self.task(name="versions", actions=[self.write_versions])
        if self.is_wanted and not (is_check and (self.output / offline.LIST).is_file()):
            yield self.task(name="offline:list", actions=[self.write_list])

    def write_versions(self) -> None:
        if path := file_versions.write(self.output):
            self.maybe_timestamp(path)

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
