"""What operators do about projections that handle events: by the command, on a store that runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from tests.conftest import wait_until
from tests.own.receiver import Post, Receiver, receiving, taken
from tests.server.conftest import Serve, serving

SHOP = """
import os
from itemstore import WebhookProjection

HOOK = WebhookProjection("hook", os.environ["HOOK_URL"])
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts servers on free ports, and stops them at the end of the test."""
    with serving(tmp_path) as start:
        yield start


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """One that refuses `bad`, and is gone for `gone`."""

    def choosy(post: Post) -> tuple[int, Mapping[str, str]]:
        return {"bad": 422, "worse": 422, "gone": 410}.get(post.item, 204), {}

    with receiving() as receiver:
        receiver.answer = choosy
        yield receiver


@pytest.fixture
def run(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command, where `shop` is, with the settings of the server."""
    (tmp_path / "shop.py").write_text(SHOP)
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "HOOK_URL": receiver.url,
        "ITEMSTORE_PROJECTIONS": "shop:HOOK",
        "ITEMSTORE_DATA_DIR": str(tmp_path / "data"),
        "PYTHONPATH": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)

    def ran(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "itemstore", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    return ran


def test_what_is_set_aside_is_shown_tried_again_and_dropped(
    serve: Serve, receiver: Receiver, run: Run
) -> None:
    """And a projection that has stopped goes on when somebody says so; a replay has to be asked."""
    server = serve("--model", "any")
    ids = {name: _put(server.url, name) for name in ("bad", "a", "worse", "gone", "b")}
    wait_until(lambda: _hook(server.url)["state"] == "stopped")

    letters = json.loads(run("projection", "dead-letters", "hook", "--json").stdout)
    assert [(each["id"], each["item"]) for each in letters] == [
        (ids["bad"], "bad"),
        (ids["worse"], "worse"),
    ]
    assert "the receiver answers 422" in run("projection", "dead-letters", "hook").stdout
    info = run("info").stdout
    assert (
        f"hook of /items: stopped, 2 events behind, 2 set aside at {ids['gone']}: the receiver "
        "answers 410" in info
    )

    receiver.answer = taken
    assert run("projection", "retry", "hook", ids["bad"]).returncode == 0
    assert run("projection", "resume", "hook").returncode == 0
    wait_until(lambda: {*receiver.items} == {"a", "b", "bad", "gone"})
    wait_until(lambda: _hook(server.url)["dead_letters"] == 1)
    dropped = run("projection", "drop", "hook", "--all")
    assert (dropped.returncode, dropped.stderr) == (0, "1 event is dropped.\n")
    assert _hook(server.url)["dead_letters"] == 0
    assert "worse" not in receiver.items

    refused = run("rebuild", "hook")
    assert refused.returncode == 1
    assert "Say from where with --from: 0-0 for all" in refused.stderr
    assert run("rebuild", "statistics", "--from", "0-0").returncode == 1
    assert run("rebuild", "hook", "--from", "yesterday").returncode == 2
    before = len(receiver.posts)
    assert "hook hands over again" in run("rebuild", "hook", "--from", ids["worse"]).stdout
    wait_until(lambda: receiver.items[-2:] == ["gone", "b"] and len(receiver.posts) == before + 2)
    verified = run("verify")
    assert verified.returncode == 0
    assert "hook was not compared: it hands events over" in verified.stdout


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("retry", "hook"), 2, "Name the events by their ids, or say --all."),
        (("drop", "hook", "1-0", "--all"), 2, "Name the events by their ids, or say --all."),
        (("dead-letters", "other"), 1, "No projection 'other' has handled events"),
    ],
)
def test_what_can_t_be_meant_is_refused(
    serve: Serve, run: Run, words: tuple[str, ...], code: int, reason: str
) -> None:
    """In a line."""
    serve()
    refused = run("projection", *words)
    assert (refused.returncode, reason in refused.stderr) == (code, True)


def _put(url: str, name: str) -> str:
    answer = httpx.put(f"{url}/items/{name}", json={}, timeout=20)
    return str(answer.headers["event-id"])


def _hook(url: str) -> dict[str, object]:
    told = httpx.get(f"{url}/projections", timeout=20).json()["projections"]
    [found] = [each for each in told if each["name"] == "hook"]
    return dict(found)
