"""The kernel's shell under ipykernel's name, for libraries that compare classes."""

from browsergrad_kernel.display import KernelDisplayPublisher as ZMQDisplayPublisher
from browsergrad_kernel.shell import ZMQInteractiveShell

__all__ = ["ZMQDisplayPublisher", "ZMQInteractiveShell"]
