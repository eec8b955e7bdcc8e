"""Tests of the browsergrad module; a package, so that its conftest has a name of its own."""
