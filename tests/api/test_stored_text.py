"""What a model makes of a body can be read, and sent back: else it is not stored."""

from __future__ import annotations

import json
import logging
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    SecretStr,
    computed_field,
    field_serializer,
    field_validator,
    model_validator,
)

from tests.api.conftest import Serve, problem
from tests.conftest import Unchanged
from tests.logged import all_told


class Labelled(BaseModel):
    """With a field that is computed."""

    name: str

    @computed_field  # type: ignore[prop-decorator]
    @property
    def label(self) -> str:
        """The name, shouted."""
        return self.name.upper()


class Open(Labelled):
    """Keeps what it does not know."""

    model_config = ConfigDict(extra="allow")


class Closed(Labelled):
    """Refuses what it does not know."""

    model_config = ConfigDict(extra="forbid")


class Shelf(BaseModel):
    """Models with computed fields, in a list and in a union."""

    model_config = ConfigDict(extra="forbid")

    items: list[Closed] = []
    best: Closed | int | None = None
    rest: dict[str, Open] = {}


class Number(BaseModel):
    """A number that may not be one."""

    x: float


class MaybeNumber(BaseModel):
    """A number, or null."""

    x: float | None


class Constants(BaseModel):
    """Writes what no JSON has."""

    model_config = ConfigDict(ser_json_inf_nan="constants")

    x: float


class Base64In(BaseModel):
    """Reads bytes as base64, and writes them as text."""

    model_config = ConfigDict(val_json_bytes="base64")

    x: bytes


class Base64Out(BaseModel):
    """Reads bytes as text, and writes them as base64."""

    model_config = ConfigDict(ser_json_bytes="base64")

    x: bytes


class Secret(BaseModel):
    """A secret, which pydantic shows as asterisks."""

    x: SecretStr


class WrittenOtherwise(BaseModel):
    """An alias that is written, and another one that is read."""

    x: int = Field(validation_alias="x", serialization_alias="out")


class Forgetful(BaseModel):
    """A field that is needed and not written."""

    x: str = Field(exclude=True)


class Growing(BaseModel):
    """A validator that adds something each time."""

    x: list[int]

    @field_validator("x")
    @classmethod
    def _one_more(cls, x: list[int]) -> list[int]:
        return [*x, 1]


class Unit(BaseModel):
    """A serializer whose text the validator does not take."""

    x: int

    @field_serializer("x")
    def _with_unit(self, x: int) -> str:
        return f"{x} kg"


class Unwritable(BaseModel):
    """A serializer that fails."""

    x: int

    @field_serializer("x")
    def _fails(self, x: int) -> str:
        raise KeyError(x)


class WrongDefault(BaseModel):
    """A default that its own type refuses."""

    x: int = Field(default="many")  # type: ignore[assignment]


class Loop(Labelled):
    """Holds itself, outside of its JSON."""

    around: Any = Field(default=None, exclude=True)

    @model_validator(mode="after")
    def _closed(self) -> Loop:
        self.around = [self]
        return self


REFUSED = [
    (Number, {"x": "NaN"}),
    (MaybeNumber, {"x": "-inf"}),
    (Constants, {"x": "inf"}),
    (Base64In, {"x": "/w=="}),
    (Base64In, {"x": "dGVh"}),
    (Base64Out, {"x": "tea"}),
    (Secret, {"x": "s3cret"}),
    (Forgetful, {"x": "a"}),
    (Growing, {"x": []}),
    (Unit, {"x": 1}),
    (Unwritable, {"x": 1}),
    (WrongDefault, {}),
]


@pytest.mark.parametrize(
    ("model", "body"), REFUSED, ids=lambda value: getattr(value, "__name__", "")
)
async def test_what_a_model_would_not_accept_again_is_refused(
    serve: Serve, unchanged: Unchanged, model: type[BaseModel], body: Any
) -> None:
    """422 that points to the value, quotes none, and stores nothing."""
    async with unchanged():
        answer = await serve(model=model).put("/items/foo", json=body)

    content = problem(answer, 422, "invalid-item")
    assert content["errors"][0]["pointer"].startswith("/x")
    assert "s3cret" not in answer.text


async def test_the_name_that_is_written_is_the_one_that_is_pointed_at(
    serve: Serve, unchanged: Unchanged
) -> None:
    """The client sees that name and no other."""
    async with unchanged():
        answer = await serve(model=WrittenOtherwise).put("/items/foo", json={"x": 1})

    pointers = [error["pointer"] for error in problem(answer, 422, "invalid-item")["errors"]]
    assert pointers == ["/x"]  # which is missing in {"out": 1}


async def test_a_root_that_can_t_be_written_is_the_whole_body(serve: Serve) -> None:
    """There is no field to point to."""
    model = RootModel[dict[str, Annotated[bytes, AfterValidator(lambda _: b"\xff")]]]
    answer = await serve(model=model).put("/items/foo", json={"a": "b"})
    assert problem(answer, 422, "invalid-item")["errors"][0]["pointer"] == ""


