"""Characters that the font of a figure does not have are told in one line."""

from __future__ import annotations

from jupyterlite_browsergrad.server_kernel.sandbox import Sandbox

WARN = """
import warnings
def warn(character, end="current font"):
    warnings.warn(f"Glyph {ord(character)} (NAME {{CJK}}) missing from {end}.")
def draw(characters):
    for character in characters:
        warn(character)
"""


def test_missing_glyphs_are_told_once_for_each_cell(sandbox: Sandbox) -> None:
    sandbox.execute(WARN)
    told = sandbox.execute("draw('中文')\ndraw('中文')\nwarn('日', 'font(s) DejaVu Sans, STIX')").text("stderr")
    assert told.startswith("The figure's font has no 中文日. ") and told.count("\n") == 1 and "addfont" in told
    assert sandbox.execute("draw('中')").text("stderr").startswith("The figure's font has no 中. ")
    assert sandbox.execute("1").text("stderr") == ""
    many = "draw(map(chr, range(0x4e00, 0x4e20)))"
    assert f"has no {''.join(map(chr, range(0x4E00, 0x4E14)))} and 12 more. " in sandbox.execute(many).text("stderr")


def test_other_warnings_and_filters_stay_as_they_are(sandbox: Sandbox) -> None:
    sandbox.execute(WARN)
    assert "UserWarning: other" in sandbox.execute("warnings.warn('other')").text("stderr")
    recorded = "with warnings.catch_warnings(record=True) as seen:\n    warnings.simplefilter('always')\n    draw('中')\nprint(len(seen))"
    assert sandbox.execute(recorded).text() == "1\n"
    refused = "with warnings.catch_warnings():\n    warnings.simplefilter('error')\n    draw('中')"
    assert sandbox.execute(refused).content["ename"] == "UserWarning"
