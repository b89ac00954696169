"""Answers to what never becomes a request of the application: which problem, and its bytes."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from itemstore.api.gate.cross_origin import CrossOrigin
from itemstore.api.http.problems import Problem
from itemstore.api.http.reply import NOSNIFF, Headers, Reply, problem_reply
from itemstore.server.admission import overloaded
from itemstore.server.exchange import date
from itemstore.server.request_head import is_of_unknown_method, unknown_method

CLOSE = [(b"connection", b"close")]

TOO_MANY_REQUESTS = problem_reply(overloaded("Too many requests are waiting."), None)
"""What is answered most when there is too much to do, so it is made once."""


def head_of(reply: Reply, *more: tuple[bytes, bytes]) -> bytes:
    """The head of an answer as it is sent, with more fields than are its own."""
    lines = [STATUS_LINE[reply.status]]
    for name, value in (date(), *reply.headers, *more):
        lines += [name, b": ", value, b"\r\n"]
    lines.append(b"%b: %b\r\ncontent-length: %d\r\n\r\n" % (*NOSNIFF, len(reply.body)))
    return b"".join(lines)


def for_scripts(cross_origin: CrossOrigin | None, request: Headers | None) -> Headers:
    """What lets a script of an allowed origin read the answer to a request with these fields."""
    if cross_origin is None:
        return []
    origin = next((value for name, value in request or () if name == b"origin"), None)
    return cross_origin.fields(None if origin is None else origin.decode("latin-1"))


def unreadable(received: bytes, error: Exception, *, may_be_of_method: bool) -> Problem:
    """What the parser could not read. `may_be_of_method` where no header field was read yet."""
    if may_be_of_method and is_of_unknown_method(received):
        return unknown_method()
    sentence = f"This can't be read as a request of HTTP/1.1: {error}."
    return Problem("malformed-request", sentence)


def cut_short() -> Problem:
    """The client has ended its half within a request."""
    return Problem("malformed-request", "The connection ended before the request did.")


def too_late(seconds: float) -> Problem:
    """The request was not there in time."""
    return Problem("request-timeout", f"The request did not come within {seconds} seconds.")
