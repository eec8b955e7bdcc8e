"""Results and displays as Jupyter messages.

Source: "Messaging in Jupyter", sections ``display_data``, ``update_display_data``,
``clear_output`` and ``execute_result``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher

from . import blocking, messages
from .jsonutil import encode_images
from .parent import parent_header

#: Gets a message before it is sent. Returns the message, possibly changed, or None to drop it.
Hook = Callable[[dict[str, Any]], dict[str, Any] | None]


class _Hooked:
    """Sends messages, through the registered hooks."""

    shell: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._hooks: list[Hook] = []
        super().__init__(*args, **kwargs)

    def register_hook(self, hook: Hook) -> None:
        """Register `hook`, which gets every message before it is sent."""
        self._hooks.append(hook)

    def unregister_hook(self, hook: Hook) -> bool:
        """Remove a hook. Returns whether it was registered."""
        try:
            self._hooks.remove(hook)
        except ValueError:
            return False
        return True

    def _send(self, msg_type: str, content: dict[str, Any]) -> None:
        # Streams that the user has wrapped may still hold text that was written before this.
        sys.stdout.flush()
        sys.stderr.flush()
        if not self._hooks:
            messages.send("iopub", msg_type, content, parent_header(), self.shell.session_id)
            blocking.wait_for_room()
            return
        message: dict[str, Any] | None = messages.build(
            "iopub", msg_type, content, parent_header(), self.shell.session_id
        )
        for hook in list(self._hooks):
            message = hook(message)  # type: ignore[arg-type]  # None ends the loop
            if message is None:
                return
        messages.post(message)  # type: ignore[arg-type]  # not None here
        blocking.wait_for_room()


class KernelDisplayHook(_Hooked, DisplayHook):
    """Sends the value of a cell's last expression as ``execute_result``."""

    #: Text of the cell that runs now.
    cell = ""
    _content: dict[str, Any]

    def quiet(self) -> bool:
        """Whether the running cell ends in a semicolon. (The base class looks at the last *stored* cell.)"""
        return ";" in self.cell and bool(self.semicolon_at_end_of_expression(self.cell))

    def start_displayhook(self) -> None:
        self._is_active = True
        self._content = {}

    def write_output_prompt(self) -> None:
        self._content["execution_count"] = self.prompt_count

    def write_format_data(self, format_dict: dict[str, Any], md_dict: Any = None) -> None:
        self._content["data"] = encode_images(format_dict)
        self._content["metadata"] = md_dict or {}

    def finish_displayhook(self) -> None:
        self._is_active = False
        if self._content.get("data"):
            self._send("execute_result", self._content)


class KernelDisplayPublisher(_Hooked, DisplayPublisher):
    """Sends ``display_data``, ``update_display_data`` and ``clear_output``."""

    def publish(  # type: ignore[override]  # the base class takes a deprecated `source` too
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        transient: dict[str, Any] | None = None,
        update: bool = False,
        **kwargs: Any,
    ) -> None:
        """Send a MIME bundle. With `update`, it replaces the displays that have the same ``display_id``."""
        self._validate_data(data, metadata)
        content = {"data": encode_images(data), "metadata": metadata or {}, "transient": transient or {}}
        self._send("update_display_data" if update else "display_data", content)

    def clear_output(self, wait: bool = False) -> None:
        """Clear the cell's output. With `wait`, it is cleared when the next output arrives."""
        self._send("clear_output", {"wait": bool(wait)})
