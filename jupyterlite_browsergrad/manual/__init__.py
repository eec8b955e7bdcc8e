"""Answers that a person grades: collects them, writes a sheet to fill in, and reads the sheet back."""
