"""A bank: money moves between accounts while everything is killed, and none is made or lost.

Each transfer is a batch: the two accounts, each if it is still as its client read it, and a line in
the book of transfers. Whoever adds the accounts up, by a list or by the feed, finds the same sum at
every moment.
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.torture import archive_faults, faults
from tests.torture.archived import Place, whole_log
from tests.torture.bank_clients import (
    ACCOUNTS,
    JSON,
    OPENED_WITH,
    Books,
    Follower,
    Ledger,
    Lister,
    Teller,
    put,
)
from tests.torture.bounds import at_most
from tests.torture.faults import Fault, Strike, System
from tests.torture.outcome import Outcome
from tests.torture.processes import Api, DidNotStart, client_of, verified
from tests.torture.read_back import read_back
from tests.torture.traffic import running
from tests.torture.wire import Wire

TELLERS, LISTERS, FOLLOWERS = 16, 2, 2
"""Clients that move money, that add up a list, and that add up the feed."""

COLLECTIONS = ("accounts", "transfers")

LONGEST_HEAL = 10.0
"""Seconds from the end of a kill to the next transfer."""

KINDS: dict[type[Fault], int] = {
    faults.EmbeddedEngineKilled: 3,
    faults.ApiKilled: 2,
    faults.ApiAndEngineKilled: 2,
    faults.EverythingKilled: 2,
    archive_faults.LeaseEnded: 3,
}

PAUSE = 1.0
"""Seconds from the end of a kill to the next, on average."""

SHOWN = 20
"""Violations that are told."""


async def bank(seed: int, seconds: float) -> Outcome:
    """Tellers, auditors, and one kill after another."""
    outcome, strikes = Outcome("bank", seed), list[Strike]()
    with tempfile.TemporaryDirectory(prefix="itemstore-") as name:
        directory = Path(name)
        options = [
            "--data-dir",
            str(directory / "data"),
            "--collections",
            "accounts=any,transfers=any",
        ]
        api = Api(directory / "errors", *options)
        books = Books(outcome, lambda: api.port)
        archive = Place.in_directory(directory / "data" / "archive")
        followers = [Follower(books) for _ in range(FOLLOWERS)]
        try:
            await api.start()
            began = time.monotonic()
            async with running([*followers, *(Lister(books) for _ in range(LISTERS))]):
                await _open_accounts(books)
                async with running(Teller(number, seed, books) for number in range(TELLERS)):
                    await _strike(System([api], archive), books, seed, began + seconds, strikes)
                    await asyncio.sleep(0.3)
            outcome.seconds = time.monotonic() - began
            await _audit(api, archive, books, followers)
        except DidNotStart as error:
            books.complain(f"did not start: {error}")
        finally:
            await api.stop()
        outcome.violations += api.tracebacks()
    outcome.count([], strikes)
    del outcome.violations[SHOWN:]
    return outcome


async def _open_accounts(books: Books) -> None:
    """All of them at once."""
    body = {"balance": OPENED_WITH}
    steps = [put(f"/accounts/{name}", body, "if-none-match", "*") for name in ACCOUNTS]
    wire = Wire()
    reply = await books.ask(wire, "POST", "/batch", JSON, json.dumps({"requests": steps}))
    wire.close()
    if reply is None or reply.status != 200:
        books.complain(f"the accounts were not opened: {reply}")


async def _strike(
    system: System, books: Books, seed: int, until: float, strikes: list[Strike]
) -> None:
    """One kill after another, each once transfers go on after the one before."""
    chance = random.Random(f"{seed} bank")
    while time.monotonic() < until:
        await asyncio.sleep(chance.uniform(0, 2 * PAUSE))
        [fault] = chance.choices(list(KINDS), list(KINDS.values()))
        strike = await fault(system, chance).strike()
        strikes.append(strike)
        while books.acknowledged <= strike.ended:
            if time.monotonic() > strike.ended + at_most(LONGEST_HEAL):
                books.complain(f"no money moved any more after {strike.name}")
                return
            await asyncio.sleep(0.002)
        books.outcome.heals.append(books.acknowledged - strike.ended)
    for sentence in system.complaints:
        books.complain(sentence)


async def _audit(api: Api, archive: Place, books: Books, followers: Sequence[Follower]) -> None:
    """The log against what everybody was told, and against what the feed told, and tells now."""
    async with client_of(api.engine_socket) as client:
        whole = await whole_log(client, archive, COLLECTIONS)
    books.outcome.violations += whole.complaints
    late = Follower(books)
    await late.run(lambda: False)
    ledger, lines = Ledger(), Counter[str]()
    for entry in whole.log:
        collection, _, item = entry.item.partition("/")
        lines[item] += collection == "transfers"
        for wrong in ledger.take(entry.transaction, entry.item, json.loads(entry.body)):
            books.complain(f"{wrong}, says the log at {entry.position}")
    for wrong in ledger.close():
        books.complain(f"{wrong}, says the log at its end")
    books.outcome.unknown = sum(told == "lost" for told in books.told.values())
    for name, told in books.told.items():
        right = {"200": {1}, "412": {0}}.get(told, {0, 1})
        if lines[name] not in right:
            books.complain(f"transfer {name} was told {told}, and is in the log {lines[name]}×")
    if any(each.ledger.balances != ledger.balances for each in (*followers, late)):
        books.complain("in the end the feed has told other balances than the log has")
    books.outcome.violations += await read_back(api.port, whole.log, books.outcome.seed)
    books.outcome.violations += await verified(
        *("--redis-url", f"unix://{api.engine_socket}"),
        environment={**api.environment, **archive.environment},
    )
