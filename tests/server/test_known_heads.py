"""Header fields that came before are not read again, and mean what the parser says all the same."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import httptools
import pytest

from itemstore.server.known_heads import MOST_BYTES, MOST_KNOWN, KnownHeads
from tests.server.bare_app import running_with, undated

Fields = list[tuple[bytes, bytes]]

FIELDS = b"Host: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n"

REQUEST = b"PUT /items/a?b=1 HTTP/1.1\r\n" + FIELDS + b"{}"


@dataclass
class Parsed:
    """What httptools finds in some bytes: the requests that have come to their end."""

    url: bytes = b""
    fields: Fields = field(default_factory=list)
    body: bytes = b""
    goes_on: bool = False
    complete: list[tuple[bytes, bytes, bytes, Fields, bytes]] = field(default_factory=list)

    def on_url(self, url: bytes) -> None:  # noqa: D102 - httptools names it
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:  # noqa: D102 - httptools names it
        self.fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:  # noqa: D102 - httptools names it
        self.goes_on = self.parser.should_keep_alive() and not self.parser.should_upgrade()

    def on_body(self, body: bytes) -> None:  # noqa: D102 - httptools names it
        self.body += body

    def on_message_complete(self) -> None:  # noqa: D102 - httptools names it
        path, _, query = self.url.partition(b"?")
        method = self.parser.get_method()
        self.complete.append((method, path, query, self.fields, self.body))
        self.url, self.fields, self.body = b"", [], b""

    @classmethod
    def of(cls, data: bytes) -> Parsed:
        """Raises what httptools raises."""
        parsed = cls()
        parsed.parser = httptools.HttpRequestParser(parsed)
        parsed.parser.set_dangerous_leniencies(lenient_data_after_close=True, lenient_version=True)
        parsed.parser.feed_data(data)
        return parsed

    parser: httptools.HttpRequestParser = field(init=False)


def learned(*requests: bytes) -> KnownHeads:
    """What is known after each of the requests has come twice, as far as a parser took it."""
    known = KnownHeads()
    for each in requests:
        try:
            parsed = Parsed.of(each)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            continue
        if len(parsed.complete) == 1 and parsed.goes_on:
            *_, fields, body = parsed.complete[0]
            known.learn(each, fields, body)
            known.learn(each, fields, body)
    return known


def test_a_request_is_known_once_its_fields_have_come_twice() -> None:
    """In whatever line and with whatever body of that length."""
    known = KnownHeads()
    *_, fields, body = Parsed.of(REQUEST).complete[0]
    known.learn(REQUEST, fields, body)
    assert known.find(REQUEST) is None
    known.learn(REQUEST, fields, body)
    found = known.find(b"PATCH /other HTTP/1.1\r\n" + FIELDS + b"[]")
    assert found is not None
    method, path, query, each, body = found
    assert (method, path, query, body) == (b"PATCH", b"/other", b"", b"[]")
    assert each.fields == fields
    assert each.by_name[b"content-type"] == b"application/json"


@pytest.mark.parametrize(
    "changed",
    [
        REQUEST[:-1],
        REQUEST + b" ",
        REQUEST + REQUEST,
        b"\r\n" + REQUEST,
        REQUEST.replace(b"localhost", b"localhosts"),
        REQUEST.replace(b"1.1", b"1.0"),
        REQUEST.replace(b"PUT", b"OPTIONS"),
        REQUEST.replace(b"/items", b"http://localhost/items"),
        REQUEST.replace(b"/items", b"/#items"),
        REQUEST.replace(b"/items", "/ä".encode()),
        REQUEST.replace(b" HTTP", b"  HTTP"),
        REQUEST.replace(b"\r\nHost", b"\nHost"),
    ],
)
def test_what_is_not_that_request_is_left_to_the_parser(changed: bytes) -> None:
    """Or is more or less than that one."""
    assert learned(REQUEST).find(REQUEST) is not None
    assert learned(REQUEST).find(changed) is None


@pytest.mark.parametrize(
    "more",
    [
        b"Transfer-Encoding: chunked\r\n",
        b"Expect: 100-continue\r\n",
        b"X-Request-ID: a\r\n",
        b"X-Forwarded-For: 192.0.2.1\r\n",
        b"Upgrade: h2c\r\n",
        b"Connection: close\r\n",
        b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n",
    ],
)
def test_fields_that_say_more_are_read_each_time(more: bytes) -> None:
    """How the request is to be read, whose it is, what it is called, that it is the last."""
    request = REQUEST.replace(b"Host", more + b"Host")
    assert learned(request).find(request) is None


def test_what_is_known_is_bounded() -> None:
    """Somebody who sends other fields each time fills no memory, and long ones are not kept."""
    requests = [b"GET / HTTP/1.1\r\nHost: a%d\r\n\r\n" % number for number in range(3 * MOST_KNOWN)]
    known = learned(*requests)
    assert 0 < sum(known.find(each) is not None for each in requests) <= MOST_KNOWN
    long = b"GET / HTTP/1.1\r\nHost: a\r\nx: %b\r\n\r\n" % (b"y" * MOST_BYTES)
    assert learned(long).find(long) is None


_PIECES = (
    *(b"GET ", b"PUT ", b"DELETE ", b"/items/a", b"/", b"?x=%20", b"#", b" HTTP/1.1", b" HTTP/1.0"),
    *(b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"{}", b"0", b"2", b"Host: a", b"Host: b"),
    *(b"Content-Length: 2", b"Content-Length: 0", b"Content-Length: 02", b"Connection: close"),
    *(b"Connection: keep-alive", b"Transfer-Encoding: chunked", b"X: y", b"\r\n\r\n"),
)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_known_is_what_the_parser_finds(seed: int) -> None:
    """Whatever was learned before, and however the bytes are changed."""
    chance = random.Random(seed)
    requests = []
    for _ in range(300):
        lines = [b"Host: a", *chance.sample(_PIECES[-10:], chance.randrange(4))]
        chance.shuffle(lines)
        request = b"PUT /items/a HTTP/1.1\r\n" + b"\r\n".join(lines) + b"\r\n\r\n"
        request += chance.choice((b"", b"{}", b"\r\n", b"0\r\n\r\n"))
        for _ in range(chance.randrange(3)):
            start = chance.randrange(len(request))
            end = start + chance.randrange(4)
            request = request[:start] + chance.choice(_PIECES) + request[end:]
        requests.append(request)
    known, found = learned(*requests), 0
    for each in requests:
        for changed in (each, each.replace(b"/a", b"/b?c", 1), each + b"\r\n", each[:-1]):
            if (one := known.find(changed)) is not None:
                found += 1
                method, path, query, fields, body = one
                parsed = Parsed.of(changed)
                assert parsed.complete == [(method, path, query, fields.fields, body)]
                assert parsed.goes_on
    assert found > 20


async def test_the_answers_to_known_requests_are_those_to_others() -> None:
    """Alone, in one piece with others, in two pieces, and after one that is refused."""
    put = b"PUT /echo HTTP/1.1\r\nHost: known\r\nContent-Length: 5\r\n\r\n"
    echo = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"
    async with running_with() as running, running.connection() as (reader, writer):
        for number in range(8):
            body = b"%05d" % number
            sent = (put + body) * (2 if number == 5 else 1)
            if number == 6:
                writer.write(sent[:30])
                await writer.drain()
                sent = sent[30:]
            writer.write(sent)
            for _ in range(2 if number == 5 else 1):
                head = await reader.readuntil(b"\r\n\r\n")
                assert undated(head + await reader.readexactly(5)) == echo + body
