"""Tests of the browsergrad module. This is a package, so that its conftest has a name of its own."""
