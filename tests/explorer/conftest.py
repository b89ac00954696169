"""The explorer, in a real browser on real servers."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import sync_playwright

from tests.explorer.pages import Chromium, Explorer, looking
from tests.explorer.stores import SETTING_ASIDE, Store, closed, served
from tests.missing import missing

LookAt = Callable[[Store], Explorer]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """The browser: one for all tests, started when first asked for."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        missing("chromium is not installed: `apt-get install chromium` brings it")
    playwright = sync_playwright().start()
    loop = asyncio.get_running_loop()
    options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    browser = playwright.chromium.launch(executable_path=program, args=options)
    asyncio._set_running_loop(None)
    started = Chromium(browser, loop)
    yield started
    with started.at_hand():
        browser.close()
        playwright.stop()


@pytest.fixture(scope="session")
def open_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store that is open to all, with the collections `products` and `orders`.

    It has a projection that sets events of some orders aside: see shop.py.
    All tests share it: each has ids of its own.
    """
    with served(tmp_path_factory.mktemp("open"), options=SETTING_ASIDE) as store:
        yield store


@pytest.fixture(scope="session")
def closed_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The same with tokens: of an admin, a writer, a reader, and a writer who is bound."""
    directory = tmp_path_factory.mktemp("closed")
    with served(directory, closed(directory)) as store:
        yield store


@pytest.fixture(scope="session")
def divided_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store of four partitions, open to all."""
    with served(tmp_path_factory.mktemp("divided"), partitions=4) as store:
        yield store


@pytest.fixture
def look_at(chromium: Chromium) -> Iterator[LookAt]:
    """Opens fresh tabs on stores. The test fails where anything goes wrong in one of them."""
    with ExitStack() as stack:
        yield lambda store: stack.enter_context(looking(chromium, store))


@pytest.fixture
def explorer(open_store: Store, look_at: LookAt) -> Explorer:
    """A fresh tab on the open store."""
    return look_at(open_store)


@pytest.fixture
def closed_explorer(closed_store: Store, look_at: LookAt) -> Explorer:
    """A fresh tab on the closed store, which has no token yet: see Explorer.sign_in."""
    return look_at(closed_store)
