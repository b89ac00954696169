"""Lists and pages have entity tags: a client that asks again is told at once of no change."""

from __future__ import annotations

import httpx
import pytest

from tests.api.conftest import SEVERAL, problem

pytestmark = pytest.mark.partitions(1, SEVERAL)

OF_THE_LOG = ["/items", "/items?limit=1&prefix=f", "/events", "/events?type=ItemDeleted"]
OF_THE_ITEM = ["/items/foo/events", "/items/foo/events?order=desc", "/items/foo/versions"]


@pytest.fixture
async def two(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A store with two items."""
    await client.put("/items/foo", json={"size": 1})
    await client.put("/items/fox", json={"size": 1})
    return client


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", [*OF_THE_LOG, *OF_THE_ITEM])
async def test_a_list_that_has_not_changed_is_304(
    two: httpx.AsyncClient, method: str, path: str
) -> None:
    """Without a body, with the tag, and nothing of it is read: there need be no place for that."""
    first = await two.get(path)
    assert first.headers["etag"].startswith('W/"')
    assert first.headers["cache-control"] == "no-cache"
    for tags in (first.headers["etag"], f'"other", {first.headers["etag"]}', "*"):
        answer = await two.request(method, path, headers={"if-none-match": tags})
        assert (answer.status_code, answer.content) == (304, b"")
        for name in ("etag", "cache-control", "vary"):
            assert answer.headers.get(name) == first.headers.get(name)


@pytest.mark.parametrize("path", [*OF_THE_LOG, *OF_THE_ITEM])
async def test_after_a_write_it_is_sent_again(two: httpx.AsyncClient, path: str) -> None:
    """An update and a delete, each under a new tag."""
    seen = set()
    for method, status in (("PUT", 200), ("DELETE", 204)):
        tag = (await two.get(path)).headers["etag"]
        seen.add(tag)
        written = await two.request(
            method, "/items/foo", json={"size": 2} if method == "PUT" else None
        )
        assert written.status_code == status
        answer = await two.get(path, headers={"if-none-match": tag})
        assert answer.status_code == 200
        seen.add(answer.headers["etag"])
    assert len(seen) == 3


@pytest.mark.parametrize("path", OF_THE_ITEM)
async def test_the_history_of_an_item_stays_when_another_changes(
    two: httpx.AsyncClient, path: str
) -> None:
    """Its tag is its own."""
    tag = (await two.get(path)).headers["etag"]
    await two.put("/items/fox", json={})
    assert (await two.get(path, headers={"if-none-match": tag})).status_code == 304


async def test_what_depends_on_more_than_the_url_has_other_tags(two: httpx.AsyncClient) -> None:
    """The forms of a time map, and its absolute links under another name."""
    path = "/items/foo/versions"
    tags = {
        (await two.get(path, headers=headers)).headers["etag"]
        for headers in ({}, {"accept": "application/json"}, {"host": "other"})
    }
    assert len(tags) == 3


@pytest.mark.parametrize("path", [*OF_THE_LOG, *OF_THE_ITEM])
async def test_if_match_is_heeded(two: httpx.AsyncClient, path: str) -> None:
    """A weak tag matches nothing strongly (RFC 9110 §13.1.1); `*` matches what there is."""
    tag = (await two.get(path)).headers["etag"]
    assert (await two.get(path, headers={"if-match": "*"})).status_code == 200
    for wanted in (tag, tag.removeprefix("W/"), '"1"'):
        problem(await two.get(path, headers={"if-match": wanted}), 412, "unexpected-version")
    problem(await two.get(path, headers={"if-none-match": "1"}), 400, "malformed-header")


@pytest.mark.parametrize("path", ["/items", "/events", "/items/foo/events", "/items/foo/versions"])
@pytest.mark.parametrize("parameter", ["after=*", "limit=0"])
async def test_a_request_that_is_wrong_is_not_304(
    two: httpx.AsyncClient, path: str, parameter: str
) -> None:
    """What it asks for can't be read, so nobody can say that it has not changed."""
    answer = await two.get(f"{path}?{parameter}", headers={"if-none-match": "*"})
    assert answer.status_code in {400, 422}


async def test_what_waits_or_streams_has_no_tag(two: httpx.AsyncClient) -> None:
    """It is for what is not there yet, or never ends."""
    for path, accept in (("/events?wait=1", "*/*"), ("/events", "application/jsonl")):
        answer = await two.get(path, headers={"accept": accept, "if-none-match": "*"})
        assert answer.status_code == 200
        assert "etag" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/items?after=%21", "/events?after=x", "/items/foo/events?after="]
)
async def test_a_cursor_that_is_none_is_never_304(two: httpx.AsyncClient, path: str) -> None:
    """Conditions count where the answer would be a success without them (RFC 9110 §13.2.1)."""
    problem(await two.get(path, headers={"if-none-match": "*"}), 400, "malformed-cursor")
