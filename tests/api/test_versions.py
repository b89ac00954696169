"""`/items/{id}/versions`: the item as each version left it, and the list of them."""

from __future__ import annotations

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.eventlog.keys import Keys
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.whole_log import WholeLog
from itemstore.store.tokens import Role, create
from tests.api.conftest import BASE_URL, SEVERAL, Events, problem
from tests.api.history import CREATED, DELETED, UPDATED, http_date, position_at, write_history

pytestmark = pytest.mark.partitions(1, SEVERAL)


ITEM = f"{BASE_URL}/items/foo"
JSON = {"accept": "application/json"}


@pytest.fixture
async def aged(
    client: httpx.AsyncClient, redis: FakeAsyncRedis, partitions: int
) -> httpx.AsyncClient:
    """A store in which `foo` was made, changed, deleted, and made again, a year apart each."""
    kinds = (CREATED, UPDATED, DELETED, CREATED)
    bodies = (b'{"size":1}', b'{"size":2.0}', b"", b'{"size":4}')
    dates = (f"20{year}-01-01T00:00:00" for year in (20, 21, 22, 23))
    await write_history(
        redis,
        [
            (position_at(date, 700), kind, "foo", body)
            for date, kind, body in zip(dates, kinds, bodies, strict=True)
        ],
        partitions,
    )
    return client


async def test_a_version_is_the_body_as_it_was_stored(aged: httpx.AsyncClient) -> None:
    """With its own ETag and time, whatever came later."""
    answer = await aged.get("/items/foo/versions/2")
    assert (answer.status_code, answer.content) == (200, b'{"size":2.0}')
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["etag"] == '"2"'
    assert answer.headers["memento-datetime"] == http_date("2021-01-01T00:00:00")
    assert answer.headers["last-modified"] == answer.headers["memento-datetime"]


async def test_a_version_may_be_kept_for_ever(aged: httpx.AsyncClient) -> None:
    """It never changes (RFC 8246)."""
    answer = await aged.get("/items/foo/versions/1")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("path", ["versions/2", "versions/2/diff"])
@pytest.mark.partitions(1)
async def test_a_version_that_a_token_opened_is_for_no_shared_cache(
    aged: httpx.AsyncClient, redis: FakeAsyncRedis, path: str
) -> None:
    """`private`: a cache must not give it to a client without a token (RFC 9111 §3.5).

    Nor may the client's own give it to another token.
    """
    token = await create(Partition(redis, Keys()), "ann", Role.reader)
    headers = {"authorization": f"Bearer {token}"}
    answer = await aged.get(f"/items/foo/{path}", headers=headers)
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert "authorization" in answer.headers["vary"]


@pytest.mark.parametrize(("version", "before", "after"), [(1, None, 2), (2, 1, 3), (4, 3, None)])
async def test_a_version_links_to_those_beside_it(
    aged: httpx.AsyncClient, version: int, before: int | None, after: int | None
) -> None:
    """RFC 5829; the first has none before it, the last none after it."""
    links = (await aged.get(f"/items/foo/versions/{version}")).links
    for relation, number in (("predecessor-version", before), ("successor-version", after)):
        expected = f"{ITEM}/versions/{number}" if number else None
        assert links.get(relation, {}).get("url") == expected
    assert links["original timegate latest-version"]["url"] == ITEM
    assert links["timemap version-history"]["url"] == f"{ITEM}/versions"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("if-none-match", '"2"'),
        ("if-none-match", 'W/"1", "2"'),
        ("if-none-match", "*"),
        ("if-modified-since", http_date("2021-01-01T00:00:00")),
    ],
)
async def test_a_version_that_the_client_has_is_not_sent_again(
    aged: httpx.AsyncClient, header: str, value: str
) -> None:
    """304 with the headers of the 200, without a body."""
    answer = await aged.get("/items/foo/versions/2", headers={header: value})
    assert (answer.status_code, answer.content) == (304, b"")
    for name in ("etag", "cache-control", "memento-datetime", "link"):
        assert name in answer.headers


