"""Tokens that are bound to collections and to prefixes of ids: nothing else is open to them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.api.app import ItemStore, create_app
from itemstore.api.http.reply import json_reply
from itemstore.api.http.request import Request
from itemstore.api.http.routing import AnyReply, Resource
from itemstore.eventlog.partition import Partition
from itemstore.projections.rebuild.run import rebuild
from itemstore.projections.statistics import STATISTICS
from itemstore.store.scope import Scope
from itemstore.store.settings import Settings
from itemstore.store.tokens import Role, revoke
from tests.api.bearers import bearer
from tests.api.conftest import SEVERAL, client_of, problem
from tests.api.paths import path_of

pytestmark = pytest.mark.partitions(1, SEVERAL)


OF_A_COLLECTION = {
    "", "/{id}", "/{id}/events", "/{id}/versions", "/{id}/versions/{n}", "/{id}/versions/{n}/diff",
    "/{id}/revert",
}  # fmt: skip
EXPLORER = {"/explorer", "/explorer/{file}", "/explorer/{folder}/{file}"}
OPEN = {"/livez", "/readyz", "/problems/{slug}", "/docs", "/docs/{file}", *EXPLORER}
FOR_ANY = {"/", "/openapi.json"}
OF_WHAT_IS_INSIDE = {"/batch", "/events"}
OF_PROJECTIONS = ("dead-letters", "dead-letters/retry", "dead-letters/drop", "resume")
OF_ADMINS = {
    *("/admin/operations", "/admin/operations/{operation}"),
    *("/admin/tokens", "/admin/tokens/{name}"),
    *(f"/admin/projections/{{projection}}/{each}" for each in OF_PROJECTIONS),
}
OF_THE_WHOLE = {
    "/projections",
    "/projections/{projection}",
    "/stats",
    "/metrics",
    "/partitions",
    *OF_ADMINS,
}
OF_ONE_COLLECTION = "/schemas/{collection}"

INSIDE, OTHER_ID, OTHER_COLLECTION = "/orders/eu%2F1", "/orders/us%2F1", "/notes/eu%2F1"
OUTSIDE = [OTHER_ID, OTHER_COLLECTION]
SUB_RESOURCES = ["", "/events", "/versions", "/versions/1", "/versions/1/diff?from=1"]

SCOPE = Scope(frozenset({"orders"}), ("eu/",))


@pytest.fixture
def app(redis: FakeAsyncRedis, settings: Settings) -> ItemStore:
    """A store with two collections."""
    return create_app(settings, redis=redis, collections={"orders": None, "notes": None})


@pytest.fixture
async def bound(partition: Partition, whole: Mapping[str, str]) -> dict[str, str]:
    """The header of a token for the orders whose ids begin with eu/."""
    return await bearer(partition, "bound", SCOPE)


@pytest.fixture
async def filled(app: ItemStore, whole: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """A store with items inside and outside."""
    async with client_of(app) as client:
        for path in ("/orders/eu%2F1", "/orders/us%2F1", "/orders/eu%2F2", "/notes/eu%2F1"):
            await client.put(path, json={"at": path}, headers=whole)
        yield client


def insufficient(answer: httpx.Response) -> str:
    """The sentence of the refusal that the answer must be."""
    challenge = 'Bearer realm="itemstore", error="insufficient_scope"'
    assert answer.headers["www-authenticate"] == challenge
    detail: str = problem(answer, 403, "forbidden")["detail"]
    return detail


def expected(resource: Resource, method: str) -> dict[str, bool]:
    """Whether a token for eu/ in the orders is refused, by path.

    Fails for a resource that nobody has thought of: say here what a bound token may do there, and
    in api/gate/scoping.py where that is more than nothing.
    """
    template = resource.template
    if template == OF_ONE_COLLECTION:
        return {template.format(collection=name): name != "orders" for name in ("orders", "notes")}
    if resource.collection is None:
        assert template in OPEN | FOR_ANY | OF_WHAT_IS_INSIDE | OF_THE_WHOLE, template
        return {path_of(template): template in OF_THE_WHOLE}
    assert template.removeprefix(f"/{resource.collection}") in OF_A_COLLECTION, template
    if resource.collection == "notes":
        return {path_of(template, id="eu%2F1"): True}
    if "{id}" not in template:
        return {template: method == "POST"}
    return {path_of(template, id=item): item[:2] != "eu" for item in ("eu%2F1", "us%2F1")}


async def test_every_resource_says_what_a_bound_token_may_do(
    app: ItemStore, filled: httpx.AsyncClient, bound: dict[str, str]
) -> None:
    """All resources, all methods: what is outside is refused, and what is inside is not."""
    seen = 0
    for resource in app.resources:
        for method in resource.allow.split(", "):
            for path, is_refused in expected(resource, method).items():
                kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
                content = b'{"version":1}' if method in {"PUT", "POST", "PATCH"} else None
                answer = await filled.request(
                    method, path, content=content, headers=bound | {"content-type": kind}
                )
                assert (answer.status_code == 403) is is_refused, (method, path)
                assert answer.status_code < 500, (method, path)
                seen += 1
    assert seen > 60


@pytest.mark.parametrize(
    ("template", "collection"), [("/new", None), ("/orders:summary", "orders")]
)
async def test_a_resource_without_a_rule_is_closed(
    app: ItemStore,
    filled: httpx.AsyncClient,
    bound: dict[str, str],
    whole: dict[str, str],
    *,
    template: str,
    collection: str | None,
) -> None:
    """Nobody has to remember to close it."""

    async def handler(_: Request) -> AnyReply:
        return json_reply({})

    app.resources.add(Resource(template, collection, GET=handler))
    assert "bound to nothing" in insufficient(await filled.get(template, headers=bound))
    assert (await filled.get(template, headers=whole)).status_code == 200


async def test_a_route_that_was_added_is_closed_and_what_is_not_there_is_404(
    app: ItemStore, filled: httpx.AsyncClient, bound: dict[str, str], whole: dict[str, str]
) -> None:
    """An operator's own route may show anything; a mistyped URL is said to be one."""

    @app.get("/own")
    def own() -> dict[str, str]:
        return {}

    assert "bound to nothing" in insufficient(await filled.get("/own", headers=bound))
    assert (await filled.get("/own", headers=whole)).status_code == 200
    unescaped = problem(await filled.get("/orders/eu/1", headers=bound), 404, "not-found")
    assert unescaped["detail"].startswith("There is nothing at /orders/eu/1")


@pytest.mark.parametrize("path", OUTSIDE)
@pytest.mark.parametrize("below", SUB_RESOURCES)
async def test_what_is_outside_does_not_show_even_whether_it_exists(
    filled: httpx.AsyncClient, bound: dict[str, str], path: str, below: str
) -> None:
    """The same answer for an item that is there and one that is not, whatever is asked of it."""
    there, missing = path + below, path[:-1] + "9" + below
    for conditions in ({}, {"if-none-match": "*"}, {"if-match": '"1"'}):
        answers = []
        for url in (there, missing):
            answer = await filled.get(url, headers=bound | conditions)
            insufficient(answer)
            content = json.loads(answer.text.replace("9", "1"))
            answers.append((content, {**answer.headers, "content-length": ""}))
        assert answers[0] == answers[1]


@pytest.mark.parametrize("path", OUTSIDE)
@pytest.mark.parametrize("key", [{}, {"idempotency-key": "k"}])
@pytest.mark.parametrize(
    ("method", "below", "content"),
    [
        ("PUT", "", b"{}"),
        ("PATCH", "", b'{"a":1}'),
        ("DELETE", "", None),
        ("POST", "/revert", b'{"version":1}'),
    ],
)
async def test_nothing_is_written_outside(
    filled: httpx.AsyncClient,
    redis: FakeAsyncRedis,
    bound: dict[str, str],
    *,
    path: str,
    key: dict[str, str],
    method: str,
    below: str,
    content: bytes | None,
) -> None:
    """403, and the logs are as they were."""
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    before = [await redis.xlen(f"{name}:events") for name in ("orders", "notes")]
    answer = await filled.request(
        method, path + below, content=content, headers=bound | key | {"content-type": kind}
    )
    insufficient(answer)
    assert [await redis.xlen(f"{name}:events") for name in ("orders", "notes")] == before


async def test_a_bound_writer_writes_inside(
    filled: httpx.AsyncClient, bound: dict[str, str]
) -> None:
    """Everything that can be done with an item."""
    path = "/orders/eu%2Fnew"
    assert (await filled.put(path, json={"a": 1}, headers=bound)).status_code == 201
    patch = bound | {"content-type": "application/merge-patch+json"}
    assert (await filled.patch(path, json={"a": 2}, headers=patch)).status_code == 200
    answer = await filled.post(f"{path}/revert", json={"version": 1}, headers=bound)
    assert answer.json() == {"a": 1}
    for below in SUB_RESOURCES:
        assert (await filled.get(path + below, headers=bound)).status_code == 200
    assert (await filled.delete(path, headers=bound)).status_code == 204


@pytest.fixture
def _asks_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every request looks whether the tokens are still what they were."""
    monkeypatch.setattr("itemstore.store.known_tokens.FRESH_SECONDS", 0.0)


@pytest.mark.usefixtures("_asks_each_time")
async def test_a_batch_that_is_sent_again_by_a_token_bound_to_less_is_refused(
    filled: httpx.AsyncClient, redis: FakeAsyncRedis, partition: Partition
) -> None:
    """A key is known by the token's name, and a name may be given anew: the scope counts first."""
    requests = [{"method": "PUT", "path": OTHER_ID, "body": {"secret": 1}}]
    key = {"idempotency-key": "k"}
    before = await bearer(partition, "ann", Scope())
    sent = await filled.post("/batch", json={"requests": requests}, headers=before | key)
    assert sent.status_code == 200
    again = await filled.post("/batch", json={"requests": requests}, headers=before | key)
    assert again.headers["idempotency-replayed"] == "true"
    await revoke(partition, "ann")
    after = await bearer(partition, "ann", SCOPE)
    refused = await filled.post("/batch", json={"requests": requests}, headers=after | key)
    insufficient(refused)
    assert "secret" not in refused.text


async def test_a_bound_reader_still_only_reads(
    filled: httpx.AsyncClient, partition: Partition
) -> None:
    """The role counts as ever."""
    reader = await bearer(partition, "reader", SCOPE, Role.reader)
    assert (await filled.get(INSIDE, headers=reader)).status_code == 200
    detail = insufficient(await filled.put(INSIDE, json={}, headers=reader))
    assert "wants a writer" in detail


FORMS = ("application/json", "application/jsonl", "application/link-format")


async def test_nothing_of_what_is_outside_is_in_any_answer(
    app: ItemStore, filled: httpx.AsyncClient, bound: dict[str, str], whole: dict[str, str]
) -> None:
    """Whatever is asked for, in any form: neither its id nor its body."""
    for collection, item in (("orders", "us%2FSECRET"), ("notes", "eu%2FSECRET")):
        for size in (1, 2):
            body = {"text": f"SECRET {size}"}
            answer = await filled.put(f"/{collection}/{item}", json=body, headers=whole)
            assert answer.status_code < 300
    queries = ("", "?limit=1", "?prefix=us", "?after=dXM", "?item=us/SECRET", "?order=desc")
    seen = 0
    for resource in app.resources:
        for path in expected(resource, "GET"):
            for url in (path + query for query in queries):
                for form in FORMS:
                    answer = await filled.get(url, headers=bound | {"accept": form})
                    shown = answer.text + str(answer.headers)
                    assert "SECRET" not in shown.replace("us/SECRET", ""), url
                    seen += 1
    assert seen > 300


async def test_an_id_that_the_store_chooses_is_outside_of_any_prefix(
    filled: httpx.AsyncClient, partition: Partition, bound: dict[str, str]
) -> None:
    """POST is for tokens without prefixes; the refusal says what to do instead."""
    detail = insufficient(await filled.post("/orders", json={}, headers=bound))
    assert "ids that begin with 'eu/'" in detail
    assert "PUT the item" in detail
    of_orders = await bearer(partition, "orders", Scope(frozenset({"orders"})))
    assert (await filled.post("/orders", json={}, headers=of_orders)).status_code == 201
    insufficient(await filled.post("/notes", json={}, headers=of_orders))


async def test_a_refusal_says_what_the_token_is_bound_to(
    filled: httpx.AsyncClient, partition: Partition, bound: dict[str, str]
) -> None:
    """In one sentence, short whatever the token has."""
    assert insufficient(await filled.get(OTHER_ID, headers=bound)) == (
        "The token 'bound' is bound to the collection 'orders' and to ids that begin with 'eu/'; "
        "it may not touch the item 'us/1'."
    )
    many = Scope(frozenset("abcde"), tuple(f"{number:02d}" + "x" * 510 for number in range(32)))
    of_many = await bearer(partition, "many", many)
    detail = insufficient(await filled.get("/orders", headers=of_many))
    assert "the collection 'a' or 'b' or 'c' or 2 others" in detail
    assert "29 others" in detail
    assert len(detail) < 600


async def test_a_body_of_the_wrong_kind_is_refused_first(
    filled: httpx.AsyncClient, bound: dict[str, str]
) -> None:
    """The order of checks is the same for what is outside: size and media type, then access."""
    answer = await filled.put(
        OTHER_ID, content=b"x", headers=bound | {"content-type": "text/plain"}
    )
    problem(answer, 415, "unsupported-media-type")


async def listed(
    client: httpx.AsyncClient, path: str, headers: Mapping[str, str]
) -> tuple[list[str], set[int]]:
    """The ids on all pages of a list, and the totals that they say."""
    ids: list[str] = []
    totals = set()
    after: str | None = None
    while True:
        parameters = {"limit": "2"} | ({} if after is None else {"after": after})
        answer = await client.get(path, params=parameters, headers=headers)
        assert answer.status_code == 200
        page: dict[str, Any] = answer.json()
        ids += [each["id"] for each in page["items"]]
        totals.add(page["total"])
        after = page["next"]
        if after is None:
            return ids, totals


async def test_a_list_shows_and_counts_what_is_inside(
    filled: httpx.AsyncClient, partition: Partition, whole: dict[str, str]
) -> None:
    """Over several prefixes; pages, next and total are right."""
    ids = ["a", "eu/1", "eu/2", "eu/3", "eu0", "fr/1", "us/1", "us/2", "z"]
    for name in ids:
        path = "/orders/" + name.replace("/", "%2F")
        await filled.put(path, json={}, headers=whole)
    both = await bearer(partition, "both", Scope(prefixes=("eu/", "us/")))
    inside = [name for name in ids if name.startswith(("eu/", "us/"))]
    assert await listed(filled, "/orders", both) == (inside, {len(inside)})
    assert await listed(filled, "/orders", whole) == (ids, {len(ids)})


@pytest.mark.parametrize(
    ("prefix", "ids"),
    [("eu/", ["eu/1", "eu/2"]), ("eu/2", ["eu/2"]), ("e", ["eu/1", "eu/2"]), ("us/", [])],
)
async def test_a_prefix_that_is_asked_for_narrows_the_list(
    filled: httpx.AsyncClient, bound: dict[str, str], prefix: str, ids: list[str]
) -> None:
    """To what has both; the total too."""
    answer = await filled.get(f"/orders?prefix={prefix}", headers=bound)
    page = answer.json()
    assert ([each["id"] for each in page["items"]], page["total"]) == (ids, len(ids))


async def test_a_cursor_of_another_token_opens_nothing(
    filled: httpx.AsyncClient, bound: dict[str, str], whole: dict[str, str]
) -> None:
    """It is a place in the order of ids, and no more."""
    after = (await filled.get("/orders?limit=1", headers=whole)).json()["next"]
    page = (await filled.get(f"/orders?after={after}", headers=bound)).json()
    assert [each["id"] for each in page["items"]] == ["eu/2"]
    assert page["total"] == 2


@pytest.mark.parametrize("path", ["/orders"])
async def test_what_looks_different_has_another_entity_tag(
    filled: httpx.AsyncClient,
    partition: Partition,
    bound: dict[str, str],
    whole: dict[str, str],
    path: str,
) -> None:
    """A client with two tokens is never told that nothing changed between them."""
    others = [
        await bearer(partition, "us", Scope(frozenset({"orders"}), ("us/",))),
        await bearer(partition, "orders", Scope(frozenset({"orders"}))),
    ]
    tags: list[str] = []
    for headers in (whole, bound, *others):
        tag = (await filled.get(path, headers=headers)).headers["etag"]
        again = await filled.get(path, headers={**headers, "if-none-match": tag})
        assert again.status_code == 304
        for other in tags:
            answer = await filled.get(path, headers={**headers, "if-none-match": other})
            assert answer.status_code == 200
        tags.append(tag)
    assert len(set(tags)) == 4
    alike = await bearer(partition, "alike", SCOPE)
    assert (await filled.get(path, headers=alike)).headers["etag"] == tags[1]


@pytest.mark.partitions(1)
async def test_statistics_are_of_the_collections_that_a_token_is_bound_to(
    filled: httpx.AsyncClient, app: ItemStore, partition: Partition
) -> None:
    """Sums too; one that is bound to ids gets none, as ids are not counted apart."""
    assert app.context is not None
    for each in app.context.store.collections.values():
        await rebuild(each.partition, STATISTICS)
    orders = await bearer(partition, "orders", Scope(frozenset({"orders"})))
    numbers = (await filled.get("/stats", headers=orders)).json()
    assert (numbers["events"], list(numbers["collections"])) == (3, ["orders"])
    listed = (await filled.get("/projections", headers=orders)).json()
    assert listed["log"]["events"] == 3
    assert {each["collection"] for each in listed["logs"] + listed["projections"]} == {"orders"}
    nothing = await bearer(partition, "gone", Scope(frozenset({"gone"})))
    assert (await filled.get("/stats", headers=nothing)).json()["events"] == 0
    assert (await filled.get("/projections", headers=nothing)).json()["projections"] == []

    for path in ("/stats", "/projections"):
        assert (await filled.get(f"{path}?source=/orders", headers=orders)).status_code == 200
        refused = insufficient(await filled.get(f"{path}?source=/notes", headers=orders))
        assert "it may not touch the collection 'notes'" in refused


@pytest.mark.parametrize("path", ["/events", "/stats", "/projections"])
async def test_a_source_that_is_none_is_answered_with_those_inside(
    filled: httpx.AsyncClient, partition: Partition, path: str
) -> None:
    """In words also where there are none."""
    orders = await bearer(partition, "orders", Scope(frozenset({"orders"})))
    nothing = await bearer(partition, "gone", Scope(frozenset({"gone"})))

    sentences = [
        problem(
            await filled.get(f"{path}?source=/books", headers=headers), 422, "invalid-parameter"
        )["errors"][0]["detail"]
        for headers in (orders, nothing)
    ]

    assert sentences == [
        "There is no collection '/books'; there are /orders.",
        "There is no collection '/books'; none that there is may be read with this token.",
    ]
