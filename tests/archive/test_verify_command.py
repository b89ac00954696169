"""`itemstore verify` and `itemstore rebuild` of a store of which a part is in the archive only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.archive.test_archive_command import EVENTS, data, run, told

__all__ = ["data"]

KEEP = {"ITEMSTORE_KEEP_EVENTS": "500"}


@pytest.fixture
def verified(data: Path) -> dict[str, Any]:
    """What verify says of the store while all of it is in the engine; then it is trimmed."""
    before = told(data, "verify")
    assert told(data, "archive", "trim", **KEEP)["trimmed"] >= EVENTS - 500 - 1000
    return before


def test_a_trimmed_store_is_verified_and_rebuilt_as_before(
    data: Path, verified: dict[str, Any]
) -> None:
    """The digest is the same, all events count, and nothing differs."""
    after = told(data, "verify")
    assert (after["clean"], after["events"], after["digest"]) == (True, EVENTS, verified["digest"])
    for projection in ("current-items", "statistics"):
        receipt = told(data, "rebuild", projection)
        assert (receipt["events"], receipt["first"]) == (EVENTS, "1000-0")
        assert receipt["digest_before"] in {"", receipt["digest_after"]}
    assert told(data, "verify") == after


@pytest.mark.usefixtures("verified")
def test_damage_of_the_archive_is_named(data: Path) -> None:
    """Also where it is in what is not read for the comparison: a digest, the index."""
    [index] = (data / "archive" / "indexes").iterdir()
    content = index.read_bytes()
    index.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    ended = run(data, "verify")
    in_json = json.loads(run(data, "verify", "--json").stdout)

    assert ended.returncode == 1
    assert "  different  1 archive\n" in ended.stdout
    assert "The archive is damaged:" in ended.stdout
    assert index.name in ended.stdout
    assert in_json["counted"] == {"archive": 1}
    assert not in_json["clean"]
    assert index.name in in_json["differences"][0]["found"]


@pytest.mark.usefixtures("verified")
def test_a_segment_that_is_cut_ends_both_in_words(data: Path) -> None:
    """What it says is missing is not taken for deleted, so nothing is rebuilt."""
    for segment in (data / "archive" / "segments").iterdir():
        segment.write_bytes(segment.read_bytes()[:-1000])

    for verb in ("verify", "rebuild"):
        ended = run(data, verb)

        assert ended.returncode == 1
        assert not ended.stdout
        assert ended.stderr.count("segments/") == 1
        assert "Traceback" not in ended.stderr
    ended = run(data, "verify", "--json")
    in_json = json.loads(ended.stdout)
    assert (ended.returncode, in_json["clean"], in_json["counted"]) == (1, False, {"archive": 1})
    assert in_json["not_compared"] == {"log": "the archive is damaged"}


@pytest.mark.usefixtures("verified")
def test_without_its_archive_both_end_with_one_line(data: Path) -> None:
    """It says what to do."""
    for verb in ("verify", "rebuild"):
        ended = run(data, verb, "--archive", "off")

        assert ended.returncode == 1
        assert not ended.stdout
        [line] = ended.stderr.splitlines()
        assert "set --archive to where it is" in line


@pytest.mark.usefixtures("verified")
def test_another_archive_is_not_taken_for_the_store_s_own(data: Path, tmp_path: Path) -> None:
    """Nor an empty one."""
    ended = run(data, "verify", "--archive", tmp_path / "other")

    assert ended.returncode == 1
    assert "is empty" in ended.stderr