async def test_a_version_that_the_client_has_not_is_sent(aged: httpx.AsyncClient) -> None:
    """Another tag is another version."""
    answer = await aged.get("/items/foo/versions/2", headers={"if-none-match": '"1", "4"'})
    assert answer.status_code == 200


async def test_a_version_that_deleted_the_item_has_no_body(aged: httpx.AsyncClient) -> None:
    """404 `item-deleted` with that version; its event is in the log all the same."""
    assert problem(await aged.get("/items/foo/versions/3"), 404, "item-deleted")["version"] == 3
    history = (await aged.get("/items/foo/events")).json()
    assert history[2]["type"] == "ItemDeleted"


@pytest.mark.parametrize("number", ["5", "0", "-1", "x", "1.0", "9" * 30, "%31%20", "²"])
async def test_a_version_that_is_none_is_not_found(aged: httpx.AsyncClient, number: str) -> None:
    """404 `version-not-found`, also for what is no number."""
    problem(await aged.get(f"/items/foo/versions/{number}"), 404, "version-not-found")


async def test_an_unknown_version_says_which_is_the_last(aged: httpx.AsyncClient) -> None:
    """The problem has its number."""
    content = problem(await aged.get("/items/foo/versions/5"), 404, "version-not-found")
    assert content["version"] == 4


@pytest.mark.parametrize("path", ["versions", "versions/1", "versions/1/diff?from=1"])
async def test_what_never_existed_has_no_versions(client: httpx.AsyncClient, path: str) -> None:
    """404 `item-not-found`."""
    problem(await client.get(f"/items/foo/{path}"), 404, "item-not-found")


async def test_the_time_map_lists_every_version_that_can_be_had(aged: httpx.AsyncClient) -> None:
    """RFC 7089 §5, in application/link-format; the deleted version is not among them."""
    answer = await aged.get("/items/foo/versions")
    assert answer.headers["content-type"] == "application/link-format"
    assert answer.text.split(",\n") == [
        f'<{ITEM}>; rel="original timegate latest-version"',
        f'<{ITEM}/versions>; rel="self timemap version-history"; type="application/link-format"',
        f'<{ITEM}/versions/1>; rel="memento"; datetime="{http_date("2020-01-01T00:00:00")}"',
        f'<{ITEM}/versions/2>; rel="memento"; datetime="{http_date("2021-01-01T00:00:00")}"',
        f'<{ITEM}/versions/4>; rel="memento"; datetime="{http_date("2023-01-01T00:00:00")}"',
    ]


@pytest.mark.partitions(1)
async def test_the_versions_as_json_are_all_of_them(aged: httpx.AsyncClient) -> None:
    """With type, time and event; the deleted one too."""
    content = (await aged.get("/items/foo/versions", headers=JSON)).json()
    assert content["next"] is None
    assert [each["version"] for each in content["versions"]] == [1, 2, 3, 4]
    assert content["versions"][2] == {
        "version": 3,
        "type": "ItemDeleted",
        "time": "2022-01-01T00:00:00.700Z",
        "event": position_at("2022-01-01T00:00:00", 700),
        "href": "/items/foo/versions/3",
    }


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        ("*/*", False),
        ("application/link-format", False),
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("application/link-format, application/json;q=0.5", False),
        ("application/link-format;q=0.5, application/json", True),
        ("application/json;q=0", False),
        ("text/html, application/json;q=much", False),
        ("text/html", False),
    ],
)
async def test_the_form_is_the_one_with_the_highest_weight(
    aged: httpx.AsyncClient, accept: str, *, is_json: bool
) -> None:
    """Accept with its weights (RFC 9110 §12.5.1); Vary says that it counts."""
    answer = await aged.get("/items/foo/versions", headers={"accept": accept})
    assert answer.headers["vary"] == "accept, host, x-forwarded-proto"
    assert answer.headers["cache-control"] == "no-cache"
    assert ("json" in answer.headers["content-type"]) is is_json


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
async def test_pages_of_the_list_give_every_version_once(
    aged: httpx.AsyncClient, limit: int
) -> None:
    """As JSON by `next`, as links by the relation `timemap next`."""
    url, found = f"/items/foo/versions?limit={limit}", list[int]()
    while url:
        content = (await aged.get(url, headers=JSON)).json()
        found += [each["version"] for each in content["versions"]]
        url = content["next"]
    assert found == [1, 2, 3, 4]

    url, mementos = f"/items/foo/versions?limit={limit}", list[str]()
    while url:
        links = [link.partition("; rel=") for link in (await aged.get(url)).text.split(",\n")]
        mementos += [target for target, _, rest in links if rest.startswith('"memento"')]
        url = next((target[1:-1] for target, _, rest in links if "next" in rest), "")
    assert mementos == [f"<{ITEM}/versions/{number}>" for number in (1, 2, 4)]