class Cat(BaseModel):
    """One kind of pet."""

    kind: Literal["cat"]
    lives: int = 9


class Dog(BaseModel):
    """Another."""

    kind: Literal["dog"]


class Varied(BaseModel):
    """Much of what pydantic knows, none of it lossy."""

    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    price: Decimal = Decimal(0)
    at: datetime | None = None
    tags: set[str] = set()
    ratio: float | None = None
    both: int = Field(default=1, validation_alias=AliasChoices("old", "both"))
    token: int = Field(default_factory=lambda: id(object()))
    hidden: str = Field(default="", exclude=True)


STORED = [
    (Open, {"name": "tea", "label": "mine", "more": {"label": 1}},
     {"name": "tea", "more": {"label": 1}, "label": "TEA"}),
    (Closed, {"name": "tea"}, {"name": "tea", "label": "TEA"}),
    (Closed, {"name": "tea", "label": "old"}, {"name": "tea", "label": "TEA"}),
    (Shelf, {"items": [{"name": "a", "label": "x"}], "best": {"name": "b", "label": "y"},
             "rest": {"c": {"name": "c", "label": "z", "d": 1}}},
     {"items": [{"name": "a", "label": "A"}], "best": {"name": "b", "label": "B"},
      "rest": {"c": {"name": "c", "d": 1, "label": "C"}}}),
    (Number, {"x": "1.5"}, {"x": 1.5}),
    (RootModel[dict[str, int]], {"a": 1}, {"a": 1}),
    (Loop, {"name": "tea", "label": "old"}, {"name": "tea", "label": "TEA"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("model", "body", "stored"), STORED, ids=lambda value: getattr(value, "__name__", "")
)
async def test_what_is_stored_can_be_put_patched_and_brought_back(
    serve: Serve, model: type[BaseModel], body: Any, stored: Any
) -> None:
    """Each time with the same result; a computed field is there once, and computed."""
    client = serve(model=model)
    merge = {"content-type": "application/merge-patch+json"}

    put = await client.put("/items/foo", json=body)
    again = await client.put("/items/foo", content=put.content, headers=JSON)
    patched = await client.patch("/items/foo", content=b"{}", headers=merge)
    reverted = await client.post("/items/foo/revert", json={"version": 1})

    answers = [put, again, patched, reverted]
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200]
    assert {answer.text for answer in answers} == {json.dumps(stored, separators=(",", ":"))}


async def test_sets_have_no_order_and_can_be_sent_back(serve: Serve) -> None:
    """A set is given in another order the next time, and is the same."""
    client = serve(model=Varied)
    tags = [f"tag {number}" for number in range(50)]
    body = {"pet": {"kind": "cat"}, "price": "1E+400", "at": 5, "tags": tags, "old": 3}

    put = await client.put("/items/foo", json=body)
    again = await client.put("/items/foo", content=put.content, headers=JSON)

    assert (put.status_code, again.status_code) == (201, 200)
    assert sorted(again.json().pop("tags")) == sorted(tags)
    assert {**put.json(), "tags": []} == {**again.json(), "tags": []}


async def test_an_unknown_kind_of_a_union_is_not_quoted(serve: Serve) -> None:
    """The sentence of pydantic has the value in it, however long it is."""
    answer = await serve(model=Varied).put("/items/foo", json={"pet": {"kind": "bird" * 1000}})

    [error] = problem(answer, 422, "invalid-item")["errors"]
    assert error == {"pointer": "/pet", "detail": "'kind' is none of 'cat', 'dog'"}


@pytest.mark.parametrize("model", [Secret, Base64In, Growing, Unit, Forgetful, WrittenOtherwise])
def test_a_model_that_never_accepts_what_it_gives_is_named_at_the_start(
    serve: Serve, caplog: pytest.LogCaptureFixture, model: type[BaseModel]
) -> None:
    """A warning in the log, with the field; the store serves all the same."""
    with caplog.at_level(logging.WARNING, "itemstore"):
        serve(model=model)

    [told] = all_told(caplog, event="A model does not accept unchanged what it stores")
    assert told["model"] == model.__name__
    assert told["reason"].startswith("One value does")


@pytest.mark.parametrize("model", [None, "any", Open, Closed, Shelf, Number, Varied, Base64Out])
def test_a_model_that_may_accept_what_it_gives_is_not_named(
    serve: Serve, caplog: pytest.LogCaptureFixture, model: Any
) -> None:
    """Nor is one for which no sample can be made."""
    with caplog.at_level(logging.WARNING, "itemstore"):
        serve(model=model)

    assert bool(caplog.records) is (model is Base64Out)


JSON = {"content-type": "application/json"}
