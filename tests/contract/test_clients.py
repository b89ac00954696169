"""What others make of the OpenAPI document: a linter, and generated clients that work."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.conftest import missing
from tests.contract.conftest import Tool, output, serving, store, succeeds

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
  type: "/problems/gone", title: "Gone", status: 410, detail: "Gone.", what: "ever",
};
const errors: string[] | undefined = problem.errors?.map((error) => error.detail);

type Read<Name extends "service" | "statistics" | "projections" | "metrics"> =
  operations[Name]["responses"][200]["content"];
const page: string = ({} as Read<"service">)["text/html"];
const link: string = ({} as Read<"service">)["application/json"].links["items"];
const metrics: string = ({} as Read<"metrics">)["application/openmetrics-text"];
const today: number = ({} as Read<"statistics">)["application/json"].days["2026-11-23"];
const lag: number = ({} as Read<"projections">)["application/json"].projections[0].lag;

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
from generated.api.service import service, statistics
from generated.models import Item, Problem

client = Client(base_url=sys.argv[1])
for status in (HTTPStatus.CREATED, HTTPStatus.OK):
    answer = put_item.sync_detailed("a/b", client=client, body=Item(name="Fighters", size=6))
    assert answer.status_code == status, answer
    assert answer.parsed == Item(name="Fighters", size=6), answer
part = put_item.sync("part", client=client, body=Item(name="Foxes"))
assert part == Item(name="Foxes", size=None), part
missing = get_item.sync("missing", client=client)
assert isinstance(missing, Problem) and missing.instance == "/items/missing", missing
assert service.sync(client=client).links["items"] == "/items"
assert statistics.sync(client=client).events >= 0
"""


def test_the_linter_finds_nothing(npx: Tool, description: Path) -> None:
    """Redocly's recommended rules."""
    said = npx(REDOCLY, "redocly", "lint", description)

    assert "is valid" in said
    assert "warning" not in said.lower().replace("deprecation warning", "")


def test_typescript_knows_both_answers_to_a_put(npx: Tool, description: Path) -> None:
    """Types made by openapi-typescript have 201 with a Location, and 200 without."""
    folder = description.parent
    npx(OPENAPI_TYPESCRIPT, "openapi-typescript", description, "--output", folder / "types.ts")
    (folder / "typed.ts").write_text(TYPED)

    npx(TYPESCRIPT, "tsc", "--strict", "--noEmit", "--skipLibCheck", "typed.ts", cwd=folder)


@pytest.fixture
def client_python(tmp_path: Path) -> Path:
    """A Python of its own with openapi-python-client, which wants another Typer than ours."""
    folder = tmp_path / "venv"
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
    folder = description.parent
    monkeypatch.setenv("PATH", str(client_python.parent), prepend=":")
    output(
        client_python.with_name("openapi-python-client"), "generate",
        "--path", description,
        "--output-path", folder / "generated",
        "--meta", "none",
        "--fail-on-warning",
    )  # fmt: skip

    with serving(store(None)) as url:
        output(client_python, "-c", CALLING, url, cwd=folder)
