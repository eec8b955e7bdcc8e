"""Steps of the build that did not come to their end are run again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import build


def test_a_step_that_was_interrupted_is_not_current(tmp_path: Path) -> None:
    stamp, source, output = (tmp_path / name for name in ("stamp", "source", "output"))
    source.touch()
    os.utime(source, (1, 1))
    assert not build.is_current(stamp, [source], [output])
    build.make(stamp, output.touch)
    assert build.is_current(stamp, [source], [output])

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build.make(stamp, interrupted)
    assert output.exists() and not build.is_current(stamp, [source], [output])
