"""The magic ``%store``, with an error that says why it cannot keep variables, if it cannot."""

from __future__ import annotations

from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import line_magic, magics_class
from IPython.extensions.storemagic import StoreMagics

from .shell import STORE


@magics_class
class Store(StoreMagics):
    __doc__ = StoreMagics.__doc__

    @line_magic
    def store(self, parameter_s: str = "") -> None:
        if ">" not in parameter_s and self.shell.db.root != STORE:
            raise UsageError(
                "%store has nowhere to keep variables: Python cannot write to the notebook's files here. In a browser, open "
                "the page where it is cross-origin isolated or may use service workers (not in a private window); "
                "on a server, share the notebook's folder for writing"
            )
        super().store(parameter_s)

    store.__doc__ = StoreMagics.store.__doc__


def load_ipython_extension(shell: Any) -> None:
    """Replace IPython's magic."""
    shell.register_magics(Store)
