"""Answers that a person grades: they are collected, written on a sheet to fill in, and the sheet is read back."""
