"""Files are removed when no manifest can name them any more."""

from __future__ import annotations

import pytest

from itemstore.archive import removal
from itemstore.archive.archive import Archive
from itemstore.archive.removal import Removal
from itemstore.eventlog.past import PastDamaged
from tests.archive.manifests import segment


async def test_while_a_manifest_is_damaged_no_file_is_removed(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be the only one that names them, and be put back from a copy."""
    monkeypatch.setattr(removal, "UNNAMED_SECONDS", 0.0)
    objects = archive.objects
    first = await archive.begin("a-log")
    named, unnamed = segment(1, 5), segment(6, 9)
    await objects.put_new(named.name, b"1")
    await objects.put_new(unnamed.name, b"1")
    second = first.followed_by([named], [])
    await objects.put_new(second.name, second.encoded[:-9])

    with pytest.raises(PastDamaged, match=r"was cut or altered.* No file is removed"):
        await Removal(archive).step()
    assert await objects.names("segments/") == [named.name, unnamed.name]

    await objects.delete(second.name)
    await archive.publish(second)
    await Removal(archive).step()
    assert await objects.names("segments/") == [named.name]
