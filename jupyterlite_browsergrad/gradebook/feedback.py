"""Makes a page for one student: the result and the points of each check."""

from __future__ import annotations

from collections import Counter
from typing import Any

from browsergrad.hosting import add_up

from .book import Book, Row
from .marks import Mark
from .pages import escaped, number, page

__all__ = ["feedback_page"]

_WORDS = {"pass": "Passed", "fail": "Not passed", "error": "Error"}


def feedback_page(book: Book, row: Row) -> str:
    """Return the page for a student who handed in something."""
    assert row.mark is not None
    result = row.mark.result
    parts = [
        f"<h1>{escaped(row.student.shown)}</h1>",
        f'<p class="dim">{escaped(book.lab)} {escaped(result.get("lab_version", ""))}, {escaped(row.mark.submission.rpartition("/")[2])}</p>',
        f'<p class="big">{number(row.grade)} of {number(book.possible)} points</p>',
    ]
    if row.grade != row.mark.earned:
        late = f", handed in {row.late_days} {'day' if row.late_days == 1 else 'days'} late" if row.late_days else ""
        who = "Checks and teacher" if row.mark.by_hand else "The checks"
        parts.append(f"<p>{who} gave {number(row.mark.earned)} points{late}.</p>")
    if row.mark.ungraded:
        parts.append("<p>The grade is not final: some answers are not graded yet.</p>")
    if result["error"]:
        parts.append(_error(result["error"]))
    parts += _by_hand(row.mark)
    parts += _groups(result["assertions"])
    parts += _missing(result)
    return page(f"{row.student.shown}: {book.lab}", "\n".join(parts))


def _error(error: dict[str, Any]) -> str:
    said = ": ".join(escaped(error[key]) for key in ("ename", "evalue") if error.get(key))
    return f'<section class="check error"><h3><span class="word">A cell did not run to its end</span></h3><pre>{said}</pre></section>'


def _by_hand(mark: Mark) -> list[str]:
    """The answers that a person grades."""
    parts = []
    for each in mark.by_hand:
        given = "–" if each.points is None else number(each.points)
        kind, word = ("error", "Not graded yet") if each.points is None else ("hand", "Graded by hand")
        comment = f"<p>{escaped(each.comment)}</p>" if each.comment else ""
        parts.append(
            f'<section class="check {kind}"><div class="head"><h3><span class="word">{word}</span> {escaped(each.question)}</h3>'
            f'<span class="n">{given} / {number(each.possible)}</span></div>{comment}</section>'
        )
    return ["<h2>Graded by your teacher</h2>", *parts] if parts else []


def _groups(assertions: list[dict[str, Any]]) -> list[str]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for each in assertions:
        groups.setdefault(each.get("group", ""), []).append(each)
    parts = []
    for name, members in groups.items():
        if name or len(groups) > 1:
            points = add_up(members)
            said = (
                f' <span class="dim">{number(points["earned"])} of {number(points["possible"])}</span>'
                if points
                else ""
            )
            parts.append(f"<h2>{escaped(name or 'Other checks')}{said}</h2>")
        parts += [_check(each) for each in members]
    return parts


def _check(each: dict[str, Any]) -> str:
    kind = each["kind"]
    worth = (
        f'<span class="n">{number(each.get("earned", 0))} / {number(each["points"])}</span>' if "points" in each else ""
    )
    parts = [
        f'<div class="head"><h3><span class="word">{_WORDS[kind]}</span> {escaped(each["name"])}</h3>{worth}</div>'
    ]
    if each.get("message"):
        parts.append(f"<p>{escaped(each['message'])}</p>")
    if each.get("feedback"):
        parts.append(f'<p class="said">{escaped(each["feedback"])}</p>')
    sides = [(word, each[key]) for key, word in (("expectedRepr", "expected"), ("actualRepr", "got")) if key in each]
    if sides:
        parts.append(
            "<dl>" + "".join(f"<dt>{word}</dt><dd><pre>{escaped(text)}</pre></dd>" for word, text in sides) + "</dl>"
        )
    if "traceback" in each:
        parts.append(f"<details><summary>Traceback</summary><pre>{escaped(each['traceback'])}</pre></details>")
    return f'<section class="check {kind}">{"".join(parts)}</section>'


def _missing(result: dict[str, Any]) -> list[str]:
    """The checks that never ran, for example because the submission ended before."""
    seen = {each["name"] for each in result["assertions"]}
    never = Counter(name for name in result["missing"] if name not in seen)
    if not never:
        return []
    items = "".join(f"<li>{escaped(name)}</li>" for name in never)
    return [f"<h2>Checks that did not run</h2><ul>{items}</ul>"]
