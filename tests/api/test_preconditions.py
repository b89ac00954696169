"""Conditional requests on every method that takes them (RFC 9110 §13)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from email.utils import format_datetime, parsedate_to_datetime

import httpx
import pytest

from tests.api.conftest import Events, problem
from tests.conftest import Unchanged

MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}

Send = Callable[[httpx.AsyncClient, dict[str, str]], Awaitable[httpx.Response]]


async def put(client: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
    """A PUT of the item."""
    return await client.put("/items/foo", json={"size": 2}, headers=headers)


async def patch(client: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
    """A PATCH of the item."""
    return await client.patch("/items/foo", content='{"size":2}', headers=MERGE_PATCH | headers)


async def delete(client: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
    """A DELETE of the item."""
    return await client.delete("/items/foo", headers=headers)


async def get(client: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
    """A GET of the item."""
    return await client.get("/items/foo", headers=headers)


writes = pytest.mark.parametrize("send", [put, patch, delete])
methods = pytest.mark.parametrize("send", [put, patch, delete, get])


@pytest.fixture
async def at_two(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client of a store whose item `foo` is at version 2."""
    await client.put("/items/foo", json={"size": 0})
    await client.put("/items/foo", json={"size": 1})
    return client


@methods
@pytest.mark.parametrize(
    "tags", ['"2"', "*", '"1","2"', '"1" , "2"', '"a,b", "2"', ',"2",,', '"2", W/"1"', ' "2" ']
)
async def test_if_match_that_holds_lets_the_request_through(
    at_two: httpx.AsyncClient, send: Send, tags: str
) -> None:
    """One tag of the list is enough, and empty elements don't count (§5.6.1)."""
    answer = await send(at_two, {"If-Match": tags})

    assert answer.is_success


@methods
@pytest.mark.parametrize(
    "tags",
    ['"1"', '"1", "3"', 'W/"2"', '"02"', '"+2"', '"two"', '""', '"2,"'],
)
async def test_if_match_that_does_not_hold_refuses(
    at_two: httpx.AsyncClient, send: Send, tags: str, unchanged: Unchanged
) -> None:
    """Only the very tag matches, byte for byte; a weak one never does (§8.8.3.2)."""
    async with unchanged():
        answer = await send(at_two, {"If-Match": tags})

    assert problem(answer, 412, "unexpected-version")["version"] == 2
    assert answer.headers["etag"] == '"2"'


@writes
@pytest.mark.parametrize("tags", ['"2"', "*", '"1", "2"', 'W/"2"', '"1", W/"2"'])
async def test_if_none_match_that_does_not_hold_refuses_a_write(
    at_two: httpx.AsyncClient, send: Send, tags: str, unchanged: Unchanged
) -> None:
    """`If-None-Match` compares weakly, so a weak tag of the version refuses as well."""
    async with unchanged():
        answer = await send(at_two, {"If-None-Match": tags})

    assert problem(answer, 412, "unexpected-version")["version"] == 2
    assert answer.headers["etag"] == '"2"'


@writes
@pytest.mark.parametrize("tags", ['"1"', '"3"', 'W/"1"', '"two"', '"1", "3"'])
async def test_if_none_match_that_holds_lets_a_write_through(
    at_two: httpx.AsyncClient, send: Send, tags: str
) -> None:
    """None of the tags is the item's."""
    answer = await send(at_two, {"If-None-Match": tags})

    assert answer.is_success


@pytest.mark.parametrize("value", ['"abc"', 'W/"2"', '"0"', '"1.0"'])
async def test_a_tag_that_no_version_has_is_explained(
    at_two: httpx.AsyncClient, value: str
) -> None:
    """To a client that took a weak tag, or made one up."""
    for send in (put, delete, get):
        answer = await send(at_two, {"If-Match": value})
        detail = problem(answer, 412, "unexpected-version")["detail"]
        assert 'such as "2", and a weak one' in detail


@methods
@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
@pytest.mark.parametrize(
    "tags", ["2", "", '"2', '2"', '*, "2"', '"2", *', "**", "w/'2'", 'w/"2"', '"2" "3"', "'2'"]
)
async def test_a_list_of_tags_that_cannot_be_read_is_refused(
    at_two: httpx.AsyncClient, send: Send, header: str, tags: str, unchanged: Unchanged
) -> None:
    """Without quotes, with `*` in a list, or empty: 400, and the sentence names the header."""
    async with unchanged():
        answer = await send(at_two, {header: tags})

    assert header in problem(answer, 400, "malformed-header")["detail"]


