"""Memory kept back for what follows a `MemoryError`.

A cell that has filled all the memory that the browser gives still holds it when its error is shown, in variables that outlive the cell.
Without a reserve, there would be no room to format the error, to send the reply, or to run the cell that deletes those variables.
"""

from __future__ import annotations

#: Enough for a traceback through several libraries.
_SIZE_BYTES = 4 * 1024 * 1024
_NOTE = "Python has no more memory here. Delete what you no longer need (`del name`), work on less data at a time, or restart the kernel."

#: False while the memory snapshot is made, so that the reserve is not part of it.
is_wanted = True
_held: bytearray | None = None


def hold() -> None:
    """Keep memory back, if there is any. Called before each cell."""
    global _held
    if _held is None and is_wanted:
        try:
            _held = bytearray(_SIZE_BYTES)
        except MemoryError:
            _held = None  # the cell may be the one that makes room


def release(error: BaseException | None) -> None:
    """Give the memory back if `error` is a `MemoryError`, and say in it what to do. To be called before anything else is done with it."""
    global _held
    if isinstance(error, MemoryError):
        _held = None
        # Python gives its own no text, and NumPy says what it wanted. Any other text is that of code that raises such an error itself.
        is_real = not error.args or str(error).startswith("Unable to allocate")
        if is_real and _NOTE not in getattr(error, "__notes__", ()):
            error.add_note(_NOTE)
