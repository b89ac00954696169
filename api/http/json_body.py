"""A JSON body of a resource that is no item's: checked against a pydantic model."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from itemstore.api.http.problems import Problem
from itemstore.api.http.request import Request
from itemstore.eventlog.json_text import check_json
from itemstore.store.model_errors import Error, refused


class Body(BaseModel):
    """The members of a body; any other is refused, so that a typo is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


AnyBody = TypeVar("AnyBody", bound=Body)


async def json_body(request: Request, model: type[AnyBody]) -> AnyBody:
    """The body of the request.

    Raises MalformedJson, Problem (413, 415, 422), and TokenInvalid where it was revoked meanwhile.
    """
    _, document = await request.content()
    value = check_json(document)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        invalid = refused(error)
        raise invalid_body(*invalid.errors, count=invalid.count) from None


def invalid_body(*errors: Error, count: int | None = None) -> Problem:
    """The problem that a body has, by pointer and sentence; `count` where it has more."""
    pointer, detail = errors[0]
    more = "" if len(errors) == 1 else f" It is the first of {count or len(errors)} errors."
    return Problem(
        "invalid-body",
        f"{pointer or 'The whole body'}: {detail.rstrip('.')}.{more}",
        members={
            "errors": [{"pointer": place, "detail": said} for place, said in errors],
            "count": count or len(errors),
        },
    )
