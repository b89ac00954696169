"""The OpenAPI document: valid, complete, and with 200 and 201 both described."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openapi_spec_validator
import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, computed_field

from itemstore.api.app import ItemStore
from itemstore.api.http.problems import Problem, problem_reply
from itemstore.projections.built_in import CURRENT_ITEMS
from itemstore.projections.rebuild.run import rebuild
from tests.api.conftest import client_of
from tests.contract.conftest import Product, Size, store

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
            ("/docs", "/openapi.json", "/explorer")
        )  # which show what is described, or are for people
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
        200, 201, 204, 400, 401, 403, 408, 409, 410, 412, 413, 414, 415, 421, 422, 428, 431,
        500, 501, 503, 507,
    }  # fmt: skip


def test_every_operation_describes_what_every_request_may_be_answered(app: ItemStore) -> None:
    """What is no HTTP, a URL or a header that is too long, too many requests, an error here."""
    for path, method, operation in operations(app.openapi()):
        lacking = {"400", "414", "431", "500", "503"} - set(operation["responses"])
        assert (path, method, lacking) == (path, method, set())


def test_every_form_of_an_answer_is_described(app: ItemStore) -> None:
    """The pages for people, and both forms of the metrics."""
    paths = app.openapi()["paths"]

    def forms(path: str) -> set[str]:
        return set(paths[path]["get"]["responses"]["200"]["content"])

    assert forms("/") == forms("/problems/{slug}") == {"application/json", "text/html"}
    assert forms("/metrics") == {"text/plain", "application/openmetrics-text"}
    assert "304" in paths["/"]["get"]["responses"]


def objects(node: Any) -> Iterator[dict[str, Any]]:
    """Every schema of an object in the document."""
    if isinstance(node, dict):
        if node.get("type") == "object":
            yield node
        for value in node.values():
            yield from objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from objects(value)


def test_no_object_is_described_as_empty(app: ItemStore) -> None:
    """Generators give an object of which nothing is said no members at all."""
    for schema in objects(app.openapi()):
        assert schema.get("properties") or schema.get("additionalProperties"), schema


def test_every_word_of_a_list_is_said_to_be_text() -> None:
    """Some generators make no type of an enumeration otherwise."""
    lists = [*schemas_with("enum", store(None).openapi())]

    assert lists
    assert all(schema["type"] == "string" for schema in lists)
    assert all("type" in schema for schema in schemas_with("const", store(None).openapi()))


def schemas_with(keyword: str, node: Any) -> Iterator[dict[str, Any]]:
    """Every schema of the document that has this keyword."""
    if isinstance(node, dict):
        if keyword in node:
            yield node
        for value in node.values():
            yield from schemas_with(keyword, value)
    elif isinstance(node, list):
        for value in node:
            yield from schemas_with(keyword, value)


def test_no_property_has_a_default(app: ItemStore) -> None:
    """Generators demand it of a body otherwise, and promise it of what was stored without it."""
    for schema in objects(app.openapi()["components"]["schemas"]):
        for name, described in schema.get("properties", {}).items():
            assert "default" not in described, name


def test_a_default_is_told_in_words() -> None:
    """The reader still learns what stands there where nothing is sent."""
    sizes = store(Product).openapi()["components"]["schemas"]["Product"]["properties"]["sizes"]

    assert sizes["description"] == "Without it: `[]`."


async def test_what_is_answered_is_as_described(app: ItemStore) -> None:
    """Each answer fits its schema."""
    document = app.openapi()
    assert app.context is not None
    async with client_of(app) as client:
        body = {"title": "a", "sizes": [{"width": 2, "height": 3}]}
        await client.put("/items/a", json=body if "Product" in str(document) else {})
        await rebuild(app.context.store.partition, CURRENT_ITEMS)
        for path in ("/", "/livez", "/readyz", "/projections", "/stats", "/problems/gone"):
            template = path.replace("gone", "{slug}")
            answer = await client.get(path)
            described = document["paths"][template]["get"]["responses"][str(answer.status_code)]
            schema = described["content"]["application/json"]["schema"]
            validate(answer.json(), document, schema)
        described = document["paths"]["/items/{id}"]["get"]["responses"]["200"]
        validate(
            (await client.get("/items/a")).json(),
            document,
            described["content"]["application/json"]["schema"],
        )
        projections = (await client.get("/projections")).json()["projections"]
        assert projections[0]["last_rebuild"] is not None


class Box(BaseModel):
    """A model with a computed field, which is stored with the others."""

    model_config = ConfigDict(extra="forbid")

    sizes: list[Size] = []

    @computed_field
    def area(self) -> int:
        """Of all sizes together."""
        return sum(size.width * size.height for size in self.sizes)


async def test_a_computed_field_is_described_as_one_that_is_only_read() -> None:
    """What GET answers fits the schema, which says that a client can't set it."""
    app = store(Box)
    document = app.openapi()
    async with client_of(app) as client:
        await client.put("/items/a", json={"sizes": [{"width": 2, "height": 3}]})
        box = (await client.get("/items/a")).json()

    assert box["area"] == 6
    validate(box, document, {"$ref": "#/components/schemas/Box"})
    area = document["components"]["schemas"]["Box"]["properties"]["area"]
    assert (area["readOnly"], area["type"]) == (True, "integer")


