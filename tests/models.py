"""Models of operators, with much of what pydantic can do to a body."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    RootModel,
    SecretStr,
    computed_field,
    field_serializer,
    model_validator,
)
from typing_extensions import TypedDict


class Colour(Enum):
    """Some."""

    red = "r"
    green = 2


class Cat(BaseModel):
    """One kind of pet."""

    kind: Literal["cat"]
    a: float = 1.5


class Dog(BaseModel):
    """Another, with a computed field."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["dog"] = "dog"
    a: int = 0

    @computed_field  # type: ignore[prop-decorator]
    @property
    def b(self) -> int:
        """One more."""
        return self.a + 1


class Open(BaseModel):
    """Keeps what it does not know, and computes a field beside it."""

    model_config = ConfigDict(extra="allow")

    a: int | float | str | bool | None = None

    @computed_field(alias="b")  # type: ignore[prop-decorator]
    @property
    def doubled(self) -> Any:
        """Twice a."""
        return [self.a, self.a]


class Scalars(BaseModel):
    """Everything that is text in JSON and something else in Python."""

    model_config = ConfigDict(ser_json_inf_nan="constants")

    a: float | None = None
    b: bytes = b""
    c: Decimal = Decimal(0)
    d: datetime | date | timedelta | None = None
    e: UUID | int | None = None
    f: Colour | None = None
    g: SecretStr | None = None


class Containers(BaseModel):
    """Sets, tuples, keys that are no text, and parts that differ by kind."""

    a: set[float] | list[str] = []
    b: dict[int, Any] = {}
    c: tuple[int, ...] = ()
    d: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None
    e: frozenset[bool] = frozenset()
    f: dict[float, JsonValue] = {}


class Aliases(BaseModel):
    """Names that differ on the way in and on the way out."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    a: int = Field(default=0, validation_alias=AliasChoices("b", AliasPath("c", 0)))
    b: str = Field(default="", serialization_alias="d")
    e: int = Field(default=0, exclude=True)
    f: list[int] = Field(default_factory=lambda: [id(object())])


class Node(BaseModel):
    """Holds itself."""

    a: Node | None = None
    b: list[Node] = []


class Point(TypedDict, total=False):
    """A typed dictionary."""

    a: int


@dataclass
class Pair:
    """A dataclass of the standard library."""

    a: int
    b: str = ""


class Foreign(BaseModel):
    """Kinds that are no models of pydantic."""

    a: Pair | Point | None = None
    b: list[Pair] = []
    c: JsonValue = None


def _shortened(value: Any) -> Any:
    return value[1:] if isinstance(value, str | list) else value


class Coded(BaseModel):
    """Code that makes something else of a value each time."""

    a: Annotated[Any, BeforeValidator(_shortened)] = None
    b: Any = None

    @model_validator(mode="after")
    def _swapped(self) -> Coded:
        self.a, self.b = self.b, self.a
        return self

    @field_serializer("b")
    def _written(self, value: Any) -> Any:
        return {1: value, "1": value} if isinstance(value, int) else value


ALL: list[type[BaseModel] | None] = [
    None, Open, Scalars, Containers, Aliases, Node, Foreign, Coded, Dog, RootModel[list[Any]],
    RootModel[dict[str, float]],
]  # fmt: skip
"""None stands for any JSON object."""