@writes
@pytest.mark.parametrize(
    ("match", "none_match", "holds"),
    [
        ('"2"', '"1"', True),
        ("*", '"1"', True),
        ('"2"', '"2"', False),
        ('"2"', "*", False),
        ('"1"', '"1"', False),
        ('"1"', '"3"', False),
        ("*", "*", False),
    ],
)
async def test_both_headers_must_hold(
    at_two: httpx.AsyncClient,
    send: Send,
    match: str,
    none_match: str,
    events: Events,
    *,
    holds: bool,
) -> None:
    """If-Match is evaluated first, then If-None-Match (§13.2.2)."""
    answer = await send(at_two, {"If-Match": match, "If-None-Match": none_match})

    assert answer.is_success is holds
    assert len(await events()) == 2 + holds
    if not holds:
        problem(answer, 412, "unexpected-version")


@methods
async def test_a_header_sent_in_two_lines_is_one_list(
    at_two: httpx.AsyncClient, send: Send
) -> None:
    """Two lines of If-Match mean the same as one with a comma (§5.3)."""
    at_two.headers = httpx.Headers([("If-Match", '"1"'), ("If-Match", '"2"')])

    answer = await send(at_two, {})

    assert answer.is_success


@pytest.mark.parametrize("send", [patch, delete])
@pytest.mark.parametrize("deleted", [False, True])
@pytest.mark.parametrize(
    "headers",
    [
        {"If-Match": "*"},
        {"If-Match": '"1"'},
        {"If-None-Match": "*"},
        {"If-Unmodified-Since": "Mon, 23 Nov 2015 08:09:06 GMT"},
    ],
)
async def test_what_is_absent_is_404_before_it_is_412(
    client: httpx.AsyncClient,
    send: Send,
    headers: dict[str, str],
    unchanged: Unchanged,
    *,
    deleted: bool,
) -> None:
    """Conditions don't count where the answer without them would be an error (§13.2.1)."""
    if deleted:
        await put(client, {})
        await delete(client, {})

    async with unchanged():
        answer = await send(client, headers)

    problem(answer, 404, "item-deleted" if deleted else "item-not-found")


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
async def test_a_get_of_what_is_absent_is_404_whatever_the_condition(
    client: httpx.AsyncClient, header: str
) -> None:
    """The same for GET."""
    answer = await get(client, {header: "*"})

    problem(answer, 404, "item-not-found")


@methods
async def test_if_unmodified_since_before_the_change_refuses(
    at_two: httpx.AsyncClient, send: Send, unchanged: Unchanged
) -> None:
    """412 with the current version (§13.1.4)."""
    async with unchanged():
        answer = await send(at_two, {"If-Unmodified-Since": "Mon, 23 Nov 2015 08:09:06 GMT"})

    content = problem(answer, 412, "unexpected-version")
    assert content["version"] == 2
    assert content["expected"] == "unmodified since Mon, 23 Nov 2015 08:09:06 GMT"
    assert answer.headers["etag"] == '"2"'


@methods
async def test_if_unmodified_since_the_change_lets_the_request_through(
    at_two: httpx.AsyncClient, send: Send
) -> None:
    """The item's own Last-Modified holds."""
    modified = (await get(at_two, {})).headers["last-modified"]

    answer = await send(at_two, {"If-Unmodified-Since": modified})

    assert answer.is_success


@methods
async def test_if_unmodified_since_does_not_count_beside_if_match(
    at_two: httpx.AsyncClient, send: Send
) -> None:
    """If-Match is the more exact one, so the date is not looked at (§13.1.4)."""
    long_ago = {"If-Unmodified-Since": "Mon, 23 Nov 2015 08:09:06 GMT"}

    answer = await send(at_two, long_ago | {"If-Match": '"2"'})

    assert answer.is_success


@methods
@pytest.mark.parametrize("date", ["yesterday", "", "2015-11-23T08:09:06Z", "Mon, 99 Nov 2015"])
async def test_a_date_that_is_none_does_not_count(
    at_two: httpx.AsyncClient, send: Send, date: str
) -> None:
    """What is not an HTTP date is ignored (§13.1.3, §13.1.4)."""
    answer = await send(at_two, {"If-Unmodified-Since": date, "If-Modified-Since": date})

    assert answer.is_success


