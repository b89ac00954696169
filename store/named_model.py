"""The model that ITEMSTORE_MODEL names: the operator's, none at all, or the default one."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from itemstore.store.model import ItemModel
from itemstore.store.named import UnknownName, imported


class Item(BaseModel):
    """An item of the default model."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str | None = Field(default=None, examples=["Fighters"])
    size: int | None = Field(default=None, examples=[6])


def named_model(name: str | None, *, said: str = "ITEMSTORE_MODEL is") -> ItemModel:
    """The model that is named `module:Model`; `any` takes any JSON object, None is the default.

    Raises UnknownName, which begins as `said`.
    """
    if name is None:
        return ItemModel(Item)
    return ItemModel(None if name == "any" else _imported(name, said))


def _imported(name: str, said: str) -> type[BaseModel]:
    model = imported(said, name, "module:Model, or any")
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise UnknownName(said, name, ", which is not a pydantic model")
    return model
