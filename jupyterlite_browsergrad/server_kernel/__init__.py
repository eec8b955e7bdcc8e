"""The server kernel: Python in Deno, which may only read its own runtime."""