async def test_the_links_of_an_id_are_those_of_its_location(client: httpx.AsyncClient) -> None:
    """Percent-encoded, whatever is in the id and however the client wrote it."""
    created = await client.put("/items/%C3%A9%2F%22%3E%2C%20a", json={})
    answer = await client.get("/items/%c3%a9%2f%22%3e%2c%20%61/versions/1")
    location = created.headers["location"]
    assert answer.links["original timegate latest-version"]["url"] == BASE_URL + location


@pytest.mark.parametrize(
    ("headers", "origin"),
    [
        ({"host": "store.example:8080"}, "http://store.example:8080"),
        ({"host": "[::1]:8000"}, "http://[::1]:8000"),
        ({"host": "store.example", "x-forwarded-proto": "https"}, "http://store.example"),
        ({"host": 'a>; rel="next"'}, ""),
        ({"host": ""}, ""),
    ],
)
async def test_links_are_absolute_under_the_name_that_the_client_used(
    client: httpx.AsyncClient, headers: dict[str, str], origin: str
) -> None:
    """A host that could be none is left out; the scheme is what the server says it is."""
    await client.put("/items/foo", json={})
    answer = await client.get("/items/foo", headers=headers)
    assert answer.links["timemap version-history"]["url"] == f"{origin}/items/foo/versions"


@pytest.mark.parametrize("path", ["", "/versions", "/versions/1"])
async def test_caches_know_what_absolute_links_depend_on(
    aged: httpx.AsyncClient, path: str
) -> None:
    """Some proxies keep answers by another name than Host; none goes by the scheme of another."""
    answer = await aged.get(f"/items/foo{path}")
    assert "host, x-forwarded-proto" in answer.headers["vary"]


@pytest.mark.partitions(1)
async def test_a_version_that_was_trimmed_away_is_gone(
    aged: httpx.AsyncClient, redis: FakeAsyncRedis
) -> None:
    """410, for the version and for what is made of it; the later ones stay."""
    await redis.xtrim("items:events", maxlen=3, approximate=False)
    problem(await aged.get("/items/foo/versions/1"), 410, "gone")
    problem(await aged.get("/items/foo/versions/2/diff"), 410, "gone")
    assert (await aged.get("/items/foo/versions/2")).status_code == 200


@pytest.mark.parametrize(("is_before", "status"), [(True, 200), (False, 404)])
async def test_a_version_that_comes_while_one_looks_for_it_is_not_gone(
    aged: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, *, is_before: bool, status: int
) -> None:
    """It is found, or it was not there yet: the look is one moment of the log."""
    look = WholeLog.entry_of

    async def beside_a_write(log: WholeLog, item: str, version: int) -> object:
        found = None if is_before else await look(log, item, version)
        await aged.put("/items/new", json={"size": 2})
        return found or await look(log, item, version)

    await aged.put("/items/new", json={"size": 1})
    with monkeypatch.context() as patched:
        patched.setattr(WholeLog, "entry_of", beside_a_write)
        answer = await aged.get("/items/new/versions/2")
    assert answer.status_code == status
    assert (await aged.get("/items/new/versions/2")).json()["size"] == 2


async def test_looking_at_versions_makes_none(aged: httpx.AsyncClient, events: Events) -> None:
    """The log is as it was."""
    before = await events()
    for path in ("versions", "versions/1", "versions/3", "versions/4/diff?from=1"):
        await aged.get(f"/items/foo/{path}")
        await aged.head(f"/items/foo/{path}")
    assert await events() == before
