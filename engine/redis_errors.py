"""What the engine's errors mean to a caller: the one place that reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from redis import exceptions

from itemstore.engine.errors import (
    EventsRemoved,
    LogArchived,
    LogBroken,
    LogFull,
    LogMoved,
    LogUnavailable,
    NotEmpty,
)
from itemstore.engine.primary import IsReplica, NoPrimary

NO_RIGHT = (
    "The engine's user may not run {}, which a write takes: give it that right (ACL SETUSER), on "
    "all keys of the store's namespace."
)

NO_POSITION = "The store's last position is the largest that there is: no event can come after it."

BAD_POSITION = (
    "The key {} holds no position; another program writes in this namespace. Delete it: the next "
    "write finds the last position again."
)

ARCHIVED = (
    "The archive holds the log up to {}, and nothing can come in before that any more. Use "
    "--append, which gives the events new positions."
)

HALF_RESTORED = (
    "This store is being restored, and is not complete yet. Where that was interrupted, run the "
    "same `itemstore restore` again."
)

BROKEN_ITEM = "The row or the history of item {!r} can't be read; rebuild the projection."

OTHER_ARCHIVE = (
    "The archive of this store has the id {}, and that which is configured here has another: name "
    "the store's own with ITEMSTORE_ARCHIVE."
)

SCRIPT_ERRORS: dict[str, tuple[type[Exception], str]] = {
    "STALEBATCH": (LogUnavailable, "A later write was carried out before this one; try again."),
    "NOPOSITION": (LogUnavailable, NO_POSITION),
    "NORIGHT": (LogUnavailable, NO_RIGHT),
    "BADPOSITION": (LogBroken, BAD_POSITION),
    "HALFRESTORED": (LogUnavailable, HALF_RESTORED),
    "RESTOREMOVED": (LogMoved, "Another restore into this store is under way."),
    "NOTEMPTY": (NotEmpty, "{}"),
    "LOGMOVED": (LogMoved, "Somebody else wrote to the log during the import."),
    "ARCHIVED": (LogArchived, ARCHIVED),
    "BROKENROW": (LogBroken, BROKEN_ITEM),
    "LOGINCOMPLETE": (EventsRemoved, "The log lost events meanwhile (XTRIM, XDEL)."),
    "NOTANUMBER": (LogBroken, "What a projection has counted can't be read ({}); rebuild it."),
    "OTHERARCHIVE": (LogBroken, OTHER_ARCHIVE),
    "NOTADDED": (LogBroken, "A projection counts in whole numbers of up to 18 digits ({})."),
}
"""The errors that the store's own scripts reply with: by their first word, what each means to a
caller, and the sentence for a person, in which {} stands for the words after that one."""

_QUOTED_COMMAND = re.compile(
    r"""^Command # .* of pipeline caused error: (?:\(['"](?=.*,\)$))?(.*?)(?:['"],\))?$""",
    re.DOTALL,
)

_NO_ENTRY = "The engine does not take the user and the password of the URL: {}"

_NO_ENTRY_IN_WORDS = ("invalid username-password pair", "invalid password", "WRONGPASS")

_NEEDS_ENTRY = (
    "The engine wants a password, and its URL has none: it is redis://USER:PASSWORD@HOST, or "
    "redis://:PASSWORD@HOST."
)

_WANTED_IN_WORDS = (
    "HELLO must be called with the client already",
    "NOAUTH",
    "Authentication required",
)

_NO_CONNECTION = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.InvalidResponse,
    TimeoutError,
    OSError,
)

_TRANSLATED = (exceptions.RedisError, *_NO_CONNECTION)

_NO_ENGINE = "What answers at the engine's URL is no Redis or Valkey: it says something else."

_SILENT = "The engine does not answer; try again."

_LOADING = "The engine is reading its data from disk, and answers when it has; try again."

_LOST_PRIMARY = "The engine is a replica that has lost its primary, and answers nothing; try again."

_OUT_OF_MEMORY = "The engine is out of memory: nothing can be appended until it has more."

_CLUSTER_DOWN = (
    "The cluster is down: a part of its slots is on no node that answers. Try again: a replica "
    "takes the place of its primary soon after the cluster's node timeout (cluster-node-timeout)."
)

_ON_THE_WAY = (
    "The keys are being moved to another node one by one, and can be written and read again when "
    "that is done; try again. Slots are moved at one moment by CLUSTER MIGRATESLOTS (Valkey 9)."
)

