"""Builds the site: the pages put together in a folder, Zensical run on it, the result checked."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docs.site.checking import mistakes
from docs.site.pages import ROOT, Translator, pages, pictures, place_of
from docs.site.reference import REFERENCE

HERE = Path(__file__).parent

_COLOR = re.compile(r"\x1b\[[\d;]*m")
_WARNING = re.compile(r"Warning: (.+)\n *╭─\[ (\S+) \]")
"""What Zensical says of a page: what is wrong, and where."""

LISTED = re.compile(r"decisions/\d{4}-|examples/.+/|deploy/.+/")
"""Pages that are found by a list that is in the navigation, and do not stand there themselves."""


class NotBuilt(Exception):
    """The site was not built, or is not right; the text says what is wrong, a line each."""


def build(into: Path, repository: str | None = None) -> None:
    """Builds the site into a folder, in place of what is there. Raises NotBuilt.

    Links to source files lead to `repository`, the URL of its page on the web; without one they
    are text.
    """
    with tempfile.TemporaryDirectory(prefix="itemstore-site-") as directory:
        here = Path(directory)
        shutil.copy(HERE / "zensical.toml", here)
        wrong = [*_put_together(here / "docs", repository), *not_in_navigation(here / "docs")]
        if not wrong:
            _run(here)
            wrong = sorted(mistakes(here / "site"))
        if wrong:
            raise NotBuilt("\n".join(wrong))
        shutil.rmtree(into, ignore_errors=True)
        shutil.move(here / "site", into)


def _put_together(folder: Path, repository: str | None) -> list[str]:
    """Writes all pages and pictures; gives the links that lead nowhere."""
    texts = {page: (ROOT / page).read_text() for page in pages()}
    missing: list[str] = []
    translator = Translator(repository, missing.append, frozenset(texts))
    for page, text in texts.items():
        _write(folder / place_of(page), translator.translated(page, text))
    for name, make in REFERENCE.items():
        _write(folder / name, translator.translated(f"docs/{name}", make()))
    shutil.copy(HERE / "wide.css", folder)
    for picture in pictures(texts.items()):
        file = folder / place_of(picture)
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / picture, file)
    return missing


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def not_in_navigation(folder: Path) -> list[str]:
    """The pages that nobody would come to, and the entries that lead to none."""
    named = set(_named(tomllib.loads((HERE / "zensical.toml").read_text())["project"]["nav"]))
    written = {str(page.relative_to(folder)) for page in folder.rglob("*.md")}
    lost = {page for page in written - named if not LISTED.match(page)}
    return [
        *(f"docs/site/zensical.toml: {page} is in no navigation" for page in sorted(lost)),
        *(f"docs/site/zensical.toml: there is no {page}" for page in sorted(named - written)),
    ]


def _named(entries: list[Any]) -> Iterator[str]:
    """The pages of a part of the navigation, and of the parts within it."""
    for entry in entries:
        for inside in entry.values():
            if isinstance(inside, str):
                yield inside
            else:
                yield from _named(inside)


def _run(folder: Path) -> None:
    command = [sys.executable, "-m", "zensical", "build", "--strict"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        said = _COLOR.sub("", done.stdout + done.stderr)
        found = [f"{place}: {what}" for what, place in _WARNING.findall(said)]
        raise NotBuilt("\n".join(found) or said)
