"""Where a store's archive is."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.api.app import create_app
from itemstore.store.archive_place import archive_place
from itemstore.store.opening import open_store
from itemstore.store.settings import Settings

DATA = Path("/data")


@pytest.mark.parametrize(
    ("settings", "data_dir", "place"),
    [
        (Settings(), DATA, "/data/archive"),
        (Settings(namespace="shop"), DATA, "/data/archive-shop"),
        (Settings(namespace="../a"), DATA, "/data/archive-..%2Fa"),
        (Settings(), None, None),
        (Settings(archive="off"), DATA, None),
        (Settings(archive="off"), None, None),
        (Settings(archive="s3://bucket/here"), DATA, "s3://bucket/here"),
        (Settings(archive="elsewhere"), None, "elsewhere"),
    ],
)
def test_the_setting_says_where_and_the_embedded_engine_has_one_of_its_own(
    settings: Settings, data_dir: Path | None, place: str | None
) -> None:
    """An engine by URL has none unless told; stores on one embedded engine have one each."""
    assert archive_place(settings, data_dir) == place


async def test_a_command_on_the_embedded_engine_has_the_archive_in_its_directory(
    tmp_path: Path,
) -> None:
    """Nothing is made there by opening it."""
    settings = Settings(data_dir=tmp_path / "data")
    async with open_store(settings, new=True) as store:
        assert store.archive is not None
        assert store.archive.place == str(tmp_path / "data" / "archive")
    assert not (tmp_path / "data" / "archive").exists()


async def test_an_application_on_a_client_has_an_archive_only_where_it_is_told_to() -> None:
    """So a test's store archives nothing."""
    redis = FakeAsyncRedis(server=FakeServer())
    for settings, place in ((Settings(), None), (Settings(archive="memory://a"), "memory://a")):
        context = create_app(settings, redis=redis).context
        assert context is not None
        archive = context.store.archive
        assert (archive and archive.place) == place
