"""Bodies of items: from the user's model to JSON and back."""

from __future__ import annotations

import json
from typing import Any, Generic, cast

from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError
from pydantic_core import to_json

from itemstore.client.answers import Body
from itemstore.client.failures import UnexpectedAnswer


class Bodies(Generic[Body]):
    """Reads and writes bodies as a pydantic model, a dataclass or a TypedDict; else as dicts."""

    def __init__(self, model: type[Body] | None) -> None:
        """Raises TypeError for a class that pydantic can make nothing of."""
        try:
            self._adapter = None if model is None else TypeAdapter(model)
        except PydanticSchemaGenerationError as error:
            raise TypeError(f"{model!r} can't be read from JSON: {error}") from error

    def encode(self, body: Body) -> bytes:
        """The body as JSON, with the names that its model has for it."""
        if self._adapter is None:
            return to_json(body, inf_nan_mode="constants")
        return self._adapter.dump_json(body, by_alias=True)

    def read(self, text: bytes) -> Body:
        """The body that a text is. Raises UnexpectedAnswer."""
        try:
            if self._adapter is None:
                return cast("Body", json.loads(text))
            return self._adapter.validate_json(text)
        except ValidationError as error:
            message = f"The store's item does not fit the client's model: {error}"
            raise UnexpectedAnswer(message) from error
        except ValueError as error:
            raise UnexpectedAnswer("The answer is no JSON.") from error

    def take(self, value: Any) -> Body:
        """The body that a value, read from JSON, is. Raises UnexpectedAnswer."""
        return (
            cast("Body", value) if self._adapter is None else self.read(json.dumps(value).encode())
        )


def plain() -> Bodies[dict[str, Any]]:
    """Bodies as they are."""
    return Bodies(None)
