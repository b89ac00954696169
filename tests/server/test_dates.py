"""The Date of an answer, beside the times that the log gives."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import httpx

from tests.server.conftest import Serve


def test_no_item_was_modified_after_its_answer_was_made(serve: Serve) -> None:
    """RFC 9110 §8.8.2.1: also in the first moments of a second."""
    with httpx.Client(base_url=serve().url) as client:
        until = time.monotonic() + 2.2
        while time.monotonic() < until:
            for answer in (client.put("/items/a", json={}), client.get("/items/a")):
                date, modified = (
                    parsedate_to_datetime(answer.headers[name])
                    for name in ("date", "last-modified")
                )
                assert modified <= date
        for path in ("/livez", "/nowhere", "/events", "/docs"):
            assert "date" in client.get(path).headers
        assert "date" in client.delete("/items/a").headers
        assert "date" in client.head("/items/a").headers
