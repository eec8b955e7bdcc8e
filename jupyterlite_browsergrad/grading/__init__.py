"""Checks labs, and grades submissions, each in a sandbox of its own."""
