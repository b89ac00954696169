"""Who may do what: once there is a token in the store, every request wants one."""

from __future__ import annotations

from pathlib import Path
from time import monotonic

from itemstore.api.http.problems import Problem
from itemstore.engine.errors import LogBroken, LogUnavailable
from itemstore.eventlog.partition import Partition
from itemstore.store.known_tokens import KnownTokens, Standing
from itemstore.store.quoting import quoted
from itemstore.store.tokens import NAME, Role, Token

READS = frozenset({"GET", "HEAD", "OPTIONS"})

LONG = 0.5
"""Seconds for a body to come or to be worked out, after which the token is looked at again."""


class Access:
    """Who may come in, and do what.

    A store without tokens lets everybody in only where `may_be_open` says that it may.
    """

    def __init__(
        self, partition: Partition, *, may_be_open: bool, mark: Path | None = None
    ) -> None:
        self._known = KnownTokens(partition, may_be_open=may_be_open, mark=mark)

    @property
    def is_open(self) -> bool:
        """Whether the store is known to be open to all, without asking anybody."""
        return self._known.lets_all_in and not self._known.is_stale

    async def token(self, authorization: str | None, method: str) -> Token | None:
        """The token that the request carries, None where the store is open to all.

        Raises Problem 401 without a valid token (RFC 6750 §3), 403 where its role does not
        allow the method, and LogUnavailable where the tokens, or this one, are not known yet:
        while the engine is away, those that were known last count.
        """
        known = self._known
        if known.is_stale:
            await known.refresh()
        if known.lets_all_in:
            return None
        if known.is_closed and authorization is None:
            raise _closed(known.standing)
        name, secret = _credentials(authorization)
        token = known.get(name)
        if token is None and NAME.fullmatch(name):
            token = await known.look_up(name)
        if token is None and known.is_closed:
            raise _closed(known.standing)
        if token is None or not token.opens(secret):
            raise revoked()
        needed = Role.reader if method in READS else Role.writer
        if token.role < needed:
            raise Problem(
                "forbidden",
                f"The token {quoted(token.name)} is a {token.role.name}; "
                f"{method} wants a {needed.name}.",
                headers={"WWW-Authenticate": _challenge("insufficient_scope")},
            )
        return token

    async def check_not_closed(self) -> None:
        """Raises LogUnavailable where there is no token that could open the store."""
        await self._known.refresh()
        if self._known.is_closed:
            raise LogUnavailable(self._known.standing.value, retry_after=60)

    async def still_allows(self, token: Token | None) -> bool:
        """Whether what began with this token, or without any, may go on: it was not revoked.

        Raises nothing: while the engine is away, what was known last counts.
        """
        try:
            await self._known.refresh()
        except (LogUnavailable, LogBroken):
            return False
        if token is None:
            return self._known.lets_all_in
        return self._known.get(token.name) == token

    async def check_after(self, began: float, token: Token | None) -> None:
        """Asks again about what has taken long since it began, on the clock of `monotonic`.

        Raises Problem 401 where still_allows says no.
        """
        if monotonic() - began > LONG and not await self.still_allows(token):
            raise revoked()


def revoked() -> Problem:
    """The token is none, or no longer (RFC 6750 §3.1)."""
    return Problem(
        "unauthorized",
        "The token is not valid here; it may have been revoked.",
        headers={"WWW-Authenticate": _challenge("invalid_token")},
    )


def _closed(standing: Standing) -> Problem:
    """Nobody is let in, and no token could be: the sentence says what the operator does."""
    headers = {"WWW-Authenticate": _challenge()}
    return Problem("unauthorized", standing.value, headers=headers)


def _credentials(authorization: str | None) -> tuple[str, str]:
    """The name and the secret of a bearer token. Raises Problem where there is none."""
    if authorization is None:
        sentence = "This store wants a token: send Authorization: Bearer <token>."
        raise Problem("unauthorized", sentence, headers={"WWW-Authenticate": _challenge()})
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "bearer":
        sentence = "This store takes bearer tokens alone: send Authorization: Bearer <token>."
        raise Problem("unauthorized", sentence, headers={"WWW-Authenticate": _challenge()})
    name, _, secret = credentials.strip().partition(".")
    return name, secret


def _challenge(error: str | None = None) -> str:
    return 'Bearer realm="itemstore"' + (f', error="{error}"' if error else "")
