"""The wheel in a fresh environment, beside a project with its own packages `api` and `domain`."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT, killed_when_silent
from tests.house.conftest import Built
from tests.house.environments import Environment, new_environment

PROJECT = {
    "pyproject.toml": """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "shop"
version = "1.0"

[tool.hatch.build.targets.wheel]
packages = ["api", "domain"]

[tool.hatch.build]
dev-mode-dirs = ["."]
""",
    "api/__init__.py": "",
    "api/prices.py": """
def shown(price_cents: int) -> str:
    return f"{price_cents / 100:.2f}"
""",
    "domain/__init__.py": "",
    "domain/model.py": """
from pydantic import BaseModel


class Product(BaseModel):
    title: str
    price_cents: int
""",
    "tests/__init__.py": "",
    "tests/test_products.py": """
import asyncio

from api.prices import shown
from domain.model import Product
from fakeredis import FakeAsyncRedis
from httpx import ASGITransport, AsyncClient

from itemstore import Settings, create_app


async def put(body):
    app = create_app(Settings(), redis=FakeAsyncRedis(), model=Product)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://store") as client:
        return await client.put("/items/tea", json=body)


def test_a_product_is_stored():
    answer = asyncio.run(put({"title": "Assam", "price_cents": 790}))
    assert answer.status_code == 201
    assert shown(answer.json()["price_cents"]) == "7.90"


def test_another_thing_is_not():
    assert asyncio.run(put({"name": "Assam"})).status_code == 422
""",
    "tests/conftest.py": """
import pytest
from domain.model import Product


@pytest.fixture
def itemstore_model():
    return Product
""",
    "tests/test_with_fixtures.py": """
from datetime import UTC, datetime

import httpx
import pytest


def test_blocking(itemstore_client, itemstore_clock):
    itemstore_clock.set(datetime(2024, 1, 1, tzinfo=UTC))
    answer = itemstore_client.put("/items/tea", json={"title": "Assam", "price_cents": 790})
    assert answer.headers["last-modified"] == "Mon, 01 Jan 2024 00:00:00 GMT"


@pytest.mark.MARK
async def test_asynchronous(itemstore_async_client):
    assert (await itemstore_async_client.put("/items/tea", json={})).status_code == 422


def test_a_real_server(itemstore_server):
    assert httpx.put(f"{itemstore_server.url}/items/tea", json={}).status_code == 201
""",
    "typed.py": """
from domain.model import Product
from fastapi import FastAPI

import itemstore
from itemstore import ItemStore, Settings, create_app

settings = Settings(namespace="shop", require_conditions=True)
app: ItemStore = create_app(settings, model=Product)
mounted = FastAPI()
mounted.mount("/store", itemstore.create_app())
version: str = itemstore.__version__
""",
    "mistyped.py": """
from itemstore import Settings, create_app

create_app(model="domain.model:Product")
Settings(namespace=3)
""",
}


FUNCTIONS = ["-o", "asyncio_default_fixture_loop_scope=function"]
"""What pytest-asyncio wants to be told, or it warns."""


@pytest.fixture(scope="module")
def environment(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment in which the wheel is installed."""
    environment = new_environment(tmp_path_factory.mktemp("environment"))
    environment.pip("install", built.wheel)
    return environment


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project's directory."""
    directory = tmp_path / "shop"
    for name, text in PROJECT.items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return directory


@pytest.fixture
def data() -> Iterator[Path]:
    """A directory for the embedded engine, with a path that is short enough for its socket."""
    with tempfile.TemporaryDirectory(prefix="itemstore-") as directory:
        yield Path(directory)


def test_the_projects_tests_run_the_store_with_their_own_model(
    environment: Environment, project: Path
) -> None:
    """In one process, in which `api` and `domain` are the project's."""
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_products.py"]
    run = environment.python(*words, cwd=project)
    assert "2 passed" in run.stdout, run.stdout + run.stderr


