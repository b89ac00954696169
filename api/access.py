"""Who may do what: once there is a token in the store, every request wants one."""

from __future__ import annotations

import asyncio
import time

from redis.asyncio import Redis

from api.problems import Problem
from api.request import Request
from api.tokens import Role, Token, listed
from eventlog.errors import LogUnavailable
from eventlog.keys import Keys

FRESH_SECONDS = 1.0
"""How long the tokens are believed before the engine is asked again."""

OPEN = frozenset({"/livez", "/readyz", "/problems/{slug}"})
"""Resources that never want a token."""

READS = frozenset({"GET", "HEAD", "OPTIONS"})


class Access:
    """The tokens of the store, as this process last saw them."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._tokens: dict[str, Token] = {}
        self._fresh_until = 0.0
        self._is_known = False
        self._refreshing: asyncio.Future[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the store is known to have no tokens, without asking anybody."""
        return not self._tokens and time.monotonic() <= self._fresh_until

    async def token(self, authorization: str | None, method: str) -> Token | None:
        """The token that the request carries, None where the store has no tokens.

        Raises Problem 401 without a valid token (RFC 6750 §3), 403 where its role does not
        allow the method, and LogUnavailable where the tokens, or this one, are not known yet:
        while the engine is away, those that were known last count.
        """
        if time.monotonic() > self._fresh_until:
            await self._refresh_if_possible()
        if not self._tokens:
            return None
        name, secret = _credentials(authorization)
        if name not in self._tokens:  # it may be new
            self._fresh_until = 0.0
            await self._refresh()
        token = self._tokens.get(name)
        if token is None or not token.opens(secret):
            raise revoked()
        needed = Role.reader if method in READS else Role.writer
        if token.role < needed:
            raise Problem(
                "forbidden",
                f"The token {token.name!r} is a {token.role.name}; {method} wants a {needed.name}.",
                headers={"WWW-Authenticate": _challenge("insufficient_scope")},
            )
        return token

    async def still_allows(self, token: Token | None) -> bool:
        """Whether what began with this token, or without any, may go on: it was not revoked.

        Raises nothing: while the engine is away, what was known last counts.
        """
        if time.monotonic() > self._fresh_until:
            await self._refresh_if_possible()
        if token is None:
            return not self._tokens
        return self._tokens.get(token.name) == token

    async def _refresh_if_possible(self) -> None:
        try:
            await self._refresh()
        except LogUnavailable:  # those who may read the metrics may do so now
            if not self._is_known:
                raise

    async def _refresh(self) -> None:
        # One asks for all who wait: with a lock they would go on one by one, a turn of the event
        # loop each, and under load the last of them after seconds.
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.ensure_future(self._ask())
        await asyncio.shield(self._refreshing)

    async def _ask(self) -> None:
        self._tokens = await listed(self._redis, self._keys)
        self._fresh_until = time.monotonic() + FRESH_SECONDS
        self._is_known = True


async def authenticate(request: Request) -> None:
    """Notes whose request it is. Raises Problem and LogUnavailable, as Access.token does.

    What is wrong with the size or the media type of its body is said first, whoever asks.
    """
    try:
        authorization = request.field(b"authorization")
        token = await request.store.access.token(authorization, request.method)
    except Problem:
        request.check_content()
        raise
    if token is not None:
        request.token = token
        request.actor = token.name


def revoked() -> Problem:
    """The token is none, or no longer (RFC 6750 §3.1)."""
    return Problem(
        "unauthorized",
        "The token is not valid here; it may have been revoked.",
        headers={"WWW-Authenticate": _challenge("invalid_token")},
    )


def _credentials(authorization: str | None) -> tuple[str, str]:
    """The name and the secret of a bearer token. Raises Problem where there is none."""
    if authorization is None:
        sentence = "This store wants a token: send Authorization: Bearer <token>."
        raise Problem("unauthorized", sentence, headers={"WWW-Authenticate": _challenge()})
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "bearer":
        sentence = f"This store takes no {scheme!r}: send Authorization: Bearer <token>."
        raise Problem("unauthorized", sentence, headers={"WWW-Authenticate": _challenge()})
    name, _, secret = credentials.strip().partition(".")
    return name, secret


def _challenge(error: str | None = None) -> str:
    return 'Bearer realm="itemstore"' + (f', error="{error}"' if error else "")
