"""The suites. Each module has a function ``run(bench) -> list[Row]``."""