def test_the_example_of_a_project_is_tested_where_it_is_installed(
    environment: Environment, tmp_path: Path
) -> None:
    """Its `api` and `domain` are its own, in process and in the server that a fixture starts."""
    project = tmp_path / "project"
    shutil.copytree(ROOT / "examples/pytest_project", project)
    plugins = ["-p", "itemstore", "-p", "pytest_asyncio.plugin", "-p", "no:cacheprovider"]
    run = environment.python("-m", "pytest", "-q", "-W", "error", *plugins, cwd=project)
    assert "6 passed" in run.stdout, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("mark", "plugins"),
    [
        ("asyncio", ["pytest_asyncio.plugin", *FUNCTIONS]),
        ("asyncio", ["pytest_asyncio.plugin", *FUNCTIONS, "--asyncio-mode=auto"]),
        ("asyncio", ["pytest_asyncio.plugin", *FUNCTIONS, "-p", "xdist.plugin", "-n", "2"]),
        ("anyio", ["anyio.pytest_plugin", "-k", "not trio"]),
    ],
    ids=["strict", "auto", "xdist", "anyio"],
)
def test_the_projects_tests_ask_for_the_stores_fixtures(
    environment: Environment, project: Path, mark: str, plugins: list[str]
) -> None:
    """By the name that is an entry point of the wheel; whatever runs what is asynchronous."""
    file = project / "tests/test_with_fixtures.py"
    file.write_text(file.read_text().replace("MARK", mark))
    words = ["-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"]
    loaded = ["-p", "itemstore", "-p", *plugins]
    run = environment.python(*words, *loaded, file, cwd=project)
    assert "3 passed" in run.stdout, run.stdout + run.stderr


def test_serve_takes_the_projects_model(
    environment: Environment, project: Path, data: Path
) -> None:
    """By the name that the project has for it."""
    with subprocess.Popen(
        [
            environment.programs / "itemstore", "serve", "--model", "domain.model:Product",
            "--port", "0", "--data-dir", data,
        ],
        cwd=project, env=environment.variables(), stdout=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        try:
            assert server.stdout is not None
            with killed_when_silent(server):
                url = server.stdout.readline().split()[1]
                tea = {"title": "Assam", "price_cents": 790}
                assert httpx.put(f"{url}/items/tea", json=tea).json() == tea
                assert httpx.put(f"{url}/items/tea", json={"name": "Assam"}).status_code == 422
        finally:
            server.terminate()


def files_of(directory: Path) -> dict[Path, bytes]:
    """Every file below a directory, with what is in it."""
    return {
        file: file.read_bytes()
        for file in directory.rglob("*")
        if file.is_file() and file.suffix != ".pyc"
    }


@pytest.mark.parametrize("how", [None, [], ["--editable"]], ids=["beside", "installed", "editable"])
def test_installing_and_uninstalling_leave_the_projects_files_alone(
    how: list[str] | None, built: Built, project: Path, tmp_path: Path
) -> None:
    """Those in its directory, and those in site-packages where it is installed there too."""
    environment = new_environment(tmp_path / "environment")
    if how is not None:
        environment.pip("install", *how, project)
    places = (project, environment.packages)
    before = [files_of(place) for place in places]
    environment.pip("install", built.wheel)
    during = [files_of(place) for place in places]
    environment.pip("uninstall", "--yes", "itemstore")
    after = [files_of(place) for place in places]

    assert after == before
    assert during[0] == before[0]
    assert during[1].items() >= before[1].items()
    assert during[1] != before[1]


def test_what_a_user_writes_is_checked_by_mypy(environment: Environment, project: Path) -> None:
    """--strict has nothing to say against the right use, and finds the mistakes in the wrong."""
    run = environment.python("-m", "mypy", "--strict", "typed.py", "mistyped.py", cwd=project)
    *found, last = run.stdout.splitlines()
    assert [line.split(":")[:2] for line in found] == [["mistyped.py", "4"], ["mistyped.py", "5"]]
    assert last == "Found 2 errors in 1 file (checked 2 source files)"
