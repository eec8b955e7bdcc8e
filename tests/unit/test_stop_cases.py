"""The cases of code that Stop must end do not disturb each other."""

from __future__ import annotations

import json
import re
from pathlib import Path

CASES = json.loads((Path(__file__).parents[1] / "stop" / "cases.json").read_text("utf-8"))


def wheels(waits: bool) -> set[str]:
    """Names of the wheels that cases fetch from an address without an answer, or that other cases mention."""
    texts = [json.dumps(case) for case in CASES if ("NEVER" in case.get("code", "")) is waits]
    return {name for text in texts for name in re.findall(r"(\w+)-[\d.]+-py3-none-any\.whl", text)}


def test_a_case_that_waits_for_a_wheel_names_one_that_no_other_case_installs() -> None:
    """`%pip` does not fetch a version that is installed, so such a case would end by itself."""
    assert wheels(waits=True) and wheels(waits=False)
    assert wheels(waits=True) & wheels(waits=False) == set()
