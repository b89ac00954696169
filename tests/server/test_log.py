"""The log of a real server: what is said when, by all of its processes, and that nobody waits."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis

from itemstore.engine.server_process import loaded
from tests.conftest import Start, killed_when_silent, wait_until
from tests.logged import having, lines_of
from tests.server.raw import Raw, get

SECRET = "opens-everything"  # noqa: S105 - what must not be seen


class Served:
    """A server whose log goes into a file."""

    def __init__(self, directory: Path, *options: str, **environment: str) -> None:
        self.log = directory / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "itemstore", "serve", "--port", "0"),
                    *("--data-dir", str(directory / "data"), *options),
                ],
                stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ | environment,
            )  # fmt: skip
        self.said = dict[str, str]()
        assert self.process.stdout is not None
        with killed_when_silent(self.process):
            for line in self.process.stdout:
                name, _, value = line.strip().partition(" ")
                self.said[name] = value.strip()
                if name == "Log":
                    break
        self.url = self.said["API"]

    def lines(self, **wanted: Any) -> list[dict[str, Any]]:
        """The lines so far that have these fields; each must be JSON."""
        text = self.log.read_text()
        return having(lines_of(text[: text.rfind("\n") + 1]), **wanted)

    def wait_for(self, **wanted: Any) -> dict[str, Any]:
        """The first line that has these fields, as soon as it is there."""
        wait_until(lambda: self.lines(**wanted))
        return self.lines(**wanted)[0]

    def stop(self) -> None:
        """Ends it, and waits until it has ended."""
        self.process.terminate()
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextlib.contextmanager
def served(directory: Path, *options: str, **environment: str) -> Iterator[Served]:
    """A server for the block."""
    server = Served(directory, *options, **environment)
    try:
        yield server
    finally:
        server.stop()


def test_a_server_says_when_it_starts_with_what_and_why_it_stops(tmp_path: Path) -> None:
    """Every line in the same form; and nothing of requests, unless it is asked for."""
    with served(tmp_path, "--sql-url", "off", "--max-body", "1000") as server:
        assert httpx.put(f"{server.url}/items/a", json={}).status_code == 201
        server.wait_for(event="The store is served")
    lines = server.lines()
    assert [line["event"] for line in lines] == [
        "The server starts",
        "What is acknowledged is on the engine's disk",
        "The store is served",
        "The server stops",
        "The server has stopped",
    ]
    assert lines[0]["settings"]["max_body"] == 1000
    assert f"http://{lines[0]['address']}" == server.url
    assert lines[3]["reason"] == "SIGTERM"
    assert {line["pid"] for line in lines} == {server.process.pid}
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)


def test_a_server_that_was_interrupted_says_so(tmp_path: Path) -> None:
    """As by Ctrl-C: the reason is the signal that came."""
    with served(tmp_path, "--sql-url", "off") as server:
        server.wait_for(event="The store is served")
        server.process.send_signal(signal.SIGINT)
        server.wait_for(event="The server has stopped")
    assert server.wait_for(event="The server stops")["reason"] == "SIGINT"


def test_a_worker_that_was_killed_is_said_to_be_started_again(tmp_path: Path) -> None:
    """Which it was, how it ended, and which one is in its place and serves."""
    with served(tmp_path, "--sql-url", "off", "--workers", "2") as server:
        wait_until(lambda: len(server.lines(event="The store is served")) == 2)
        killed = server.lines(event="The store is served")[0]["pid"]
        time.sleep(1.5)  # until the parent has seen that it serves
        os.kill(killed, signal.SIGKILL)
        line = server.wait_for(event="A worker ended by itself and is started again")
        server.wait_for(event="The store is served", pid=line["new_worker"])
    assert (line["worker"], line["status"], line["level"]) == (killed, -9, "error")
    assert line["pid"] == server.process.pid


def test_passwords_are_in_no_line(tmp_path: Path, start: Start) -> None:
    """Neither that of a URL, nor one in its query."""
    engine = start("valkey")
    with Redis(unix_socket_path=str(engine.socket)) as redis:
        redis.config_set("requirepass", SECRET)
    with served(
        tmp_path, "--sql-url", "off", ITEMSTORE_REDIS_URL=f"{engine.url}?password={SECRET}"
    ) as server:
        server.wait_for(event="The store is served")
    [started] = server.lines(event="The server starts")
    assert started["settings"]["redis_url"].endswith("?***")
    assert SECRET not in server.log.read_text()


def test_requests_are_logged_where_that_is_asked_for(tmp_path: Path) -> None:
    """One line each, with the id of the request; never a query, a header field or a body."""
    with served(tmp_path, "--sql-url", "off", "--access-log") as server:
        with httpx.Client(base_url=server.url, headers={"X-Hidden": SECRET}) as client:
            named = {"X-Request-ID": "of-the-put"}
            written = client.put("/items/l%C3%A4den", json={"name": SECRET}, headers=named)
            client.get("/items", params={"prefix": SECRET})
            client.get("/nowhere", params={"x": SECRET})
            client.get("/events", headers={"Accept": "application/jsonl"})
        with Raw(server.url) as raw:
            raw.send(get("/items/a", "Host: two"))
            assert raw.answer().status == 400
        wait_until(lambda: len(server.lines(event="A request was answered")) == 5)
    put, listed, missing, streamed, refused = server.lines(event="A request was answered")
    assert having([put], request_id="of-the-put", method="PUT", route="/items/{id}", status=201)
    assert (put["item"], put["event_id"]) == ("läden", written.headers["event-id"])
    assert put["bytes"] == len(written.content)
    assert put["ms"] > 0
    assert (listed["route"], listed["status"]) == ("/items", 200)
    assert (missing["route"], missing["status"]) == ("other", 404)
    assert (streamed["route"], streamed["status"]) == ("/events", 200)
    assert streamed["bytes"] > len(written.content)
    assert (refused["route"], refused["status"]) == ("other", 400)
    assert len({line["request_id"] for line in (put, listed, missing, streamed, refused)}) == 5
    assert SECRET not in server.log.read_text()


@pytest.mark.parametrize(
    ("trusted", "is_local", "client"),
    [
        ("127.0.0.1", False, "203.0.113.5"),
        ("10.0.0.1", False, "127.0.0.1"),
        ("10.0.0.1", True, "203.0.113.5"),
    ],
)
def test_the_line_of_a_request_has_the_address_of_its_client_also_behind_a_proxy(
    tmp_path: Path,
    trusted: str,
    is_local: bool,  # noqa: FBT001 - a case of the table
    client: str,
) -> None:
    """One that is trusted is believed; who comes through the unix socket is. Others are not."""
    path = str(tmp_path / "http.sock")
    entrance = ("--uds", path) if is_local else ()
    options = ("--sql-url", "off", "--access-log", "--forwarded-allow-ips", trusted, *entrance)
    with served(tmp_path, *options) as server:
        transport = httpx.HTTPTransport(uds=path if is_local else None)
        url = "http://localhost" if is_local else server.url
        with httpx.Client(base_url=url, transport=transport) as asking:
            fields = {"X-Forwarded-For": "198.51.100.1, 203.0.113.5"}
            asking.get("/items/a", headers=fields)
            asking.get("/nowhere", headers=fields)
            asking.get("/items/b")
        wait_until(lambda: len(server.lines(event="A request was answered")) == 3)
    named = [line.get("client") for line in server.lines(event="A request was answered")]
    assert named == [client, client, None if is_local else "127.0.0.1"]


def test_tokens_are_logged_by_name_when_they_are_made_refused_and_revoked(tmp_path: Path) -> None:
    """What was presented is in no line; who used one is in that of the request."""
    with served(tmp_path, "--sql-url", "off", "--access-log") as server:
        assert httpx.get(f"{server.url}/items").status_code == 200
        made = command("token", "create", "ann", "--role", "admin", "--json", where=tmp_path)
        token = made.partition('"token": "')[2].partition('"')[0]
        ann = {"Authorization": f"Bearer {token}"}
        wait_until(lambda: httpx.get(f"{server.url}/items").status_code == 401)  # it is known
        body = {"name": "bob", "role": "reader"}
        answer = httpx.post(f"{server.url}/admin/tokens", json=body, headers=ann)
        assert answer.status_code == 201
        server.wait_for(event="The tokens of the store have changed", made="ann")
        for _ in range(3):
            wrong = {"Authorization": f"Bearer {SECRET}.{SECRET}"}
            assert httpx.get(f"{server.url}/items", headers=wrong).status_code == 401
        assert httpx.delete(f"{server.url}/admin/tokens/bob", headers=ann).status_code == 204
        server.wait_for(event="A token was revoked", token="bob", by="ann")  # noqa: S106
    [told] = server.lines(event="A token was made")
    assert (told["token"], told["role"], told["by"]) == ("bob", "reader", "ann")
    assert told["request_id"] == answer.headers["x-request-id"]
    assert server.lines(event="A request was answered", actor="ann", route="/admin/tokens")
    assert len(server.lines(event="A token was refused")) == 1
    text = server.log.read_text()
    assert SECRET not in text
    assert token.partition(".")[2] not in text


def command(*words: str, where: Path) -> str:
    """What a command prints, on the store of a server."""
    ran = subprocess.run(
        [sys.executable, "-m", "itemstore", *words, "--data-dir", str(where / "data")],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return ran.stdout


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_engine_that_was_killed_is_said_to_be_lost_restarted_and_back(
    tmp_path: Path, workers: str
) -> None:
    """By whoever starts it again, with when that was; and lost and back by each process."""
    with served(tmp_path, "--sql-url", "off", "--workers", workers) as server:
        wait_until(lambda: len(server.lines(event="The store is served")) == int(workers))
        socket = Path(server.said["Engine"].removeprefix("unix://"))
        pid = loaded(socket)
        assert pid is not None
        with Redis(unix_socket_path=str(socket)) as engine:
            engine.client_pause(20_000)  # so that each process sees that it is away
        wait_until(lambda: len(server.lines(event="The engine is lost")) == int(workers))
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: len(server.lines(event="The engine is back")) == int(workers))
    [restarted] = server.lines(event="The engine ended by itself and is started again")
    assert (restarted["status"], restarted["level"]) == (-9, "warning")
    assert restarted["pid"] == server.process.pid
    for event in ("The engine is lost", "The engine is back"):
        lines = server.lines(event=event)
        assert len({line["pid"] for line in lines}) == int(workers)
        assert all(line["node"] == str(socket) for line in lines)
    assert all(line["seconds"] > 0 for line in server.lines(event="The engine is back"))


def test_the_processes_beside_the_api_log_in_the_same_form(tmp_path: Path) -> None:
    """The one that archives says that it stands still, and that it goes on."""
    place = tmp_path / "archive"
    place.write_text("no directory")
    with served(tmp_path, "--archive", str(place), "--archive-seconds", "0.2") as server:
        assert httpx.put(f"{server.url}/items/a", json={}).status_code == 201
        stands = server.wait_for(event="The archive stands still")
        place.unlink()
        server.wait_for(event="The archive goes on")
    assert stands["level"] == "warning"
    assert stands["reason"]


def test_a_limit_is_said_once_when_it_is_reached(tmp_path: Path) -> None:
    """However many are refused."""
    with served(tmp_path, "--sql-url", "off", "--max-connections", "1") as server:
        with Raw(server.url) as first:
            first.send(get("/livez"))
            assert first.answer().status == 200
            for _ in range(5):
                with Raw(server.url) as other:
                    other.send(get("/items/a"))
                    assert other.answer().status == 503
        line = server.wait_for(event="A limit is reached, and requests are refused")
        assert line["limit"] == "connections"
        assert len(server.lines(event=line["event"])) == 1


def test_a_log_that_nobody_reads_holds_up_no_request(tmp_path: Path) -> None:
    """A pipe is full after 64 KiB; what is left out is counted as soon as somebody reads."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "itemstore", "serve", "--port", "0", "--sql-url", "off"),
            *("--archive", "off", "--access-log", "--data-dir", str(tmp_path / "data")),
        ],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        with killed_when_silent(process):
            url = process.stdout.readline().split()[1]
        slowest = 0.0
        with Raw(url) as client:
            for _ in range(60):
                client.send(get("/livez") * 50)
                for _ in range(50):
                    began = time.monotonic()
                    assert client.answer().status == 200
                    slowest = max(slowest, time.monotonic() - began)
        assert slowest < 5
        process.terminate()
        text = process.stderr.read()
        assert process.wait(20) in (0, -signal.SIGTERM)
        answered = having(lines_of(text[: text.rfind("\n") + 1]), event="A request was answered")
        assert len(answered) > 200  # what the pipe held, and what waited for the end
    finally:
        process.kill()
        process.stdout.close()
        process.stderr.close()
