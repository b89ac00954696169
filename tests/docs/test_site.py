"""The site: built once from the pages, with every link and anchor of it looked at."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from docs.images import write_path
from docs.site.building import build, not_in_navigation
from docs.site.checking import mistakes
from docs.site.pages import Translator, place_of
from docs.site.reference import commands, settings
from itemstore.cli.setting_options import optional_settings
from itemstore.store.settings import Settings
from tests.docs.pages import PAGES, ROOT, name_of
from tests.docs.test_reference import COMMANDS, options
from tests.missing import missing


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it, which fails where a link leads nowhere."""
    if find_spec("zensical") is None:
        missing("zensical is not installed: pip install -e '.[docs]'")
    built = tmp_path_factory.mktemp("site") / "site"
    build(built)
    return built


def test_every_page_is_in_the_site_and_so_are_those_made_from_the_code(site: Path) -> None:
    """And the search has all of them."""
    places = [place_of(name_of(page)) for page in PAGES] + ["commands.md", "settings.md"]
    built = [place.replace("README.md", "index.html").replace(".md", ".html") for place in places]
    assert [name for name in built if not (site / name).is_file()] == []
    searched = (site / "search.json").read_text()
    assert "ITEMSTORE_IDEMPOTENCY_SECONDS" in searched
    assert "TimeGate" in searched


def test_the_site_asks_for_nothing_from_elsewhere(site: Path) -> None:
    """No font, script, style or picture; what pages link to is another matter."""
    assert list(mistakes(site)) == []
    styles = [file.read_text() for file in site.rglob("*.css")]
    assert styles
    assert not any("url(http" in style or "@import" in style for style in styles)


@pytest.mark.parametrize(
    ("page", "mistake"),
    [
        ('<a href="other.html">', "index.html: other.html leads nowhere"),
        ('<a href="#below">', "index.html: #below leads nowhere"),
        ('<img src="a.png">', "index.html: a.png leads nowhere"),
        (
            '<script src="//cdn.example/x.js">',
            "index.html: //cdn.example/x.js would be fetched from elsewhere",
        ),
        ("<p>[a](b.md)", "index.html: is left as Markdown: [a](b.md)"),
    ],
)
def test_what_leads_nowhere_or_comes_from_elsewhere_is_found(
    tmp_path: Path, page: str, mistake: str
) -> None:
    """So the check can fail."""
    (tmp_path / "index.html").write_text(f'<p id="here">{page}')
    assert list(mistakes(tmp_path)) == [mistake]
    (tmp_path / "index.html").write_text('<p id="here"><a href="index.html#here">')
    assert list(mistakes(tmp_path)) == []


def test_a_page_in_no_navigation_is_an_error_and_so_is_an_entry_without_a_page(
    tmp_path: Path,
) -> None:
    """A page that nobody would come to is not built."""
    (tmp_path / "forgotten.md").write_text("# Forgotten\n")
    found = not_in_navigation(tmp_path)
    assert "docs/site/zensical.toml: forgotten.md is in no navigation" in found
    assert "docs/site/zensical.toml: there is no concepts.md" in found


def translated(text: str, repository: str | None = None) -> tuple[str, list[str]]:
    """What a page of `docs` is in the site, and its links that lead nowhere."""
    lost: list[str] = []
    known = frozenset(name_of(page) for page in PAGES)
    translator = Translator(repository, lost.append, known)
    return translator.translated("docs/layout.md", text), lost


@pytest.mark.parametrize(
    ("link", "there"),
    [
        ("[HTTP](http.md#put)", "[HTTP](http.md#put)"),
        ("[home](../README.md)", "[home](index.md)"),
        ("[why](decisions/README.md)", "[why](decisions/README.md)"),
        ("[why](decisions)", "[why](decisions/README.md)"),
        ("[rules](../domain)", '<span title="domain">rules</span>'),
        ("[out](https://example.org)", "[out](https://example.org)"),
        ("```\n[in code](../domain)\n```", "```\n[in code](../domain)\n```"),
        ("```json a.json\n{}\n```", '```json title="a.json"\n{}\n```'),
    ],
)
def test_a_link_leads_in_the_site_to_what_it_leads_to_in_the_clone(link: str, there: str) -> None:
    """A page is a page; a source file is text where no repository is known."""
    assert translated(link) == (there, [])


def test_source_files_are_links_where_the_repository_is_known() -> None:
    """To a file and to a folder."""
    text, _ = translated("[a](../domain) [b](../domain/ids.py)", "https://example.org/r")
    assert text == (
        "[a](https://example.org/r/tree/main/domain) "
        "[b](https://example.org/r/blob/main/domain/ids.py)"
    )


def test_a_link_to_a_file_that_is_not_there_is_named() -> None:
    """The site is not built with it."""
    assert translated("[x](../nothing.py)")[1] == ["docs/layout.md: ../nothing.py"]


def test_the_reference_of_commands_has_every_command_and_every_option() -> None:
    """It is made from the code, in the way of the code."""
    page = commands()
    for name, command in COMMANDS.items():
        assert f"\n## itemstore {name}\n" in page
        assert [option for option in options(command) if f"`{option}`" not in page] == []


def test_the_reference_of_settings_has_every_setting_with_its_default() -> None:
    """And what it takes."""
    rows = {row.split("`")[1]: row for row in settings().splitlines() if row.startswith("| `")}
    for name, field in Settings.model_fields.items():
        row = rows[f"ITEMSTORE_{name.upper()}"]
        assert (f"`--{name.replace('_', '-')}`" in row) == (name in optional_settings())
        assert field.default is None or f"`{str(field.default).lower()}`" in row
    assert "a whole number from 0 to 65535" in rows["ITEMSTORE_PORT"]


@pytest.mark.parametrize("kind", write_path.COLORS)
def test_the_picture_of_a_writes_way_is_the_one_that_is_drawn(kind: str) -> None:
    """A change of the program is a change of the picture."""
    drawn = (ROOT / f"docs/images/write-path-{kind}.svg").read_text()
    assert drawn == write_path.picture(kind)
