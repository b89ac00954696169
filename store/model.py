"""The model of an item: what a body must be, and the JSON that is stored of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, RootModel, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from itemstore.eventlog.json_text import (
    MalformedJson,
    check_json,
    comes_back_as_it_is,
    is_glanced_at,
)
from itemstore.store.model_errors import (
    BEGINNING,
    InvalidItem,
    NotKept,
    beginning,
    collected,
    errors_of_beginning,
    pointer,
    refused,
)
from itemstore.store.model_round_trip import (
    Place,
    first_difference,
    first_loss,
    forget_computed,
    in_any_order,
    not_finite,
    without,
)
from itemstore.store.model_schema import Traits, add_computed

_NO_NAME = re.compile(r"[^A-Za-z0-9._-]")
"""What OpenAPI allows in no name of a schema."""


_NOT_AGAIN = "the model would not accept this unchanged when it is sent back"


class ItemModel:
    """Validates bodies against a pydantic model, or takes any JSON object where it is None.

    `runs_code` says whether the model has code of its operator in it, which may take any time.
    """

    def __init__(self, model: type[BaseModel] | None) -> None:
        adapter: TypeAdapter[Any] = TypeAdapter(dict[str, Any] if model is None else model)
        self.name = "Item" if model is None else _NO_NAME.sub("_", model.__name__)
        self._adapter = adapter
        self._model = model
        self._traits = Traits.of(adapter.core_schema)
        self._is_stable = self._traits.is_stable
        self.runs_code = self._traits.runs_code

    def stored(self, body: bytes, *, is_checked: bool = False) -> bytes:
        """The JSON that is stored for a body: the validated model, as compact UTF-8.

        The model accepts it, with the same result, when it is sent back, patched or reverted to
        (docs/decisions/0013). `is_checked` says that to_json wrote the body, from a value that
        check_json gave. Raises MalformedJson, and InvalidItem for what the model refuses or would
        not accept unchanged.
        """
        if not self._is_stable:
            return self._checked(body, check_json(body))
        if self._model is None:
            is_plain = is_checked or comes_back_as_it_is(body)
            value = None if is_plain else check_json(body)
            if is_plain and body.startswith(b"{"):
                return body
            if isinstance(value, dict):
                return to_json(value)
        try:
            item = self._adapter.validator.validate_json(body)
        except ValidationError as error:
            raise self._refusal(error, check_json(body)) from None
        text = self._adapter.serializer.to_json(item, by_alias=True)
        if not is_checked and not (
            # Pydantic's parser and writer have just given it back, or are asked to.
            is_glanced_at(body) if text == body else comes_back_as_it_is(body)
        ):
            check_json(body)
        return text

    def schema(self, ref_template: str) -> dict[str, Any]:
        """The JSON Schema of a body; nested models under `$defs`.

        Computed fields are in it as `readOnly`: they are stored, and what a body says of them is
        left out.
        """
        schema = self._adapter.json_schema(ref_template=ref_template)
        if self._traits.computed:
            written = self._adapter.json_schema(ref_template=ref_template, mode="serialization")
            add_computed(schema, written)
        return schema

    def _checked(self, body: bytes, value: Any) -> bytes:
        """The JSON to store, once the model has accepted it too. Raises InvalidItem."""
        item = self._validated(body, value)
        text = self._text(item)
        given = _read(text)
        try:
            again = self._validated(text, given)
        except InvalidItem as error:
            errors = [(place, f"{_NOT_AGAIN}: {detail}") for place, detail in error.errors]
            raise NotKept(errors, error.count) from None
        text_again = self._text(again)
        place = None
        if text_again != text:
            place = self._difference(_read(text), _read(text_again))
        elif self.runs_code or b"null" in text:  # else no secret, and no number that was lost
            place = first_loss(self._python(item), self._python(again))
        if place is not None:
            raise NotKept([(pointer(place), _NOT_AGAIN)])
        return text

    def _validated(self, body: bytes, value: Any) -> Any:
        """The item that the model makes of a body, whose value may be changed.

        What the body says of computed fields is left out, as GET gives them and a client sends
        them back. Raises InvalidItem.
        """
        computed = self._traits.computed
        try:
            item = self._adapter.validator.validate_json(body)
        except ValidationError as error:
            if not (computed and without(value, _extra(error, computed))):
                raise self._refusal(error, value) from None
            try:
                item = self._adapter.validator.validate_json(_written(value))
            except ValidationError as other:
                raise self._refusal(other, value) from None
        if computed:
            forget_computed(item)
        return item

    def _refusal(self, error: ValidationError, value: Any) -> InvalidItem:
        """What the model refuses in a value."""
        if error.error_count() <= BEGINNING:
            return refused(error)
        first = None
        try:
            self._adapter.validator.validate_json(_written(beginning(value)))
        except ValidationError as raised:
            first = raised
        return refused(error, errors_of_beginning(first))

    def _text(self, item: Any) -> bytes:
        """The item as JSON. Raises NotKept where it can't be written as such."""
        try:
            return self._adapter.serializer.to_json(item, by_alias=True, warnings=False)
        except (PydanticSerializationError, UnicodeError):
            reason = "the model can't write this value as JSON"
            raise NotKept([(place, reason) for place in self._unwritable(item)]) from None

    def _unwritable(self, item: Any) -> list[str]:
        """Pointers to the fields that can't be written as JSON; to the whole item if to none."""
        if self._model is None or issubclass(self._model, RootModel):
            return [""]
        aliases = {
            name: each.serialization_alias for name, each in self._model.model_fields.items()
        }
        aliases |= {name: each.alias for name, each in self._model.model_computed_fields.items()}
        bad = [name for name in aliases if not self._is_writable(item, name)]
        return [pointer([aliases[name] or name]) for name in bad] or [""]

    def _is_writable(self, item: Any, name: str) -> bool:
        try:
            self._adapter.serializer.to_json(item, by_alias=True, include={name}, warnings=False)
        except (PydanticSerializationError, UnicodeError):
            return False
        return True

    def _python(self, item: Any) -> Any:
        """The item as Python has it, by the names that its JSON has."""
        return self._adapter.serializer.to_python(item, by_alias=True, warnings=False)

    def _difference(self, given: Any, again: Any) -> Place | None:
        place = first_difference(given, again)
        if self._traits.has_sets and place is not None:
            return place and first_difference(in_any_order(given), in_any_order(again)) and place
        return place


def _extra(error: ValidationError, computed: frozenset[str]) -> Iterator[Place]:
    """Where a body brings a computed field along, which the model takes for an unknown one."""
    for each in collected(error):
        if each["type"] == "extra_forbidden" and each["loc"][-1] in computed:
            yield each["loc"]


def _read(text: bytes) -> Any:
    """The value of a text that a model gave. Raises NotKept where it is no JSON."""
    try:
        return check_json(text)
    except MalformedJson as error:
        place = not_finite(json.loads(text))
        if place is not None:
            raise NotKept([(pointer(place), "JSON has no NaN and no infinity")]) from None
        raise NotKept([("", f"what the model makes of it is not JSON: {error.reason}")]) from None


def _written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
