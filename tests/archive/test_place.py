"""Where a store's archive is."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.api.app import create_app
from itemstore.archive.archive import Archive
from itemstore.archive.object_store import object_store_of
from itemstore.engine.disk_space import DiskSpace
from itemstore.eventlog.past import PastUnavailable
from itemstore.projections.progress import unreported
from itemstore.store.archive_place import archive_of, archive_place
from itemstore.store.opening import open_store
from itemstore.store.restore import restore
from itemstore.store.settings import Settings
from itemstore.store.store import Store
from tests.archive.whole_stores import NAMES, archived, entries_of, with_history
from tests.cli.test_log_commands import Run, run

__all__ = ["run"]  # a fixture

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


async def test_the_archive_of_another_store_is_not_read() -> None:
    """It may have events at the very same positions."""
    source, redis = await with_history(60), FakeAsyncRedis(server=FakeServer())
    own, other = ("memory://own", "memory://other")
    for place in (own, other):
        await archived(source, Archive(object_store_of(place), cache_bytes=1 << 20))
    settings = Settings(archive=own, keep_events=10)
    store = Store.on(redis, settings, DiskSpace(), names=NAMES, archive=archive_of(settings))
    async for _ in restore(store, Archive(object_store_of(own), 1 << 20), None, unreported):
        pass
    assert await entries_of(store)
    wrong = archive_of(Settings(archive=other))
    store = Store.on(redis, settings, DiskSpace(), names=NAMES, archive=wrong)
    with pytest.raises(PastUnavailable, match=r"memory://other has the id \w+, and"):
        await entries_of(store)


@pytest.mark.parametrize("wrong", ["ftp://host/path", "s3://", "gopher://x"])
def test_a_url_that_names_no_archive_is_the_commands_error_and_has_exit_code_2(
    wrong: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, which names the setting; `serve` says it before it listens."""
    monkeypatch.setenv("ITEMSTORE_ARCHIVE", wrong)
    for words in (["info"], ["import"], ["serve", "--port", "0"]):
        ended = run(*words)
        assert ended.returncode == 2, ended
        assert ended.stderr.startswith("itemstore: ITEMSTORE_ARCHIVE: ")
        assert ended.stderr.count("\n") == 1
