"""The explorer at /docs, in a real browser."""

from __future__ import annotations

from pathlib import Path

from tests.server.browsing import shown
from tests.server.conftest import Serve


async def test_a_browser_shows_the_api_without_the_internet(serve: Serve, tmp_path: Path) -> None:
    """Under the page's own policy: the script, the style and the document come from the store."""
    page = await shown(f"{serve().url}/docs", tmp_path)
    assert 'class="opblock' in page
    assert "/items/{id}" in page.replace("\u200b", "").replace("<wbr>", "")
    assert "https://" not in page.partition("<body")[0]
