"""What the stores of these tests are given.

A flat model, such as a form can be made of, and a projection that sets events aside.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

from pydantic import BaseModel, ConfigDict

from itemstore import HandlerProjection, RecordedEvent


class Product(BaseModel):
    """Something that a shop sells."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: str
    price_cents: int
    kind: Literal["tea", "cup", "book"] = "tea"
    in_stock: bool = True
    note: str | None = None


ASKED: Counter[str] = Counter()
"""How often each parcel was to be sent, by the id of its event."""


def send(recorded: RecordedEvent) -> None:
    """Sends orders that are parcels, at the second try."""
    if recorded.item.startswith("parcel-"):
        ASKED[recorded.id] += 1
        if ASKED[recorded.id] == 1:
            msg = "No <b>courier</b> today"
            raise RuntimeError(msg)


PARCELS = HandlerProjection(
    "parcels", send, collections=("orders",), begin="start", give_up_after=1
)
