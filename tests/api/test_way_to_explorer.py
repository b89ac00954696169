"""Who asks for an item, a list or a version with a browser is led to the explorer's view of it."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlsplit

import httpx
import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from itemstore.api.app import ItemStore
from itemstore.store.scope import WHOLE
from tests.api.bearers import bearer
from tests.api.conftest import Serve, problem
from tests.conftest import Unchanged

CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
BROWSER = {"accept": CHROME}


def led_to(answer: httpx.Response) -> dict[str, str]:
    """The parameters of the view that the answer leads to."""
    assert answer.status_code == 303
    assert answer.content == b""
    assert answer.headers["vary"] == "accept"
    assert answer.headers["cache-control"] == "no-cache"
    there = answer.url.join(answer.headers["location"])
    location = urlsplit(str(there))
    assert there.copy_with(path="/", query=None) == answer.url.copy_with(path="/", query=None)
    assert location.path == "/explorer"
    pairs = parse_qsl(location.query, keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.mark.parametrize(
    ("path", "view"),
    [
        ("/items", {"view": "items", "collection": "items"}),
        ("/items/foo", {"view": "item", "collection": "items", "id": "foo"}),
        (
            "/items/foo/versions/12",
            {"view": "life", "collection": "items", "id": "foo", "version": "12"},
        ),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_browser_is_led_to_the_view_of_what_it_asks_for(
    client: httpx.AsyncClient, method: str, path: str, view: dict[str, str]
) -> None:
    """303, whether there is such an item or not, and which says on what it depends."""
    before = await client.request(method, path, headers=BROWSER)
    await client.put("/items/foo", json={})
    after = await client.request(method, path, headers=BROWSER)

    assert led_to(before) == led_to(after) == view


@pytest.mark.parametrize(
    "item",
    [
        "a/b",
        "é ü",
        "a&view=tokens",
        "#?%",
        "%2F",
        "<script>",
        "\u202eabc",
        "\U0001f600",
        "+",
        "x" * 512,
    ],
)
async def test_any_id_arrives_as_it_is(client: httpx.AsyncClient, item: str) -> None:
    """It is one parameter, whatever is in it."""
    answer = await client.get(f"/items/{quote(item, safe='')}", headers=BROWSER)

    assert led_to(answer) == {"view": "item", "collection": "items", "id": item}


async def test_what_is_asked_of_a_list_is_asked_of_its_view(client: httpx.AsyncClient) -> None:
    """And nothing else, so that no link can lead to another view."""
    asked = {
        "prefix": "a&b",
        "where": '@.size > 3 && @.name == "é"',
        "order": "-size",
        "search": "fox",
        "limit": "7",
        "after": "Zm9v",
    }
    others = {"view": "tokens", "collection": "other", "fields": "name", "id": "x", "token": "t"}

    answer = await client.get("/items", params=asked | others, headers=BROWSER)

    assert led_to(answer) == {"view": "items", "collection": "items"} | asked


@pytest.mark.parametrize(
    "accept",
    [
        *("*/*", "application/json", "application/json, text/html", "text/html;q=0.5, */*", ""),
        *("application/json, text/plain, */*", "application/*, text/html;q=0.9", "text/html;q=0"),
        *(
            "text/plain, application/json;q=0.1",
            "text/html, */*",
            "image/png",
            "text/htmlx",
            "junk",
        ),
    ],
)
async def test_everyone_else_gets_json(client: httpx.AsyncClient, accept: str) -> None:
    """Also who takes HTML too, but JSON as well or rather (RFC 9110 §12.5.1)."""
    await client.put("/items/foo", json={"size": 1})
    for path in ("/items", "/items/foo", "/items/foo/versions/1"):
        answer = await client.get(path, headers={"accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert "accept" in answer.headers["vary"].split(", ")


async def test_who_says_nothing_gets_json(client: httpx.AsyncClient) -> None:
    """A program that sends no Accept."""
    del client.headers["accept"]

    assert (await client.get("/items")).status_code == 200


@pytest.mark.parametrize(
    "accept", ["text/html", "TEXT/HTML", "text/*", "text/html;level=1, application/json;q=0.3"]
)
async def test_whoever_would_rather_have_html_is_a_person(
    client: httpx.AsyncClient, accept: str
) -> None:
    """By the weights, whatever a browser is called."""
    assert (await client.get("/items/foo", headers={"accept": accept})).status_code == 303


@pytest.mark.parametrize(
    "path", ["/items/foo/versions", "/items/foo/events", "/items/foo/versions/1/diff?from=1"]
)
async def test_what_has_no_view_of_its_own_is_as_it_was(
    client: httpx.AsyncClient, path: str
) -> None:
    """JSON, or what else it comes in."""
    await client.put("/items/foo", json={})

    assert (await client.get(path, headers=BROWSER)).status_code == 200


@pytest.mark.parametrize("path", ["%FF", "%00", "%2e%2e", "foo/versions/0"])
async def test_what_can_t_be_there_is_refused_as_to_everybody(
    client: httpx.AsyncClient, path: str
) -> None:
    """There is nothing to look at."""
    refused = await client.get(f"/items/{path}", headers=BROWSER)

    assert refused.status_code == (await client.get(f"/items/{path}")).status_code
    assert 400 <= refused.status_code < 500


async def test_a_date_leads_to_a_version_first(client: httpx.AsyncClient) -> None:
    """As RFC 7089 has it for whoever asks; from there a browser is led on."""
    await client.put("/items/foo", json={})
    then = BROWSER | {"accept-datetime": "Mon, 23 Nov 2026 08:09:06 GMT"}

    version = await client.get("/items/foo", headers=then)
    assert (version.status_code, version.headers["location"]) == (302, "/items/foo/versions/1")
    assert led_to(await client.get(version.headers["location"], headers=then))["version"] == "1"


@pytest.mark.parametrize("path", ["/items", "/items/foo", "/items/foo/versions/1"])
async def test_it_says_nothing_to_a_stranger(
    client: httpx.AsyncClient, redis: FakeAsyncRedis, engine: FakeServer, path: str
) -> None:
    """The same without a token, with one, and while the engine is away: nothing is looked at."""
    before = led_to(await client.get(path, headers=BROWSER))
    token = await bearer(redis, "writer", WHOLE)
    await client.put("/items/foo", json={}, headers=token)
    for headers in ({}, token, {"authorization": "Bearer writer.wrong"}):
        assert led_to(await client.get(path, headers=BROWSER | headers)) == before
    problem(await client.get(path), 401, "unauthorized")
    engine.connected = False
    assert led_to(await client.get(path, headers=BROWSER)) == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_a_write_is_never_led_away(client: httpx.AsyncClient, method: str) -> None:
    """Whatever it accepts."""
    await client.put("/items/foo", json={})
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    content = None if method == "DELETE" else b"{}"

    answer = await client.request(
        method, "/items/foo", headers=BROWSER | {"content-type": kind}, content=content
    )

    assert answer.status_code in {200, 204}


async def test_a_method_that_there_is_not_stays_refused(
    client: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """405 and 204 come as ever."""
    async with unchanged():
        problem(await client.post("/items/foo", headers=BROWSER), 405, "method-not-allowed")
        assert (await client.options("/items/foo", headers=BROWSER)).status_code == 204


async def test_it_leads_to_where_the_store_is_mounted(app: ItemStore) -> None:
    """The explorer stands beside the items, also where a proxy takes the prefix off the path."""
    mounted = httpx.ASGITransport(app=app, root_path="/store")
    async with httpx.AsyncClient(transport=mounted, base_url="http://store") as client:
        answer = await client.get("/store/items/a", headers=BROWSER)
        item = await client.get("/store/items/a%2Fb", headers=BROWSER)
        version = await client.get("/store/items/a/versions/2", headers=BROWSER)
    assert answer.headers["location"] == "../explorer?view=item&collection=items&id=a"
    assert item.headers["location"] == "../explorer?view=item&collection=items&id=a%2Fb"
    there = version.url.join(version.headers["location"])
    assert (there.path, there.params["version"]) == ("/store/explorer", "2")


async def test_without_the_explorer_everyone_gets_json(serve: Serve) -> None:
    """There is no page to be led to."""
    client = serve(explorer=False)
    await client.put("/items/foo", json={})

    for path in ("/items", "/items/foo", "/items/foo/versions/1"):
        answer = await client.get(path, headers=BROWSER)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
