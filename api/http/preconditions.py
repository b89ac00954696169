"""Conditional requests (RFC 9110 §13): the headers are expected versions."""

from __future__ import annotations

import re

from itemstore.api.http.dates import event_date, parse_http_date, seconds_of
from itemstore.api.http.problems import Problem
from itemstore.api.http.request import Request
from itemstore.domain.errors import UnexpectedVersion
from itemstore.domain.evolve import Item
from itemstore.domain.expected import ABSENT, ANY, PRESENT, ExpectedVersion, none_of, one_of
from itemstore.server.http_date import http_date
from itemstore.store.quoting import quoted

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_VERSION = re.compile(r"[1-9][0-9]{0,17}")


def etag(version: int) -> bytes:
    """The strong entity tag of a version (§8.8.3)."""
    return b'"%d"' % version


def expected_version(request: Request) -> ExpectedVersion:
    """What If-Match and If-None-Match ask for together; ANY without them.

    A weak tag matches no If-Match (strong comparison), but any If-None-Match (weak comparison,
    §8.8.3.2). A tag that is not a version of ours matches nothing. Raises Problem for a list
    that can't be read.
    """
    expected = ANY
    match = request.field(b"if-match")
    if match is not None:
        expected = PRESENT if match == "*" else one_of(*_versions("If-Match", match, weak=False))
    none_match = request.field(b"if-none-match")
    if none_match is not None:
        versions = ABSENT if none_match == "*" else none_of(*_versions("If-None-Match", none_match))
        expected = expected & versions
    return expected


def unmodified_since(request: Request) -> int | None:
    """If-Unmodified-Since in seconds since 1970; None where it does not count (§13.1.4)."""
    text = request.field(b"if-unmodified-since")
    if text is None or request.field(b"if-match") is not None:
        return None
    return parse_http_date(text)


def is_conditional(request: Request) -> bool:
    """Whether the request carries a condition that this store evaluates."""
    return (
        request.field(b"if-match") is not None
        or request.field(b"if-none-match") is not None
        or unmodified_since(request) is not None
    )


def check_unmodified(item: Item, since: int) -> None:
    """Raises Problem (412) when the item changed after `since`, in seconds since 1970."""
    if seconds_of(item.position) > since:
        changed, date = event_date(item.position).decode(), http_date(since).decode()
        raise Problem(
            "unexpected-version",
            f"The item changed on {changed}, after {date}.",
            members={"version": item.version, "expected": f"unmodified since {date}"},
            headers={"ETag": etag(item.version).decode()},
        )


def not_modified(request: Request, item: Item) -> bool:
    """Whether a GET of the item is answered 304.

    Raises UnexpectedVersion or Problem where If-Match or If-Unmodified-Since does not hold
    (412), in the order of §13.2.2.
    """
    match = request.field(b"if-match")
    if match is not None:
        wanted = PRESENT if match == "*" else one_of(*_versions("If-Match", match, weak=False))
        if not wanted.admits(item.version):
            raise UnexpectedVersion(item.id, wanted, item.version)
    elif (since := unmodified_since(request)) is not None:
        check_unmodified(item, since)
    none_match = request.field(b"if-none-match")
    if none_match is not None:
        return none_match == "*" or item.version in _versions("If-None-Match", none_match)
    modified_since = request.field(b"if-modified-since")
    if modified_since is None:
        return False
    seconds = parse_http_date(modified_since)
    return seconds is not None and seconds_of(item.position) <= seconds


def has_tag(request: Request, tag: bytes) -> bool:
    """Whether the client has what has this entity tag, so that a GET is answered 304.

    Raises Problem: 400 for a list that can't be read, 412 where If-Match names another tag, which
    it always does where this one is weak (§13.1.1).
    """
    text = tag.decode()
    opaque = text.removeprefix("W/")[1:-1]
    match = request.field(b"if-match")
    if match not in (None, "*") and (
        (False, opaque) not in _tags("If-Match", match or "") or text.startswith("W/")
    ):
        sentence = "What is here has another entity tag than If-Match names."
        raise Problem("unexpected-version", sentence, headers={"ETag": text})
    none_match = request.field(b"if-none-match")
    if none_match is None:
        return False
    return none_match == "*" or any(
        each == opaque for _, each in _tags("If-None-Match", none_match)
    )


def _versions(header: str, text: str, *, weak: bool = True) -> list[int]:
    """The versions in a list of entity tags; those that are no version of ours are left out."""
    return [
        int(opaque)
        for is_weak, opaque in _tags(header, text)
        if (weak or not is_weak) and _VERSION.fullmatch(opaque)
    ]


def _tags(header: str, text: str) -> list[tuple[bool, str]]:
    """The entity tags of a list: whether each is weak, and what stands in its quotes."""
    tags: list[tuple[bool, str]] = []
    for element in _elements(text):
        tag = _TAG.fullmatch(element)
        if tag is None:
            raise Problem(
                "malformed-header",
                f'{header} takes * or entity tags in quotes, such as "3", '
                f"and not {quoted(element)}.",
            )
        is_weak, opaque = tag.groups()
        tags.append((bool(is_weak), opaque))
    return tags


def _elements(text: str) -> list[str]:
    """The elements of a list (§5.6.1); empty ones don't count. A tag may hold a comma."""
    elements = re.findall(r'(?:[^,"]|"[^"]*"?)+', text)
    elements = [stripped for element in elements if (stripped := element.strip(" \t"))]
    return elements or [""]
