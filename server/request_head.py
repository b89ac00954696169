"""What the head of a request says, before there is a request (RFC 9112 §2 to §6).

Pure functions, which the protocol asks. Where they raise Refused, the connection ends with the
answer to that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv6Address

from itemstore.server.proxies import FOR, PROTO
from itemstore.server.refusals import Refusal, Refused
from itemstore.server.request_id import NAME as REQUEST_ID
from itemstore.server.request_id import chosen

MOST_URL = 8_000
"""Bytes of a path with its query: what RFC 9110 §4.1 wants to be possible."""

MOST_HEAD = 32_768
"""Bytes of a request line and its header fields, or of what is between the pieces of a body."""

METHODS = frozenset(
    b"ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR"
    b" MKCOL MOVE NOTIFY OPTIONS PATCH POST PRI PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT"
    b" SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE".split()
)
"""Those of HTTP that the parser knows. A resource that has not one of them answers 405."""

_FORWARDED = frozenset({FOR, PROTO})
"""Header fields in which a proxy says who sent the request."""

_HEEDED = frozenset({b"host", b"expect", b"transfer-encoding", REQUEST_ID, *_FORWARDED})
"""Those, and the ones that say how the request is to be read, or what it is called."""

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


Head = tuple[str, bytes, bytes, list[tuple[bytes, bytes]], bool, bytes, bool]
"""The version to answer in, the target's path and query, the header fields, whether the client
waits for 100 Continue, the id of the request, and whether a proxy says who sent it. A plain tuple:
one is made for each request."""


def read_head(  # noqa: PLR0913, PLR0917 - positional, as one is read for each request
    method: bytes,
    url: bytes,
    version: str,
    fields: list[tuple[bytes, bytes]],
    scheme: str,
    root: bytes = b"",
) -> Head:
    """What the parser found, if it can be a request. Names are in lower case. Raises Refused.

    The path is without the root, where that is in front of it.
    """
    hosts, host, codings, ids, is_expectant, is_forwarded = 0, b"", [], [], False, False
    for name, value in fields:
        if name in _HEEDED:
            if name == b"host":
                hosts += 1
                host = value
            elif name == b"transfer-encoding":
                codings.append(value)
            elif name == REQUEST_ID:
                ids.append(value)
            elif name in _FORWARDED:
                is_forwarded = True
            else:
                is_expectant = value.lower() == b"100-continue" or is_expectant
    version = version if version == "1.1" else spoken_version(version)
    if codings:
        check_codings(codings)
    if hosts != 1 or not is_host(host):
        check_host(hosts, host, version)
    path, query, named = target_of(method, url, scheme)
    if named is not None:
        fields = _naming(named, fields)
    path = without_root(path, root) if root else path
    is_expectant = is_expectant and version != "1.0"
    return version, path, query, fields, is_expectant, chosen(ids), is_forwarded


def _naming(host: bytes, fields: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The fields with the host of the target: Host does not count then (RFC 9112 §3.2.2)."""
    return [*(field for field in fields if field[0] != b"host"), (b"host", host)]


def check_size(url: bytes, fields: Sequence[tuple[bytes, bytes]]) -> None:
    """Refuses a URL or a head that is too large. Raises Refused (414, 431)."""
    if len(url) > MOST_URL:
        sentence = f"The URL has {len(url)} bytes; {MOST_URL} are allowed."
        raise Refused(Refusal.URL_TOO_LONG, sentence)
    if len(url) + sum(len(name) + len(value) + 4 for name, value in fields) > MOST_HEAD:
        raise too_large()


def too_large() -> Refused:
    """How a head of more than MOST_HEAD bytes is answered (431)."""
    sentence = f"The request line and the header fields have more than {MOST_HEAD} bytes."
    return Refused(Refusal.HEAD_TOO_LARGE, sentence)


