"""Events as text and HTML, for terminals and for front ends that have no renderer of ours."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from typing import Any

from ._text import cut, visible

#: Most characters of a repr, a message or data in a line of text.
_MAX_LINE = 500
#: Most failures, and most passes, that HTML and plain text list. Our own MIME type has all.
_ROWS = 100
#: Most characters of data in HTML and plain text.
_MAX_DATA = 20_000
#: Overrides the styles of front ends, which break words in a `pre` and give it a proportional font.
_PRE_STYLE = "font-family: monospace; overflow-wrap: anywhere; white-space: pre-wrap; word-break: normal"
_SO_FAR = " so far: the cell is running"
_WORDS = {"pass": "pass", "fail": "FAIL", "error": "ERROR"}


def summary(counts: dict[str, int], points: dict[str, float | int] | None = None) -> str:
    """A text such as ``3 passed, 1 failed, 0 errors``, with ``; 5 of 8 points`` if there are points."""
    errors = "error" if counts["error"] == 1 else "errors"
    text = f"{counts['pass']:,} passed, {counts['fail']:,} failed, {counts['error']:,} {errors}"
    return text if points is None else f"{text}; {points['earned']:,} of {points['possible']:,} points"


def _worth(event: dict[str, Any]) -> str:
    """The points of an event, such as `` [1/2]``; empty if it has none."""
    return f" [{event['earned']:,}/{event['points']:,}]" if "points" in event and "earned" in event else ""


def event_line(kind: str, event: dict[str, Any]) -> str:
    """One event as one line of text, without control characters."""
    return visible(_event_line(kind, event), keep="")


def _event_line(kind: str, event: dict[str, Any]) -> str:
    name = _short(event["name"])
    if kind == "assertion":
        text = f"{_WORDS[event['kind']]} {name}{_worth(event)}"
        if event.get("message"):
            text += f": {_short(event['message'])}"
        sides = [f"{word} {_short(event[key])}" for key, word in _SIDES if key in event]
        text = f"{text} ({', '.join(sides)})" if sides else text
        return f"{text}; {_short(event['feedback'])}" if "feedback" in event else text
    if event["kind"] == "image":
        return f"image {name}: {event['mime']}, {len(event['dataBase64']) * 3 // 4:,} bytes"
    if event["kind"] == "json":
        return f"json {name}: {_short(_json_text(event['data']))}"
    data = event["data"]
    return f"{event['level']} {name}: {_short(data if isinstance(data, str) else _json_text(data))}"


_SIDES = (("expectedRepr", "expected"), ("actualRepr", "got"))


def _short(text: str) -> str:
    if len(text) > _MAX_LINE:
        text = text[:_MAX_LINE] + "…"
    return visible(text, keep="")


def _json_text(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False)


def _escape(text: str) -> str:
    return html.escape(visible(text))


def _parts(assertions: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The assertions that did not pass, and those that passed."""
    failures = [event for event in assertions if event["kind"] != "pass"]
    return failures, [event for event in assertions if event["kind"] == "pass"]


def _left_out(assertions: list[dict[str, Any]], counts: dict[str, int]) -> list[str]:
    """A text that says how many assertions are not listed."""
    failures, passes = _parts(assertions)
    left = (len(failures) - _ROWS, "more not passed"), (counts["pass"] - min(len(passes), _ROWS), "more passed")
    return [f"… and {number:,} {what}" for number, what in left if number > 0]


def assertions_text(
    assertions: list[dict[str, Any]],
    counts: dict[str, int],
    points: dict[str, float | int] | None = None,
    *,
    so_far: bool = False,
) -> str:
    """The counts, and then the assertions, one in each line. Those that did not pass come first."""
    failures, passes = _parts(assertions)
    lines = [event_line("assertion", event) for event in failures[:_ROWS] + passes[:_ROWS]]
    return "\n".join([summary(counts, points) + _SO_FAR * so_far, *lines, *_left_out(assertions, counts)])


def assertions_html(
    assertions: list[dict[str, Any]],
    counts: dict[str, int],
    points: dict[str, float | int] | None = None,
    *,
    so_far: bool = False,
) -> str:
    """A table of the assertions that did not pass, and a folded list of those that passed."""
    failures, passes = _parts(assertions)
    rows = "".join(_row(event) for event in failures[:_ROWS])
    names = [f"<li>{_escape(event['name'])}{_worth(event)}{_feedback(event)}</li>" for event in passes[:_ROWS]]
    parts = [f"<p><strong>{summary(counts, points)}{_SO_FAR * so_far}</strong></p>"]
    if rows:
        head = "".join(
            f'<th scope="col" style="text-align: left">{title}</th>' for title in ("Result", "Check", "Detail")
        )
        parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")
    parts += [f"<p>{line}</p>" for line in _left_out(assertions, counts)]
    if names:
        parts.append(f"<details><summary>Passed</summary><ul>{''.join(names)}</ul></details>")
    return f"<div>{''.join(parts)}</div>"


def _feedback(event: dict[str, Any]) -> str:
    return f"<br><em>{_escape(event['feedback'])}</em>" if "feedback" in event else ""


def _row(event: dict[str, Any]) -> str:
    detail = [_escape(event["message"])]
    for key, word in _SIDES:
        if key in event:
            detail.append(f"{word} <code>{html.escape(_short(event[key]))}</code>")
    if "feedback" in event:
        detail.append(f"<em>{_escape(event['feedback'])}</em>")
    if "traceback" in event:
        detail.append(f"<details><summary>Traceback</summary><pre>{_escape(event['traceback'])}</pre></details>")
    cells = (_WORDS[event["kind"]], _escape(event["name"]) + _worth(event), "<br>".join(detail))
    return "<tr>" + "".join(f'<td style="text-align: left">{cell}</td>' for cell in cells) + "</tr>"


def artifact_html(event: dict[str, Any]) -> str:
    """An artifact as HTML that has no scripts and loads nothing."""
    name = _escape(event["name"])
    if event["kind"] == "image":
        source = f"data:{event['mime']};base64,{event['dataBase64']}"
        image = f'<img alt="{name}" src="{source}" style="max-width: 100%">'
        return f"<figure>{image}<figcaption>{name}</figcaption></figure>"
    title = f"{name} ({event['level']})" if event["kind"] == "log" else name
    data = event["data"]
    text = data if event["kind"] == "log" and isinstance(data, str) else _first(_pretty(data))
    text = cut(text, _MAX_DATA)
    return f'<div><strong>{title}</strong><pre style="{_PRE_STYLE}">{_escape(text)}</pre></div>'


def _first(chunks: Iterator[str]) -> str:
    """The chunks joined, cut off after about `_MAX_DATA` characters."""
    text = ""
    for chunk in chunks:
        text += chunk
        if len(text) > _MAX_DATA:
            break
    return text


def _pretty(data: Any, margin: str = "") -> Iterator[str]:
    """JSON with one entry per line. Lists without inner containers stay on one line, since many are series of numbers."""
    if not isinstance(data, (dict, list)) or not data:
        yield _json_text(data)
        return
    flat = isinstance(data, list) and not any(isinstance(item, (dict, list)) for item in data)
    opening, closing = "{}" if isinstance(data, dict) else "[]"
    inner = f"{margin}  "
    begin, between, end = ("", ", ", "") if flat else (f"\n{inner}", f",\n{inner}", f"\n{margin}")
    yield opening + begin
    for index, key in enumerate(data):
        if index:
            yield between
        if isinstance(data, dict):
            yield f"{_json_text(key)}: "
        yield from _pretty(data[key] if isinstance(data, dict) else key, inner)
    yield end + closing
