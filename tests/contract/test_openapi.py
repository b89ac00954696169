"""The OpenAPI document: valid, complete, and with 200 and 201 both described."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openapi_spec_validator
import pytest

from api.app import ItemStore

METHODS = {"get", "put", "post", "patch", "delete"}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation, with its path and its method."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_the_document_is_valid(app: ItemStore) -> None:
    """OpenAPI 3.1, whatever the model is."""
    document = app.openapi()

    assert document["openapi"].startswith("3.1")
    openapi_spec_validator.validate(document)


def test_every_method_of_every_resource_is_described(app: ItemStore) -> None:
    """And nothing that there is not. HEAD and OPTIONS go without saying."""
    described = {(path, method.upper()) for path, method, _ in operations(app.openapi())}

    assert described == {
        (resource.template, method)
        for resource in app.resources._resources
        for method in resource.handlers
        if not resource.template.startswith(
            ("/docs", "/openapi.json")
        )  # which show what is described
    }


def test_an_operation_has_a_name_of_its_own(app: ItemStore) -> None:
    """Generated clients call their functions after it."""
    names = [operation["operationId"] for _, _, operation in operations(app.openapi())]

    assert len(names) == len(set(names))
    assert all(name.isidentifier() for name in names)


def test_put_answers_201_or_200_both_with_the_item(app: ItemStore) -> None:
    """Both have the model in their bodies; the headers of a write; and Location when created."""
    document = app.openapi()
    put = document["paths"]["/items/{id}"]["put"]

    updated, created = put["responses"]["200"], put["responses"]["201"]

    taken = put["requestBody"]["content"]["application/json"]["schema"]
    assert updated["content"] == created["content"] == {"application/json": {"schema": taken}}
    of_a_write = {"ETag", "Last-Modified", "Event-Id", "Event-Type", "Content-Location"}
    assert set(updated["headers"]) == of_a_write
    assert set(created["headers"]) == of_a_write | {"Location"}
    assert taken["$ref"].rpartition("/")[2] in document["components"]["schemas"]


def test_put_describes_every_status_that_it_has(app: ItemStore) -> None:
    """All rows of the table, and what every operation may answer."""
    put = app.openapi()["paths"]["/items/{id}"]["put"]

    assert {int(status) for status in put["responses"]} == {
        200, 201, 204, 400, 401, 403, 409, 410, 412, 413, 415, 421, 422, 428, 500, 503, 507,
    }  # fmt: skip


def test_every_error_is_described_as_a_problem(app: ItemStore) -> None:
    """With the one media type and the one schema that errors have."""
    for path, method, operation in operations(app.openapi()):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
                described = (path, method, status, answer["content"])
                assert described == (path, method, status, {"application/problem+json": problem})


@pytest.mark.parametrize("section", ["schemas", "parameters", "headers"])
def test_every_component_is_used(app: ItemStore, section: str) -> None:
    """What nothing refers to is left over."""
    document = app.openapi()
    text = json.dumps(document)

    for name in document["components"][section]:
        assert f'"#/components/{section}/{name}"' in text, name


def test_only_what_needs_no_token_says_so(app: ItemStore) -> None:
    """The store may want a token for everything else."""
    document = app.openapi()
    [scheme] = document["components"]["securitySchemes"].values()

    open_to_all = {path for path, _, each in operations(document) if each.get("security") == []}

    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert document["security"] == [{"token": []}, {}]
    assert open_to_all == {"/livez", "/readyz", "/problems/{slug}"}
