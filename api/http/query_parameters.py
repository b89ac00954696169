"""Query parameters: checked against a pydantic model, from which OpenAPI describes them too."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, ClassVar, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from itemstore.api.http.problems import Problem
from itemstore.api.http.request import Request
from itemstore.eventlog.excerpts import shown
from itemstore.store.model_errors import MOST_LISTED

MOST_ON_A_PAGE = 1000

LAST_VERSION = 10**15
"""No item gets as far; the engine takes no number without an end."""

Limit = Annotated[
    int, Field(ge=1, le=MOST_ON_A_PAGE, description="How many there are on a page, at most.")
]
"""`?limit=` of everything that comes in pages."""


class Query(BaseModel):
    """The parameters of one resource; any other is refused, so that a typo is noticed.

    What OpenAPI says of a parameter is its field's: description, bounds, default, and what
    `json_schema_extra` adds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    if_no_name: ClassVar[str] = ""
    """What else is said of an unknown parameter whose name looks like a part of a value."""


AnyQuery = TypeVar("AnyQuery", bound=Query)


def query(request: Request, model: type[AnyQuery]) -> AnyQuery:
    """The parameters of the request. Raises Problem (422)."""
    text = request.query.decode("latin-1")
    if not text:
        return model()
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except ValueError:
        detail = "It is not UTF-8, percent-encoded."
        raise invalid_parameters([{"parameter": None, "detail": detail}]) from None
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        count = Counter(name for name, _ in pairs)
        twice = sorted(name for name in count if count[name] > 1)
        raise invalid_parameters(
            [{"parameter": name, "detail": "It is given twice."} for name in twice]
        )
    try:
        return model.model_validate(parameters)
    except ValidationError as error:
        raise invalid_parameters(
            [
                {
                    "parameter": (name := ".".join(map(str, each["loc"]))),
                    "detail": each["msg"]
                    if each["type"] != "extra_forbidden"
                    else _unknown(model, name),
                }
                for each in error.errors()
            ]
        ) from None


def _unknown(model: type[Query], name: str) -> str:
    names = sorted(field.alias or name for name, field in model.model_fields.items())
    if not names:
        return "This resource takes no parameters."
    hint = "" if name.isidentifier() else model.if_no_name
    return f"There is no such parameter; known here: {', '.join(names)}.{hint}"


def refuse_query(request: Request) -> None:
    """Raises Problem (422) where the request has parameters: its resource takes none."""
    if request.query:
        query(request, Query)


def invalid_parameters(errors: list[dict[str, Any]]) -> Problem:
    """Each of `errors` has the name of a `parameter`, and a `detail` that says what is wrong.

    The first 20 are listed: a query can have some thousand parameters.
    """
    errors = [
        {**each, "parameter": each["parameter"] and shown(each["parameter"])}
        for each in errors[:MOST_LISTED]
    ]
    first = f"{errors[0]['parameter'] or 'The query'}: {errors[0]['detail']}"
    return Problem("invalid-parameter", first.rstrip(".") + ".", members={"errors": errors})
