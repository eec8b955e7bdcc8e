"""The suites: every module here has ``run(bench) -> list[Row]``."""
