"""The one way into the log: commands in, recorded events out, each appended exactly once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from itemstore.domain.commands import Command, DeleteItem
from itemstore.domain.decide import decide
from itemstore.domain.errors import CommandRefused, ItemNotFound, UnexpectedVersion
from itemstore.domain.events import RecordedEvent
from itemstore.domain.expected import ANY, ExpectedVersion
from itemstore.engine.dedicated_connection import Argument, DedicatedConnection
from itemstore.engine.disk_space import DiskSpace
from itemstore.engine.durability import ENGINE, Acknowledgement
from itemstore.engine.errors import LogBroken, LogOverloaded
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.batching import Batches, TooManyWaiting
from itemstore.eventlog.codec import encode_meta
from itemstore.eventlog.idempotency import REMEMBERED_SECONDS, AlreadyDone, IdempotencyKey
from itemstore.eventlog.partition import Partition
from itemstore.eventlog.writer import EngineClock, Writer, WriterTerms

MOST_COMMANDS = 128
"""How many commands one script call takes: at most some 1.5 ms of the engine's time."""

MOST_BYTES = 4 * 1024 * 1024
"""How many bytes of bodies one script call takes; a single larger body goes alone."""

APPEND = Script(lua(__package__, "apply", "append"))

FLIGHTS = 2
"""Batches under way at once: while the engine has one, this process makes the other."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms commands are taken.

    `waiting` is how many may wait, `remembered_seconds` how long an idempotency key has its
    outcome, `acknowledgement` what is waited for after each batch, and `disk` where there has to
    be some.
    """

    waiting: int = 10_000
    remembered_seconds: int = REMEMBERED_SECONDS
    acknowledgement: Acknowledgement = ENGINE
    disk: DiskSpace = field(default_factory=DiskSpace)


class Appender:
    """Appends the commands of one process to the log, many in one script call (group commit).

    Each flight of batches is a writer.
    """

    def __init__(self, partition: Partition, terms: Terms) -> None:
        writing = WriterTerms(terms.remembered_seconds, terms.acknowledgement)
        clock = EngineClock()
        self._disk = terms.disk
        self._idle_writers = [
            Writer(DedicatedConnection(partition.client), APPEND, clock, partition.keys, writing)
            for _ in range(FLIGHTS)
        ]
        self._batches: Batches[_Append, RecordedEvent] = Batches(
            self._send,
            most=MOST_COMMANDS,
            most_bytes=MOST_BYTES,
            waiting=terms.waiting,
            flights=FLIGHTS,
        )
        self.batch_sizes = self._batches.sizes

    async def append(
        self,
        command: Command,
        meta: Mapping[str, str] | None = None,
        key: IdempotencyKey | None = None,
    ) -> RecordedEvent:
        """The event that the command became, with its position and version.

        With a key, the outcome is remembered under it in the same step; AlreadyDone is raised
        when it has one. Raises ItemNotFound or UnexpectedVersion when the command is refused,
        LogOverloaded when too many wait, LogFull, LogBroken, and LogUnavailable when the outcome
        is unknown or not as durable as wanted: then there is no event or exactly one.
        """
        self._disk.check()
        call = _Append(command, meta or {}, key)
        try:
            return await self._batches.submit(call, call.size)
        except TooManyWaiting:
            sentence = "Too many writes are waiting; slow down and try again."
            raise LogOverloaded(sentence) from None

    async def _send(self, batch: Sequence[_Append]) -> list[RecordedEvent | Exception]:
        writer = self._idle_writers.pop()
        try:
            commands: list[Argument] = []
            for call in batch:
                commands += call.arguments
            lines = await writer.send(commands)
        finally:
            self._idle_writers.append(writer)
        return [call.outcome(line) for call, line in zip(batch, lines, strict=True)]


class _Append:
    """One command on its way: what the script is told, and what its reply line means."""

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
            *self._types,
            _encoded(command.expected),
            body,
            encode_meta(meta),
            f"{key.fingerprint} {key.name}" if key else "",
        )

    def outcome(self, line: bytes) -> RecordedEvent | Exception:
        outcome, *values = line.split(b" ")
        match outcome:
            case b"refused":
                return self._refusal(values[0])
            case b"known":
                return AlreadyDone()
            case b"broken":
                what = f"The row or the history of item {self._command.item!r}"
                return LogBroken(f"{what} can't be read; rebuild the projection.")
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


def _encoded(expected: ExpectedVersion) -> str:
    if expected is ANY:
        return "+!,"
    versions = "".join(f"{version}," for version in sorted(expected.versions))
    return ("+" if expected.absent else "-") + ("!" if expected.others else "=") + "," + versions
