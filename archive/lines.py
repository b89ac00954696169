"""An entry of a log as a line of a segment, and back to the byte.

The line is the CloudEvents object that an export has for the event; its last member, `data`, is the
body as it stands. Where the entry's meta has more than an export says, such as the idempotency
key, the extension `itemmeta` has it whole, as text. An entry that is no event of this store, since
somebody wrote it by hand, is a line of the type MalformedEntry, whose `data` has all its fields.

In a store of several partitions the `id` has, as in an export, `@` and the partition's number after
the position, so that ids are unique over all of its segments.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from json import JSONEncoder

from pydantic_core import from_json

from itemstore.archive.giving_way import give_way
from itemstore.domain.rfc3339 import rfc3339
from itemstore.eventlog.cloudevents import EXTENSIONS
from itemstore.eventlog.codec import FIELDS, NO_META, is_meta
from itemstore.eventlog.reader import Entry

Placed = tuple[str, Entry]
"""The name of a collection, and an entry of its log."""

_HAS_BODY = {b"ItemCreated": True, b"ItemUpdated": True, b"ItemDeleted": False}
_MOST_DIGITS = 18
"""Digits of a version that a 64-bit number can surely have."""

_AT_ONCE = 32 * 1024
"""Bytes of lines that are read without letting other threads go on: some hundred events."""

_SHORTEST, _LONGEST = 4, 14
"""Digits of milliseconds that have whole seconds, and are before the year 10000."""

_PLAIN = rb'"[ !#-\[\]-~]*"'
_PLAIN_EXTENSIONS = re.compile(
    b"".join(rb'(?:,"%b":%b)?' % (name.encode(), _PLAIN) for name in EXTENSIONS)
)
"""Extensions whose text is the same in every writer of JSON."""

_PLAIN_ID = re.compile(rb"[a-zA-Z0-9._~-]+").fullmatch
"""Whether a string of JSON has it as it is."""

_TEXT = rb'"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
_BEGINNING = (
    rb'^\{"specversion":"1\.0","id":"([0-9]+-[0-9]+)(?:@[0-9]+)?",'
    rb'"source":"/([^"\\\n]*)","type":'
)
_LINE = re.compile(
    _BEGINNING
    + rb'"(Item[a-zA-Z]+)","subject":(%b),"time":"[^"\n]*","itemversion":([0-9]+)' % _TEXT
    + rb'((?:,"(?:%b)":%b)*)(?:,"itemmeta":(%b))?' % ("|".join(EXTENSIONS).encode(), _TEXT, _TEXT)
    + rb'(?:,"datacontenttype":"application/json","data":(.*))?\}$',
    re.MULTILINE,
)
_MALFORMED = re.compile(
    _BEGINNING + rb'"MalformedEntry","time":"[^"\n]*",'
    rb'"datacontenttype":"application/json","data":(.*)\}$',
    re.MULTILINE,
)

_as_json = JSONEncoder(ensure_ascii=False).encode

_FORM = (
    b'{"specversion":"1.0","id":"%b","source":"/%b","type":"%b","subject":%b,"time":"%b",'
    b'"itemversion":%b%b'
)
_DELETED = _FORM + b"}"
_STORED = _FORM + b',"datacontenttype":"application/json","data":%b}'


class NotALine(ValueError):
    """A text that no entry becomes. The sentence shows its beginning."""


def line_of(
    position: bytes, fields: Sequence[bytes], collection: str, partition: bytes = b""
) -> bytes:
    """The line of an entry, without its end.

    `partition` follows the position: `@` and the number, nothing where the store has one.
    """
    try:
        (one, kind, two, item, three, version, four, data, five, meta) = fields
        if (
            (one, two, three, four, five) != FIELDS
            or _HAS_BODY[kind] is (data == b"")
            or not is_version(version)
            or not (data == b"" or _is_one_line_of_json(data))
        ):
            return _malformed_line(position, fields, collection, partition)
        values = (
            position + partition,
            collection.encode(),
            kind,
            b'"%b"' % item if _PLAIN_ID(item) else _as_json(item.decode()).encode(),
            _time(position.partition(b"-")[0]),
            version,
            b"" if meta == NO_META else _extensions(meta),
        )
    except (KeyError, ValueError):  # another type, not five fields, or not UTF-8
        return _malformed_line(position, fields, collection, partition)
    return _STORED % (*values, data) if data else _DELETED % values


def entry_of(line: bytes) -> Placed:
    """The collection and the entry that a line is of. Raises NotALine."""
    match = _LINE.fullmatch(line)
    try:
        return _malformed_entry(line) if match is None else _placed(match.groups(default=b""))
    except (ValueError, AttributeError) as error:
        raise NotALine(f"a line can't be read, {line[:60]!r}") from error


def entries_in(text: bytes, count: int) -> list[Placed]:
    """The entries of the `count` lines of a text, each with its end. Raises ValueError.

    Lets other threads go on now and then.
    """
    found: list[Placed] = []
    start = 0
    while start < len(text):
        end = text.index(b"\n", min(start + _AT_ONCE, len(text) - 1)) + 1
        found += [_placed(groups) for groups in _LINE.findall(text, start, end)]
        start = end
        give_way()
    if len(found) == count:
        return found
    return [entry_of(line) for line in text.splitlines()]


def is_version(version: bytes) -> bool:
    """Whether a text is a version, as the log has it: a number from 1 on."""
    return version.isdigit() and version[:1] != b"0" and len(version) <= _MOST_DIGITS


def _placed(groups: tuple[bytes, ...]) -> Placed:
    position, collection, kind, subject, version, said, meta, data = groups
    if meta:
        meta = characters(meta)
    elif said:
        meta = b"{%b}" % said[1:]
    else:
        meta = NO_META
    item = characters(subject) if b"\\" in subject else subject[1:-1]
    fields = [b"type", kind, b"item", item, b"version", version, b"data", data, b"meta", meta]
    return collection.decode(), (position, fields)


def _extensions(meta: bytes) -> bytes:
    """What a line says of the meta, so that it comes back as it is. Raises UnicodeDecodeError."""
    said = b",%b" % meta[1:-1]
    if meta[:1] == b"{" and meta[-1:] == b"}" and _PLAIN_EXTENSIONS.fullmatch(said):
        return said
    text = meta.decode()
    said = _known_of(json.loads(text)) if is_meta(meta) else b""
    if b"{%b}" % said[1:] == meta:
        return said
    return b'%b,"itemmeta":%b' % (said, _as_json(text).encode())


def _known_of(meta: dict[str, str]) -> bytes:
    said = "".join(f',"{name}":{_as_json(meta[name])}' for name in EXTENSIONS if name in meta)
    try:
        return said.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return b""


def _is_one_line_of_json(data: bytes) -> bool:
    if b"\n" in data or b"\r" in data:
        return False
    try:
        from_json(data, allow_inf_nan=False)
    except ValueError:
        return False
    return True


def partition_in_id(partition: int | None) -> bytes:
    """What follows the position in an event's id; nothing where the store has one partition."""
    return b"" if partition is None else b"@%d" % partition


