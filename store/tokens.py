"""Bearer tokens: who may read, write, and change the store itself.

A token is `<name>.<secret>`. The engine keeps the SHA-256 of the secret, so what it holds opens
nothing; the secret is 256 random bits, so a plain hash of it is enough.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

from itemstore.domain.rfc3339 import parse_rfc3339
from itemstore.engine.redis_errors import translated
from itemstore.engine.scripts import Script, lua
from itemstore.eventlog.partition import Partition
from itemstore.store.scope import WHOLE, Scope, scope_of

logger = logging.getLogger(__name__)

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")

_DIGEST = re.compile(r"[0-9a-f]{64}")

_MEMBERS = frozenset({"role", "digest", "created", "expires", "collections", "prefixes"})

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

OPENED = "*"
"""Where the last token was taken back on purpose, this stands in place of the tokens' names."""


_REVOKE = Script(lua(__package__, "revoke_token"))


class Role(IntEnum):
    """What a token allows; each role includes those before it."""

    reader = 1
    writer = 2
    admin = 3


class TokenExists(Exception):
    """There is a token with this name already."""


class TokenInvalid(Exception):
    """What was presented is not a token of the store, or no longer is."""

    def __init__(self, why: str = "The token is not valid here; it may have been revoked.") -> None:
        super().__init__(why)


class TokenExpired(TokenInvalid):
    """The token was good for a while, which is over."""

    def __init__(self, expires: datetime) -> None:
        super().__init__(
            f"The token expired at {time_text(expires)}. The operator makes a new one with "
            "`itemstore token create`."
        )


class LastToken(Exception):
    """The token is the only one; to revoke it would open the store."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token as the engine knows it. `digest` is the SHA-256 of its secret, in hexadecimal.

    `expires` is when it opens nothing any more, by this machine's clock; None: never.
    """

    name: str
    role: Role
    digest: str
    created: str
    scope: Scope = WHOLE
    expires: datetime | None = None

    def opens(self, secret: str) -> bool:
        """Whether this is its secret; takes the same time wherever it differs."""
        digest = hashlib.sha256(secret.encode()).hexdigest()
        return hmac.compare_digest(digest, self.digest)

    @property
    def is_expired(self) -> bool:
        """Whether its time is over."""
        return self.expires is not None and datetime.now(UTC) >= self.expires

    def check_not_expired(self) -> None:
        """Raises TokenExpired."""
        if self.expires is not None and self.is_expired:
            raise TokenExpired(self.expires)


@dataclass(frozen=True, slots=True)
class Tokens:
    """All that the engine has of tokens.

    `unreadable` are the names of rows that somebody damaged: they open nothing, but there they
    are. `are_given_up` says that the last token was taken back on purpose.
    """

    readable: Mapping[str, Token]
    unreadable: tuple[str, ...] = ()
    are_given_up: bool = False

    def __bool__(self) -> bool:
        """Whether there is any, so that every request wants one."""
        return bool(self.readable or self.unreadable)


async def create(  # noqa: PLR0913 - each thing that is said of a token by its name
    partition: Partition,
    name: str,
    role: Role,
    scope: Scope = WHOLE,
    *,
    expires: datetime | None = None,
    by: str | None = None,
) -> str:
    """The text of a new token, which is shown this once. Raises TokenExists.

    `by` is the name of the token with which it is made.
    """
    secret = secrets.token_urlsafe(32)
    row: dict[str, Any] = {
        "role": role.name,
        "digest": hashlib.sha256(secret.encode()).hexdigest(),
        "created": time_text(datetime.now(UTC)),
        **scope.as_dict(),
    }
    if expires is not None:
        row["expires"] = time_text(expires)
    with translated():
        async with partition.client.pipeline() as together:
            together.hsetnx(partition.keys.store.tokens, name, json.dumps(row))
            together.hdel(partition.keys.store.tokens, OPENED)
            is_new, _ = await together.execute()
    if not is_new:
        raise TokenExists(name)
    told = {name: value for name, value in row.items() if name not in {"digest", "created"}}
    logger.info("A token was made", extra={"token": name, **told, **_by(by)})
    return f"{name}.{secret}"


async def read_tokens(partition: Partition) -> Tokens:
    """All tokens. Raises LogUnavailable and LogBroken."""
    with translated():
        rows: Any = await partition.client.hgetall(partition.keys.store.tokens)
    return tokens_of(rows)


async def read_token(partition: Partition, name: str) -> Token | None:
    """The token of one name. Raises LogUnavailable and LogBroken."""
    with translated():
        text: Any = await partition.client.hget(partition.keys.store.tokens, name)
    return None if text is None else _token(name, text)


def tokens_of(rows: Mapping[bytes, bytes]) -> Tokens:
    """The tokens that the rows describe."""
    readable, unreadable = {}, []
    for raw, text in sorted(rows.items()):
        name = raw.decode(errors="replace")
        if name == OPENED:
            continue
        token = _token(name, text)
        if token is None:
            unreadable.append(name)
        else:
            readable[name] = token
    is_open = OPENED.encode() in rows and not (readable or unreadable)
    return Tokens(readable, tuple(unreadable), is_open)


async def revoke(
    partition: Partition, name: str, *, even_last: bool = False, by: str | None = None
) -> bool:
    """Takes a token back; whether there was one.

    Raises LastToken unless told otherwise: without any token the store is open to all. With
    `even_last` it is noted that this is meant, for the processes that run. `by` is as in create.
    """
    if name == OPENED:
        return False
    mark = json.dumps({"since": time_text(datetime.now(UTC))}) if even_last else ""
    keys = [partition.keys.store.tokens]
    with translated():
        reply = await _REVOKE.run(partition.client.execute_command, keys, [name, OPENED, mark])
    if reply == b"last":
        raise LastToken(name)
    if reply == b"none":
        return False
    logger.info("A token was revoked", extra={"token": name, **_by(by)})
    return True


def _by(name: str | None) -> dict[str, str]:
    """Who did something, as the log names it; the operator at the command has no name."""
    return {} if name is None else {"by": name}


def _token(name: str, text: bytes) -> Token | None:
    """The token that a row describes, None where it can't be read.

    Nor can one that has a member more: it may say that the token is bound to something.
    """
    try:
        row = json.loads(text)
        role, digest, created = Role[row["role"]], row["digest"], row["created"]
        scope = scope_of(row)
        expires = parse_time(row["expires"]) if "expires" in row else None
    except (AttributeError, ValueError, TypeError, LookupError, RecursionError):
        return None
    if not (NAME.fullmatch(name) and isinstance(digest, str) and isinstance(created, str)):
        return None
    if not (_DIGEST.fullmatch(digest) and _MEMBERS.issuperset(row)):
        return None
    return Token(name, role, digest, created, scope, expires)


def parse_time(text: str) -> datetime:
    """The time that a text of RFC 3339 says. Raises ValueError, and TypeError for no text."""
    return _EPOCH + timedelta(milliseconds=parse_rfc3339(text))


def time_text(time: datetime) -> str:
    """A time of UTC to the second, as in `2026-11-23T08:09:06Z`."""
    return time.isoformat(timespec="seconds").replace("+00:00", "Z")
