"""The files of the page, and the page itself: what they are called, and what is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

MEDIA_TYPES: Mapping[str, str] = {
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
}
"""Files whose names end so are what a page may load; the page itself is not among them."""

PAGE = "page.html"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""What the page may load and do (Content Security Policy Level 3): nothing from elsewhere."""


@cache
def names() -> frozenset[str]:
    """The paths of all files that a page may load, such as `main.js` and `views/items.js`."""
    root = files(__package__)
    folders = [each for each in root.iterdir() if each.is_dir()]
    inside = {f"{each.name}/{name}" for each in folders for name in _names_in(each)}
    return frozenset(_names_in(root)) | inside


def content_of(name: str) -> bytes:
    """What is in a file, by its path."""
    return files(__package__).joinpath(*name.split("/")).read_bytes()


def media_type_of(name: str) -> str:
    """The media type of a file, by its path."""
    return MEDIA_TYPES[_ending(name)]


def _names_in(folder: Traversable) -> Iterator[str]:
    return (each.name for each in folder.iterdir() if _ending(each.name) in MEDIA_TYPES)


def _ending(name: str) -> str:
    return name.rpartition(".")[2]
