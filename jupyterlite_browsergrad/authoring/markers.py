"""Reads markers in a cell's code, in the forms of nbgrader and otter, and removes what students must not get.

============================================  ==========================================================
marker                                        students get
============================================  ==========================================================
``### BEGIN SOLUTION`` … ``### END SOLUTION``  ``# YOUR CODE HERE`` and ``raise NotImplementedError()``
``# BEGIN SOLUTION`` … ``# END SOLUTION``      ``...``
``# BEGIN SOLUTION NO PROMPT`` …              nothing
``x = 5  # SOLUTION``                         ``x = ...``
``print(x)  # SOLUTION``                      ``...``
``x = 5  # SOLUTION NO PROMPT``, ``# SEED``    nothing
a text between ``# BEGIN PROMPT`` and ``# END PROMPT``, in quotes  the text, without the quotes
``### BEGIN HIDDEN TESTS`` … ``### END …``     in test cells: nothing, and *Check my work* does not run it
``### BEGIN MARK SCHEME`` … ``### END …``      nothing
============================================  ==========================================================
"""

from __future__ import annotations

import re

from .source import Problems, SourceCell

__all__ = ["solved_code", "student_code", "without_hidden"]

_REGION = re.compile(
    r"(?P<indent>\s*)(?P<hash>#+)\s*(?P<side>BEGIN|END) (?P<what>SOLUTION|HIDDEN TESTS|MARK SCHEME)(?P<quiet> NO PROMPT)?\s*"
)
#: Matches a marker that is written wrongly, such as in lower case or behind code. It would show the solution to students.
_ALMOST = re.compile(r"#.*\b(BEGIN|END)[ _-]*(SOLUTION|HIDDEN[ _-]*TEST|MARK[ _-]*SCHEME)", re.IGNORECASE)
_PROMPT = re.compile(r"\s*(?:\"{3}|'{3})?;?\s*#+\s*(BEGIN|END) PROMPT\s*")
_LINE = re.compile(r"(?P<code>.*?)\s*#\s*SOLUTION(?P<quiet> NO PROMPT)?\s*")
_SEED = re.compile(r".*#\s*SEED\s*")
_ASSIGNED = re.compile(r"(?P<target>\s*[\w.\[\]'\", ]+?\s*(?::[^=]+)?=)(?!=).*")
_STUBS = {"###": ("# YOUR CODE HERE", "raise NotImplementedError()")}


def student_code(cell: SourceCell, problems: Problems) -> str:
    """Return a cell's code without its solution."""
    kept: list[str] = []
    for number, line, region, begins in _walk(cell, problems):
        if region == "HIDDEN TESTS" and begins:
            problems.add(
                cell,
                number,
                "hidden tests outside of a test cell: students would get them; begin the cell with `# TEST name`",
            )
        if begins and region == "SOLUTION":
            found = _REGION.fullmatch(line)
            assert found
            if not found["quiet"]:
                kept += [found["indent"] + each for each in _STUBS.get(found["hash"], ("...",))]
        elif region is None:
            kept += _line(line)
    return "\n".join(kept).strip("\n")


def solved_code(text: str) -> str:
    """Return a solution without markers, which otter leaves in its notebook for grading, and without prompts for students."""
    kept = []
    prompt = False
    for line in text.splitlines():
        found = _PROMPT.fullmatch(line)
        prompt = found[1] == "BEGIN" if found else prompt
        if not (prompt or found or _REGION.fullmatch(line)):
            marked = _LINE.fullmatch(line)
            kept.append(marked["code"] if marked else line)
    return "\n".join(kept)


def without_hidden(cell: SourceCell, problems: Problems) -> tuple[str, str]:
    """Return a test cell's code for the published rubric, and its code with hidden tests; both without marker lines."""
    shown: list[str] = []
    whole: list[str] = []
    for number, line, region, begins in _walk(cell, problems):
        if region == "SOLUTION" and begins:
            problems.add(cell, number, "a solution in a test cell: put it into a cell of its own")
        if _REGION.fullmatch(line):
            line = ""  # so that lines keep their numbers
        whole.append(line)
        shown.append(line if region is None else "")
    return "\n".join(shown).rstrip(), "\n".join(whole).rstrip()


def _walk(cell: SourceCell, problems: Problems) -> list[tuple[int, str, str | None, bool]]:
    """For each line: its number from 1, its text, its region, and whether it begins the region. A region includes its last line."""
    found: list[tuple[int, str, str | None, bool]] = []
    region: str | None = None
    opened = 0
    for number, line in enumerate(cell.lines, 1):
        marker = _REGION.fullmatch(line)
        if marker is None:
            if _ALMOST.search(line):
                problems.add(
                    cell,
                    number,
                    f"{line.strip()!r} is not a marker: write it alone on its line, in capitals, such as ### BEGIN SOLUTION",
                )
            found.append((number, line, region, False))
            continue
        what = marker["what"]
        if marker["side"] == "BEGIN":
            if region is not None:
                problems.add(
                    cell,
                    number,
                    f"BEGIN {what} inside of {region}, which began in line {cell.line + opened} and was not ended: end that first",
                )
            region, opened = what, number
            found.append((number, line, region, True))
        else:
            if region != what:
                problems.add(
                    cell, number, f"END {what} without BEGIN {what}: add `### BEGIN {what}` above it, or remove it"
                )
            found.append((number, line, what, False))
            region = None
    if region is not None:
        problems.add(
            cell, opened, f"BEGIN {region} without END {region}: add `### END {region}` below it in the same cell"
        )
    return found


def _line(line: str) -> list[str]:
    """A line outside all regions, in the form that students get."""
    if _PROMPT.fullmatch(line) or _SEED.fullmatch(line):
        return []
    marked = _LINE.fullmatch(line)
    if marked is None:
        return [line]
    if marked["quiet"]:
        return []
    assigned = _ASSIGNED.fullmatch(marked["code"])
    indent = line[: len(line) - len(line.lstrip())]
    return [f"{assigned['target']} ..." if assigned else f"{indent}..."]
