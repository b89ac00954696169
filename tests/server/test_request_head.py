"""What the head of a request says, without a connection."""

from __future__ import annotations

import time

import pytest

from itemstore.server.refusals import Refused
from itemstore.server.request_head import (
    MOST_HEAD,
    MOST_URL,
    Head,
    check_size,
    is_host,
    is_of_unknown_method,
    read_head,
    target_of,
    without_upgrade,
)


@pytest.mark.parametrize(
    ("received", "is_unknown"),
    [
        (b"FOO / HTTP/1.1\r\nHost: a\r\n\r\n", True),
        (b"get / HTTP/1.1\r\n", True),
        (b"{}GETX /x HTTP/1.1\r\n", True),
        (b"PUT / HTTP/1.1\r\n\r\nFOO /items", True),
        (b"DESCRIBE / HTTP/1.1\r\n", True),
        (b"G", True),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", False),
        (b"nonsense\r\n\r\n", False),
        (b"GET / ICE/1.0\r\n", False),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", False),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", False),
    ],
)
def test_a_request_line_is_told_from_what_is_none(received: bytes, *, is_unknown: bool) -> None:
    """By its form: only a method is wrong in it."""
    assert is_of_unknown_method(received) is is_unknown


@pytest.mark.parametrize("piece", [b"a", b"a ", b"\n", b"a /", b" b HTTP/1.1", b" x HTTP/"])
def test_no_input_takes_long_to_look_at(piece: bytes) -> None:
    """A megabyte of anything, which is more than comes at once."""
    start = time.monotonic()
    is_of_unknown_method(piece * (2**20 // len(piece)))
    is_host(piece * (2**15 // len(piece)))
    assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    ("method", "url", "found"),
    [
        ("GET", "/a?b?c", ("/a", "b?c", None)),
        ("GET", "//a/b", ("//a/b", "", None)),
        ("GET", "/http://a/", ("/http://a/", "", None)),
        ("GET", "/?", ("/", "", None)),
        ("GET", "https://a:1?b", ("/", "b", "a:1")),
        ("OPTIONS", "https://a", ("*", "", "a")),
        ("OPTIONS", "*", ("*", "", None)),
    ],
)
def test_a_target_has_a_path_a_query_and_maybe_a_host(
    method: str, url: str, found: tuple[str, str, str | None]
) -> None:
    """RFC 9112 §3.2; over TLS the scheme is https."""
    path, query, host = target_of(method.encode(), url.encode(), "https")
    assert (path.decode(), query.decode(), None if host is None else host.decode()) == found


@pytest.mark.parametrize(("url", "status"), [("http://a/", 421), ("*", 400), ("a", 400)])
def test_a_target_may_be_none(url: str, status: int) -> None:
    """A scheme that is not the connection's, or no target of this method."""
    with pytest.raises(Refused) as refused:
        target_of(b"GET", url.encode(), "https")
    assert refused.value.refusal == status


HOST = (b"host", b"a")


def head(*fields: tuple[bytes, bytes], version: str = "1.1", url: bytes = b"/") -> Head:
    """What is read of a GET."""
    return read_head(b"GET", url, version, list(fields), "http")


@pytest.mark.parametrize(
    ("version", "value", "expects"),
    [("1.1", b"100-Continue", True), ("1.1", b"other", False), ("1.0", b"100-continue", False)],
)
def test_a_head_says_whether_its_client_expects_100_continue(
    version: str, value: bytes, *, expects: bool
) -> None:
    """In HTTP/1.1 only (RFC 9110 §10.1.1)."""
    spoken, _, _, _, expects_continue, *_ = head(HOST, (b"expect", value), version=version)
    assert (spoken, expects_continue) == (version, expects)


def test_a_host_in_the_target_takes_the_place_of_the_field() -> None:
    """RFC 9112 §3.2.2; what was received stays as it is."""
    fields = [HOST, (b"accept", b"*/*")]
    _, path, query, read, *_ = read_head(b"GET", b"http://b/c?d", "1.1", fields, "http")
    assert read == [(b"accept", b"*/*"), (b"host", b"b")]
    assert (path, query) == (b"/c", b"d")
    assert fields == [HOST, (b"accept", b"*/*")]


@pytest.mark.parametrize(
    ("fields", "version", "url", "status"),
    [
        ([], "1.1", b"/", 400),
        ([HOST, HOST], "1.1", b"/", 400),
        ([HOST, HOST], "1.0", b"/", 400),
        ([(b"host", b"a b")], "1.1", b"/", 400),
        ([HOST, (b"transfer-encoding", b"gzip"), (b"transfer-encoding", b"chunked")],
         "1.1", b"/", 501),
        ([HOST, (b"transfer-encoding", b"gzip")], "1.1", b"/", 400),
        ([HOST], "2.0", b"/", 505),
        ([HOST], "1.1", b"/#a", 400),
    ],
)  # fmt: skip
def test_what_can_be_no_request_is_a_problem(
    fields: list[tuple[bytes, bytes]], version: str, url: bytes, status: int
) -> None:
    """Whatever the resource."""
    with pytest.raises(Refused) as refused:
        head(*fields, version=version, url=url)
    assert refused.value.refusal == status


@pytest.mark.parametrize(
    ("longest", "size", "status"),
    [(b"/" * MOST_URL, 0, 414), (b"/", MOST_HEAD - 6, 431)],
)
def test_a_head_has_so_many_bytes(longest: bytes, size: int, status: int) -> None:
    """With two for each end of a line, and two between a name and its value."""
    check_size(longest, [(b"a", b"b" * size)])
    with pytest.raises(Refused) as refused:
        check_size(longest + b"/", [(b"a", b"b" * size)])
    assert refused.value.refusal == status


def test_a_head_without_its_wish_for_another_protocol_is_the_same_otherwise() -> None:
    """It is read again; CONNECT is for none at all."""
    fields = [HOST, (b"connection", b"upgrade"), (b"upgrade", b"h2c"), (b"accept", b"")]
    again = without_upgrade(b"PUT", b"/a?b", "1.0", fields)
    assert again == b"PUT /a?b HTTP/1.0\r\nhost: a\r\nconnection: upgrade\r\naccept: \r\n\r\n"
    with pytest.raises(Refused):
        without_upgrade(b"CONNECT", b"a:1", "1.1", fields)
