"""What others make of the OpenAPI document: a linter, and generated clients that work."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.contract.conftest import COLLECTIONS, Tool, output, serving, store, succeeds
from tests.missing import missing

REDOCLY = "@redocly/cli@2.77.0"
OPENAPI_TYPESCRIPT = "openapi-typescript@7.13.0"
TYPESCRIPT = "typescript@5.9.3"
OPENAPI_PYTHON_CLIENT = "openapi-python-client==0.29.1"

TYPED = """
import type { components, operations } from "./types";

type Put = operations["put_item"]["responses"];
type Item = components["schemas"]["Item"];

const created: Put[201]["content"]["application/json"] = { name: "Fighters", size: 6 };
const updated: Put[200]["content"]["application/json"] = created satisfies Item;
const location: string = ({} as Put[201]["headers"])["Location"];
const versions: string[] = [({} as Put[200]["headers"])["ETag"], location];

type Sent = operations["put_item"]["requestBody"]["content"]["application/json"];
const part: Sent = { name: "Fighters" };
const least: Sent = {};
type Patch = operations["patch_item"]["requestBody"]["content"];
const merged: Patch["application/merge-patch+json"] = { size: null, name: "Foxes" };
const problem: components["schemas"]["Problem"] = {
  type: "/problems/gone", title: "Gone", status: 410, detail: "Gone.", request_id: "7",
  what: "ever",
};
const errors: string[] | undefined = problem.errors?.map((error) => error.detail);

const batch: components["schemas"]["BatchRequest"] = {
  requests: [
    { method: "PUT", path: "/items/foo", body: least },
    { method: "HEAD", path: "/items/bar", headers: { "If-Match": '"1"' } },
  ],
};
type Together = operations["batch"]["responses"][200]["content"]["application/json"];
const statuses: number[] = ({} as Together).responses.map((each) => each.status);
const tag: string = ({} as Together).responses[0].headers["ETag"];
// @ts-expect-error: a list is read elsewhere
const reading: components["schemas"]["BatchedRequest"] = { method: "GET", path: "/items" };

type Read<Name extends "service" | "statistics" | "projections" | "metrics"> =
  operations[Name]["responses"][200]["content"];
const page: string = ({} as Read<"service">)["text/html"];
const link: string = ({} as Read<"service">)["application/json"].links["items"];
const metrics: string = ({} as Read<"metrics">)["application/openmetrics-text"];
const today: number = ({} as Read<"statistics">)["application/json"].days["2026-11-23"];
const lag: number | null = ({} as Read<"projections">)["application/json"].projections[0].lag;

// @ts-expect-error: nothing but what the model has
const other: Sent = { colour: "red" };
// @ts-expect-error: an update has no Location
const none: string = ({} as Put[200]["headers"])["Location"];
// @ts-expect-error: a size is a number
const wrong: Put[201]["content"]["application/json"] = { size: "6" };
"""

CALLING = """
import sys
from http import HTTPStatus
from generated import Client
from generated.api.items import get_item, put_item
from generated.api.service import batch, service, statistics
from generated.models import BatchedRequest, BatchedRequestHeaders, BatchRequest, Item, Problem
from generated.models import BatchedRequestMethod as Method

client = Client(base_url=sys.argv[1])
for status in (HTTPStatus.CREATED, HTTPStatus.OK):
    answer = put_item.sync_detailed("a/b", client=client, body=Item(name="Fighters", size=6))
    assert answer.status_code == status, answer
    assert answer.parsed == Item(name="Fighters", size=6), answer
