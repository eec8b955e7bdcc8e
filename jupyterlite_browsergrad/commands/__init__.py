"""Subcommands of ``jupyter browsergrad``: one module each, whose docstring is its help."""
