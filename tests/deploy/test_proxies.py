"""The store behind a real nginx and a real Caddy: with TLS, a prefix and a unix socket."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.deploy.proxies import NAME, Proxy, caddy_file, nginx_files, program, running
from tests.server.conftest import serving

MOST_BODY = 1_048_576
"""The store's --max-body, unless it is told otherwise."""


@pytest.fixture(scope="module")
def uds() -> Iterator[str]:
    """The unix socket of a store under /shop, in a directory whose path is short enough."""
    with tempfile.TemporaryDirectory(prefix="proxied-") as directory:
        where = Path(directory)
        with serving(where) as serve:
            path = str(where / "http.sock")
            # No store without tokens answers to a name: who is let in is the proxy's to say here.
            serve("--uds", path, "--root-path", "/shop", "--insecure-no-auth")
            yield path


@pytest.fixture(scope="module", params=["nginx", "caddy"])
def proxy(request: pytest.FixtureRequest, uds: str) -> Iterator[Proxy]:
    """The proxy in front of it."""
    name: str = request.param
    program(name)
    with tempfile.TemporaryDirectory(prefix=f"{name}-") as directory:
        Path(directory).chmod(0o755)
        with running(name, Path(directory), uds) as proxy:
            yield proxy


@pytest.fixture
def client(proxy: Proxy) -> Iterator[httpx.Client]:
    """A client that trusts its certificate."""
    with proxy.client() as client:
        yield client


@pytest.fixture
def items(proxy: Proxy) -> str:
    """What the paths of items begin with that no other proxy's test has: the store is the same."""
    return f"/shop/items/{proxy.port}-"


def test_nginx_finds_nothing_wrong_with_its_configuration(tmp_path: Path) -> None:
    """Nginx -t, which warns of nothing either."""
    main = nginx_files(tmp_path, "/run/none.sock", 443)
    checked = subprocess.run(
        [program("nginx"), "-t", "-q", "-c", str(main), "-p", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def test_caddy_finds_nothing_wrong_with_its_configuration(tmp_path: Path) -> None:
    """Caddy validate; as it stands in the folder, too, but for the certificate."""
    file = caddy_file(tmp_path, "/run/none.sock", 8443)
    command = [program("caddy"), "validate", "--adapter", "caddyfile", "--config", str(file)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    assert checked.returncode == 0, checked.stderr
    assert "Valid configuration" in checked.stdout + checked.stderr


def test_an_id_keeps_its_slash_and_answers_their_links(client: httpx.Client, items: str) -> None:
    """%2F goes through both ways, and links have the name, the scheme and the prefix."""
    path = f"{items}a%2Fb%20c%25%C3%A9"
    made = client.put(path, json={"name": "one"})
    assert (made.status_code, made.headers["location"]) == (201, path)
    assert made.headers["x-request-id"]
    got = client.get(path)
    assert got.json()["name"] == "one"
    assert f'<https://{NAME}{path}>; rel="original' in got.headers["link"]
    assert client.get("/shop/items/a/b").status_code == 404


def test_conditions_reach_the_store_and_its_etags_the_client(
    client: httpx.Client, items: str
) -> None:
    """Strong ones, whatever coding the client would take: 304, 412 and 200."""
    body = {"name": "x" * 5_000}
    etag = client.put(f"{items}tagged", json=body).headers["etag"]
    assert etag == '"1"'
    got = client.get(f"{items}tagged", headers={"Accept-Encoding": "gzip, br"})
    assert got.headers["etag"] == etag
    assert "content-encoding" not in got.headers
    same = client.get(f"{items}tagged", headers={"If-None-Match": etag})
    assert (same.status_code, same.content) == (304, b"")
    stale = client.put(f"{items}tagged", json=body, headers={"If-Match": '"7"'})
    assert stale.status_code == 412
    assert stale.json()["type"] == "/shop/problems/unexpected-version"
    changed = client.put(f"{items}tagged", json=body, headers={"If-Match": etag})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')


def test_a_request_id_goes_through(client: httpx.Client) -> None:
    """The one that the client has is answered, and is in the store's log."""
    answer = client.get("/shop/items", headers={"X-Request-ID": "from-the-client"})
    assert answer.headers["x-request-id"] == "from-the-client"


def test_a_body_that_is_too_large_is_refused_by_the_store(client: httpx.Client, items: str) -> None:
    """With its problem and not with the page of a proxy; one that is just not is taken."""
    body = json.dumps({"name": "x" * (MOST_BODY - len('{"name": ""}'))}).encode()
    fields = {"Content-Type": "application/json"}
    assert client.put(f"{items}large", content=body, headers=fields).status_code == 201
    refused = client.put(f"{items}large", content=body + b" ", headers=fields)
    assert refused.status_code == 413
    assert refused.json()["limit"] == MOST_BODY


def test_a_batch_goes_through(client: httpx.Client, items: str) -> None:
    """With paths as they would be outside, prefix and all."""
    requests = [{"method": "PUT", "path": f"{items}in%2Fbatch", "body": {}}]
    answer = client.post("/shop/batch", json={"requests": requests})
    assert [each["status"] for each in answer.json()["responses"]] == [201]


def test_pages_and_the_description_are_under_the_prefix(client: httpx.Client) -> None:
    """And without the slash at its end one is led there."""
    assert client.get("/shop").headers["location"] == "/shop/"
    for path in ("/shop/", "/shop/explorer", "/shop/docs", "/shop/docs/docs.js", "/shop/readyz"):
        assert client.get(path).status_code == 200
    assert client.get("/shop/openapi.json").json()["servers"] == [{"url": "/shop"}]
    led = client.get("/shop/items/foo", headers={"Accept": "text/html"})
    assert led.headers["location"].startswith("../explorer?")
    assert client.get("/items").status_code == 404


def test_events_come_through_a_stream_as_they_happen(
    client: httpx.Client, proxy: Proxy, items: str
) -> None:
    """Nothing is held back until there is more of it."""
    with proxy.client() as writer:
        last = writer.put(f"{items}streamed", json={}).headers["event-id"]
        url, fields = f"/shop/events?after={last}", {"Accept": "text/event-stream"}
        with client.stream("GET", url, headers=fields) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            made = writer.put(f"{items}streamed", json={}).headers["event-id"]
            assert any(made in line for line in stream.iter_lines())


def test_a_long_poll_is_answered_when_something_happens(
    client: httpx.Client, proxy: Proxy, items: str
) -> None:
    """And not before, nor with an error of the proxy's."""
    last = client.put(f"{items}polled", json={}).headers["event-id"]
    with proxy.client() as other:
        later = threading.Timer(0.5, other.put, (f"{items}polled",), {"json": {}})
        later.start()
        began = time.monotonic()
        page = client.get(f"/shop/events?after={last}&wait=15")
        later.join(10)
    assert page.status_code == 200
    assert len(page.json()) == 1
    assert 0.3 < time.monotonic() - began < 10
