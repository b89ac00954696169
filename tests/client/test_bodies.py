"""Bodies of every kind that pydantic knows, to JSON and back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from typing_extensions import TypedDict

from itemstore.client import UnexpectedAnswer
from itemstore.client.bodies import Bodies
from tests.client.conftest import Product


@dataclass
class Note:
    """With a value that JSON has no kind for."""

    text: str
    at: datetime


class Line(TypedDict):
    """A dict whose members are known."""

    quantity: int


@pytest.mark.parametrize(
    ("model", "body", "text"),
    [
        (Product, Product(title="Fox", price=7), b'{"title":"Fox","priceCents":7}'),
        (
            Note,
            Note("a", datetime(2026, 1, 31, tzinfo=UTC)),
            b'{"text":"a","at":"2026-01-31T00:00:00Z"}',
        ),
        (Line, Line(quantity=7), b'{"quantity":7}'),
        (None, {"big": 2**80, "none": [], "half": 0.5}, None),
    ],
)
def test_a_body_comes_back_as_it_was(model: type[Any] | None, body: Any, text: bytes) -> None:
    """From an answer of its own, and from within a page."""
    bodies = Bodies[Any](model)
    written = bodies.encode(body)
    assert text is None or written == text
    assert bodies.read(written) == body
    assert bodies.take(Bodies[Any](None).read(written)) == body


def test_what_is_no_json_is_said() -> None:
    """As a proxy's page."""
    with pytest.raises(UnexpectedAnswer, match="no JSON"):
        Bodies[Any](None).read(b"<html>")
    with pytest.raises(UnexpectedAnswer, match="model"):
        Bodies(Product).read(b"<html>")


def test_a_model_that_is_none_is_refused_at_once() -> None:
    """And not by the first answer."""

    class Opaque:
        """Nothing of JSON."""

    with pytest.raises(TypeError, match="Opaque"):
        Bodies(Opaque)
