"""A command as the append script takes it, and the event or the refusal that it replies with."""

from __future__ import annotations

from collections.abc import Mapping

from redis.exceptions import ResponseError

from itemstore.domain.commands import CheckItem, Command, DeleteItem
from itemstore.domain.decide import decide
from itemstore.domain.errors import CommandRefused, ItemNotFound, UnexpectedVersion
from itemstore.domain.events import RecordedEvent
from itemstore.domain.expected import ANY, ExpectedVersion
from itemstore.domain.values import value
from itemstore.engine.errors import LogBroken
from itemstore.engine.redis_errors import BROKEN_ITEM, meant
from itemstore.eventlog.codec import encode_meta
from itemstore.eventlog.idempotency import AlreadyDone, IdempotencyKey
from itemstore.eventlog.keys import Keys


@value
class Checked:
    """An item that was as expected, and nothing happened to it.

    `version` is the one that it was at, and `position` that of the event that made it; both None
    where it did not exist, or no longer did.
    """

    item: str
    version: int | None = None
    position: str | None = None

    @classmethod
    def of(cls, item: str, line: str) -> Checked:
        """What a line of the script's reply says about the item."""
        _, version, *position = line.split(" ")
        return cls(item, int(version), *position) if position else cls(item)


@value
class Meta:
    """What is known about a write, and the same as it stands in the log."""

    known: Mapping[str, str]
    encoded: bytes

    @classmethod
    def of(cls, known: Mapping[str, str]) -> Meta:
        """Raises UnicodeEncodeError where it is no text."""
        return cls(known, encode_meta(known)) if known else NOTHING_KNOWN


NOTHING_KNOWN = Meta({}, encode_meta({}))


class Append:
    """One command on its way: what append.lua is told, and what its line of the reply means.

    It is encoded here, so that text that can't be fails its own caller and not the batch.
    """

    __slots__ = ("_command", "_meta", "_types", "arguments", "keys", "size")

    def __init__(
        self, keys: Keys, command: Command, meta: Meta, key: IdempotencyKey | None
    ) -> None:
        self.keys = keys
        self._command = command
        self._meta = meta
        self._types, wish = _KINDS.get(type(command)) or _kind(command)
        if command.expected is not ANY or key is not None:
            wish = _wish(self._types, command.expected, keys, key)
        body = b"" if isinstance(command, DeleteItem) else command.body
        self.size = len(body)
        self.arguments = (command.item.encode(), wish, body, meta.encoded)

    def outcome(self, line: bytes) -> RecordedEvent:
        """The event that the command became.

        Raises ItemNotFound or UnexpectedVersion where it was refused, AlreadyDone and LogBroken.
        """
        words = line.split(b" ")
        if words[0] not in self._types:
            raise _refusal(line, self.keys, self._command, self._types)
        outcome, version, position = words
        event = decide(self._command, exists=outcome == self._types[True])
        keys = self.keys
        return RecordedEvent(
            position.decode(),
            int(version),
            event,
            self._meta.known,
            keys.collection,
            keys.partition,
        )


class Check:
    """The same of a command that only looks."""

    __slots__ = ("_command", "arguments", "keys", "size")

    def __init__(self, keys: Keys, command: CheckItem, key: IdempotencyKey | None) -> None:
        self.keys = keys
        self.size = 0
        self._command = command
        self.arguments = (
            command.item.encode(), _wish(_CHECKED, command.expected, keys, key), b"", b"",
        )  # fmt: skip

    def outcome(self, line: bytes) -> Checked:
        """What was found. Raises UnexpectedVersion, AlreadyDone and LogBroken."""
        if not line.startswith(b"checked "):
            raise _refusal(line, self.keys, self._command, _CHECKED)
        return Checked.of(self._command.item, line.decode())


_CHECKED = (b"checked", b"checked")


def _refusal(
    line: bytes, keys: Keys, command: Command | CheckItem, types: tuple[bytes, bytes]
) -> Exception:
    """What the caller of a command is to be raised that became nothing."""
    outcome, *values = line.split(b" ")
    match outcome:
        case b"refused":
            return _refused(keys, command, types, values[0])
        case b"known":
            return AlreadyDone()
        case b"failed":
            return meant(ResponseError(b" ".join(values).decode(errors="replace")))
    return LogBroken(BROKEN_ITEM.format(command.item))


def _refused(
    keys: Keys, command: Command | CheckItem, types: tuple[bytes, bytes], state: bytes
) -> CommandRefused:
    exists = not state.startswith(b"-")
    version = abs(int(state))
    if not types[exists]:
        return ItemNotFound(command.item, version or None, collection=keys.collection)
    return UnexpectedVersion(command.item, command.expected, version if exists else None)


def _kind(command: Command) -> tuple[tuple[bytes, bytes], bytes]:
    """What is told of every command of this kind, so that it is asked once.

    The type of event that it becomes where its item does not exist, and where it does: empty where
    it becomes none. And what is to happen to an item that may be at any version.
    """
    types = (_type(command, exists=False), _type(command, exists=True))
    kind = _KINDS[type(command)] = types, _WISH % (*types, _ANY)
    return kind


_KINDS: dict[type[Command], tuple[tuple[bytes, bytes], bytes]] = {}


def _type(command: Command, *, exists: bool) -> bytes:
    try:
        return type(decide(command, exists=exists)).__name__.encode()
    except ItemNotFound:
        return b""


def _wish(
    types: tuple[bytes, bytes], expected: ExpectedVersion, keys: Keys, key: IdempotencyKey | None
) -> bytes:
    """What is to happen to the item, in one argument of the script."""
    wish = _WISH % (*types, _ANY if expected is ANY else _encoded(expected))
    if key is None:
        return wish
    return wish + f" {key.fingerprint} {keys.store.idempotency(key.scope)}".encode()


_WISH = b"%b %b %b"

_ANY = b"+!,"


def _encoded(expected: ExpectedVersion) -> bytes:
    versions = "".join(f"{version}," for version in sorted(expected.versions))
    admits = ("+" if expected.absent else "-") + ("!" if expected.others else "=")
    return f"{admits},{versions}".encode()
