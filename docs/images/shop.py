"""A shop with six weeks behind it, which the pictures of the explorer are taken of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

OPENED = datetime(2026, 10, 12, 8, 0, tzinfo=UTC)

DAYS = 42


class Product(BaseModel):
    """Something that the shop sells."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: str
    kind: Literal["tea", "cup", "book"]
    price_cents: int = Field(ge=0)
    stock: int = Field(ge=0)
    organic: bool = False
    note: str | None = None


TITLES = {
    "tea/assam": "Assam, second flush",
    "tea/darjeeling": "Darjeeling, first flush",
    "tea/earl-grey": "Earl Grey",
    "tea/genmaicha": "Genmaicha",
    "tea/gyokuro": "Gyokuro",
    "tea/keemun": "Keemun",
    "tea/lapsang": "Lapsang souchong",
    "tea/sencha": "Sencha",
    "tea/شاي": "شاي بالنعناع",
    "cup/blue": "Blue cup",
    "cup/celadon": "Celadon cup",
    "cup/glass": "Double-walled glass",
    "cup/matcha-bowl": "Matcha bowl",
    "book/of-tea": "The Book of Tea",
    "book/of-cups": "A History of Cups",
}

CUSTOMERS = ("mia", "noor", "paul", "zoë")

PEOPLE = ("ann", "joe", "till")


def history() -> Iterator[str]:
    """Every event of the shop in a line, oldest first, as `itemstore import` reads them."""
    for event in sorted(_events(), key=lambda event: event["time"]):
        yield json.dumps(event, ensure_ascii=False)


def more_orders() -> Iterator[tuple[str, dict[str, Any]]]:
    """What customers write for as long as the shop is open: paths and bodies."""
    random = Random(20)
    for number in count(181):
        lines = [{"product": random.choice(list(TITLES)), "quantity": random.randrange(1, 4)}]
        order = {"customer": random.choice(CUSTOMERS), "lines": lines}
        for state in ("placed", "paid"):
            yield f"/orders/2026-{number:04}", {**order, "state": state}


def _events() -> Iterator[dict[str, Any]]:
    random = Random(19)
    for number, (item, title) in enumerate(TITLES.items()):
        yield from _life_of(item, title, OPENED + timedelta(minutes=7 * number), random)
    for number in range(1, 181):
        placed = OPENED + timedelta(hours=random.uniform(30, 24 * DAYS - 30))
        yield from _order(f"2026-{number:04}", placed, random)


def _life_of(item: str, title: str, begun: datetime, random: Random) -> Iterator[dict[str, Any]]:
    """A product that is sold, bought in again, and made cheaper or dearer at times."""
    body: dict[str, Any] = {
        "title": title,
        "kind": item.partition("/")[0],
        "price_cents": random.randrange(390, 2990, 50),
        "stock": random.randrange(20, 60),
        "organic": random.random() < 0.5,
        "note": None,
    }
    yield _event("products", "ItemCreated", item, begun, "ann", body)
    for day in sorted(random.sample(range(1, DAYS), random.randrange(6, 14))):
        changed = begun + timedelta(days=day, minutes=random.randrange(540))
        match random.randrange(5):
            case 0:
                body["price_cents"] += random.choice([-100, -50, 50, 100])
            case 1:
                body["note"] = random.choice(["New harvest", "Last ones", "Ann's favourite", None])
            case _:
                sold = min(body["stock"], random.randrange(1, 9))
                body["stock"] += 24 if body["stock"] < 10 else -sold
        yield _event("products", "ItemUpdated", item, changed, random.choice(PEOPLE), body)
    if item == "book/of-cups":
        yield _event("products", "ItemDeleted", item, begun + timedelta(days=DAYS), "ann", None)


def _order(item: str, placed: datetime, random: Random) -> Iterator[dict[str, Any]]:
    """An order that is placed, paid and sent, or cancelled."""
    lines = [
        {"product": product, "quantity": random.randrange(1, 4)}
        for product in random.sample(list(TITLES), random.randrange(1, 4))
    ]
    order = {"customer": random.choice(CUSTOMERS), "lines": lines}
    steps = ["placed", "paid", "sent"] if random.random() < 0.9 else ["placed", "cancelled"]
    for number, state in enumerate(steps):
        when = placed + timedelta(hours=9 * number, minutes=random.randrange(50))
        kind = "ItemUpdated" if number else "ItemCreated"
        actor = "web" if state in {"placed", "paid"} else random.choice(PEOPLE)
        yield _event("orders", kind, item, when, actor, {**order, "state": state})


def _event(
    collection: str, kind: str, item: str, when: datetime, actor: str, body: dict[str, Any] | None
) -> dict[str, Any]:
    event = {
        "source": f"/{collection}",
        "type": kind,
        "subject": item,
        "time": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "actor": actor,
    }
    return event if body is None else event | {"data": dict(body)}
