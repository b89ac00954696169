"""TLS on the server itself, a prefix in front of its paths, and a unix socket: real servers."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from itemstore.server.tls import Certificate
from tests.certificates import write_certificate
from tests.server.conftest import Serve, Server, serving
from tests.server.test_log import served


class Secure:
    """A server with TLS, and the certificate that it has."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.certfile, self.keyfile = directory / "cert.pem", directory / "key.pem"
        write_certificate(self.certfile, self.keyfile)
        self.options = (
            *("--ssl-certfile", str(self.certfile), "--ssl-keyfile", str(self.keyfile)),
            *options,
        )

    def shown_by(self, server: Server) -> str:
        """The certificate that a new connection gets, in PEM."""
        port = httpx.URL(server.url).port
        assert port is not None
        return ssl.get_server_certificate(("127.0.0.1", port), timeout=10)

    @property
    def trusting(self) -> ssl.SSLContext:
        """What trusts its certificate and no other."""
        return ssl.create_default_context(cafile=self.certfile)

    def client(self, server: Server) -> httpx.Client:
        """A client that goes on with the certificate of now."""
        url = server.url.replace("127.0.0.1", "localhost")
        return httpx.Client(base_url=url, verify=self.trusting, timeout=20)

    def until_shown_by(self, server: Server) -> None:
        """Returns once the server shows the certificate that is in the file."""
        until = time.monotonic() + 20
        while self.shown_by(server).split() != self.certfile.read_text().split():
            assert time.monotonic() < until
            time.sleep(0.05)


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Secure, Server]]:
    """A server with TLS, behind the prefix /shop."""
    directory = tmp_path_factory.mktemp("secure")
    secure = Secure(directory, "--root-path", "/shop")
    with serving(directory) as serve:
        yield secure, serve(*secure.options)


@pytest.fixture
def https(secure: tuple[Secure, Server]) -> Iterator[httpx.Client]:
    """A client that trusts its certificate and no other."""
    files, server = secure
    with files.client(server) as client:
        yield client


def test_the_store_is_spoken_to_over_tls(https: httpx.Client) -> None:
    """Writes, conditions, bodies of some size, and links with the right scheme."""
    body = {"name": "x" * 300_000}
    made = https.put("/items/tls%2F1", json=body)
    assert (made.status_code, made.headers["location"]) == (201, "/shop/items/tls%2F1")
    got = https.get("/items/tls%2F1")
    assert got.json() == {**body, "size": None}
    assert f"<{https.base_url}items/tls%2F1>" in got.headers["link"]
    refused = https.put("/items/tls%2F1", json={}, headers={"If-Match": '"7"'})
    assert refused.status_code == 412


def test_a_refusal_reaches_its_client_over_tls(https: httpx.Client) -> None:
    """TLS has no half that could be closed, so the connection ends as a whole."""
    answer = https.get(f"/items/{'x' * 9_000}")
    assert answer.status_code == 414
    assert answer.json()["type"] == "/shop/problems/uri-too-long"
    assert https.get("/livez").status_code == 200


def test_every_path_that_is_told_begins_with_the_prefix(https: httpx.Client) -> None:
    """Links, problems, the description's servers and what pages load."""
    links = https.get("/").json()["links"]
    assert all(link.startswith("/shop/") for link in links.values())
    problem = https.get("/items/none").json()
    assert problem["type"] == "/shop/problems/item-not-found"
    assert problem["instance"] == "/shop/items/none"
    assert https.get("/openapi.json").json()["servers"] == [{"url": "/shop"}]
    page = https.get("/", headers={"Accept": "text/html"})
    assert 'href="/shop/docs"' in page.text
    for path in ("/docs", "/explorer", "/docs/docs.js", "/problems/not-found"):
        assert https.get(path).status_code == 200


def test_a_batch_names_its_paths_with_the_prefix_or_without(https: httpx.Client) -> None:
    """As requests of their own would."""
    requests = [
        {"method": "PUT", "path": f"{root}/items/batch-{number}", "body": {}}
        for number, root in enumerate(("", "/shop"))
    ]
    answer = https.post("/batch", json={"requests": requests})
    told = [each["headers"]["Location"] for each in answer.json()["responses"]]
    assert told == ["/shop/items/batch-0", "/shop/items/batch-1"]


def test_the_same_is_there_where_a_proxy_takes_the_prefix_off(
    secure: tuple[Secure, Server], https: httpx.Client
) -> None:
    """Paths that are told have it all the same."""
    bare = str(https.base_url).removesuffix("/shop/")
    made = https.put(f"{bare}/items/bare", json={})
    assert made.headers["location"] == "/shop/items/bare"
    assert https.get(f"{bare}/shop").json()["links"]["items"] == "/shop/items"
    assert https.get(f"{bare}/shopping").status_code == 404


def test_a_new_certificate_is_read_on_sighup_and_a_wrong_one_is_not(
    secure: tuple[Secure, Server], https: httpx.Client
) -> None:
    """Connections that are open stay open."""
    files, server = secure
    assert https.get("/livez").status_code == 200
    before = files.shown_by(server)
    kept = files.certfile.read_bytes()
    files.certfile.write_text("nothing")
    server.process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert files.shown_by(server) == before
    files.certfile.write_bytes(kept)
    write_certificate(files.certfile, files.keyfile)
    server.process.send_signal(signal.SIGHUP)
    files.until_shown_by(server)
    assert files.shown_by(server) != before
    assert https.get("/livez").status_code == 200  # the connection of before


