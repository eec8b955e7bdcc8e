"""The server kernel."""
