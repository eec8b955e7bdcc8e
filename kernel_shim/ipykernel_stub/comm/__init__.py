"""Comms under ipykernel's name."""

from browsergrad_kernel.comms import Comm, CommManager

__all__ = ["Comm", "CommManager"]
