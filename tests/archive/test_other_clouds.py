"""What Google's and Azure's servers are asked for, and what their answers mean.

There is no such server for tests: one that gives the same answer to all stands in for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, field

import pytest

from itemstore.archive.object_store import ObjectStore, object_store_of
from itemstore.archive.objects import AlreadyThere, NotAnArchive, ObjectMissing
from itemstore.eventlog.past import PastUnavailable


@dataclass
class Answering:
    """A server that gives the same answers to all, and keeps what it was asked.

    `status` answers a PUT, and all else where `for_all`.
    """

    status: int = 200
    body: bytes = b""
    for_all: bool = True
    heads: list[str] = field(default_factory=list)
    url: str = ""

    async def accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one request."""
        with closing(writer):
            head = await reader.readuntil(b"\r\n\r\n")
            self.heads.append(head.decode())
            for line in head.decode().lower().split("\r\n"):
                if line.startswith("content-length:"):
                    await reader.readexactly(int(line.partition(":")[2]))
            status = self.status if self.for_all or head.startswith(b"PUT") else 200
            answer = b'HTTP/1.1 %d Said\r\nContent-Length: %d\r\nETag: "1"\r\nConnection: close\r\n'
            dates = b"Last-Modified: Fri, 27 Nov 2026 15:00:00 GMT\r\n\r\n"
            writer.write(answer % (status, len(self.body)) + dates + self.body)
            await writer.drain()


@pytest.fixture
async def server() -> AsyncIterator[Answering]:
    """One that answers that all is well."""
    answering = Answering()
    listener = await asyncio.start_server(answering.accepted, "127.0.0.1", 0)
    async with listener:
        answering.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        yield answering


@pytest.fixture(params=["gs", "az"])
def cloud(
    request: pytest.FixtureRequest, server: Answering, monkeypatch: pytest.MonkeyPatch
) -> ObjectStore:
    """Objects at each of the clouds in turn, as the environment says."""
    variables = {
        "gs": {"GOOGLE_BASE_URL": server.url, "GOOGLE_BEARER_TOKEN": "s3cr3t"},
        "az": {
            "AZURE_STORAGE_CONNECTION_STRING": f"AccountName=store;AccountKey=czNjcjN0;"
            f"BlobEndpoint={server.url}",
            "AZURE_STORAGE_ENDPOINT": server.url,
        },
    }[request.param]
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("itemstore.archive.object_store.ATTEMPTS", 2)
    return object_store_of(f"{request.param}://bucket/some/place")


CONDITIONS = {"gs": "x-goog-if-generation-match: 0", "az": "if-none-match: *"}


async def test_what_is_new_is_put_on_the_condition_that_there_is_none(
    server: Answering, cloud: ObjectStore
) -> None:
    """Each in its own words, with the credentials of the environment."""
    await cloud.put_new("segments/a", b"1")

    [head] = server.heads
    assert CONDITIONS[cloud.place[:2]] in head
    assert "authorization: " in head


@pytest.mark.parametrize("status", [409, 412])
async def test_what_is_there_is_compared(
    server: Answering, cloud: ObjectStore, status: int
) -> None:
    """The answer to an attempt before may have been lost."""
    server.status, server.body, server.for_all = status, b"1", False

    await cloud.put_new("segments/a", b"1")
    with pytest.raises(AlreadyThere):
        await cloud.put_new("segments/a", b"2")


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, b"{}", r"does not accept the credentials \(401\): (GOOGLE|AZURE)_"),
        (403, b"<Error><Code>AuthorizationFailure</Code></Error>", r"forbids it \(403 Auth"),
        (404, b"<Error><Code>ContainerNotFound</Code></Error>", "There is no bucket"),
        (404, b'{"error": {"message": "The specified bucket does not exist."}}', "no bucket"),
        (429, b"", r"busy or broken \(429\)"),
        (500, b"", r"busy or broken \(500\)"),
    ],
)
async def test_a_refusal_is_said_in_words(
    server: Answering, cloud: ObjectStore, status: int, body: bytes, words: str
) -> None:
    """Whatever was asked for."""
    server.status, server.body = status, body

    for refused in (cloud.put_new("a", b"1"), cloud.get("a"), cloud.names("")):
        with pytest.raises(PastUnavailable, match=words) as error:
            await refused
        assert "s3cr3t" not in str(error.value)


async def test_an_object_that_is_not_there_is_missing(
    server: Answering, cloud: ObjectStore
) -> None:
    """And not the bucket."""
    server.status = 404

    with pytest.raises(ObjectMissing):
        await cloud.get("segments/a")
    with pytest.raises(ObjectMissing):
        await cloud.get_range("segments/a", 0, 1)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("s3://key:s3cr3t@bucket", "credentials come from the environment"),
        ("s3://bucket?secret=s3cr3t", "credentials come from the environment"),
        ("s3://", "and not at s3://"),
        ("https://example.org/bucket", "and not at https://example.org"),
        ("s3://[", "can't be read"),
        ("az://container", "AZURE_STORAGE_ACCOUNT|can't be opened"),
    ],
)
def test_what_is_no_place_is_said_without_secrets(
    place: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is asked for."""
    for name in ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(NotAnArchive, match=words) as error:
        object_store_of(place)
    assert "s3cr3t" not in str(error.value)
