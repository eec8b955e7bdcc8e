"""The comm manager under ipykernel's module name."""

from browsergrad_kernel.comms import CommManager

__all__ = ["CommManager"]
