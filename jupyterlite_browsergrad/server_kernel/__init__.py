"""The kernel on a server: Python in Deno, with no rights but to read its own runtime."""
