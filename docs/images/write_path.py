"""Draws a write's way, for light pages and for dark ones: `python -m docs.images.write_path`."""

from __future__ import annotations

from html import escape
from pathlib import Path

HERE = Path(__file__).parent

COLORS = {
    "light": {
        "ink": "#1f2933", "quiet": "#5b6770", "line": "#8895a0", "box": "#ffffff",
        "room": "#eef2f5", "log": "#b4452c", "state": "#2b6cb0",
    },
    "dark": {
        "ink": "#e6edf3", "quiet": "#a3b1bd", "line": "#6b7985", "box": "#1b2430",
        "room": "#27323f", "log": "#f0876c", "state": "#7db3ef",
    },
}  # fmt: skip
"""What is drawn in which color, on a light page and on a dark one."""

TITLE = "A write's way: a request becomes a command, one script appends the event and applies it"


def picture(kind: str) -> str:
    """The picture as SVG, in the colors for a page of this kind."""
    colors = COLORS[kind]
    style = (
        f"text{{font:14px system-ui,sans-serif;fill:{colors['ink']}}}"
        f".small{{font-size:12.5px;fill:{colors['quiet']}}}"
        ".code{font-family:ui-monospace,monospace}.bold{font-weight:600}"
        f".log{{fill:{colors['log']}}}.state{{fill:{colors['state']}}}"
        f"path{{stroke:{colors['line']};stroke-width:1.6;fill:none}}"
    )
    tip = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><polygon points="0,0 8,4 0,8" '
        f'fill="{colors["line"]}"/></marker></defs>'
    )
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 560" role="img">',
            f"<title>{escape(TITLE)}</title><style>{style}</style>",
            tip,
            *_clients(colors),
            *_api(colors),
            *_engine(colors),
            *_answer(),
            *_followers(colors),
            "</svg>",
            "",
        ]
    )


def _clients(colors: dict[str, str]) -> list[str]:
    requests = ["PUT /items/foo", "PATCH /orders/7", "POST /batch"]
    return [
        _text(24, 32, "clients", "bold"),
        *(
            line
            for row, words in enumerate(requests)
            for line in (
                _box(20, 48 + 66 * row, 168, 46, colors["box"], colors["line"]),
                _text(34, 76 + 66 * row, words, "code"),
                _arrow(f"M188 {71 + 66 * row} H232"),
            )
        ),
    ]


def _api(colors: dict[str, str]) -> list[str]:
    return [
        _box(236, 14, 256, 236, colors["room"]),
        _text(252, 40, "an API process", "bold"),
        _box(252, 56, 224, 78, colors["box"], colors["line"]),
        _text(264, 80, "request → command"),
        _text(264, 101, "its conditions: an expected", "small"),
        _text(264, 118, "version", "small"),
        _box(252, 150, 224, 84, colors["box"], colors["line"]),
        _text(264, 174, "those that come at once"),
        _text(264, 195, "share one call, one fsync", "small"),
        _text(264, 212, "and one reply", "small"),
        _arrow("M364 134 V148"),
        _arrow("M492 132 H534"),
    ]


def _engine(colors: dict[str, str]) -> list[str]:
    steps = [
        "1  look the item up",
        "2  check the version",
        "3  append the event",
        "4  apply it to the items",
        "5  fsync, then answer",
    ]
    squares = [
        f'<rect x="{772 + 18 * n}" y="78" width="14" height="30" rx="2" class="log"/>'
        for n in range(8)
    ]
    rows = [
        f'<rect x="772" y="{156 + 18 * n}" width="140" height="12" rx="2" class="state"/>'
        for n in range(3)
    ]
    return [
        _box(538, 14, 402, 236, colors["room"]),
        _text(554, 40, "the engine: one script, one step", "bold"),
        *(_text(554, 76 + 33 * row, step) for row, step in enumerate(steps)),
        *squares,
        _text(772, 66, "log", "bold log"),
        _text(804, 66, "items:events", "small code"),
        *rows,
        _text(772, 144, "items", "bold state"),
        _text(828, 144, "items:current", "small code"),
        _arrow("M706 137 H748 V93 H768"),
        _arrow("M728 170 H768"),
    ]


def _answer() -> list[str]:
    return [
        _arrow("M740 250 V292 H104 V232"),
        _text(250, 314, "the answer is what was appended:"),
        _text(
            250, 336, "ItemCreated → 201, ItemUpdated → 200, version → ETag, position → Event-Id"
        ),
        _text(250, 358, "refused: 412 and what is there, and nothing was appended", "small"),
    ]


def _followers(colors: dict[str, str]) -> list[str]:
    boxes = [
        ("the feed", "pages, JSON lines,", "server-sent events"),
        ("projections", "statistics, and your own,", "counted exactly once"),
        ("SQL tables", "queries and full text,", "SQLite or PostgreSQL"),
        ("the archive", "the older part, in files,", "answered as if it were here"),
    ]
    drawn = [
        _arrow("M926 93 H950 V396 H480 V408"),
        _text(20, 396, "what follows the log", "bold"),
    ]
    for column, (name, first, second) in enumerate(boxes):
        left = 20 + 232 * column
        drawn += [
            _box(left, 412, 214, 104, colors["room"]),
            _text(left + 14, 440, name, "bold"),
            _text(left + 14, 466, first, "small"),
            _text(left + 14, 486, second, "small"),
        ]
    return [*drawn, _text(20, 546, "It can all be made again from the log, and compared with it.")]


def _box(left: int, top: int, width: int, height: int, fill: str, line: str = "none") -> str:
    return (
        f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="7" '
        f'fill="{fill}" stroke="{line}"/>'
    )


def _text(left: int, base: int, words: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{left}" y="{base}"{named}>{escape(words)}</text>'


def _arrow(way: str) -> str:
    return f'<path d="{way}" marker-end="url(#tip)"/>'


if __name__ == "__main__":
    for each in COLORS:
        (HERE / f"write-path-{each}.svg").write_text(picture(each))
