"""What the head of a request says, without a connection."""

from __future__ import annotations

import time

import pytest

from api.problems import Problem
from api.request_head import is_host, is_of_unknown_method, target_of


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
    with pytest.raises(Problem) as refused:
        target_of(b"GET", url.encode(), "https")
    assert refused.value.type.status == status
