"""What the head of a request says, before there is a request (RFC 9112 §2 to §6).

Pure functions, which the protocol asks. Each refusal is a Problem, and the connection ends with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv6Address

from api.problems import Problem

METHODS = frozenset(
    b"ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR"
    b" MKCOL MOVE NOTIFY OPTIONS PATCH POST PRI PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT"
    b" SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE".split()
)
"""Those of HTTP that the parser knows. A resource that has not one of them answers 405."""

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]"
_REQUEST_LINE = re.compile(rb"(?<!%b)(%b{1,64}) [^ \r\n]+ HTTP/\d\.\d\r?\n" % (_TOKEN, _TOKEN))
_BEGINNING = re.compile(rb"(?:^|\n)(%b{1,64})(?: [^ \r\n]*)?$" % _TOKEN)

_ABSOLUTE = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]*)://([^/?]*)([^?]*)(?:\?(.*))?", re.DOTALL)

_HOST = re.compile(
    rb"(?:\[([0-9A-Fa-f:.]+)\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(?::([0-9]{0,5}))?"
)

MOST_LINE = 8_192
"""Bytes from the end of what was received in which a line without an end is looked for."""

MOST_PORT = 65_535


def is_of_unknown_method(data: bytes) -> bool:
    """Whether what the parser could not read is a request line, with a method that is none.

    The parser does not say where it stopped; what came before is no such line, or was read.
    """
    lines = [match[1] for match in _REQUEST_LINE.finditer(data)]
    if begun := _BEGINNING.search(data[-MOST_LINE:]):
        lines.append(begun[1])
    return any(method not in METHODS for method in lines)


def unknown_method() -> Problem:
    """What a method that HTTP has not is answered (RFC 9110 §9.1)."""
    sentence = "The method is none of HTTP's. Methods are written in upper case: GET, PUT."
    return Problem("not-implemented", sentence)


def spoken_version(version: str) -> str:
    """The version to answer in: 1.2 is like 1.1 (RFC 9110 §2.5). Raises Problem (505)."""
    if version in {"1.1", "1.0"}:
        return version
    if version.startswith("1."):
        return "1.1"
    raise Problem("version-not-supported", f"This is HTTP/1.1, and the request HTTP/{version}.")


def check_codings(values: Sequence[bytes]) -> None:
    """Refuses every transfer coding but `chunked` (RFC 9112 §6.1, §6.3). Raises Problem.

    400 where another one is the last: where the body ends is then anybody's guess.
    """
    codings = [coding.strip(b" \t").lower() for value in values for coding in value.split(b",")]
    if codings == [b"chunked"]:
        return
    if codings[-1] == b"chunked" and all(codings) and codings.count(b"chunked") == 1:
        sentence = "Of the transfer codings only chunked is read here, and it alone."
        raise Problem("not-implemented", sentence)
    sentence = "Transfer-Encoding takes chunked, once and alone (RFC 9112 §6.3)."
    raise Problem("malformed-request", sentence)


def check_host(hosts: int, host: bytes, version: str) -> None:
    """Refuses what names no host, several, or one that can't be (§3.2). Raises Problem (400).

    HTTP/1.0 need not name one, and a target that has none is told by an empty field.
    """
    if hosts != 1 and (hosts or version != "1.0"):
        sentence = f"A request names one Host (RFC 9112 §3.2), and not {hosts}."
        raise Problem("malformed-request", sentence)
    if host and not is_host(host):
        sentence = "Host takes a name or an address, with a port or without (RFC 9112 §3.2)."
        raise Problem("malformed-request", sentence)


@lru_cache(maxsize=256)
def is_host(host: bytes) -> bool:
    """Whether this is `uri-host [ ":" port ]` (RFC 9110 §7.2), and not empty."""
    match = _HOST.fullmatch(host.strip(b" \t"))
    if match is None or int(match[2] or 0) > MOST_PORT:
        return False
    if match[1] is not None:
        try:
            IPv6Address(match[1].decode())
        except ValueError:
            return False
    return True


def target_of(method: bytes, url: bytes, scheme: str) -> tuple[bytes, bytes, bytes | None]:
    """The path of a target, its query, and the host that it names (§3.2). Raises Problem.

    A host in the target takes the place of the field. The path of `OPTIONS *` is `*`.
    """
    if b"#" in url:
        raise Problem("malformed-request", "A fragment (#) is the client's own, and is not sent.")
    if url[:1] == b"/":
        path, _, query = url.partition(b"?")
        return path, query, None
    if url == b"*" and method == b"OPTIONS":
        return url, b"", None
    match = _ABSOLUTE.fullmatch(url)
    if match is None:
        raise Problem("malformed-request", "The target of the request is no URL.")
    named, host, path, query = match.groups(b"")
    if named.lower() not in {b"http", b"https"} or named.lower().decode() != scheme:
        sentence = f"This connection is for {scheme}://, and the target is of another scheme."
        raise Problem("misdirected", sentence)
    if host.endswith(b":") or not is_host(host):
        sentence = "The target of the request is no URL: it names no host, or one that can't be."
        raise Problem("malformed-request", sentence)
    return path or (b"*" if method == b"OPTIONS" else b"/"), query, host
