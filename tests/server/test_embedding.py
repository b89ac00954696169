"""A store's application with additions, and a store in another one, as real servers run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import PATIENCE, killed_when_silent
from tests.server.conftest import COMMAND, Serve

SHOP = '''
from contextlib import asynccontextmanager

from fastapi import FastAPI
from itemstore import create_app


class Marked:
    """A middleware of ASGI that marks every answer."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        async def marked(message):
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-marked", b"yes")]
            await send(message)

        await self.app(scope, receive, marked)


def application(settings=None):
    app = create_app(settings)
    app.add_middleware(Marked)
    app.add_api_route("/added", lambda: "here")
    return app


def other(settings):
    return FastAPI()


def outer():
    store = create_app()

    @asynccontextmanager
    async def lifespan(app):
        async with store.lifespan():
            yield

    app = FastAPI(lifespan=lifespan)
    app.mount("/store", store)
    return app


def forgetful():
    app = FastAPI()
    app.mount("/store", create_app())
    return app
'''


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A directory with an application of somebody's."""
    (tmp_path / "shop.py").write_text(SHOP)
    return tmp_path


def _look_at(url: str) -> None:
    """Writes, reads and follows through a store with a middleware around it."""
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        put = client.put("/items/foo", json={"size": 6})
        head = client.head("/items/foo")
        large = client.put("/items/large", json={"name": "x" * 200_000})
        answers = [put, head, large]
        answers += [client.get(path) for path in ("/items/foo", "/items", "/added", "/none")]
        with client.stream("GET", "/events", headers={"Accept": "text/event-stream"}) as feed:
            answers.append(feed)
            lines = feed.iter_lines()
            assert next(line for line in lines if line.startswith("event:")) == "event: ItemCreated"

    assert [answer.status_code for answer in answers] == [201, 200, 201, 200, 200, 200, 404, 200]
    assert (head.headers["content-length"], put.headers["etag"]) == ("22", '"1"')
    for answer in answers:
        assert answer.headers["x-marked"] == "yes"
        assert len(answer.headers.get_list("x-request-id")) == 1
        assert len(answer.headers.get_list("date")) == 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_our_server_runs_an_application_with_additions(
    serve: Serve, shop: Path, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    """Every request goes through the middleware then: the short way is off."""
    monkeypatch.chdir(shop)
    server = serve("--app", "shop:application", "--workers", workers)
    _look_at(server.url)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nowhere:application", "can't be imported"),
        ("shop:__doc__", "which is no function"),
        ("shop:other", "which gave FastAPI and not what create_app made"),
    ],
)
def test_an_application_that_cannot_be_had_is_said_in_one_line(
    shop: Path, name: str, says: str
) -> None:
    """Before anything is opened, or at the latest when it is made."""
    done = subprocess.run(
        [*COMMAND, "serve", "--port", "0", "--data-dir", "data", "--app", name],
        cwd=shop,
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"itemstore: --app is '{name}'")
    assert says in done.stderr


@pytest.fixture
def run(shop: Path) -> Iterator[Callable[..., str]]:
    """Runs an application under uvicorn itself; gives its URL."""
    started: list[subprocess.Popen[str]] = []

    def run(app: str) -> str:
        environment = os.environ | {"ITEMSTORE_DATA_DIR": "data", "ITEMSTORE_SQL_URL": "off"}
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "--factory", app, "--port", "0"],
            cwd=shop,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stderr is not None
        with killed_when_silent(process):
            for line in process.stderr:
                if found := re.search(r"running on (http://\S+)", line):
                    return found[1]
        raise AssertionError("It did not start.")

    yield run
    for process in started:
        process.terminate()
        with killed_when_silent(process):
            process.communicate()


def test_uvicorn_runs_an_application_with_additions(run: Callable[..., str]) -> None:
    """With its own engine, like any application for ASGI."""
    _look_at(run("shop:application"))


def test_a_store_in_another_application_is_at_its_place(run: Callable[..., str]) -> None:
    """Opened by the outer one's lifespan; links, OpenAPI and the explorer are below the prefix."""
    url = run("shop:outer")
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        put = client.put("/store/items/foo", json={"size": 6})
        assert (put.status_code, put.headers["location"]) == (201, "/store/items/foo")
        document = client.get("/store/openapi.json").json()
        assert document["servers"] == [{"url": "/store"}]
        page = client.get("/store/explorer", headers={"Accept": "text/html"})
        docs = client.get("/store/docs", headers={"Accept": "text/html"})
        assert (page.status_code, docs.status_code) == (200, 200)
        for path in re.findall(r'(?:src|href)="([^"#:]+)"', page.text + docs.text):
            below = httpx.URL(f"{url}/store/").join(path)
            assert below.path.startswith("/store/")
            assert client.get(below).status_code == 200


def test_a_store_whose_lifespan_nobody_runs_says_so(run: Callable[..., str]) -> None:
    """In the log of the server, with what to write."""
    url = run("shop:forgetful")
    assert httpx.get(f"{url}/store/items", timeout=PATIENCE).status_code == 500
