"""Keeps what `test_engines.py` found in `docs/browsers.json`, from which `scripts/browsers_page.py` makes a page."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import pytest

PATH = Path(__file__).parents[2] / "docs" / "browsers.json"


class Results:
    """A plugin of pytest, for runs with the environment variable `STORE_BROWSERS`."""

    def __init__(self) -> None:
        self.modes: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        facts: dict[str, Any] = dict(report.user_properties)
        if report.when != "call" or "mode" not in facts:
            return
        mode = self.modes.setdefault(facts["mode"], {"version": facts["version"], "checks": {}, "stop_ms": []})
        passed = report.passed and mode["checks"].get(facts["check"], True)
        mode["checks"][facts["check"]] = passed
        mode["stop_ms"] += facts.get("stop_ms", [])
        mode.update({key: facts[key] for key in ("interrupts", "memory_mb") if key in facts})

    def pytest_sessionfinish(self) -> None:
        stored = json.loads(PATH.read_text("utf-8")) if PATH.exists() else {}
        for name, mode in self.modes.items():
            times = mode.pop("stop_ms")
            if len(times) > 1:
                p95 = statistics.quantiles(times, n=20, method="inclusive")[-1]
                mode["stop"] = {"count": len(times), "median_ms": statistics.median(times), "p95_ms": round(p95, 1)}
            earlier = stored.get(name, {})
            if earlier.get("version") == mode["version"]:  # a run of some checks leaves what is known of the others
                mode = {**earlier, **mode, "checks": {**earlier["checks"], **mode["checks"]}}
            stored[name] = mode
        PATH.write_text(json.dumps(dict(sorted(stored.items())), indent=1) + "\n", "utf-8")