part = put_item.sync("part", client=client, body=Item(name="Foxes"))
assert part == Item(name="Foxes", size=None), part
missing = get_item.sync("missing", client=client)
assert isinstance(missing, Problem) and missing.instance == "/items/missing", missing
at_1 = BatchedRequestHeaders.from_dict({"If-Match": '"1"'})
requests = [
    BatchedRequest(Method.PUT, "/items/b", body=Item(name="Hares").to_dict()),
    BatchedRequest(Method.HEAD, "/items/b", headers=at_1),
    BatchedRequest(Method.PATCH, "/items/b", body={"size": 2}),
]
together = batch.sync(client=client, body=BatchRequest(requests)).responses
assert [each.status for each in together] == [201, 200, 200], together
assert together[2].headers["ETag"] == '"2"' and together[2].body["size"] == 2, together
refused = batch.sync(client=client, body=BatchRequest([*requests[2:], requests[1]]))
assert isinstance(refused, Problem) and (refused.status, refused.index) == (412, 1), refused
assert service.sync(client=client).links["items"] == "/items"
assert statistics.sync(client=client).events >= 0
"""

CALLING_COLLECTIONS = """
import sys
from http import HTTPStatus
from generated import Client
from generated.api.old_products import put_old_products_item
from generated.api.orders import list_orders_item_events, list_orders_items, put_orders_item
from generated.api.service import service
from generated.models import OldProductsProduct, OldProductsSize, Order

client = Client(base_url=sys.argv[1])
for status in (HTTPStatus.CREATED, HTTPStatus.OK):
    order = Order(product="tent", count=2)
    answer = put_orders_item.sync_detailed("a/b", client=client, body=order)
    assert (answer.status_code, answer.parsed) == (status, order), answer
old = OldProductsProduct(name="Tent", sizes=[OldProductsSize(inches=3)])
assert put_old_products_item.sync("tent", client=client, body=old) == old
page = list_orders_items.sync(client=client)
assert [each.item for each in page.items] == [order], page
events = list_orders_item_events.sync("a/b", client=client)
assert [each.data for each in events] == [order, order], events
assert service.sync(client=client).links["orders"] == "/orders"
"""


@pytest.fixture
def of_collections(tmp_path: Path) -> Path:
    """The OpenAPI document of a store of three collections, as a file."""
    file = tmp_path / "collections.json"
    file.write_text(json.dumps(store(COLLECTIONS).openapi()))
    return file


def test_the_linter_finds_nothing(npx: Tool, description: Path, of_collections: Path) -> None:
    """Redocly's recommended rules, for one collection and for several."""
    said = npx(REDOCLY, "redocly", "lint", description)
    assert "is valid" in npx(REDOCLY, "redocly", "lint", of_collections)

    assert "is valid" in said
    assert "warning" not in said.lower().replace("deprecation warning", "")


def test_typescript_knows_both_answers_to_a_put(npx: Tool, description: Path) -> None:
    """Types made by openapi-typescript have 201 with a Location, and 200 without."""
    folder = description.parent
    npx(OPENAPI_TYPESCRIPT, "openapi-typescript", description, "--output", folder / "types.ts")
    (folder / "typed.ts").write_text(TYPED)

    npx(TYPESCRIPT, "tsc", "--strict", "--noEmit", "--skipLibCheck", "typed.ts", cwd=folder)


@pytest.fixture(scope="module")
def client_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python of its own with openapi-python-client, which wants another Typer than ours."""
    folder = tmp_path_factory.mktemp("client") / "venv"
    output(sys.executable, "-m", "venv", "--without-pip", folder)  # this one's can do it
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python)
    if not succeeds(*pip, "install", "--quiet", OPENAPI_PYTHON_CLIENT):
        missing(f"{OPENAPI_PYTHON_CLIENT} can't be had")
    return python


def test_a_python_client_knows_both_answers_to_a_put(
    client_python: Path, description: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client made by openapi-python-client gets 201, then 200, each with the typed item."""
    monkeypatch.setenv("PATH", str(client_python.parent), prepend=":")
    generate(client_python, description)

    with serving(store(None)) as url:
        output(client_python, "-c", CALLING, url, cwd=description.parent)


def test_a_python_client_knows_the_collections_apart(
    client_python: Path, of_collections: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has functions and models of its own, two models of the same name among them."""
    monkeypatch.setenv("PATH", str(client_python.parent), prepend=":")
    generate(client_python, of_collections)

    with serving(store(COLLECTIONS)) as url:
        output(client_python, "-c", CALLING_COLLECTIONS, url, cwd=of_collections.parent)


def generate(client_python: Path, description: Path) -> None:
    """Makes the package `generated` beside a description."""
    output(
        client_python.with_name("openapi-python-client"), "generate",
        "--path", description,
        "--output-path", description.parent / "generated",
        "--meta", "none",
        "--fail-on-warning",
    )  # fmt: skip
