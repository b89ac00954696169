"""A Memento client from PyPI, which knows RFC 7089 and nothing of this store."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.server.conftest import COMMAND, Serve
from tests.server.test_git_history import operations
from tests.server.test_time_travel import as_events

memento_client = pytest.importorskip("memento_client")


def found(url: str, date: datetime) -> dict[str, Any]:
    """What the client finds for the URL at a date.

    It takes a URL whose answer varies with Accept-Datetime for one that has no TimeGate of its
    own, and would ask an archive's; so it is told that the TimeGate is the URL itself.
    """
    with memento_client.MementoClient(timegate_uri="", check_native_timegate=False) as client:
        info: dict[str, Any] = client.get_memento_info(url, date.replace(tzinfo=None))
    return info


async def test_it_finds_the_memento_that_accept_datetime_leads_to(
    serve: Serve, tmp_path: Path
) -> None:
    """For items of a real history at random dates; and none where there is none."""
    history = operations("httpx")
    data = tmp_path / "data"
    command = [*COMMAND, "import", "--data-dir", str(data)]
    await asyncio.to_thread(
        subprocess.run, command, input=as_events(history), text=True, check=True
    )
    server = serve(data_dir=data)
    chance = random.Random(7089)
    first, last = (datetime.fromisoformat(history[at]["at"]) for at in (0, -1))
    last_tree = {line["id"] for line in history} - {
        line["id"] for line in history if line["op"] == "D"
    }
    count = 0
    async with httpx.AsyncClient(base_url=server.url) as client:
        for item in chance.sample(sorted(last_tree), 40):
            date = first + timedelta(seconds=chance.randrange(int((last - first).total_seconds())))
            date = date.astimezone(UTC)
            path = f"/items/{quote(item, safe='')}"
            headers = {"accept-datetime": date.strftime("%a, %d %b %Y %H:%M:%S GMT")}
            answer = await client.get(path, headers=headers)
            info = await asyncio.to_thread(found, server.url + path, date)
            assert info["original_uri"] == info["timegate_uri"] == server.url + path
            if answer.status_code == 404:
                assert "mementos" not in info
                continue
            count += 1
            closest = info["mementos"]["closest"]
            assert closest["uri"] == [server.url + answer.headers["location"]]
            assert closest["http_status_code"] == 200
            is_first = answer.headers["location"].endswith("/versions/1")
            assert is_first or closest["datetime"].replace(tzinfo=UTC) <= date
            # A memento leads to the item, and so to all other mementos.
            again = await asyncio.to_thread(found, closest["uri"][0], date)
            assert again["mementos"]["closest"]["uri"] == closest["uri"]
            assert json.loads((await client.get(closest["uri"][0])).text)["size"] >= 0
    assert count > 10