def _malformed_line(
    position: bytes, fields: Sequence[bytes], collection: str, partition: bytes
) -> bytes:
    """A line with each byte of the fields as a character."""
    told = json.dumps([field.decode("latin-1") for field in fields], separators=(",", ":"))
    time = _time(position.partition(b"-")[0])
    return (
        b'{"specversion":"1.0","id":"%b%b","source":"/%b","type":"MalformedEntry","time":"%b",'
        b'"datacontenttype":"application/json","data":%b}'
        % (position, partition, collection.encode(), time, told.encode())
    )


def _malformed_entry(line: bytes) -> Placed:
    match = _MALFORMED.fullmatch(line)
    if match is None:
        raise ValueError(line)
    position, collection, told = match.groups()
    return collection.decode(), (position, [each.encode("latin-1") for each in json.loads(told)])


def _time(milliseconds: bytes) -> bytes:
    """A time as JSON has it."""
    if _SHORTEST <= len(milliseconds) <= _LONGEST:
        return b"%b.%bZ" % (_second(milliseconds[:-3]), milliseconds[-3:])
    return rfc3339(f"{milliseconds.decode()}-0").encode()


@lru_cache(maxsize=4096)
def _second(number: bytes) -> bytes:
    """A second since 1970, without its fraction. Many events are of the same one."""
    return rfc3339(f"{number.decode()}000-0").removesuffix(".000Z").encode()


def characters(text: bytes) -> bytes:
    """What a string of JSON has, in UTF-8."""
    return str(json.loads(text)).encode()
