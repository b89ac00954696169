"""What the shop keeps: products, and orders of them."""

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Product(Strict):
    title: str
    price_cents: int = Field(ge=0)
    stock: int = Field(ge=0)


class Order(Strict):
    product: str
    quantity: int = Field(gt=0)
    price_cents: int
