"""A command as the append script takes it, and the event or the refusal that it replies with."""

from __future__ import annotations

from collections.abc import Mapping

from itemstore.domain.commands import Command, DeleteItem
from itemstore.domain.decide import decide
from itemstore.domain.errors import CommandRefused, ItemNotFound, UnexpectedVersion
from itemstore.domain.events import RecordedEvent
from itemstore.domain.expected import ANY, ExpectedVersion
from itemstore.engine.errors import LogBroken
from itemstore.engine.redis_errors import BROKEN_ITEM
from itemstore.eventlog.codec import encode_meta
from itemstore.eventlog.idempotency import AlreadyDone, IdempotencyKey


class Append:
    """One command on its way: what append.lua is told, and what its line of the reply means."""

    __slots__ = ("_command", "_meta", "_types", "arguments", "size")

    def __init__(
        self, command: Command, meta: Mapping[str, str], key: IdempotencyKey | None
    ) -> None:
        self._command = command
        self._meta = meta
        self._types = _types(command)
        body = b"" if isinstance(command, DeleteItem) else command.body
        self.size = len(body)
        # Encoded here, so that text that can't be fails its own caller and not the batch.
        self.arguments = (
            command.item.encode(),
            _wish(self._types, command.expected, key),
            body,
            encode_meta(meta),
        )

    def outcome(self, line: bytes) -> RecordedEvent | Exception:
        """The event that the command became, or what its caller is to be raised."""
        outcome, *values = line.split(b" ")
        match outcome:
            case b"refused":
                return self._refusal(values[0])
            case b"known":
                return AlreadyDone()
            case b"broken":
                return LogBroken(BROKEN_ITEM.format(self._command.item))
        version, position = values
        event = decide(self._command, exists=outcome == self._types[True])
        return RecordedEvent(position.decode(), int(version), event, self._meta)

    def _refusal(self, state: bytes) -> CommandRefused:
        item = self._command.item
        exists = not state.startswith(b"-")
        version = abs(int(state))
        if not self._types[exists]:
            return ItemNotFound(item, deleted_version=version or None)
        return UnexpectedVersion(item, self._command.expected, version if exists else None)


def _types(command: Command) -> tuple[bytes, bytes]:
    """The type of event that the command becomes where its item does not exist, and where it does.

    Empty where it becomes none. The kind of command decides that, so it is asked once a kind.
    """
    kind = type(command)
    if kind not in _TYPES:
        _TYPES[kind] = (_type(command, exists=False), _type(command, exists=True))
    return _TYPES[kind]


def _type(command: Command, *, exists: bool) -> bytes:
    try:
        return type(decide(command, exists=exists)).__name__.encode()
    except ItemNotFound:
        return b""


_TYPES: dict[type[Command], tuple[bytes, bytes]] = {}


def _wish(
    types: tuple[bytes, bytes], expected: ExpectedVersion, key: IdempotencyKey | None
) -> bytes:
    """What is to happen to the item, in one argument of the script."""
    wish = b"%b %b %b" % (*types, _ANY if expected is ANY else _encoded(expected))
    return wish if key is None else wish + f" {key.fingerprint} {key.name}".encode()


_ANY = b"+!,"


def _encoded(expected: ExpectedVersion) -> bytes:
    versions = "".join(f"{version}," for version in sorted(expected.versions))
    admits = ("+" if expected.absent else "-") + ("!" if expected.others else "=")
    return f"{admits},{versions}".encode()
