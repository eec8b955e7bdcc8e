"""The common parts of all pages. Pages have no scripts, fetch nothing, and have light and dark colours."""

from __future__ import annotations

import html

from browsergrad.hosting import cut, visible

__all__ = ["escaped", "number", "page", "ratio_bar"]

#: Longest text from a submission on a page, in characters.
LONGEST = 4_000
_STYLE = """
:root { color-scheme: light dark; --bg: #fff; --fg: #1b1f24; --dim: #59636e; --line: #d1d9e0; --box: #f6f8fa;
  --pass: #1a7f37; --fail: #cf222e; --error: #9a6700; --bar: #0969da; }
@media (prefers-color-scheme: dark) { :root { --bg: #0d1117; --fg: #e6edf3; --dim: #9198a1; --line: #3d444d; --box: #151b23;
  --pass: #3fb950; --fail: #f85149; --error: #d29922; --bar: #4493f8; } }
* { box-sizing: border-box; }
body { background: var(--bg); color: var(--fg); font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 2rem 1rem; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; } h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
p { margin: .35rem 0; } .dim { color: var(--dim); } .big { font-size: 2rem; font-weight: 600; }
table { border-collapse: collapse; width: 100%; } th, td { border-bottom: 1px solid var(--line); padding: .4rem .6rem; text-align: left; vertical-align: top; }
td { overflow-wrap: anywhere; } .words { min-width: 7.5rem; } .n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
section.check { border: 1px solid var(--line); border-left: 4px solid var(--line); border-radius: 6px; margin: .75rem 0; padding: .6rem .9rem; }
section.pass { border-left-color: var(--pass); } section.fail { border-left-color: var(--fail); } section.error { border-left-color: var(--error); } section.hand { border-left-color: var(--bar); }
.head { display: flex; flex-wrap: wrap; gap: 0 .75rem; justify-content: space-between; align-items: baseline; } .head h3 { flex: 1 1 14rem; }
.said { font-style: italic; white-space: pre-wrap; } .word { font-weight: 600; } .pass .word { color: var(--pass); } .fail .word { color: var(--fail); } .error .word { color: var(--error); } .hand .word { color: var(--bar); }
pre { background: var(--box); border-radius: 6px; margin: .35rem 0; max-height: 20rem; overflow: auto; overflow-wrap: anywhere; padding: .5rem .75rem; white-space: pre-wrap; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem .75rem; margin: .35rem 0; } dt { color: var(--dim); } dd { margin: 0; min-width: 0; } dd pre { margin: 0; }
.bar { background: var(--box); border-radius: 4px; height: .8rem; min-width: 4rem; overflow: hidden; } .bar i { background: var(--bar); display: block; height: 100%; }
.bars { align-items: end; display: flex; gap: .35rem; height: 9rem; } .bars div { display: flex; flex: 1; flex-direction: column; height: 100%; justify-content: end; text-align: center; }
.bars i { background: var(--bar); border-radius: 4px 4px 0 0; display: block; min-height: 1px; } .bars small { color: var(--dim); }
a { color: var(--bar); } @media (max-width: 40rem) { th, td { padding: .4rem .3rem; } th.n { white-space: normal; } .big { font-size: 1.6rem; } } @media print { body { max-width: none; } pre { max-height: none; } }
"""


def escaped(text: object) -> str:
    """Return any text as HTML, cut to the longest length allowed."""
    return html.escape(cut(visible(str(text)), LONGEST))


def number(value: float | None) -> str:
    """Return a number as text for people; a dash for None."""
    return "–" if value is None else f"{value:,.10g}"


def ratio_bar(part: float, whole: float) -> str:
    """Return a bar that shows a part of a whole. Its value must be shown beside it, for those who cannot see it."""
    percent = 100 * min(max(part / whole, 0), 1) if whole else 0
    return f'<div class="bar" aria-hidden="true"><i style="width: {percent:.1f}%"></i></div>'


def page(title: str, body: str) -> str:
    """Return a complete page."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )
