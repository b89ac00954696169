"""Webhooks: each event is posted, in order, whatever the receiver does."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from itemstore import WebhookProjection
from itemstore.projections.own.signature import keys_of, signature_of
from tests.own.conftest import Running, shown, until
from tests.own.receiver import Post, Receiver, taken

NAME = "HOOK_SECRET"

SECRET = "whsec_" + b64encode(bytes(32)).decode()


async def test_an_event_is_posted_as_a_signed_cloud_event(
    running: Running, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its id names the post, and stays the same whatever happens."""
    monkeypatch.setenv(NAME, SECRET)
    hook = WebhookProjection("hook", receiver.url, secret_from=NAME)
    async with running(hook) as client:
        answer = await client.put("/items/desk", json={"color": "oak"})
        await until(lambda: receiver.taken)
        await until(lambda: _handled(client, 1))
    [post] = receiver.posts
    assert post.headers["content-type"] == "application/cloudevents+json"
    assert post.event["id"] == post.id == answer.headers["event-id"]
    assert (post.event["specversion"], post.event["source"]) == ("1.0", "/items")
    assert (post.event["type"], post.event["data"]) == ("ItemCreated", {"color": "oak"})
    seconds = int(post.headers["webhook-timestamp"])
    assert abs(seconds - time.time()) < 60
    signature = signature_of(keys_of(SECRET), post.id, seconds, post.body)
    assert post.headers["webhook-signature"] == signature


async def test_only_what_is_wanted_is_posted_from_now_on(
    running: Running, receiver: Receiver
) -> None:
    """By type and collection; what was there before the webhook is in the log, and stays there."""
    settings = {"collections": "orders=any,notes=any"}
    async with running(_none(), **settings) as client:
        await client.put("/orders/old", json={})
    hook = WebhookProjection(
        "hook", receiver.url, collections=("orders",), types=("ItemCreated", "ItemDeleted")
    )
    async with running(hook, **settings) as client:
        await client.put("/notes/a", json={})
        await client.put("/orders/a", json={"n": 1})
        await client.put("/orders/a", json={"n": 2})
        await client.delete("/orders/a")
        await until(lambda: len(receiver.taken) == 2)
    assert [(each.item, each.event["type"]) for each in receiver.posts] == [
        ("a", "ItemCreated"),
        ("a", "ItemDeleted"),
    ]


async def test_one_that_begins_at_the_start_posts_what_there_ever_was(
    running: Running, receiver: Receiver
) -> None:
    """Where that is what the operator wants, and says."""
    async with running(_none()) as client:
        for name in ("a", "b"):
            await client.put(f"/items/{name}", json={})
    async with running(WebhookProjection("hook", receiver.url, begin="start")):
        await until(lambda: receiver.items == ["a", "b"])


async def test_a_receiver_that_fails_is_asked_again_and_nothing_overtakes_the_event(
    running: Running, receiver: Receiver
) -> None:
    """The reason is shown meanwhile, and what it is asked again with is the same."""
    receiver.answer = lambda _: (503, {})
    async with running(WebhookProjection("hook", receiver.url)) as client:
        first = await client.put("/items/a", json={})
        await client.put("/items/b", json={})
        await until(lambda: len(receiver.posts) >= 3)
        found = await shown(client, "hook")
        assert (found["state"], found["reason"]) == ("failing", "the receiver answers 503")
        assert found["failing"] == first.headers["event-id"]
        assert (found["lag"], found["handled"]) == (2, 0)
        assert found["tries"] >= 2
        assert found["failures"] >= 2
        receiver.answer = taken
        await until(lambda: receiver.items == ["a", "b"])
        await until(lambda: _handled(client, 2))
        found = await shown(client, "hook")
        assert (found["state"], found["reason"], found["tries"]) == ("following", None, 0)
    assert {each.item for each in receiver.posts[:-1]} == {"a"}
    assert len({each.id for each in receiver.posts[:-1]}) == 1


async def test_what_is_refused_or_fails_too_often_is_set_aside_and_the_rest_goes_on(
    running: Running, receiver: Receiver
) -> None:
    """And is counted in the metrics."""

    def choosy(post: Post) -> tuple[int, Mapping[str, str]]:
        return {"bad": 422, "worse": 500}.get(post.item, 204), {}

    receiver.answer = choosy
    async with running(WebhookProjection("hook", receiver.url, give_up_after=3)) as client:
        for name in ("bad", "a", "worse", "b"):
            await client.put(f"/items/{name}", json={})
        await until(lambda: receiver.items == ["a", "b"])
        await until(lambda: _handled(client, 2))
        assert (await shown(client, "hook"))["dead_letters"] == 2
        metrics = await _metrics(client)
    assert [each.item for each in receiver.posts].count("bad") == 1
    assert [each.item for each in receiver.posts].count("worse") == 3
    assert metrics == {"handled_total": 2, "failures_total": 2, "dead_letters": 2, "failing": 0}


async def test_one_that_answers_410_gets_nothing_more(running: Running, receiver: Receiver) -> None:
    """Until somebody has it go on: nobody is asked again in vain."""
    receiver.answer = lambda _: (410, {})
    async with running(WebhookProjection("hook", receiver.url)) as client:
        await client.put("/items/a", json={})
        await until(lambda: _is(client, "stopped"))
        receiver.answer = taken
        await client.put("/items/b", json={})
        for _ in range(20):
            assert await _is(client, "stopped")
    assert [each.item for each in receiver.posts] == ["a"]


async def test_a_receiver_that_is_slow_or_away_is_one_that_fails(
    running: Running, receiver: Receiver
) -> None:
    """Each says why; what it took and did not say so is posted again."""

    def slow(_: Post) -> tuple[int, Mapping[str, str]]:
        time.sleep(0.3)
        return 204, {}

    receiver.answer = slow
    hook = WebhookProjection("hook", receiver.url, seconds=0.1)
    away = WebhookProjection("away", "http://127.0.0.1:9/hook")
    async with running(hook, away) as client:
        await client.put("/items/a", json={})
        await until(lambda: _says(client, "hook", "no answer within 0.1 seconds"))
        await until(lambda: _says(client, "away", "no answer: "))
        receiver.answer = taken
        await until(lambda: _handled(client, 1))
    assert {each.item for each in receiver.posts} == {"a"}


async def test_a_pause_that_the_receiver_asks_for_is_kept(
    running: Running, receiver: Receiver
) -> None:
    """Though the usual one is shorter."""
    receiver.answer = lambda _: (429, {"retry-after": "30"})
    async with running(WebhookProjection("hook", receiver.url)) as client:
        await client.put("/items/a", json={})
        await until(lambda: _is(client, "failing"))
        found = await shown(client, "hook")
    assert len(receiver.posts) == 1
    seconds = (datetime.fromisoformat(found["next"]) - datetime.now(UTC)).total_seconds()
    assert 20 < seconds <= 30


async def test_each_partition_is_posted_in_its_own_order(
    running: Running, receiver: Receiver
) -> None:
    """Four of them: each item's events come in theirs."""
    async with running(WebhookProjection("hook", receiver.url), partitions=4) as client:
        for version in range(5):
            for name in "abcdefgh":
                await client.put(f"/items/{name}", json={"n": version})
        await until(lambda: len(receiver.taken) == 40)
        await until(lambda: _handled(client, 40))
        found = await shown(client, "hook")
    assert (found["lag"], found["rows"]) == (0, 40)
    assert sum(each["handled"] for each in found["partitions"]) == 40
    for name in "abcdefgh":
        versions = [each.event["itemversion"] for each in receiver.taken if each.item == name]
        assert versions == [1, 2, 3, 4, 5]
    assert len({each.id for each in receiver.taken}) == 40


def _none() -> WebhookProjection:
    """One that posts nothing anywhere."""
    return WebhookProjection("none", "http://127.0.0.1:9", types=())


async def _handled(client: httpx.AsyncClient, count: int) -> bool:
    return bool((await shown(client, "hook"))["handled"] == count)


async def _is(client: httpx.AsyncClient, state: str) -> bool:
    return bool((await shown(client, "hook"))["state"] == state)


async def _says(client: httpx.AsyncClient, name: str, reason: str) -> bool:
    return reason in str((await shown(client, name))["reason"])


async def _metrics(client: httpx.AsyncClient) -> dict[str, float]:
    families = text_string_to_metric_families((await client.get("/metrics")).text)
    own = "itemstore_projection_"
    return {
        sample.name.removeprefix(own): sample.value
        for family in families
        for sample in family.samples
        if sample.labels.get("projection") == "hook"
        and sample.name.removeprefix(own)
        in {"handled_total", "failures_total", "dead_letters", "failing"}
    }
