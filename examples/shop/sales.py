"""A projection: how many of each product were sold."""

import json
from collections import Counter

from itemstore import CountingProjection, RecordedEvent


def count_sold(numbers: Counter[str], recorded: RecordedEvent) -> None:
    """Counts the pieces of a new order under its product."""
    if recorded.type == "ItemCreated":
        order = json.loads(recorded.event.body)
        numbers[order["product"]] += order["quantity"]


SOLD = CountingProjection("sold", count_sold, collections=("orders",))
