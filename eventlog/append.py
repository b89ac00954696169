"""The one way into the log: commands in, recorded events out, each appended exactly once."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from redis import exceptions
from redis.asyncio import Redis

from domain.commands import Command, DeleteItem
from domain.decide import decide
from domain.errors import CommandRefused, ItemNotFound, UnexpectedVersion
from domain.events import RecordedEvent
from domain.expected import ANY, ExpectedVersion
from eventlog.batching import Batches, TooManyWaiting
from eventlog.codec import encode_meta
from eventlog.durability import ENGINE, Acknowledgement
from eventlog.errors import LogBroken, LogOverloaded
from eventlog.faults import translated
from eventlog.held import Argument, HeldConnection
from eventlog.idempotency import REMEMBERED_SECONDS, AlreadyDone, IdempotencyKey
from eventlog.keys import Keys
from eventlog.room import Room

MOST_COMMANDS = 128
"""How many commands one script call takes: some 1.5 ms of the engine's time at the most."""

MOST_BYTES = 4 * 1024 * 1024
"""How many bytes of bodies one script call takes; a single larger body goes alone."""

TIME_LIMIT = 1.5
"""Seconds for which a batch is tried before its callers are told that the log is unavailable."""

FLIGHTS = 2
"""Batches under way at once: while the engine has one, this process makes the other."""

REMEMBERED_MS = 10 * 60 * 1000
"""How long a writer is remembered after its last batch: far longer than any retry lasts."""


KEY_COUNT = 4


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms commands are taken.

    `waiting` is how many may wait, `remembered_seconds` how long an idempotency key has its
    outcome, `acknowledgement` what is waited for after each batch, and `room` where there has to
    be some.
    """

    waiting: int = 10_000
    remembered_seconds: int = REMEMBERED_SECONDS
    acknowledgement: Acknowledgement = ENGINE
    room: Room = field(default_factory=Room)


class Appender:
    """Appends the commands of one process to the log, many in one script call (group commit).

    Each flight of batches is a writer, with an id and a number for each batch. A lost reply is
    asked for again under the same number, and the script answers a number that it knows with the
    reply it gave then, so an event is never appended twice.

    `apply` is the Lua text that applies an event to the current items.
    """

    def __init__(self, redis: Redis, keys: Keys, apply: str, terms: Terms) -> None:
        self._script = apply + files("eventlog").joinpath("append.lua").read_text()
        self._sha = hashlib.sha1(self._script.encode(), usedforsecurity=False).hexdigest()
        self._acknowledgement = terms.acknowledgement
        self._room = terms.room
        self._idle_writers = [
            _Writer(HeldConnection(redis), keys, terms.remembered_seconds) for _ in range(FLIGHTS)
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
        self._room.check()
        call = _Append(command, meta or {}, key)
        try:
            return await self._batches.submit(call, call.size)
        except TooManyWaiting:
            sentence = "Too many writes are waiting; slow down and try again."
            raise LogOverloaded(sentence) from None

    async def _send(self, batch: Sequence[_Append]) -> list[RecordedEvent | Exception]:
        writer = self._idle_writers.pop()
        try:
            arguments = writer.next_batch()
            for call in batch:
                arguments += call.arguments
            reply = await self._until_answered(writer.connection, arguments)
        finally:
            self._idle_writers.append(writer)
        return [call.outcome(line) for call, line in zip(batch, reply.split(b"\n"), strict=True)]

    async def _until_answered(self, connection: HeldConnection, arguments: list[Argument]) -> bytes:
        """The script's reply, asked for again after a lost connection until the time limit."""
        pause = 0.01
        with translated():
            async with asyncio.timeout(TIME_LIMIT):
                while True:
                    try:
                        return await self._run(connection, arguments)
                    except (exceptions.ConnectionError, exceptions.TimeoutError):
                        await asyncio.sleep(pause)
                        pause = min(2 * pause, 0.2)

    async def _run(self, connection: HeldConnection, arguments: list[Argument]) -> bytes:
        try:
            reply = await connection.call("EVALSHA", self._sha, KEY_COUNT, *arguments)
        except exceptions.NoScriptError:
            reply = await connection.call("EVAL", self._script, KEY_COUNT, *arguments)
        if wait := self._acknowledgement.command:
            self._acknowledgement.check(await connection.call(*wait))
        return bytes(reply)


class _Writer:
    """Numbers the batches of one flight, and is remembered by the engine under its id."""

    def __init__(self, connection: HeldConnection, keys: Keys, remembered_seconds: int) -> None:
        self.connection = connection
        self._keys = [keys.events, keys.current, keys.ids, keys.writer(uuid.uuid4().hex)]
        self._histories = keys.histories
        self._remembered_ms = remembered_seconds * 1000
        self._number = 0

    def next_batch(self) -> list[Argument]:
        """The script's keys, and the arguments in front of those of the commands."""
        self._number += 1
        return [*self._keys, self._histories, self._number, REMEMBERED_MS, self._remembered_ms]


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
