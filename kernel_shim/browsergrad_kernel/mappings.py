"""``mmap``: a mapping still works after the file it was made from is closed.

Emscripten stores the number of the descriptor with which a mapping was made, and later writes changes to whatever has that
number then: nothing, or another file. So each mapping gets a descriptor of its own.
"""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any


def amend(module: ModuleType) -> None:
    """Replace ``mmap.mmap`` by a class whose mappings have descriptors of their own."""
    plain: Any = module.mmap

    class mmap(plain):  # type: ignore[misc]  # whatever class there is
        __doc__ = plain.__doc__
        _descriptor = -1

        def __new__(cls, fileno: int, length: int, *args: Any, **options: Any) -> Any:
            if fileno == -1:
                return super().__new__(cls, fileno, length, *args, **options)
            own = os.dup(fileno)
            try:
                mapping = super().__new__(cls, own, length, *args, **options)
            except BaseException:
                os.close(own)
                raise
            mapping._descriptor = own
            return mapping

        def close(self) -> None:
            super().close()
            descriptor, self._descriptor = self._descriptor, -1
            if descriptor >= 0:
                os.close(descriptor)

        def __exit__(self, *exception: object) -> None:
            self.close()

        def __del__(self) -> None:
            self.close()

    mmap.__module__, mmap.__qualname__ = "mmap", "mmap"
    module.mmap = mmap  # type: ignore[attr-defined]
