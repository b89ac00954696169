"""Items as they were, with the history of a real project and git as the oracle."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import quote

import httpx

from tests.server.conftest import COMMAND, Serve
from tests.server.test_git_history import TYPES, Operation, operations


def as_events(history: list[Operation]) -> str:
    """The history as lines that `itemstore import` takes."""
    lines = []
    for operation in history:
        event = {
            "type": TYPES[operation["op"]],
            "subject": operation["id"],
            "time": operation["at"],
        }
        if operation["op"] != "D":
            event["data"] = {"name": operation["name"], "size": operation["size"]}
        lines.append(json.dumps(event))
    return "\n".join(lines)


def size_then(history: list[Operation], item: str, date: datetime) -> int | None:
    """The item's size at a date, by replaying the history by hand; None where it was deleted.

    Before its first version that one counts (RFC 7089 §4.5.3).
    """
    own = [operation for operation in history if operation["id"] == item]
    size: int | None = own[0]["size"]
    for operation in own:
        # Positions only go up, and git's clocks do not: what came later in the log counts later.
        if datetime.fromisoformat(operation["then"]) <= date:
            size = None if operation["op"] == "D" else operation["size"]
    return size


async def test_200_items_at_200_dates_are_what_git_says(serve: Serve, tmp_path: Path) -> None:
    """Accept-Datetime leads to the version that was current then, or says that it was deleted."""
    history = operations("httpx")
    data = tmp_path / "data"
    command = [*COMMAND, "import", "--data-dir", str(data)]
    lines = as_events(history)
    await asyncio.to_thread(subprocess.run, command, input=lines, text=True, check=True)
    latest = ""
    for operation in history:
        latest = max(latest, operation["at"])
        operation["then"] = latest
    first, last = (datetime.fromisoformat(history[at]["then"]) for at in (0, -1))
    chance = random.Random(2026)
    names = sorted({operation["id"] for operation in history})
    found = 0
    server = serve(data_dir=data)
    async with httpx.AsyncClient(base_url=server.url, follow_redirects=True) as client:
        for _ in range(200):
            item = chance.choice(names)
            seconds = chance.randrange(int((last - first).total_seconds()))
            date = (first + timedelta(seconds=seconds)).astimezone(UTC)
            headers = {"accept-datetime": format_datetime(date, usegmt=True)}
            answer = await client.get(f"/items/{quote(item, safe='')}", headers=headers)
            size = size_then(history, item, date)
            assert answer.status_code == (404 if size is None else 200), (item, date)
            if size is not None:
                found += 1
                assert answer.json()["size"] == size
                assert answer.history[0].status_code == 302
                assert "memento-datetime" in answer.headers
    assert found > 50