_IN_MANY_PLACES = (
    "On a cluster the keys of a store of one partition are in many places: it needs a namespace "
    "with a hash tag, such as {items}; or let it have several with ITEMSTORE_PARTITIONS."
)

_TOO_OLD = (
    "The engine is too old, or is none: the store takes Valkey 8 or later, or Redis 7 or later."
)

_SAID_IN_WORDS = {
    "unknown command `HELLO`": _TOO_OLD,
    "non local key": _ON_THE_WAY,  # to a script
    "hash to the same slot": _IN_MANY_PLACES,
}


class translated:  # noqa: N801 - it stands after `with`, as a function does
    """Raises the engine's errors as LogUnavailable, LogFull or LogBroken, a script's as its own.

    It is around each call of the engine, and nearly always there is none: a generator's block would
    take ten times as long (docs/decisions/0108).
    """

    __slots__ = ()

    def __enter__(self) -> None:
        """Begins a block."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends it."""
        if isinstance(error, _TRANSLATED):
            with _translated():
                raise error


@contextmanager
def _translated() -> Iterator[None]:
    try:
        with _without_commands():
            yield
    except (IsReplica, exceptions.ReadOnlyError) as error:
        raise LogUnavailable("The engine is a replica now, and not the primary.") from error
    except NoPrimary as error:
        raise LogUnavailable(str(error)) from error
    except _NO_CONNECTION as error:
        sentence = _of_connection(error)
        raise LogUnavailable(sentence) from (None if sentence == _NEEDS_ENTRY else error)
    except exceptions.ClusterDownError as error:
        is_replica = isinstance(error, exceptions.MasterDownError)
        raise LogUnavailable(_LOST_PRIMARY if is_replica else _CLUSTER_DOWN) from error
    except exceptions.MovedError as error:
        raise LogUnavailable("Another node of the cluster has it now; try again.") from error
    except (exceptions.AskError, exceptions.TryAgainError) as error:
        raise LogUnavailable(_ON_THE_WAY) from error
    except exceptions.ClusterCrossSlotError as error:
        raise LogUnavailable(_IN_MANY_PLACES) from error
    except exceptions.OutOfMemoryError as error:
        raise LogFull(_OUT_OF_MEMORY) from error
    except exceptions.ResponseError as error:
        raise _meaning(str(error)) from error


@contextmanager
def _without_commands() -> Iterator[None]:
    """Takes out of errors what redis-py quotes of a command: it may be a part of a secret."""
    try:
        yield
    except exceptions.RedisError as error:
        error.args = (_QUOTED_COMMAND.sub(r"\1", str(error)),)
        raise


def _of_connection(error: Exception) -> str:
    """What is said where no connection came about, or one broke."""
    said = str(error)
    if isinstance(error, exceptions.BusyLoadingError):
        return _LOADING
    if isinstance(error, exceptions.InvalidResponse):
        return _NO_ENGINE
    if any(words in said for words in _WANTED_IN_WORDS):
        return _NEEDS_ENTRY
    is_refused = isinstance(error, exceptions.AuthenticationError)
    if is_refused or any(words in said for words in _NO_ENTRY_IN_WORDS):
        return _NO_ENTRY.format(error)
    return _SILENT


def meant(error: Exception) -> Exception:
    """What an error means that the engine replied with, and that was not raised."""
    try:
        with translated():
            raise error  # noqa: TRY301 - translated knows what each means
    except Exception as meaning:  # noqa: BLE001 - it is the result
        return meaning


def _meaning(message: str) -> Exception:
    code, _, words = message.partition(" ")
    if code in SCRIPT_ERRORS:
        kind, sentence = SCRIPT_ERRORS[code]
        return kind(sentence.format(words))
    if "WRONGTYPE" in message:
        return LogBroken(
            "A key of the store holds something else; another program writes in this namespace."
        )
    if "unknown command" in message and "eval" in message.lower():
        return LogUnavailable(
            "The engine runs no Lua, in which this store writes; fakeredis does after "
            "pip install 'fakeredis[lua]'."
        )
    if "OOM " in message:
        return LogFull(_OUT_OF_MEMORY)
    for said, sentence in _SAID_IN_WORDS.items():
        if said in message:
            return LogUnavailable(sentence)
    return LogUnavailable(f"The engine refuses: {message}")
