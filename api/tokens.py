"""Bearer tokens: who may read, write, and change the store itself.

A token is `<name>.<secret>`. The engine keeps the SHA-256 of the secret, so what it holds opens
nothing; the secret is 256 random bits, so a plain hash of it is enough.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any

from redis.asyncio import Redis

from eventlog.faults import translated
from eventlog.keys import Keys

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Role(IntEnum):
    """What a token allows; each role includes those before it."""

    reader = 1
    writer = 2
    admin = 3


class TokenExists(Exception):
    """There is a token with this name already."""


class LastToken(Exception):
    """The token is the only one; to revoke it would open the store."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token as the engine knows it. `digest` is the SHA-256 of its secret, in hexadecimal."""

    name: str
    role: Role
    digest: str
    created: str

    def opens(self, secret: str) -> bool:
        """Whether this is its secret; takes the same time wherever it differs."""
        digest = hashlib.sha256(secret.encode()).hexdigest()
        return hmac.compare_digest(digest, self.digest)


async def create(redis: Redis, keys: Keys, name: str, role: Role) -> str:
    """The text of a new token, which is shown this once. Raises TokenExists."""
    secret = secrets.token_urlsafe(32)
    created = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    row = {
        "role": role.name,
        "digest": hashlib.sha256(secret.encode()).hexdigest(),
        "created": created,
    }
    with translated():
        is_new: Any = await redis.hsetnx(keys.tokens, name, json.dumps(row))
    if not is_new:
        raise TokenExists(name)
    return f"{name}.{secret}"


async def listed(redis: Redis, keys: Keys) -> dict[str, Token]:
    """All tokens by name. Raises LogUnavailable."""
    with translated():
        rows: Any = await redis.hgetall(keys.tokens)
    tokens = {}
    for name, text in sorted(rows.items()):
        row = json.loads(text)
        tokens[name.decode()] = Token(
            name.decode(), Role[row["role"]], row["digest"], row["created"]
        )
    return tokens


async def revoke(redis: Redis, keys: Keys, name: str, *, even_last: bool = False) -> bool:
    """Takes a token back; whether there was one.

    Raises LastToken unless told otherwise: without any token the store is open to all.
    """
    if not even_last and [*await listed(redis, keys)] == [name]:
        raise LastToken(name)
    with translated():
        return bool(await redis.hdel(keys.tokens, name))
