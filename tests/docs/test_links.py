"""Every link in the documentation leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOMS
from tests.docs.pages import PAGES, ROOT, name_of

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_FILE = re.compile(rf"`((?:{'|'.join([*ROOMS, 'tests', 'benchmarks'])})/[\w/]+\.(?:py|lua))`")
_DECISION = re.compile(r"docs/decisions/(\d{4})")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)

TESTED = {test.parent.name for test in ROOT.glob("tests/*/test_*.py")}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_lead_to_a_file_and_a_heading_in_it(page: Path) -> None:
    """A link with a scheme leads out of the project, and is not followed."""
    broken = [
        link for link in _LINK.findall(_prose(page)) if "://" not in link and not _leads(page, link)
    ]
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_page_can_be_reached_from_the_readme(page: Path) -> None:
    """A page that nothing links to is a page that nobody reads."""
    reached, ahead = set[Path](), [ROOT / "README.md"]
    while ahead:
        here = ahead.pop()
        if here in reached:
            continue
        reached.add(here)
        ahead += [
            target
            for link in _LINK.findall(_prose(here))
            if "://" not in link and (target := _target(here, link)) in PAGES
        ]
    assert page in reached


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=name_of
)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    """By its path from the root of the clone; the changelog names what was."""
    assert [name for name in _FILE.findall(_prose(page)) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("folder", [*ROOMS, *(f"tests/{each}" for each in sorted(TESTED))])
def test_every_folder_of_the_code_is_on_the_page_of_where_things_are(folder: str) -> None:
    """A new room, or a new folder of tests, is one that a newcomer is told of."""
    page = ROOT / "docs/layout.md"
    assert ROOT / folder in {_path(page, link) for link in _LINK.findall(_prose(page))}


def test_every_decision_that_the_code_names_is_written() -> None:
    """By its number; no two have the same one."""
    folders = [each for each in ROOT.glob("*/") if not each.name.startswith(".")]
    sources = [
        file for each in folders for file in each.rglob("*") if file.suffix in {".py", ".lua"}
    ]
    named = {number for file in sources for number in _DECISION.findall(file.read_text())}
    written = [file.name[:4] for file in ROOT.glob("docs/decisions/[0-9]*.md")]
    assert named <= set(written)
    assert len(written) == len(set(written))


def _leads(page: Path, link: str) -> bool:
    target, _, anchor = _target(page, link), *link.partition("#")[1:]
    return target.exists() and (not anchor or anchor in _anchors(target))


def _target(page: Path, link: str) -> Path:
    target = _path(page, link)
    return target / "README.md" if (target / "README.md").exists() else target


def _path(page: Path, link: str) -> Path:
    path = link.partition("#")[0]
    return (page.parent / path).resolve() if path else page


def _anchors(page: Path) -> set[str]:
    """The headings as a browser of the repository names them."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in _HEADING.findall(_prose(page))
    }


def _prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text())