def expects_continue(fields: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether the client waits to be told to send the body (RFC 9110 §10.1.1)."""
    return any(name == b"expect" and value.lower() == b"100-continue" for name, value in fields)


def without_upgrade(
    method: bytes, url: bytes, version: str, fields: Sequence[tuple[bytes, bytes]]
) -> bytes:
    """The head again, without the wish for another protocol. Raises Refused for CONNECT (400)."""
    if method == b"CONNECT":
        raise Refused(Refusal.MALFORMED_REQUEST, "CONNECT is for proxies, and this is none.")
    lines = [b"%b %b HTTP/%b\r\n" % (method, url, version.encode())]
    lines += [b"%b: %b\r\n" % field for field in fields if field[0] != b"upgrade"]
    return b"".join((*lines, b"\r\n"))


def is_of_unknown_method(data: bytes) -> bool:
    """Whether what the parser could not read is a request line, with a method that is none.

    The parser does not say where it stopped; what came before is no such line, or was read.
    """
    lines = [match[1] for match in _REQUEST_LINE.finditer(data)]
    if begun := _BEGINNING.search(data[-MOST_LINE:]):
        lines.append(begun[1])
    return any(method not in METHODS for method in lines)


def unknown_method() -> Refused:
    """How a method that HTTP does not have is answered (RFC 9110 §9.1)."""
    sentence = "The method is none of HTTP's. Methods are written in upper case: GET, PUT."
    return Refused(Refusal.NOT_IMPLEMENTED, sentence)


def unreadable(received: bytes, error: Exception, *, may_be_of_method: bool) -> Refused:
    """What the parser could not read. `may_be_of_method` where no header field was read yet."""
    if may_be_of_method and is_of_unknown_method(received):
        return unknown_method()
    sentence = f"This can't be read as a request of HTTP/1.1: {error}."
    return Refused(Refusal.MALFORMED_REQUEST, sentence)


def spoken_version(version: str) -> str:
    """The version to answer in: 1.2 is like 1.1 (RFC 9110 §2.5). Raises Refused (505)."""
    if version in {"1.1", "1.0"}:
        return version
    if version.startswith("1."):
        return "1.1"
    raise Refused(
        Refusal.VERSION_NOT_SUPPORTED, f"This is HTTP/1.1, and the request HTTP/{version}."
    )


def check_codings(values: Sequence[bytes]) -> None:
    """Refuses every transfer coding but `chunked` (RFC 9112 §6.1, §6.3). Raises Refused.

    400 where another one is the last: where the body ends is then anybody's guess.
    """
    codings = [coding.strip(b" \t").lower() for value in values for coding in value.split(b",")]
    if codings == [b"chunked"]:
        return
    if codings[-1] == b"chunked" and all(codings) and codings.count(b"chunked") == 1:
        sentence = "Of the transfer codings only chunked is read here, and it alone."
        raise Refused(Refusal.NOT_IMPLEMENTED, sentence)
    sentence = "Transfer-Encoding takes chunked, once and alone (RFC 9112 §6.3)."
    raise Refused(Refusal.MALFORMED_REQUEST, sentence)


def check_host(hosts: int, host: bytes, version: str) -> None:
    """Refuses what names no host, several, or one that can't be (§3.2). Raises Refused (400).

    HTTP/1.0 need not name one, and a target that has none is told by an empty field.
    """
    if hosts != 1 and (hosts or version != "1.0"):
        sentence = f"A request names one Host (RFC 9112 §3.2), and not {hosts}."
        raise Refused(Refusal.MALFORMED_REQUEST, sentence)
    if host and not is_host(host):
        sentence = "Host takes a name or an address, with a port or without (RFC 9112 §3.2)."
        raise Refused(Refusal.MALFORMED_REQUEST, sentence)


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
    """The path of a target, its query, and the host that it names (§3.2). Raises Refused.

    A host in the target takes the place of the field. The path of `OPTIONS *` is `*`.
    """
    if b"#" in url:
        raise Refused(
            Refusal.MALFORMED_REQUEST, "A fragment (#) is the client's own, and is not sent."
        )
    if url[:1] == b"/":
        path, _, query = url.partition(b"?")
        return path, query, None
    if url == b"*" and method == b"OPTIONS":
        return url, b"", None
    match = _ABSOLUTE.fullmatch(url)
    if match is None:
        raise Refused(Refusal.MALFORMED_REQUEST, "The target of the request is no URL.")
    named, host, path, query = match.groups(b"")
    if named.lower() not in {b"http", b"https"} or named.lower().decode() != scheme:
        sentence = f"This connection is for {scheme}://, and the target is of another scheme."
        raise Refused(Refusal.MISDIRECTED, sentence)
    if host.endswith(b":") or not is_host(host):
        sentence = "The target of the request is no URL: it names no host, or one that can't be."
        raise Refused(Refusal.MALFORMED_REQUEST, sentence)
    return path or (b"*" if method == b"OPTIONS" else b"/"), query, host


def path_of(method: bytes, url: bytes, scheme: str, root: bytes = b"") -> bytes:
    """The path of a target without the root, empty where the target is none."""
    if url[:1] == b"/":
        path = url.partition(b"?")[0]
    else:
        try:
            path = target_of(method, url, scheme)[0]
        except Refused:
            return b""
    return without_root(path, root) if root else path


def without_root(path: bytes, root: bytes) -> bytes:
    """A path without what proxies have in front of it; as it is where one has taken that off."""
    if not path.startswith(root):
        return path
    own = path[len(root) :]
    return own if own.startswith(b"/") else path if own else b"/"
