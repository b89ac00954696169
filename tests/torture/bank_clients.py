"""The clients of a bank: tellers move money, auditors add up what there is."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.torture.outcome import Outcome
from tests.torture.traffic import ATTEMPTS
from tests.torture.wire import Lost, NotSent, Reply, Wire

ACCOUNTS = [f"account-{number:02}" for number in range(100)]
OPENED_WITH = 100
TOTAL = OPENED_WITH * len(ACCOUNTS)

PAGE = 200
"""Events that a follower asks for at once."""

JSON = {"content-type": "application/json"}


@dataclass(slots=True)
class Books:
    """What tellers and auditors have seen so far."""

    outcome: Outcome
    port: Callable[[], int]
    told: dict[str, str] = field(default_factory=dict)
    """The status that each transfer was told last, or that its answer was lost."""
    acknowledged: float = 0.0
    """When the last transfer was."""

    def complain(self, sentence: str) -> None:
        """Notes what must not be."""
        self.outcome.violations.append(sentence)

    async def ask(
        self, wire: Wire, method: str, path: str, headers: dict[str, str], body: str = ""
    ) -> Reply | None:
        """The reply; None where there is none, or the log is unavailable."""
        try:
            reply = await wire.ask(self.port(), method, path, headers, body)
        except (Lost, NotSent):
            reply = None
        except TimeoutError:
            self.complain(f"{method} {path} got no answer")
            return None
        if reply is None or reply.status == 503:
            await asyncio.sleep(0.02)
            return None
        return reply


class Teller:
    """Moves money between two accounts at a time."""

    def __init__(self, number: int, seed: int, books: Books) -> None:
        self._number = number
        self._chance = random.Random(f"{seed} teller {number}")
        self._books = books
        self._wire = Wire()

    async def run(self, is_going: Callable[[], bool]) -> None:
        """One transfer after another."""
        count = 0
        while is_going():
            count += 1
            await self._transfer(f"{self._number}-{count}")
        self._wire.close()

    async def _transfer(self, name: str) -> None:
        payer, payee = self._chance.sample(ACCOUNTS, 2)
        states = [await self._state(payer), await self._state(payee)]
        if None in states:
            return
        (has, payer_tag), (had, payee_tag) = states  # type: ignore[misc]
        amount = self._chance.randint(0, has)
        steps = [
            put(f"/accounts/{payer}", {"balance": has - amount}, "if-match", payer_tag),
            put(f"/accounts/{payee}", {"balance": had + amount}, "if-match", payee_tag),
        ]
        self._chance.shuffle(steps)
        line = {"payer": payer, "payee": payee, "amount": amount}
        steps.append(put(f"/transfers/{name}", line, "if-none-match", "*"))
        await self._send(name, json.dumps({"requests": steps}))

    async def _send(self, name: str, body: str) -> None:
        """Sends it, again where it may be: it has a key, or the answer was lost."""
        headers, attempts = dict(JSON), 1
        if self._chance.random() < 0.5:
            headers["idempotency-key"], attempts = name, ATTEMPTS
        self._books.told[name] = "lost"
        for attempt in range(attempts):
            reply = await self._books.ask(self._wire, "POST", "/batch", headers, body)
            if reply is None or (reply.status == 409 and attempt):
                continue
            self._note(name, reply)
            return

    def _note(self, name: str, reply: Reply) -> None:
        books, outcome = self._books, self._books.outcome
        books.told[name] = str(reply.status)
        outcome.operations += 1
        outcome.answers[f"BATCH {reply.status}"] += 1
        if reply.status == 200:
            outcome.acknowledged += 1
            outcome.transactions += 1
            books.acknowledged = time.monotonic()
        elif reply.status != 412:
            books.complain(f"transfer {name} was told {reply.status}: {reply.body[:500]!r}")

    async def _state(self, account: str) -> tuple[int, str] | None:
        """Its balance, and the tag of that."""
        reply = await self._books.ask(self._wire, "GET", f"/accounts/{account}", {})
        if reply is None:
            return None
        self._books.outcome.operations += 1
        return json.loads(reply.body)["balance"], reply.headers["etag"]


def put(path: str, body: dict[str, Any], condition: str, tag: str) -> dict[str, Any]:
    """A PUT in a batch, under a condition."""
    return {"method": "PUT", "path": path, "headers": {condition: tag}, "body": body}


class Lister:
    """Adds up a list of all accounts, in one page."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._wire = Wire()
        self._right = [(0, 0), (len(ACCOUNTS), TOTAL)]

    async def run(self, is_going: Callable[[], bool]) -> None:
        """One list after another."""
        while is_going():
            await self._list()
            await asyncio.sleep(0.005)
        self._wire.close()

    async def _list(self) -> None:
        reply = await self._books.ask(self._wire, "GET", "/accounts?limit=1000", {})
        if reply is None:
            return
        self._books.outcome.operations += 1
        items = json.loads(reply.body)["items"]
        found = len(items), sum(each["item"]["balance"] for each in items)
        if found not in self._right:
            self._books.complain(f"{found[0]} accounts with {found[1]} in a list: {items}"[:3000])
        elif items:
            self._right = [found]  # no account is ever closed


class Follower:
    """Adds up the accounts as the feed tells of them, after each transaction."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._wire = Wire()
        self._after = "0-0"
        self.ledger = Ledger()

    async def run(self, is_going: Callable[[], bool]) -> None:
        """One page after another, to the end."""
        while await self.read(wait=1) or is_going():
            pass
        self._wire.close()

    async def read(self, *, wait: int) -> bool:
        """Whether there was anything on the next page, or no answer."""
        path = f"/events?after={self._after}&limit={PAGE}&wait={wait}"
        reply = await self._books.ask(self._wire, "GET", path, {})
        if reply is None:
            return True
        self._books.outcome.operations += 1
        events = json.loads(reply.body)
        wrong = list[str]()
        for event in events:
            self._after = event["id"]
            wrong += self.ledger.take(
                event.get("transaction", ""),
                f"{event['source'].removeprefix('/')}/{event['subject']}",
                event["data"],
            )
        if len(events) < PAGE:  # a full one may end within a transaction
            wrong += self.ledger.close()
        for each in wrong:
            self._books.complain(f"{each}, says the feed up to {self._after}")
        return bool(events)


class Ledger:
    """The accounts, as their events tell of them one after another."""

    def __init__(self) -> None:
        self.balances: dict[str, int] = {}
        self._transaction = ""
        self._events: dict[str, Any] = {}

    def take(self, transaction: str, item: str, data: Any) -> list[str]:
        """Takes one more event; what is wrong with the transaction before it, if that ends so."""
        wrong = self.close() if transaction != self._transaction else []
        self._transaction = transaction
        self._events[item] = data
        return wrong

    def close(self) -> list[str]:
        """Ends the transaction; what is wrong with it."""
        wrong = []
        lines = [data for item, data in self._events.items() if not item.startswith("accounts/")]
        changed = {
            item.removeprefix("accounts/"): data["balance"]
            for item, data in self._events.items()
            if item.startswith("accounts/")
        }
        for line in lines:
            due = {line["payer"]: -line["amount"], line["payee"]: line["amount"]}
            moved = {name: has - self.balances.get(name, 0) for name, has in changed.items()}
            if len(self._events) != 3 or moved != due:
                wrong.append(f"{self._events} moved {moved}")
        self.balances |= changed
        total = sum(self.balances.values())
        if self.balances and (len(self.balances), total) != (len(ACCOUNTS), TOTAL):
            wrong.append(f"{len(self.balances)} accounts with {total} after {self._events}")
        self._events = {}
        return wrong
