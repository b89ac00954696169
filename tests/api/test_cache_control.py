"""What changes with a version of the store only: kept by caches, and asked for again."""

from __future__ import annotations

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.store.tokens import Role, create
from tests.api.conftest import Serve, problem

PATHS = ["/", "/problems/not-found", "/docs", "/docs/swagger-ui.css", "/openapi.json"]
HTML = {"accept": "text/html"}


@pytest.mark.parametrize("path", PATHS)
async def test_it_has_a_tag_and_is_asked_for_again(client: httpx.AsyncClient, path: str) -> None:
    """`no-cache` and a strong ETag, which stays the same."""
    first, again = await client.get(path), await client.get(path)

    assert first.headers["cache-control"] == "no-cache"
    assert first.headers["etag"].startswith('"')
    assert first.headers["etag"] == again.headers["etag"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_the_client_has_is_not_sent_again(
    client: httpx.AsyncClient, path: str, method: str
) -> None:
    """304 with the same tag, and the same word for caches."""
    known = (await client.get(path)).headers
    for tags in (known["etag"], f"W/{known['etag']}", f'"other", ,{known["etag"]}', "*"):
        answer = await client.request(method, path, headers={"if-none-match": tags})
        assert (answer.status_code, answer.content) == (304, b"")
        for name in ("etag", "cache-control", "vary"):
            assert answer.headers.get(name) == known.get(name)
        assert "content-type" not in answer.headers
        assert "content-length" not in answer.headers


@pytest.mark.parametrize("path", PATHS)
async def test_what_the_client_has_not_is_sent(client: httpx.AsyncClient, path: str) -> None:
    """Another tag, or one of the other form, is another content."""
    answer = await client.get(path, headers={"if-none-match": '"other", "1"'})

    assert answer.status_code == 200
    assert answer.content


async def test_each_form_has_a_tag_of_its_own(client: httpx.AsyncClient) -> None:
    """RFC 9110 §8.8.3.3: a strong tag stands for its very bytes."""
    for path in PATHS[:2]:
        json, html = await client.get(path), await client.get(path, headers=HTML)
        assert json.headers["etag"] != html.headers["etag"]
        tag = {"if-none-match": json.headers["etag"]}
        assert (await client.get(path, headers=HTML | tag)).status_code == 200


async def test_another_model_is_another_document(serve: Serve) -> None:
    """An operator who changes the model is seen at once."""
    one, other = serve(), serve(model="any")

    tags = {(await client.get("/openapi.json")).headers["etag"] for client in (one, other)}
    assert len(tags) == 2


@pytest.mark.parametrize("path", PATHS)
async def test_a_tag_that_is_demanded_must_be_there(client: httpx.AsyncClient, path: str) -> None:
    """If-Match as everywhere: 412 for another tag and for a weak one."""
    tag = (await client.get(path)).headers["etag"]
    for tags, status in ((tag, 200), ("*", 200), (f"W/{tag}", 412), ('"other"', 412)):
        answer = await client.get(path, headers={"if-match": tags})
        assert answer.status_code == status
    assert problem(answer, 412, "unexpected-version")
    assert answer.headers["etag"] == tag


@pytest.mark.parametrize("path", PATHS)
async def test_a_list_of_tags_that_can_t_be_read_is_refused(
    client: httpx.AsyncClient, path: str
) -> None:
    """As with an item."""
    problem(await client.get(path, headers={"if-none-match": "3"}), 400, "malformed-header")


async def test_a_client_that_may_not_read_it_is_not_told_that_it_has_it(
    client: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """401 comes before 304."""
    token = await create(Partition(redis, Keys()), "ann", Role.reader)
    headers = {"authorization": f"Bearer {token}"}
    headers["if-none-match"] = (await client.get("/openapi.json", headers=headers)).headers["etag"]
    assert (await client.get("/openapi.json", headers=headers)).status_code == 304

    del headers["authorization"]
    problem(await client.get("/openapi.json", headers=headers), 401, "unauthorized")
