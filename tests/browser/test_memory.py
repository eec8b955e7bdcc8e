"""Python needs more memory than the browser gives it: the cell ends with an error in words, and the next one runs."""
