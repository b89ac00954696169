"""Whether a built site is whole: links lead somewhere, all is read, nothing is from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FETCHED = {("link", "href"), ("script", "src"), ("img", "src"), ("iframe", "src")}
"""What a browser asks for by itself when it shows a page."""


CODE = {"code", "pre", "script", "style"}

MARKDOWN = ("```", "](", "**", "\n| ")
"""What stands in a text only where somebody meant it to be read as Markdown."""


@dataclass
class _Page(HTMLParser):
    """What a page is linked to, and what can be linked to in it."""

    ids: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    fetched: set[str] = field(default_factory=set)
    unread: list[str] = field(default_factory=list)
    in_code: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.in_code += tag in CODE
        for name, value in attrs:
            if name == "id":
                self.ids.add(value or "")
            elif (tag, name) in FETCHED:
                self.fetched.add(value or "")
            elif name == "href":
                self.links.add(value or "")

    def handle_endtag(self, tag: str) -> None:
        self.in_code -= tag in CODE

    def handle_data(self, data: str) -> None:
        if not self.in_code and any(sign in data for sign in MARKDOWN):
            self.unread.append(" ".join(data.split())[:60])


def mistakes(site: Path) -> Iterator[str]:
    """A line for each link that leads nowhere, for what would be fetched, and for what is raw."""
    read: dict[Path, _Page] = {}
    for file in site.rglob("*.html"):
        read[file] = _Page()
        read[file].feed(file.read_text())
    for file, page in read.items():
        name = file.relative_to(site)
        if name.name == "404.html":  # its links begin at the root of wherever it is put
            continue
        for link in page.links | page.fetched:
            if not _leads(file, link, read):
                yield f"{name}: {link} leads nowhere"
        for text in page.unread:
            yield f"{name}: is left as Markdown: {text}"
        for link in page.fetched:
            if urlsplit(link).netloc:
                yield f"{name}: {link} would be fetched from elsewhere"


def _leads(file: Path, link: str, read: dict[Path, _Page]) -> bool:
    """Whether a link within the site leads to a file, and to a place in it."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
    if target.is_dir():
        target /= "index.html"
    if not target.exists():
        return False
    anchor = unquote(parts.fragment)
    page = read.get(target)
    return not anchor or page is None or anchor in page.ids
