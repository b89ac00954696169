"""Another setting at the next start: indexes and texts are made and taken back meanwhile."""

from __future__ import annotations

import json
import signal
from typing import Any

import httpx

from tests.conftest import wait_until
from tests.server.conftest import Serve, Server

COUNT = 700

INDEXED = {"ITEMSTORE_INDEXES": "@.by.name,size", "ITEMSTORE_TEXT": "title"}


def fill(server: Server) -> None:
    """Puts items, a hundred at a time."""
    for start in range(0, COUNT, 100):
        requests = [
            {
                "method": "PUT",
                "path": f"/items/{n:04}",
                "body": {"title": f"Title {n}", "size": n, "by": {"name": f"name {n % 7}"}},
            }
            for n in range(start, start + 100)
        ]
        httpx.post(f"{server.url}/batch", json={"requests": requests}).raise_for_status()


def declared(server: Server) -> Any:
    """The indexes and texts that there are, and whether they are complete."""
    found = httpx.get(f"{server.url}/projections").json()["projections"]
    return next((each["indexes"], each["texts"]) for each in found if each["name"] == "sql")


def asked(server: Server, **parameters: str) -> tuple[int, str | None]:
    """How many items are found, and by which index."""
    answers: list[httpx.Response] = []

    def answered() -> bool:
        """Right after the start it is 503 for a moment."""
        explained = {"Prefer": "explain"}
        answer = httpx.get(f"{server.url}/items", params=parameters, headers=explained, timeout=30)
        assert answer.status_code in {200, 503}, answer.text
        answers.append(answer)
        return answer.status_code == 200

    wait_until(answered)
    found = json.loads(answers[-1].content)
    return found["total"], found["plan"]["index"]


def test_another_setting_is_carried_out_beside_traffic_whatever_is_killed(serve: Serve) -> None:
    """And answers are the same before, meanwhile and afterwards."""
    server = serve("--model", "any", queries=True)
    fill(server)
    end = httpx.put(f"{server.url}/items/0000", json={"size": 699}).headers["Event-Id"]
    assert asked(server, where="@.size >= 690", min_position=end) == (11, None)
    server.stop(signal.SIGKILL)

    for _ in range(2):  # killed while it is at work, as far as it has come
        server = serve("--model", "any", queries=True, **INDEXED)
        assert asked(server, where="@.size >= 690")[0] == 11
        assert asked(server, search="title 77")[0] == 1
        server.stop(signal.SIGKILL)
    server = serve("--model", "any", queries=True, **INDEXED)
    httpx.put(f"{server.url}/items/0001", json={"size": 699, "title": "77"}).raise_for_status()
    complete = {"@.by.name": True, "size": True}, {"title": True}
    wait_until(lambda: declared(server) == complete)
    end = httpx.delete(f"{server.url}/items/0699").headers["Event-Id"]
    assert asked(server, where="@.size >= 690", min_position=end) == (11, "size")
    assert asked(server, where="@.by.name == 'name 3'") == (100, "@.by.name")
    assert asked(server, search="77") == (2, "search")
    server.stop(signal.SIGKILL)

    server = serve("--model", "any", queries=True, ITEMSTORE_INDEXES="title")
    wait_until(lambda: declared(server) == ({"title": True}, {}))
    assert asked(server, where="@.size >= 690") == (11, None)
    assert asked(server, where="@.title == 'Title 9'") == (1, "title")
