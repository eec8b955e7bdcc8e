"""Check labs, and grade what students hand in, each in a sandbox of its own."""
