"""Which pages the site has, and what their links lead to there.

A page is written for whoever reads the repository: its links are paths in the clone. In the site a
page is elsewhere, and files that are no pages are not in it: a link to one leads to the repository
where its URL is known, and is text otherwise.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

HOME = "README.md"
"""The page that the site begins with, by its path in the clone."""

PICTURES = {".png", ".svg"}

_FENCES = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"^(```\w+) ([\w./-]+)$", re.MULTILINE)
_LINK = re.compile(r"(?<!\\)(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^)\s]+)\)")
_PICTURE = re.compile(
    r'<picture>\s*<source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)">\s*'
    r'<img src="([^"]+)" alt="([^"]*)">\s*</picture>'
)
_IMAGE = re.compile(r'(<img src=")([^"]+)"')
_INNER_LIST = re.compile(r"^ {2,3}(?=(?:-|\d+\.) )", re.MULTILINE)


def pages(root: Path = ROOT) -> list[str]:
    """The pages, by their path in the clone."""
    found = [
        *root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("examples/**/*.md"),
        *root.glob("deploy/**/*.md"),
    ]  # fmt: skip
    return sorted(str(page.relative_to(root)) for page in found if "node_modules" not in page.parts)


def place_of(page: str) -> str:
    """Where a page or a picture is in the site, by its path in the clone."""
    if page == HOME:
        return "index.md"
    place = page.removeprefix("docs/")
    return place.lower() if "/" not in place and place.isupper() else place


@dataclass(frozen=True, slots=True)
class Translator:
    """Makes a page of the clone one of the site. `missing` gets each link that leads nowhere."""

    repository: str | None
    missing: Callable[[str], None]
    known: frozenset[str]

    def translated(self, page: str, text: str) -> str:
        """The page's text, with its links and pictures as they are in the site."""
        parts = _FENCES.split(text)
        parts[::2] = [self._prose(page, part) for part in parts[::2]]
        parts[1::2] = [_NAMED.sub(r'\1 title="\2"', fence, count=1) for fence in parts[1::2]]
        return "".join(parts)

    def _prose(self, page: str, text: str) -> str:
        text = _PICTURE.sub(r"![\3](\2#only-light)\n![\3](\1#only-dark)", text)
        text = _IMAGE.sub(lambda image: f'{image[1]}{self._place(page, image[2])}"', text)
        text = _INNER_LIST.sub("    ", text)  # what GitHub takes for an inner list
        return _LINK.sub(lambda link: self._link(page, link), text)

    def _link(self, page: str, link: re.Match[str]) -> str:
        mark, words, target = link.groups()
        if "://" in target or target.startswith(("#", "mailto:")):
            return link[0]
        path, _, anchor = target.partition("#")
        there = os.path.normpath(Path(page).parent / path)
        if (found := self._page(there)) is not None:
            place = self._place(page, os.path.relpath(found, Path(page).parent))
            return f"{mark}[{words}]({place}{'#' + anchor if anchor else ''})"
        if not (ROOT / there).exists():
            self.missing(f"{page}: {target}")
            return link[0]
        if self.repository is None:
            return f'<span title="{there}">{words}</span>'
        kind = "tree" if (ROOT / there).is_dir() else "blob"
        return f"[{words}]({self.repository}/{kind}/main/{there})"

    @staticmethod
    def _place(page: str, path: str) -> str:
        """What leads from a page to another in the site, by what does in the clone."""
        there = os.path.normpath(Path(page).parent / path)
        return os.path.relpath(place_of(there), Path(place_of(page)).parent)

    def _page(self, there: str) -> str | None:
        """The page or the picture that a path is; a folder's is its README."""
        for each in (there, f"{there}/README.md"):
            if each in self.known or Path(each).suffix in PICTURES:
                return each
        return None


def pictures(texts: Iterable[tuple[str, str]]) -> set[str]:
    """The pictures that pages show, by their paths in the clone."""
    found: set[str] = set()
    for page, text in texts:
        prose = "".join(_FENCES.split(text)[::2])
        names = [name for pair in _PICTURE.findall(prose) for name in pair[:2]]
        names += [name for _, name in _IMAGE.findall(prose)]
        names += [target for _, _, target in _LINK.findall(prose)]
        found |= {
            os.path.normpath(Path(page).parent / name)
            for name in names
            if Path(name).suffix in PICTURES and "://" not in name
        }
    return found
