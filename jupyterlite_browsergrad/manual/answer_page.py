"""Makes the page on which a teacher reads the answers. It is sorted by question, which makes it easier to grade all answers alike."""

from __future__ import annotations

from collections.abc import Sequence

from ..gradebook.pages import escaped, number, page
from .answer_sheet import Answer, Line
from .manual_questions import ManualQuestion

__all__ = ["answers_page"]


def answers_page(lab: str, questions: list[ManualQuestion], answers: Sequence[Answer], lines: Sequence[Line]) -> str:
    """Return the page.

    Parameters
    ----------
    lines
        The lines of the sheet: first one for each answer, in the order of the answers.
    """
    open_ones = sum(line.points is None for line in lines[: len(answers)])
    parts = [
        f"<h1>{escaped(lab)}: answers to grade by hand</h1>",
        f'<p class="dim">{len(answers)} answers, {open_ones} not graded yet. Fill in the columns points and comment of manual.csv.</p>',
    ]
    numbered = list(zip(range(1, len(answers) + 1), answers, lines, strict=False))
    for question in questions:
        parts.append(f'<h2>{escaped(question.name)} <span class="dim">{number(question.points)} points</span></h2>')
        if question.guide.strip():
            parts.append(f"<details><summary>The reference</summary><pre>{escaped(question.guide)}</pre></details>")
        parts += [_answer(row, each, line) for row, each, line in numbered if each.question == question.name]
    return page(f"{lab}: answers", "\n".join(parts))


def _answer(row: int, answer: Answer, line: Line) -> str:
    given = "not graded yet" if line.points is None else f"{number(line.points)} / {number(answer.possible)}"
    kind = "error" if line.points is None or line.note else "pass"
    note = f'<p class="dim">{escaped(line.note)}</p>' if line.note else ""
    text = f"<pre>{escaped(answer.text)}</pre>" if answer.text.strip() else ""
    comment = f"<p>{escaped(line.comment)}</p>" if line.comment else ""
    return (
        f'<section class="check {kind}" id="row-{row}"><div class="head"><h3><span class="word">row {row}</span> '
        f'{escaped(answer.submission)}</h3><span class="n">{given}</span></div>{note}{text}{comment}</section>'
    )