@pytest.mark.parametrize(
    "date",
    ["Mon, 23 Nov 2015 08:09:06 GMT", "Monday, 23-Nov-15 08:09:06 GMT", "Mon Nov 23 08:09:06 2015"],
)
async def test_all_three_forms_of_a_date_are_read(
    at_two: httpx.AsyncClient, date: str, unchanged: Unchanged
) -> None:
    """IMF-fixdate, RFC 850 and asctime (§5.6.7)."""
    async with unchanged():
        answer = await put(at_two, {"If-Unmodified-Since": date})

    problem(answer, 412, "unexpected-version")


async def test_if_unmodified_since_and_if_none_match_must_both_hold(
    at_two: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """The date holds, the tag does not: 412."""
    modified = (await get(at_two, {})).headers["last-modified"]

    async with unchanged():
        answer = await put(at_two, {"If-Unmodified-Since": modified, "If-None-Match": '"2"'})

    problem(answer, 412, "unexpected-version")


async def test_if_unmodified_since_does_not_count_for_what_is_absent(
    client: httpx.AsyncClient,
) -> None:
    """What does not exist has no modification date (§13.1.4): PUT creates it."""
    answer = await put(client, {"If-Unmodified-Since": "Mon, 23 Nov 2015 08:09:06 GMT"})

    assert answer.status_code == 201


async def test_if_modified_since_does_not_count_for_a_write(at_two: httpx.AsyncClient) -> None:
    """It is for GET and HEAD only (§13.1.3)."""
    modified = (await get(at_two, {})).headers["last-modified"]

    answer = await put(at_two, {"If-Modified-Since": modified})

    assert answer.status_code == 200


async def test_if_modified_since_the_change_is_304(at_two: httpx.AsyncClient) -> None:
    """Nothing changed since: 304 with the validators, without a body."""
    item = await get(at_two, {})

    answer = await get(at_two, {"If-Modified-Since": item.headers["last-modified"]})

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == item.headers["etag"]


async def test_if_modified_since_before_the_change_is_200(at_two: httpx.AsyncClient) -> None:
    """It changed since: the item."""
    item = await get(at_two, {})
    modified = parsedate_to_datetime(item.headers["last-modified"])
    before = format_datetime(modified.replace(year=modified.year - 1, day=1), usegmt=True)

    answer = await get(at_two, {"If-Modified-Since": before})

    assert answer.status_code == 200


@pytest.mark.parametrize(("tags", "status"), [('"1"', 200), ('"2"', 304)])
async def test_if_modified_since_does_not_count_beside_if_none_match(
    at_two: httpx.AsyncClient, tags: str, status: int
) -> None:
    """If-None-Match is the more exact one (§13.1.3)."""
    item = await get(at_two, {})
    unmodified = {"If-Modified-Since": item.headers["last-modified"]}

    answer = await get(at_two, unmodified | {"If-None-Match": tags})

    assert answer.status_code == status


async def test_a_very_long_list_of_tags_is_read(at_two: httpx.AsyncClient) -> None:
    """A client that remembers ten thousand versions is answered like any other."""
    tags = ", ".join(f'"{version}"' for version in range(10_000, 1, -1))

    answer = await put(at_two, {"If-Match": tags})

    assert answer.status_code == 200


async def test_a_version_too_long_for_any_number_matches_nothing(
    at_two: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """Thousands of digits are a tag like another."""
    async with unchanged():
        answer = await put(at_two, {"If-Match": '"' + "2" * 5000 + '"'})

    problem(answer, 412, "unexpected-version")


async def test_a_tag_in_another_alphabet_matches_nothing(
    at_two: httpx.AsyncClient, unchanged: Unchanged
) -> None:
    """Bytes beyond ASCII may stand in a tag (§8.8.3), though never in one of ours."""
    async with unchanged():
        answer = await at_two.request(
            "PUT", "/items/foo", json={}, headers=[(b"If-Match", '"zwei²"'.encode())]
        )

    problem(answer, 412, "unexpected-version")


async def test_a_condition_that_does_not_hold_is_noticed_before_one_that_can_t_be_read(
    at_two: httpx.AsyncClient,
) -> None:
    """A GET looks at If-None-Match only where If-Match holds (§13.2.2)."""
    unreadable = {"If-None-Match": "2"}

    problem(await get(at_two, unreadable | {"If-Match": '"1"'}), 412, "unexpected-version")
    problem(await get(at_two, unreadable | {"If-Match": '"2"'}), 400, "malformed-header")


@writes
async def test_a_write_reads_all_of_its_conditions(
    at_two: httpx.AsyncClient, unchanged: Unchanged, send: Send
) -> None:
    """They are one expected version."""
    async with unchanged():
        answer = await send(at_two, {"If-Match": '"1"', "If-None-Match": "2"})

    problem(answer, 400, "malformed-header")
