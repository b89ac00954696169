"""What the contract tests share: three stores to describe, served, and tools to read them with."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from fakeredis import FakeAsyncRedis, FakeServer
from pydantic import BaseModel, ConfigDict

from itemstore.api.app import ItemStore, create_app
from itemstore.store.settings import Settings
from tests.missing import missing

Tool = Callable[..., str]


class Size(BaseModel):
    """A model within the model."""

    model_config = ConfigDict(extra="forbid", strict=True)

    width: int
    height: int


class Product(BaseModel):
    """An operator's model, as strict as its schema."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: str
    sizes: list[Size] = []
    related: list[Product] = []


class Order(BaseModel):
    """Another model, of another collection."""

    model_config = ConfigDict(extra="forbid", strict=True)

    product: str
    count: int = 1


class Old:
    """Models of the same names that are others."""

    class Size(BaseModel):
        """Not the Size of above."""

        model_config = ConfigDict(extra="forbid", strict=True)

        inches: int

    class Product(BaseModel):
        """Not the Product of above."""

        model_config = ConfigDict(extra="forbid", strict=True)

        name: str
        sizes: list[Old.Size] = []


COLLECTIONS: dict[str, type[BaseModel] | None] = {
    "orders": Order,
    "items": Product,
    "old-products": Old.Product,
}


def store(model: type[BaseModel] | dict[str, type[BaseModel] | None] | str | None) -> ItemStore:
    """A store of items of this model, or of these collections, on an engine in memory."""
    redis = FakeAsyncRedis(server=FakeServer())
    if isinstance(model, dict):
        text = ",".join(f"{name}=name,title" for name in model)
        return create_app(Settings(text=text), redis=redis, collections=model)
    if isinstance(model, str):
        return create_app(Settings(model=model, text="name"), redis=redis)
    return create_app(Settings(text="name"), redis=redis, model=model)


@pytest.fixture(
    params=[None, "any", Product, COLLECTIONS],
    ids=["default", "any", "an operator's", "three collections"],
)
def app(request: pytest.FixtureRequest) -> ItemStore:
    """A store of each kind of model, and one of several."""
    return store(request.param)


@pytest.fixture
def url(app: ItemStore) -> Iterator[str]:
    """Where `app` is served."""
    with serving(app) as where:
        yield where


@pytest.fixture
def description(tmp_path: Path) -> Path:
    """The OpenAPI document of a store with the default model, as a file."""
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(store(None).openapi()))
    return file


@contextmanager
def serving(app: ItemStore) -> Iterator[str]:
    """The URL of the app on a free port of the loopback address."""
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1, ws="none")
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)


@pytest.fixture(scope="session")
def npx() -> Tool:
    """Runs a tool of npm: `npx("name@version", "command", *arguments)` gives what it printed.

    Skips the test where there is no Node.js or the tool can't be had, and fails it in
    continuous integration.
    """
    program = shutil.which("npx")
    if program is None:
        missing("npx is not installed: Node.js brings it")

    def run(package: str, *command: str | Path, cwd: Path | None = None) -> str:
        called = [program, "--yes", "--package", package, "--"]
        if not succeeds(*called, command[0], "--version"):
            missing(f"{package} can't be had from npm")
        return output(*called, *command, cwd=cwd)

    return run


def succeeds(*command: str | Path, cwd: Path | None = None) -> bool:
    """Whether a command ends well."""
    done = subprocess.run(command, cwd=cwd, check=False, capture_output=True, timeout=150)
    return done.returncode == 0


def output(*command: str | Path, cwd: Path | None = None) -> str:
    """What a command printed. It must succeed."""
    done = subprocess.run(
        command,
        check=False,
        timeout=200,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=cwd,
        env=os.environ | {"REDOCLY_TELEMETRY": "off", "NO_COLOR": "1"},
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
