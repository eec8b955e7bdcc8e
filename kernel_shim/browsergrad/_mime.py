"""MIME bundles: each contains our own type and types that other front ends can show.

The JSON Schemas in ``schemas/`` describe them. A version may get new optional fields, but no other change.
"""

from __future__ import annotations

from typing import Any

from ._render import artifact_html, assertions_html, assertions_text, event_line

ASSERTIONS_MIME = "application/vnd.browsergrad.assertions.v1+json"
ARTIFACT_MIME = "application/vnd.browsergrad.artifact.v1+json"


def assertions_bundle(
    assertions: list[dict[str, Any]],
    counts: dict[str, int],
    points: dict[str, float | int] | None = None,
    *,
    so_far: bool = False,
) -> dict[str, Any]:
    """The assertions of one cell.

    Parameters
    ----------
    assertions
        The assertions that are kept in detail, in order of arrival.
    counts
        Counts of all assertions, by kind.
    points
        Of all, ``earned`` and ``possible``; None where no check is worth any.
    so_far
        Whether the cell goes on, which the fallbacks then say.
    """
    content: dict[str, Any] = {"assertions": list(assertions), "counts": dict(counts)}
    if points is not None:
        content["points"] = dict(points)
    return {
        ASSERTIONS_MIME: content,
        "text/html": assertions_html(assertions, counts, points, so_far=so_far),
        "text/plain": assertions_text(assertions, counts, points, so_far=so_far),
    }


def artifact_bundle(event: dict[str, Any]) -> dict[str, Any]:
    """One artifact.

    An SVG gets no ``image/svg+xml``, since front ends would insert that into the page, where its
    scripts would run. ``text/html`` shows it in an ``<img>`` instead.
    """
    bundle: dict[str, Any] = {
        ARTIFACT_MIME: dict(event),
        "text/html": artifact_html(event),
        "text/plain": event_line("artifact", event),
    }
    if event["kind"] == "json":
        bundle["application/json"] = event["data"]
    elif event["kind"] == "image" and event["mime"] != "image/svg+xml":
        bundle[event["mime"]] = event["dataBase64"]
    return bundle