def test_each_of_several_workers_reads_a_new_certificate(tmp_path: Path, serve: Serve) -> None:
    """None of them is started again for that."""
    files = Secure(tmp_path, "--workers", "2")
    server = serve(*files.options)
    with files.client(server) as client:
        pids = process_ids(client)
        write_certificate(files.certfile, files.keyfile)
        server.process.send_signal(signal.SIGHUP)
        for _ in range(8):  # any of them may answer
            files.until_shown_by(server)
    with files.client(server) as client:
        assert process_ids(client) == pids


def process_ids(client: httpx.Client) -> list[str]:
    """Those of the workers, once both are there."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        lines = client.get("/metrics").text.splitlines()
        pids = sorted(line for line in lines if line.startswith("process_start_time_seconds{"))
        if len(pids) == 2:
            return pids
        time.sleep(0.1)
    raise AssertionError(lines)


def through(path: str) -> httpx.Client:
    """A client that comes through a unix socket."""
    transport = httpx.HTTPTransport(uds=path)
    return httpx.Client(transport=transport, base_url="http://localhost", timeout=20)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_store_is_served_through_a_unix_socket(
    tmp_path: Path, serve: Serve, workers: str
) -> None:
    """To whom its mode lets in, without a token, and by no port; its file is gone at the end."""
    path = str(tmp_path / "http.sock")
    server = serve("--uds", path, "--workers", workers, "--host", "0.0.0.0")
    assert server.url == f"unix:{path}"
    assert server.said["Curl"] == f"curl --unix-socket {path} http://localhost/"
    with through(path) as client:
        assert client.put("/items/a", json={}).status_code == 201
        forwarded = {"X-Forwarded-Proto": "https", "Host": "127.0.0.1:8443"}
        link = client.get("/items/a", headers=forwarded).headers["link"]
        assert "<https://127.0.0.1:8443/items/a>" in link
        rebound = client.get("/items/a", headers={"Host": "page.example"})
        assert rebound.status_code == 421
    server.stop()
    assert not os.path.lexists(path)


def test_a_name_that_a_page_made_up_is_refused_whatever_it_says_of_itself(serve: Serve) -> None:
    """A page that has its name pointed at this machine can set any field but Host."""
    server = serve()
    fields = {"Host": "page.example", "X-Forwarded-Host": "localhost", "X-Forwarded-For": "::1"}
    answer = httpx.get(f"{server.url}/items", headers=fields)
    assert answer.status_code == 421


def test_a_client_that_takes_nothing_over_tls_is_cut_off(tmp_path: Path, serve: Serve) -> None:
    """As without: what is kept for it is freed."""
    files = Secure(tmp_path, "--client-seconds", "1")
    server = serve(*files.options)
    url = httpx.URL(server.url)
    with files.client(server) as client:
        client.put("/items/large", json={"name": "x" * 900_000})
        with (
            socket.create_connection((url.host, url.port or 0)) as plain,
            files.trusting.wrap_socket(plain, server_hostname="localhost") as lazy,
        ):
            request = b"GET /items/large HTTP/1.1\r\nHost: localhost\r\n\r\n"
            lazy.sendall(request * 8)
            until = time.monotonic() + 20
            while "\nitemstore_connections 1.0\n" not in client.get("/metrics").text:
                assert time.monotonic() < until
                time.sleep(0.2)


def test_a_handshake_that_is_never_finished_is_ended(secure: tuple[Secure, Server]) -> None:
    """In ten seconds; meanwhile others get in, also past a thousand that say nothing."""
    files, server = secure
    url = httpx.URL(server.url)
    began = time.monotonic()
    with contextlib.ExitStack() as idle:
        silent = [
            idle.enter_context(socket.create_connection((url.host, url.port or 0), timeout=20))
            for _ in range(1_000)
        ]
        with files.client(server) as client:
            assert client.get("/readyz").status_code == 200
        assert silent[0].recv(1) == b""
        assert 9 < time.monotonic() - began < 20
        assert silent[-1].recv(1) == b""


def test_a_certificate_that_has_expired_is_used_and_logged(tmp_path: Path) -> None:
    """At the start; once there is a new one, after SIGHUP, nothing more is said."""
    certfile, keyfile = tmp_path / "cert.pem", tmp_path / "key.pem"
    write_certificate(certfile, keyfile, valid=(timedelta(days=-9), timedelta(days=-2)))
    certificate = Certificate(certfile, keyfile)
    assert certificate.out_of_date() == "certificate has expired"
    options = ("--ssl-certfile", str(certfile), "--ssl-keyfile", str(keyfile))
    with served(tmp_path, "--sql-url", "off", *options) as server:
        said = "Clients don't take the certificate at this time"
        assert server.wait_for(event=said)["reason"] == "certificate has expired"
        assert httpx.get(f"{server.url}/livez", verify=False).status_code == 200  # noqa: S501
        write_certificate(certfile, keyfile)
        server.process.send_signal(signal.SIGHUP)
        server.wait_for(event="The certificate was read again")
        assert len(server.lines(event=said)) == 1
    write_certificate(certfile, keyfile, valid=(timedelta(days=1), timedelta(days=2)))
    assert certificate.out_of_date() == "certificate is not yet valid"
