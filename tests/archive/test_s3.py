"""An archive in a bucket, behind the protocol of S3, also where that fails."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable

import pytest

from itemstore.archive.archive import Archive, Outrun
from itemstore.archive.object_store import ObjectStore, object_store_of
from itemstore.archive.objects import AlreadyThere, Listed, ObjectMissing
from itemstore.eventlog.past import PastUnavailable
from tests.archive.faulty_s3 import FaultyS3
from tests.archive.manifests import segment
from tests.archive.s3_server import KEYS, S3Server, environment_for


@pytest.fixture
async def faulty(s3_server: S3Server) -> AsyncIterator[FaultyS3]:
    """A proxy before it, with no faults yet."""
    async with FaultyS3(s3_server.url) as proxy:
        yield proxy


@pytest.fixture
def bucket(s3_server: S3Server) -> str:
    """The URL of an empty bucket."""
    return s3_server.bucket(f"bucket-{secrets.token_hex(8)}")


@pytest.fixture
def two_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails is asked for twice, and no more."""
    monkeypatch.setattr("itemstore.archive.object_store.ATTEMPTS", 2)


Reach = Callable[..., ObjectStore]


@pytest.fixture
def reach(monkeypatch: pytest.MonkeyPatch) -> Reach:
    """Gives the objects at a URL, as a process with some environment variables reaches them."""

    def objects(url: str, **environment: str) -> ObjectStore:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return object_store_of(url)

    return objects


@pytest.fixture
def objects(s3_server: S3Server, bucket: str, reach: Reach) -> ObjectStore:
    """The objects under a prefix of it."""
    return reach(f"{bucket}/some/place", **s3_server.environment)


@pytest.fixture
def behind_faults(faulty: FaultyS3, bucket: str, reach: Reach) -> ObjectStore:
    """The same, through the proxy."""
    return reach(f"{bucket}/some/place", **environment_for(faulty.url))


async def test_objects_are_put_once_read_listed_and_deleted(objects: ObjectStore) -> None:
    """In a bucket as in a directory."""
    await objects.put_new("segments/b", b"0123456789")
    await objects.put_new("segments/a", b"")
    await objects.put_new("indexes/c", b"1")

    with pytest.raises(AlreadyThere):
        await objects.put_new("segments/b", b"another")
    assert await objects.get("segments/b") == b"0123456789"
    assert await objects.get_range("segments/b", 8, 4) == b"89"
    assert await objects.get_range("segments/b", 10, 4) == b""
    assert await objects.listed("segments/") == [Listed("segments/a", 0), Listed("segments/b", 10)]
    assert await objects.names("segments/", "segments/a") == ["segments/b"]
    await objects.delete("segments/b")
    await objects.delete("segments/b")
    with pytest.raises(ObjectMissing, match="lacks segments/b"):
        await objects.get("segments/b")


async def test_of_two_that_publish_one_loses(objects: ObjectStore) -> None:
    """The bucket decides."""
    one, other = Archive(objects, 0), Archive(objects, 0)
    first = await one.begin("a-log")
    assert await other.begin("a-log") == first

    outcomes = await asyncio.gather(
        one.publish(first.followed_by([segment(1, 5)], [])),
        other.publish(first.followed_by([segment(1, 3)], [])),
        return_exceptions=True,
    )

    assert [type(each) for each in outcomes].count(Outrun) == 1
    assert await one.refreshed() == await other.refreshed()


async def test_one_failure_in_three_and_lost_answers_are_borne(
    faulty: FaultyS3, behind_faults: ObjectStore
) -> None:
    """What was put is taken for its own, although the answer to the first attempt was lost."""
    faulty.random.seed(16)
    faulty.faults.failing = faulty.faults.lost = 1 / 6
    archive = Archive(behind_faults, 0)

    newest = await archive.begin("a-log")
    for last in range(1, 8):
        newest = newest.followed_by([segment(1, last)], [])
        await archive.publish(newest)

    assert await Archive(behind_faults, 0).current() == newest


@pytest.mark.parametrize(
    ("url", "environment", "words"),
    [
        ("s3://no-such-bucket/x", {}, "There is no bucket for the archive s3://no-such-bucket/x"),
        ("s3://b", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "nothing answers there"),
        ("s3://b", {"AWS_ENDPOINT_URL": "http://nowhere.invalid"}, "The host .* is not found"),
        ("s3://b", {"AWS_ENDPOINT_URL": "https://{host}"}, "no safe connection"),
    ],
)
@pytest.mark.usefixtures("two_attempts")
async def test_what_is_wrong_is_said_in_words(
    s3_server: S3Server, url: str, environment: dict[str, str], words: str, reach: Reach
) -> None:
    """And without secrets."""
    host = s3_server.url.removeprefix("http://")
    changed = {name: value.format(host=host) for name, value in environment.items()}
    objects = reach(url, **s3_server.environment | changed)

    for refused in (
        objects.put_new("segments/a", b""),
        objects.get("segments/a"),
        objects.get_range("segments/a", 0, 1),
        objects.names("segments/"),
        objects.delete("segments/a"),
    ):
        with pytest.raises(PastUnavailable, match=words) as error:
            await refused
        assert KEYS["AWS_SECRET_ACCESS_KEY"] not in str(error.value)
        assert error.value.__cause__ is None


@pytest.mark.usefixtures("two_attempts")
async def test_a_bucket_that_takes_no_writes_still_answers(
    faulty: FaultyS3, behind_faults: ObjectStore
) -> None:
    """What is refused is said, with the right that is lacking."""
    await behind_faults.put_new("segments/a", b"1")
    faulty.faults.read_only = True

    with pytest.raises(PastUnavailable, match=r"forbids it \(403 AccessDenied\): .* write"):
        await behind_faults.put_new("segments/b", b"2")
    with pytest.raises(PastUnavailable, match=r"forbids it"):
        await behind_faults.delete("segments/a")

    assert await behind_faults.names("segments/") == ["segments/a"]


@pytest.mark.usefixtures("two_attempts")
async def test_a_server_that_is_gone_and_comes_back(
    faulty: FaultyS3, behind_faults: ObjectStore
) -> None:
    """Meanwhile all is refused, and nothing is lost."""
    await behind_faults.put_new("segments/a", b"1")
    faulty.faults.is_gone = True
    with pytest.raises(PastUnavailable, match=r"can't be reached|was lost"):
        await behind_faults.get("segments/a")
    with pytest.raises(PastUnavailable, match=r"can't be reached|was lost"):
        await behind_faults.put_new("segments/b", b"2")

    faulty.faults.is_gone = False

    assert await behind_faults.get("segments/a") == b"1"
    await behind_faults.put_new("segments/b", b"2")


@pytest.mark.usefixtures("two_attempts")
async def test_one_that_never_answers_is_given_up(
    faulty: FaultyS3, behind_faults: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a time, which is longer for what is large."""
    monkeypatch.setattr("itemstore.archive.object_store.ATTEMPT_SECONDS", 0.05)
    faulty.faults.seconds = 300.0

    with pytest.raises(PastUnavailable, match="takes longer than"):
        await behind_faults.get("segments/a")
