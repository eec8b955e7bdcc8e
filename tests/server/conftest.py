"""One sandbox for all tests that leave it usable."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from jupyterlite_browsergrad.server_kernel.sandbox import Sandbox


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Make a skipped test fail, since jupyter_kernel_test skips the tests for which it has no sample."""
    report = yield
    if report.skipped:
        report.outcome = "failed"
    return report


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the sandbox sees."""
    return tmp_path_factory.mktemp("folder")


@pytest.fixture(scope="module")
def sandbox(folder: Path) -> Iterator[Sandbox]:
    with Sandbox(folder) as sandbox:
        yield sandbox
