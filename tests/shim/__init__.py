"""Tests of the kernel on CPython."""
