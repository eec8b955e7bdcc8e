"""Results and displays as Jupyter messages.

Source: "Messaging in Jupyter", sections "Id of the cell", ``display_data`` and ``execute_result``.
"""

from __future__ import annotations

import sys
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher

from . import messages
from .parent import parent_header


class KernelDisplayHook(DisplayHook):
    """Sends the value of a cell's last expression as ``execute_result``."""

    def start_displayhook(self) -> None:
        self._content: dict[str, Any] = {}

    def write_output_prompt(self) -> None:
        self._content["execution_count"] = self.prompt_count

    def write_format_data(self, format_dict: dict[str, Any], md_dict: Any = None) -> None:
        self._content["data"] = messages.clean(messages.encode_images(format_dict))
        self._content["metadata"] = messages.clean(md_dict or {})

    def finish_displayhook(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        if self._content.get("data"):
            messages.send("iopub", "execute_result", self._content, parent_header(), self.shell.session_id)


class KernelDisplayPublisher(DisplayPublisher):
    """Sends ``display_data``, ``update_display_data`` and ``clear_output``."""

    def publish(  # type: ignore[override]  # the base class takes more than it uses
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        transient: dict[str, Any] | None = None,
        update: bool = False,
        **kwargs: Any,
    ) -> None:
        content = {
            "data": messages.clean(messages.encode_images(data)),
            "metadata": messages.clean(metadata or {}),
            "transient": messages.clean(transient or {}),
        }
        msg_type = "update_display_data" if update else "display_data"
        messages.send("iopub", msg_type, content, parent_header(), self.shell.session_id)

    def clear_output(self, wait: bool = False) -> None:
        messages.send(
            "iopub", "clear_output", {"wait": bool(wait)}, parent_header(), self.shell.session_id
        )
