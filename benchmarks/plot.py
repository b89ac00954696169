"""A bar chart as SVG, made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, LABEL, BAR, GAP = 720, 190, 22, 10
FULL = WIDTH - LABEL - 90

STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#555}rect{fill:#9ab}rect.ours{fill:#c43}"
    "@media(prefers-color-scheme:dark){text{fill:#bbb}}"
)


def bars(title: str, values: Sequence[tuple[str, float]], ours: str) -> str:
    """Horizontal bars, each with its name and its value; `ours` is the name to stand out."""
    height = (len(values) + 1) * (BAR + GAP) + GAP
    largest = max(value for _, value in values)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<text x="{LABEL}" y="{BAR}">{escape(title)}</text>',
    ]
    for number, (name, value) in enumerate(values, start=1):
        top = number * (BAR + GAP)
        width = max(1, round(FULL * value / largest))
        kind = ' class="ours"' if name == ours else ""
        lines += [
            f'<text x="{LABEL - 8}" y="{top + 16}" text-anchor="end">{escape(name)}</text>',
            f'<rect{kind} x="{LABEL}" y="{top}" width="{width}" height="{BAR}" rx="2"/>',
            f'<text x="{LABEL + width + 6}" y="{top + 16}">{value:,.0f}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])
