"""What the stores of these tests hold: a flat model, such as a form can be made of."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Product(BaseModel):
    """Something that a shop sells."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: str
    price_cents: int
    kind: Literal["tea", "cup", "book"] = "tea"
    in_stock: bool = True
    note: str | None = None
