"""Makes a page for the teacher: the distribution of grades, the checks that fail most, and similar failures."""

from __future__ import annotations

import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from .book import Book, Row
from .pages import escaped, number, page, ratio_bar

__all__ = ["overview_page"]

BINS = 10
#: Number of groups of failures, and of students in one group, that are listed.
MAX_GROUPS = 30
#: Matches the parts of a message that differ between runs or values, although the mistake is the same.
_VARIES = re.compile(r"0x[0-9a-f]+|\d+(?:\.\d+)?|'[^']*'|\"[^\"]*\"", re.IGNORECASE)


def overview_page(book: Book, links: Mapping[Row, str]) -> str:
    """Return the page. `links` has the address of each student's feedback."""
    rows = book.handed_in
    grades = [row.grade for row in rows if row.grade is not None]
    parts = [
        f"<h1>{escaped(book.lab)}</h1>",
        f'<p class="dim">{len(rows)} of {len(book.rows)} students handed in, {sum(row.passed for row in rows)} passed all checks</p>',
    ]
    if grades:
        mean, median = statistics.fmean(grades), statistics.median(grades)
        parts.append(
            f'<p class="big">mean {number(round(mean, 2))}, median {number(round(median, 2))} of {number(book.possible)} points</p>'
        )
        parts += _distribution(grades, book.possible)
    parts += _left(book)
    parts += _checks(rows)
    parts += _alike(rows, links)
    parts += _students(book, links)
    return page(f"Overview: {book.lab}", "\n".join(parts))


def _distribution(grades: list[float], possible: float) -> list[str]:
    counts = Counter(min(int(BINS * grade / possible), BINS - 1) if possible else 0 for grade in grades)
    most = max(counts.values())
    bars = []
    for place in range(BINS):
        low, high = (round(100 * each / BINS) for each in (place, place + 1))
        count = counts[place]
        bars.append(
            f'<div><small>{count or ""}</small><i style="height: {75 * count / most:.1f}%"></i><small>{low}–{high}</small></div>'
        )
    said = ", ".join(
        f"{round(100 * place / BINS)} to {round(100 * (place + 1) / BINS)} percent: {counts[place]}"
        for place in range(BINS)
    )
    return ["<h2>Grades, in percent</h2>", f'<div class="bars" role="img" aria-label="{said}">{"".join(bars)}</div>']


def _left(book: Book) -> list[str]:
    if not book.left:
        return []
    items = "".join(
        f'<tr><td>{escaped(mark.submission)}</td><td class="words">{escaped(why)}</td></tr>' for mark, why in book.left
    )
    return [f"<h2>Submissions in no row</h2><table><tr><th>submission</th><th>why</th></tr>{items}</table>"]


def _checks(rows: list[Row]) -> list[str]:
    """The checks, ordered by the number of submissions that did not pass them."""
    failed: Counter[str] = Counter()
    names: dict[str, None] = {}
    for row in rows:
        assert row.mark is not None
        result = row.mark.result
        names |= dict.fromkeys(each["name"] for each in result["assertions"])
        names |= dict.fromkeys(result["missing"])
        bad = {each["name"] for each in result["assertions"] if each["kind"] != "pass"} | set(result["missing"])
        failed.update(bad)
    lines = "".join(
        f'<tr><td>{escaped(name)}</td><td class="n">{failed[name]} of {len(rows)}</td><td>{ratio_bar(failed[name], len(rows))}</td></tr>'
        for name in sorted(names, key=lambda name: -failed[name])
    )
    return (
        [
            f'<h2>Checks, the most failed first</h2><table><tr><th>check</th><th class="n">not passed</th><th></th></tr>{lines}</table>'
        ]
        if lines
        else []
    )


def _alike(rows: list[Row], links: Mapping[Row, str]) -> list[str]:
    """Failures whose messages differ only in numbers and quoted texts."""
    groups: dict[tuple[str, str], list[tuple[Row, dict[str, Any]]]] = defaultdict(list)
    for row in rows:
        assert row.mark is not None
        for each in row.mark.result["assertions"]:
            if each["kind"] != "pass":
                pattern = _VARIES.sub("…", each["message"] + "\0" + each.get("actualRepr", ""))
                groups[each["name"], pattern].append((row, each))
    found = sorted(groups.items(), key=lambda item: -len(item[1]))
    found = [(key, members) for key, members in found if len(members) > 1][:MAX_GROUPS]
    if not found:
        return []
    lines = []
    for (name, _), members in found:
        example = members[0][1]
        got = f"<p>got <code>{escaped(example['actualRepr'])}</code></p>" if "actualRepr" in example else ""
        people = ", ".join(_link(row, links) for row, _ in members)
        lines.append(
            f'<tr><td class="words"><strong>{escaped(name)}</strong><p>{escaped(example["message"])}</p>{got}</td><td class="n">{len(members)}</td><td class="words">{people}</td></tr>'
        )
    head = '<tr><th>failure</th><th class="n">students</th><th></th></tr>'
    return [f"<h2>Similar failures</h2><table>{head}{''.join(lines)}</table>"]


def _link(row: Row, links: Mapping[Row, str]) -> str:
    name = escaped(row.student.shown)
    return f'<a href="{quote(links[row])}">{name}</a>' if row in links else name


def _students(book: Book, links: Mapping[Row, str]) -> list[str]:
    lines = []
    for row in book.rows:
        late = str(row.late_days) if row.late_days else ""
        if row.mark is None:
            said = "nothing handed in"
        else:
            error = row.mark.result["error"]
            said = f"{error['kind']}: {error.get('ename', '')}" if error else ""
            if row.mark.ungraded:
                answers = "1 answer" if row.mark.ungraded == 1 else f"{row.mark.ungraded} answers"
                said = f"{said}{'; ' if said else ''}{answers} not graded yet"
        lines.append(
            f'<tr><td>{_link(row, links)}</td><td class="n">{number(row.grade)}</td><td class="n">{late}</td><td class="words">{escaped(said)}</td></tr>'
        )
    head = '<tr><th>student</th><th class="n">grade</th><th class="n">days late</th><th></th></tr>'
    return [f"<h2>Students</h2><table>{head}{''.join(lines)}</table>"]
