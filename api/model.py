"""The model of an item: what a body must be, and the JSON that is stored of it."""

from __future__ import annotations

import importlib
import json
import math
import re
import sys
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from api.problems import Problem


class Item(BaseModel):
    """An item of the default model."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str | None = Field(default=None, examples=["Fighters"])
    size: int | None = Field(default=None, examples=[6])


_NO_NAME = re.compile(r"[^A-Za-z0-9._-]")
"""What OpenAPI allows in no name of a schema."""


class UnknownModel(Exception):
    """ITEMSTORE_MODEL names something that is not a pydantic model."""


class ItemModel:
    """Validates bodies against a pydantic model, or takes any JSON object where it is None."""

    def __init__(self, model: type[BaseModel] | None) -> None:
        adapter: TypeAdapter[Any] = TypeAdapter(dict[str, Any] if model is None else model)
        self.name = "Item" if model is None else _NO_NAME.sub("_", model.__name__)
        self._adapter = adapter

    @classmethod
    def named(cls, name: str | None) -> ItemModel:
        """The model that the setting names: `module:Model`, `any`, None for the default one.

        Raises UnknownModel.
        """
        if name is None:
            return cls(Item)
        if name == "any":
            return cls(None)
        return cls(_imported(name))

    def stored(self, body: bytes) -> bytes:
        """The JSON that is stored for a body: the validated model, as compact UTF-8.

        Raises Problem: 400 for what is not JSON, 422 for what the model refuses.
        """
        check_json(body)
        try:
            item = self._adapter.validator.validate_json(body)
        except ValidationError as error:
            raise _problem(error) from None
        return self._adapter.serializer.to_json(item, by_alias=True)

    def schema(self, ref_template: str) -> dict[str, Any]:
        """The JSON Schema of a body; nested models under `$defs`."""
        return self._adapter.json_schema(ref_template=ref_template)


def check_json(body: bytes) -> Any:
    """The value that the JSON text stands for.

    Raises Problem (400) for what RFC 8259 does not allow, and for what would not come back as it
    went in: an object with the same key twice, a number beyond a 64-bit float, a lone surrogate.
    """
    try:
        text = body.decode()
        value = _DECODER.decode(text)
        if "\\u" in text:  # only an escape can make a lone surrogate
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        reason = "a lone surrogate is not a character"
    except RecursionError:
        reason = "it is nested too deep"
    except ValueError as error:
        reason = "the body is empty" if not body.strip() else str(error)
        if body.startswith(BOM_UTF8):
            reason = "it begins with a byte order mark (RFC 8259 §8.1)"
    else:
        return value
    raise Problem("malformed-json", f"The body is not JSON: {reason}.") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        message = f"the key {twice!r} stands twice in one object"
        raise ValueError(message)
    return members


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        message = f"{text[:40]} is too large for a number"
        raise ValueError(message)
    return number


def _not_json(text: str) -> Any:
    message = f"{text} is not a JSON number"
    raise ValueError(message)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_finite, parse_constant=_not_json
)


def _problem(error: ValidationError) -> Problem:
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    if errors[0]["type"] == "json_invalid":
        return Problem("malformed-json", f"The body is not JSON: {errors[0]['msg']}.")
    listed = [{"pointer": _pointer(each["loc"]), "detail": each["msg"]} for each in errors]
    count = len(listed)
    places = "place is" if count == 1 else "places are"
    first = f"{listed[0]['pointer'] or 'the whole body'}: {listed[0]['detail']}"
    sentence = f"{count} {places} not as the model wants; the first is {first}."
    return Problem("invalid-item", sentence, members={"errors": listed})


def _pointer(location: tuple[int | str, ...]) -> str:
    parts = [str(part).replace("~", "~0").replace("/", "~1") for part in location]
    return "".join(f"/{part}" for part in parts)


def _imported(name: str) -> type[BaseModel]:
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        message = f"ITEMSTORE_MODEL is {name!r}; write module:Model, or any."
        raise UnknownModel(message)
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        model = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        message = f"ITEMSTORE_MODEL is {name!r}, but {error}."
        raise UnknownModel(message) from error
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        message = f"ITEMSTORE_MODEL is {name!r}, which is not a pydantic model."
        raise UnknownModel(message)
    return model
