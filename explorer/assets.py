"""The files of the page, and the page itself: what they are called, and what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

MEDIA_TYPES: Mapping[str, str] = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "html": "text/html; charset=utf-8",
}
"""Files whose names end so are what a browser may load."""

PAGE = "page.html"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'"
)
"""What the page may load and do (Content Security Policy Level 3): nothing from elsewhere."""


@cache
def content_of(name: str) -> bytes | None:
    """What is in a file, by its path as in `views/items.js`; None where there is no such file."""
    folder, _, file = name.rpartition("/")
    parts = [folder, file] if folder else [file]
    if media_type_of(name) is None or any(part.startswith(".") for part in parts):
        return None
    found = files(__package__).joinpath(*parts)
    return found.read_bytes() if found.is_file() else None


def media_type_of(name: str) -> str | None:
    """The media type of a file by its name; None where a browser has no use for it."""
    return MEDIA_TYPES.get(name.rpartition(".")[2])
