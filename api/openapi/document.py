"""The OpenAPI document: what FastAPI made of the routes, with all that they refer to."""

from __future__ import annotations

from collections.abc import Mapping

from itemstore.api.openapi import admin_schemas, batch_schemas
from itemstore.api.openapi.headers import HEADERS
from itemstore.api.openapi.model_schemas import ModelSchemas
from itemstore.api.openapi.own_schemas import OwnSchemas
from itemstore.api.openapi.parameters import PARAMETERS, one_of_collections, with_sources
from itemstore.api.openapi.references import renamed
from itemstore.api.openapi.schemas import SCHEMAS, Description
from itemstore.domain.events import ITEMS
from itemstore.store.model import ItemModel

ABOUT = """\
An event-sourced item store. Every write is an event in a log; the type of the event that a PUT
appended decides whether it answers 201 (ItemCreated) or 200 (ItemUpdated). A list takes a filter
expression of RFC 9535 in `where`, and finds items by what is in them. Every answer has an
`X-Request-ID`, the request's own where it names one of 1 to 128 letters, digits and `._~+/=@:-`."""

_SECURITY_SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "Wanted once the operator has made a token.",
    }
}


def complete(document: Description, models: Mapping[str, ItemModel]) -> Description:
    """The document that FastAPI made of the routes, with the components that they refer to."""
    of_models = ModelSchemas(models)
    own = OwnSchemas(SCHEMAS | batch_schemas.SCHEMAS | admin_schemas.SCHEMAS, of_models)
    document["components"] = {
        "parameters": PARAMETERS | {"collection": one_of_collections([*models])},
        "headers": HEADERS,
        "securitySchemes": _SECURITY_SCHEMES,
        "schemas": of_models.schemas | own.schemas,
    }
    # None at all is allowed while the store has no token.
    document["security"] = [{"token": []}, {}]
    document["tags"] = [{"name": name, "description": said} for name, said in _tags(models).items()]
    for path, operations in document["paths"].items():
        collection = path.split("/")[1]
        document["paths"][path] = renamed(operations, own.names.get(collection, own.shared))
        for operation in document["paths"][path].values():
            _fit(operation, models)
    return document


def _fit(operation: Description, collections: Mapping[str, ItemModel]) -> None:
    """Makes an operation fit the store: its collections, and a tag where there is no `items`."""
    sources = [f"/{name}" for name in collections]
    if parameters := operation.get("parameters"):
        operation["parameters"] = [with_sources(each, sources) for each in parameters]
    if operation.get("tags") == [ITEMS] and ITEMS not in collections:
        operation["tags"] = ["service"]


def _tags(collections: Mapping[str, ItemModel]) -> dict[str, str]:
    """What the operations are grouped by, each with its description."""
    said = {name: f"The items of /{name}." for name in collections}
    if [*collections] == [ITEMS]:
        said = {ITEMS: "The items."}
    said.setdefault("service", "The service itself.")
    return said
