"""The tokens as one process knows them: asked for once a second, and whom they let in."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from contextvars import Context
from pathlib import Path
from typing import Any

from itemstore.engine.errors import LogBroken, LogUnavailable
from itemstore.engine.redis_errors import translated
from itemstore.eventlog.partition import Partition
from itemstore.store.standing import Standing, StoreClosed, standing_of
from itemstore.store.tokens import NAME, Token, TokenInvalid, Tokens, read_token, tokens_of

FRESH_SECONDS = 1.0
"""How long the tokens are believed before the engine is asked again."""

PATIENCE = 0.2
"""Seconds that a request waits for that where tokens are known: its own command comes after it, and
both together have two."""

MOST_LOOKS = 20
"""How many names that are not known are looked up in a second: strangers can make them up."""

LONG = 0.5
"""Seconds for a body to come or to be worked out, after which the token is looked at again."""

logger = logging.getLogger(__name__)


class KnownTokens:
    """The tokens of the store, as this process last saw them.

    `mark` is a file that is there while there are tokens: the processes of one server share it, so
    that one which is started again knows what the one before it had seen.
    """

    def __init__(
        self, partition: Partition, *, may_be_open: bool, mark: Path | None = None
    ) -> None:
        self._partition = partition
        self._may_be_open = may_be_open
        self._rows: Any = None
        self._tokens = Tokens({})
        self._mark = mark
        self._had_any = mark is not None and mark.exists()
        self._is_known = False
        self._is_away = False
        self._fresh_until = 0.0
        self._asked_again_at = 0.0
        self._looks = 0
        self._said = ""
        self._asking: asyncio.Future[Exception | None] | None = None
        # Each request looks at these, so they are not worked out each time.
        self.standing = Standing.VANISHED
        self.is_closed = True
        self.lets_all_in = False

    @property
    def is_open(self) -> bool:
        """Whether the store is known to be open to all, without asking anybody."""
        return self.lets_all_in and time.monotonic() <= self._fresh_until

    @property
    def is_stale(self) -> bool:
        """Whether the engine should be asked again."""
        return time.monotonic() > self._fresh_until

    def check_not_closed(self) -> None:
        """Raises StoreClosed where there is no token that could open the store."""
        if self.is_closed:
            raise StoreClosed(self.standing.value)

    async def opened_by(self, name: str, secret: str) -> Token:
        """The token that has this name and this secret.

        Raises TokenInvalid, TokenExpired, StoreClosed, and LogUnavailable or LogBroken where the
        engine has to be asked and does not answer.
        """
        token = self._tokens.readable.get(name)
        if token is None and NAME.fullmatch(name):
            token = await self._look_up(name)
        if token is None:
            self.check_not_closed()
        if token is None or not token.opens(secret):
            raise TokenInvalid
        token.check_not_expired()
        return token

    def at_hand(self, name: str, secret: str) -> Token | None:
        """The token that has this name and this secret, if it is known here and may be used."""
        token = self._tokens.readable.get(name)
        if token is None or token.is_expired or not token.opens(secret):
            return None
        return token

    async def check_still_allowed(self, token: Token | None) -> None:
        """Raises TokenInvalid where what began with this token, or without any, may not go on.

        Then it was revoked, or changed; TokenExpired where its time is over. Nothing else is
        raised: while the engine is away, what was known last counts.
        """
        try:
            await self.refresh()
        except (LogUnavailable, LogBroken):
            raise TokenInvalid from None
        is_known = self.lets_all_in if token is None else self._knows(token)
        if not is_known:
            raise TokenInvalid
        if token is not None:
            token.check_not_expired()

    async def check_after(self, began: float, token: Token | None) -> None:
        """Asks again about what has taken long since it began, on the clock of `monotonic`.

        Raises as check_still_allowed does.
        """
        if time.monotonic() - began > LONG:
            await self.check_still_allowed(token)
        elif token is not None:
            token.check_not_expired()

    def _knows(self, token: Token) -> bool:
        return self._tokens.readable.get(token.name) == token

    async def refresh(self) -> None:
        """Asks the engine, where that was not done in the last second.

        While the engine is away, what was known last counts, and nobody waits long for it. Raises
        LogUnavailable or LogBroken where nothing is known yet.
        """
        now = time.monotonic()
        if now <= self._fresh_until or (self._is_known and now < self._asked_again_at):
            return
        # One asks for all that wait: with a lock they would go on one by one, a turn of the event
        # loop each, and under load the last of them after seconds.
        asking, loop = self._asking, asyncio.get_running_loop()
        if asking is None or asking.done() or asking.get_loop() is not loop:
            # For all, so what is logged meanwhile has the id of no request.
            asking = self._asking = loop.create_task(self._ask(), context=Context())
        if not self._is_known:
            if error := await asyncio.shield(asking):
                raise error
            return
        if not (await asyncio.wait({asking}, timeout=PATIENCE))[0]:
            self._is_away = True
            self._asked_again_at = time.monotonic() + FRESH_SECONDS

    async def _look_up(self, name: str) -> Token | None:
        """The token of a name that is not known: it may be new. None where there is none.

        Past MOST_LOOKS in a second there is none; it is found when all are asked for again.
        Raises LogUnavailable and LogBroken.
        """
        if self._is_away:
            raise LogUnavailable("The engine does not answer; try again.")
        if self._looks >= MOST_LOOKS:
            return None
        self._looks += 1
        token = await read_token(self._partition, name)
        if token is not None:
            self._rows = None
            self._take(Tokens({**self._tokens.readable, name: token}, self._tokens.unreadable))
        return token

    async def _ask(self) -> Exception | None:
        try:
            with translated():
                rows: Any = await self._partition.client.hgetall(self._partition.keys.store.tokens)
        except (LogUnavailable, LogBroken) as error:
            self._is_away = True
            self._asked_again_at = time.monotonic() + FRESH_SECONDS
            if isinstance(error, LogBroken):
                self._say(f"The tokens can't be read: {error}")
            return error
        if rows != self._rows:  # to read thousands of them takes a while
            self._take(tokens_of(rows))
            self._rows = rows
        self._fresh_until = time.monotonic() + FRESH_SECONDS
        self._is_known, self._is_away, self._looks = True, False, 0
        return None

    def _take(self, tokens: Tokens) -> None:
        if self._is_known:
            _tell_changes(self._tokens, tokens)
        self._tokens = tokens
        self.standing = standing_of(tokens, had_any=self._had_any, may_be_open=self._may_be_open)
        self._note(had_any=(self._had_any or bool(tokens)) and not tokens.are_given_up)
        self.is_closed = self.standing.is_closed
        self.lets_all_in = self.standing is Standing.OPEN
        if tokens.unreadable:
            named = ", ".join(repr(name) for name in tokens.unreadable)
            self._say(f"The rows of these tokens can't be read, so they open nothing: {named}.")
        else:
            self._say(self.standing.value if self.is_closed else "")

    def _note(self, *, had_any: bool) -> None:
        if had_any == self._had_any:
            return
        self._had_any = had_any
        if self._mark is not None:
            with suppress(OSError):  # a full disk closes nothing
                self._mark.touch() if had_any else self._mark.unlink(missing_ok=True)

    def _say(self, sentence: str) -> None:
        """Logs what is wrong, once for as long as it stays so."""
        if sentence and sentence != self._said:
            logger.error("Tokens are not as they should be", extra={"reason": sentence})
        self._said = sentence


def _tell_changes(before: Tokens, now: Tokens) -> None:
    """Logs whose tokens are new, were changed or are gone: the command may have done it."""
    new = [name for name, each in now.readable.items() if before.readable.get(name) != each]
    gone = [name for name in before.readable if name not in now.readable]
    if new or gone:
        told = {"made": ",".join(new), "revoked": ",".join(gone)}
        logger.info("The tokens of the store have changed", extra=told)
