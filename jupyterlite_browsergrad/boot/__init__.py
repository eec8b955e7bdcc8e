"""Making what the kernel starts from; uses the standard library alone, since building this package uses it too."""