@pytest.mark.parametrize(
    "problem",
    [
        Problem("uri-too-long", "Too long."),
        Problem("unexpected-version", "No.", members={"version": None, "expected": "version 3"}),
        Problem("invalid-item", "No.", members={"errors": [{"pointer": "/a", "detail": "No."}]}),
        Problem("patch-conflict", "No.", members={"operation": 3}),
        Problem("overloaded", "No.", members={"retry_after": 1, "something": "new"}),
    ],
)
@pytest.mark.parametrize("instance", [None, "/items/a"])
def test_a_problem_fits_its_schema(problem: Problem, instance: str | None) -> None:
    """With its members, and without `instance` where no URL was read."""
    document = store(None).openapi()

    content = json.loads(problem_reply(problem, instance, request_id="a-1").body)
    validate(content, document, {"$ref": "#/components/schemas/Problem"})
    assert set(document["components"]["schemas"]["Problem"]["required"]) <= set(content)


def validate(content: Any, document: dict[str, Any], schema: dict[str, Any]) -> None:
    """Holds JSON against a schema of the document."""
    Draft202012Validator({**schema, "components": document["components"]}).validate(content)


def test_every_error_is_described_as_a_problem(app: ItemStore) -> None:
    """With the one media type and the one schema that errors have."""
    for path, method, operation in operations(app.openapi()):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
                described = (path, method, status, answer["content"])
                assert described == (path, method, status, {"application/problem+json": problem})


def test_an_id_is_described_as_what_a_reader_types(app: ItemStore) -> None:
    """A reader who types a%2Fb at /docs for a/b makes another item."""
    described = app.openapi()["components"]["parameters"]["id"]["description"]

    assert "not percent-encoded here" in described


def test_a_list_of_versions_is_described_with_the_length_that_it_has() -> None:
    """What stands there without `limit` is not the same everywhere."""
    limits = {
        path: parameter["schema"]["default"]
        for path, _, operation in operations(store(None).openapi())
        for parameter in operation.get("parameters", ())
        if parameter.get("name") == "limit"
    }

    assert limits == {
        "/items": 100,
        "/items/{id}/versions": 1000,
        "/items/{id}/events": 100,
        "/events": 100,
        "/admin/projections/{projection}/dead-letters": 100,
    }


async def test_the_parameters_of_a_query_are_those_that_the_server_knows() -> None:
    """Each by its name, and no other."""
    app = store(None)
    described = {
        path: sorted(
            parameter["name"]
            for parameter in operation["parameters"]
            if parameter.get("in") == "query"
        )
        for path, method, operation in operations(app.openapi())
        if method == "get" and "parameters" in operation
    }
    assert sum(map(bool, described.values())) == 9
    async with client_of(app) as client:
        for path, names in described.items():
            url = path.replace("{id}", "a").replace("{n}", "1").replace("{slug}", "gone")
            answer = await client.get(url, params={"colour": "red"})
            if names:
                assert answer.json()["detail"].endswith(f"known here: {', '.join(names)}.")


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
