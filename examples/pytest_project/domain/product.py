"""What the shop sells."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Product(BaseModel):
    """A product, as it is stored and checked."""

    model_config = ConfigDict(extra="forbid")

    title: str
    price_cents: int = Field(ge=0)


def shown_price(cents: int) -> str:
    """A number of cents as an amount."""
    return f"{cents / 100:.2f}"
