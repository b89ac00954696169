"""The conditions that header fields state (RFC 9110 §13).

For an item, If-Match and If-None-Match are expected versions. For everything else that has an
entity tag, they are tags that the client knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from itemstore.api.http.dates import event_date, parse_http_date, seconds_of
from itemstore.api.http.entity_tags import version_tag
from itemstore.api.http.header_fields import text_of
from itemstore.api.http.problems import Problem
from itemstore.domain.errors import UnexpectedVersion
from itemstore.domain.expected import ABSENT, ANY, PRESENT, ExpectedVersion, none_of, one_of
from itemstore.domain.values import value
from itemstore.eventlog.excerpts import quoted
from itemstore.server.http_date import http_date

_FIELDS = frozenset({b"if-match", b"if-none-match", b"if-unmodified-since", b"if-modified-since"})

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_TAG_IN_A_LIST = re.compile(r'(?:[^,"]|"[^"]*"?)+')  # a tag may hold a comma, and has no escapes
_VERSION = re.compile(r"[1-9][0-9]{0,17}")


@value
class Conditions:
    """The conditions of one request; each is None where it was not sent, or does not count.

    `match` and `none_match` are lists of entity tags, as they were sent. A list is only read, and
    refused where it can't be, when the order of §13.2.2 comes to it. `unmodified` and `modified`
    are dates, as they were sent. `are_missing` says that the operator demands a condition on a
    write, and none was sent.
    """

    match: str | None = None
    none_match: str | None = None
    unmodified: str | None = None
    modified: str | None = None
    are_missing: bool = False

    @property
    def unmodified_since(self) -> int | None:
        """The date of If-Unmodified-Since, in seconds since 1970."""
        return None if self.unmodified is None else parse_http_date(self.unmodified)

    @property
    def modified_since(self) -> int | None:
        """The date of If-Modified-Since, in seconds since 1970."""
        return None if self.modified is None else parse_http_date(self.modified)

    @property
    def expected(self) -> ExpectedVersion:
        """What a write expects; where a condition is missing, that there is no item.

        A weak tag matches no If-Match (strong comparison), but any If-None-Match (weak comparison,
        §8.8.3.2). A tag that is not a version of ours matches nothing. Raises Problem (400) for a
        list that can't be read.
        """
        if self.are_missing:
            return ABSENT
        expected = ANY if self.match is None else _matching(self.match)
        return expected if self.none_match is None else expected & _not_matching(self.none_match)

    @property
    def demanded(self) -> Conditions:
        """The same of a write, for an operator who demands a condition on every one."""
        if self is NONE:
            return MISSING
        are_none = (self.match, self.none_match, self.unmodified) == (None, None, None)
        return replace(self, are_missing=True) if are_none else self

    @property
    def are_of_versions(self) -> bool:
        """Whether a write needs `expected` alone: nothing is looked up, nor refused otherwise."""
        return self.unmodified_since is None and not self.are_missing

    def check_unmodified(self, version: int, position: str) -> None:
        """Raises Problem (412) where the version at the position was made after the time."""
        since = self.unmodified_since
        if since is not None and seconds_of(position) > since:
            changed, date = event_date(position).decode(), http_date(since).decode()
            raise Problem(
                "unexpected-version",
                f"The item changed on {changed}, after {date}.",
                members={"version": version, "expected": f"unmodified since {date}"},
                headers={"ETag": version_tag(version).decode()},
            )

    def refusal(self, refused: UnexpectedVersion) -> Exception:
        """What a write is refused with: 412, or 428 where a condition is missing."""
        if not self.are_missing or refused.version is None:
            return refused
        tag = version_tag(refused.version).decode()
        return Problem(
            "precondition-required",
            "The item exists, and this store wants a condition on every change of it, such as "
            f"If-Match: {tag}.",
            members={"version": refused.version},
            headers={"ETag": tag},
        )

    def has_version(self, item: str, version: int, position: str) -> bool:
        """Whether the client has this version of the item, so that a GET is answered 304.

        Raises UnexpectedVersion or Problem where If-Match or If-Unmodified-Since does not hold
        (412), in the order of §13.2.2.
        """
        if self.match is not None:
            wanted = _matching(self.match)
            if not wanted.admits(version):
                raise UnexpectedVersion(item, wanted, version)
        else:
            self.check_unmodified(version, position)
        if self.none_match is not None:
            return not _not_matching(self.none_match).admits(version)
        since = self.modified_since
        return since is not None and seconds_of(position) <= since

    def has_tag(self, tag: bytes) -> bool:
        """Whether the client has what has this entity tag, so that a GET is answered 304.

        Raises Problem: 400 for a list that can't be read, 412 where If-Match names another tag,
        which it always does where this one is weak (§13.1.1).
        """
        text = tag.decode()
        opaque = text.removeprefix("W/")[1:-1]
        if self.match not in (None, "*") and (
            (False, opaque) not in _tags("If-Match", self.match or "") or text.startswith("W/")
        ):
            sentence = "What is here has another entity tag than If-Match names."
            raise Problem("unexpected-version", sentence, headers={"ETag": text})
        if self.none_match in (None, "*"):
            return self.none_match == "*"
        return any(each == opaque for _, each in _tags("If-None-Match", self.none_match or ""))


NONE = Conditions()

MISSING = Conditions(are_missing=True)


def conditions_in(fields: Mapping[bytes, bytes]) -> Conditions:
    """The conditions in header fields.

    A date does not count beside a list of tags, or where it can't be read (§13.1.3, §13.1.4).
    If-Modified-Since is no condition on a write.
    """
    if _FIELDS.isdisjoint(fields):
        return NONE
    match, none_match = text_of(fields, b"if-match"), text_of(fields, b"if-none-match")
    unmodified = modified = None
    if match is None:
        unmodified = _date_in(fields, b"if-unmodified-since")
    if none_match is None:
        modified = _date_in(fields, b"if-modified-since")
    return Conditions(match, none_match, unmodified, modified)


def _date_in(fields: Mapping[bytes, bytes], name: bytes) -> str | None:
    """A date as it was sent: which one two digits of a year mean depends on when that is asked."""
    text = text_of(fields, name)
    return None if text is None or parse_http_date(text) is None else text


def _matching(text: str) -> ExpectedVersion:
    """What If-Match asks for."""
    return PRESENT if text == "*" else one_of(*_versions("If-Match", text, weak=False))


def _not_matching(text: str) -> ExpectedVersion:
    """What If-None-Match asks for."""
    return ABSENT if text == "*" else none_of(*_versions("If-None-Match", text))


def _versions(header: str, text: str, *, weak: bool = True) -> list[int]:
    """The versions in a list of entity tags; those that are no version of ours are left out."""
    return [
        int(opaque)
        for is_weak, opaque in _tags(header, text)
        if (weak or not is_weak) and _VERSION.fullmatch(opaque)
    ]


def _tags(header: str, text: str) -> list[tuple[bool, str]]:
    """The entity tags of a list: whether each is weak, and what stands in its quotes.

    Empty elements don't count (§5.6.1). Raises Problem (400).
    """
    elements = [each for found in _TAG_IN_A_LIST.findall(text) if (each := found.strip(" \t"))]
    tags: list[tuple[bool, str]] = []
    for element in elements or [""]:
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
