"""Comms under ipykernel's module name."""

from browsergrad_kernel.comms import Comm

BaseComm = Comm
__all__ = ["BaseComm", "Comm"]
