"""Header fields of answers, in pairs and in lines."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from itemstore.server.answer_head import FieldLines, lines_of
from tests.server.conftest import Serve, Server

VARYING = re.compile(r"[0-9]{13}-[0-9]+|[0-9a-f]{12}-[0-9a-f]+|.{16} [0-9:]{8} GMT|:[0-9]{5}")
"""Positions, ids of requests, dates and ports."""

AT = {"Accept-Datetime": "Mon, 23 Nov 2026 08:09:06 GMT"}
MINIMAL, WHOLE = {"Prefer": "return=minimal"}, {"Prefer": "return=representation"}
ASKED = [
    ("PUT", "a%20b", {}), ("PUT", "a%20b", {}), ("PUT", "a%20b", MINIMAL), ("PUT", "a%20b", WHOLE),
    ("PUT", "a%20b", {"If-Match": '"1"'}), ("PUT", "a", {"Idempotency-Key": "k"}),
    ("PUT", "a", {"Idempotency-Key": "k"}), ("GET", "a%20b", {}), ("HEAD", "a%20b", {}),
    ("GET", "a%20b", {"If-None-Match": '"4"'}), ("GET", "a%20b", AT), ("DELETE", "a%20b", {}),
    ("GET", "a%20b", {}), ("PUT", "a%20b", MINIMAL),
]  # fmt: skip


def answers(server: Server) -> list[object]:
    """What a new store answers: status, header fields but those about origins, and body."""
    said: list[object] = []
    with httpx.Client(base_url=server.url) as client:
        for method, name, fields in ASKED:
            content = "{}" if method == "PUT" else None
            headers = {"Content-Type": "application/json"} | fields
            answer = client.request(method, f"/items/{name}", content=content, headers=headers)
            shown = {
                key: VARYING.sub("…", value)
                for key, value in answer.headers.items()
                if not key.startswith(("access-control-", "vary"))
            }
            said.append((answer.status_code, shown, VARYING.sub("…", answer.text)))
    return said


def test_an_answer_has_the_same_fields_whether_the_server_or_asgi_has_them(
    serve: Serve, tmp_path: Path
) -> None:
    """A server that lets scripts of other origins in asks by ASGI."""
    direct = serve(data_dir=tmp_path / "direct")
    by_asgi = serve("--cors-origins", "*", data_dir=tmp_path / "by_asgi")
    assert answers(direct) == answers(by_asgi)


@pytest.mark.parametrize("value", [b"a\r\nb: c", b"a\r", b"\na", b"a\rb\nc"])
def test_a_field_that_would_be_read_as_several_does_not_go_out(value: bytes) -> None:
    """Neither in a value nor in a name."""
    for field in [(b"name", value), (value, b"value")]:
        with pytest.raises(ValueError, match="line break"):
            lines_of([(b"etag", b'"1"'), field])


def test_lines_are_seen_as_the_pairs_that_they_are_made_of() -> None:
    """A value may have a colon in it, and be empty."""
    pairs = [(b"etag", b'"1"'), (b"link", b"<http://a: b>"), (b"vary", b"")]
    assert [*FieldLines(lines_of(pairs))] == pairs
    assert [*FieldLines(b"")] == []
