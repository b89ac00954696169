"""The explorer's files, as they come: compressed, asked for again, and nothing but them."""

from __future__ import annotations

import gzip

import httpx
import pytest
from fakeredis import FakeAsyncRedis

from itemstore.explorer.assets import content_of, names
from itemstore.store.scope import WHOLE
from tests.api.bearers import bearer
from tests.api.conftest import Serve, problem

FILES = ["/explorer", "/explorer/main.js", "/explorer/vendor/preact.js"]
LARGE = ["/explorer/vendor/uplot.js", "/docs/swagger-ui-bundle.js"]


@pytest.mark.parametrize("path", FILES)
async def test_the_page_and_its_files_are_there(client: httpx.AsyncClient, path: str) -> None:
    """With the media type that a browser wants to see before it runs a module."""
    answer = await client.get(path)

    kind = "text/html" if path == "/explorer" else "text/javascript"
    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_every_file_that_the_page_may_load_is_served(client: httpx.AsyncClient) -> None:
    """As it is in the package, in the root and in each folder."""
    assert {"main.js", "views/home.js", "vendor/uplot.css", "icon.svg"} <= names()
    for name in names():
        answer = await client.get(f"/explorer/{name}", headers={"accept-encoding": "identity"})
        assert (answer.status_code, answer.content) == (200, content_of(name)), name


@pytest.mark.parametrize(
    "path",
    [
        *("nothing.js", "views/nothing.js", "nothing/home.js", "assets.py", "__init__.py"),
        *("page.html", "vendor/README.md", "vendor/LICENSE.htm", "vendor/update.py"),
        *("views", "..%2Fassets.py", "%2e%2e/pyproject.toml", ".js", "views/..%2Fmain.js"),
        *("main.js%00", "main%5C.js", "MAIN.JS"),
    ],
)
async def test_nothing_else_is(client: httpx.AsyncClient, path: str) -> None:
    """Not the program beside them, nor what is in other folders."""
    problem(await client.get(f"/explorer/{path}"), 404, "not-found")


async def test_the_page_may_load_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    """No script in the page itself, no evaluation of texts, no frame around it."""
    answer = await client.get("/explorer")

    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    for directive in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"):
        assert directive in policy
    assert "<script>" not in answer.text
    assert "style=" not in answer.text


@pytest.mark.parametrize("path", LARGE)
async def test_a_file_goes_out_compressed_to_who_takes_it_so(
    client: httpx.AsyncClient, path: str
) -> None:
    """Less than half as many bytes, and the same file."""
    plain = await client.get(path, headers={"accept-encoding": "identity"})
    packed = await client.get(path, headers={"accept-encoding": "gzip, deflate, br"})

    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) * 2 < int(plain.headers["content-length"])
    assert packed.content == plain.content
    assert plain.headers["vary"] == packed.headers["vary"] == "accept-encoding"


@pytest.mark.parametrize(
    ("accepted", "is_packed"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("*", True),
        ("br, *;q=0.5", True),
        ("gzip;q=0.5", True),
        ("identity;q=0.5, gzip;q=0.8", True),
        ("gzip;q=0.5, identity", False),
        ("gzip;q=0", False),
        ("*, gzip;q=0", False),
        ("*;q=0", False),
        ("br, deflate", False),
        ("gzip;q=much", False),
        ("", False),
        (", ,", False),
        ("gzipped", False),
    ],
)
async def test_what_is_accepted_is_read_by_its_grammar(
    client: httpx.AsyncClient, accepted: str, *, is_packed: bool
) -> None:
    """Names, weights and the asterisk (RFC 9110 §12.5.3)."""
    answer = await client.get("/explorer/main.js", headers={"accept-encoding": accepted})

    assert (answer.headers.get("content-encoding") == "gzip") is is_packed
    assert b"import" in answer.content


async def test_who_says_nothing_gets_it_as_it_is(client: httpx.AsyncClient) -> None:
    """It may be a program that can't decode anything."""
    del client.headers["accept-encoding"]

    answer = await client.get("/explorer/main.js")

    assert "content-encoding" not in answer.headers


async def test_each_form_has_a_tag_of_its_own(client: httpx.AsyncClient) -> None:
    """Which is the same each time, and 304 only to the form that the client has."""
    path, packed = "/explorer/main.js", {"accept-encoding": "gzip"}
    plain_tag = (await client.get(path, headers={"accept-encoding": ""})).headers["etag"]
    tag = (await client.get(path, headers=packed)).headers["etag"]
    assert tag != plain_tag
    for method in ("GET", "HEAD"):
        known = await client.request(method, path, headers=packed | {"if-none-match": tag})
        assert (known.status_code, known.content) == (304, b"")
        assert known.headers["etag"] == tag
        assert known.headers["vary"] == "accept-encoding"
        other = await client.request(method, path, headers=packed | {"if-none-match": plain_tag})
        assert (other.status_code, other.headers["content-encoding"]) == (200, "gzip")


async def test_head_says_how_long_the_compressed_form_is(client: httpx.AsyncClient) -> None:
    """Content-Length is that of the same GET (RFC 9110 §8.6)."""
    sent = await client.get("/explorer/main.js", headers={"accept-encoding": "gzip"})
    head = await client.head("/explorer/main.js", headers={"accept-encoding": "gzip"})

    assert head.headers["content-length"] == sent.headers["content-length"]
    assert int(sent.headers["content-length"]) == sent.num_bytes_downloaded
    assert len(gzip.compress(sent.content)) < len(sent.content)


@pytest.mark.parametrize("path", [*FILES, "/explorer/nothing.js"])
async def test_it_loads_without_a_token(
    client: httpx.AsyncClient, redis: FakeAsyncRedis, path: str
) -> None:
    """There is no data in it; a token that is not valid does not keep it closed either."""
    await bearer(redis, "writer", WHOLE)
    expected = 404 if "nothing" in path else 200

    assert (await client.get(path)).status_code == expected
    wrong = await client.get(path, headers={"authorization": "Bearer writer.wrong"})
    assert wrong.status_code == expected


async def test_the_operator_turns_it_off(serve: Serve) -> None:
    """Then there is nothing at its paths, and nothing links to it."""
    client = serve(explorer=False)

    for path in FILES:
        problem(await client.get(path), 404, "not-found")
    assert "explorer" not in (await client.get("/")).json()["links"]
