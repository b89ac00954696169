"""A manifest's file: what it says, and what is taken for none."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from itemstore.archive.manifest import MalformedManifest, Manifest, manifest_name
from tests.archive.manifests import index, segment

FIRST = Manifest(number=1, archive="an-archive", log="a-log", made="2026-11-27T15:00:00Z")
SECOND = FIRST.followed_by([segment(1, 5), segment(6, 9)], [index(1, 9)])


def test_it_is_read_as_it_was_written() -> None:
    """To the byte, so that its SHA-256 is that of its file."""
    assert Manifest.decoded(SECOND.name, SECOND.encoded) == SECOND
    assert replace(Manifest.decoded(SECOND.name, SECOND.encoded)).encoded == SECOND.encoded
    assert SECOND.sha256 == hashlib.sha256(SECOND.encoded).hexdigest()
    assert SECOND.previous == FIRST.sha256
    assert SECOND.name == "manifests/00000000000000000002.json"


def test_it_is_json_for_people() -> None:
    """One object, with names that say what they are."""
    found = json.loads(SECOND.encoded)

    assert list(found)[:6] == ["format", "number", "archive", "log", "previous", "made"]
    assert found["format"] == 1
    assert found["segments"][0]["counts"] == {"items": 5}


@pytest.mark.parametrize("at", [0, 20, 200, -1])
def test_a_byte_that_changed_is_found(at: int) -> None:
    """Wherever it is."""
    content = bytearray(SECOND.encoded)
    content[at] ^= 1

    with pytest.raises(MalformedManifest, match="cut or altered"):
        Manifest.decoded(SECOND.name, bytes(content))


@pytest.mark.parametrize("length", [0, 1, 100, -1])
def test_a_part_is_found(length: int) -> None:
    """However much is lacking."""
    with pytest.raises(MalformedManifest, match="cut or altered"):
        Manifest.decoded(SECOND.name, SECOND.encoded[:length])


def test_a_copy_under_another_name_is_found() -> None:
    """It would seem to be newer than it is."""
    with pytest.raises(MalformedManifest, match="is a copy of manifest 2"):
        Manifest.decoded(manifest_name(3), SECOND.encoded)


@pytest.mark.parametrize(
    ("segments", "words"),
    [
        ((segment(1, 5), segment(5, 9)), "begins before the end of"),
        ((segment(6, 9), segment(1, 5)), "begins before the end of"),
        ((segment(5, 1),), "has no events"),
        ((replace(segment(1, 5), last="x"),), "begins or ends at no position"),
        ((replace(segment(1, 5), counts={"items": 4}),), "are not those of its collections"),
    ],
)
def test_one_that_contradicts_itself_is_found(segments: tuple[()], words: str) -> None:
    """No version of this program writes such a one."""
    content = replace(SECOND, segments=segments, indexes=()).encoded

    with pytest.raises(MalformedManifest, match=f"contradicts itself: .*{words}"):
        Manifest.decoded(SECOND.name, content)


def test_one_of_a_later_format_is_left_to_a_later_version() -> None:
    """It is not damage."""
    begun, _, _ = FIRST.encoded.rpartition(b',"sha256":"')
    begun = begun.replace(b'{"format":1', b'{"format":2')
    digest = hashlib.sha256(begun).hexdigest().encode()

    with pytest.raises(MalformedManifest, match="another version of itemstore"):
        Manifest.decoded(FIRST.name, begun + b',"sha256":"%b"}\n' % digest)
