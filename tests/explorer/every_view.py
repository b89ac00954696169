"""Each view of the explorer once, with an item that the views of one item show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
from playwright.sync_api import Page, expect

from tests.explorer.pages import Explorer

SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
"""CSS pixels by which the page can be scrolled sideways."""

OF_THE_STORE: dict[str, dict[str, object]] = {
    "home": {},
    "operations": {},
    "tokens": {},
}
"""Views that show no item."""


@dataclass(frozen=True, slots=True)
class Item:
    """An item of the store that is looked at."""

    collection: str
    id: str

    @property
    def path(self) -> str:
        """Where it is."""
        return f"/{self.collection}/{quote(self.id, safe='')}"

    def written(self, store: httpx.Client, *bodies: Any) -> Item:
        """The same, with a version for each body: JSON as text, or what it stands for."""
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps(body)
            form = {"Content-Type": "application/json"}
            answer = store.put(self.path, content=text, headers=form)
            assert answer.is_success, answer.text
        return self

    def views(self) -> Iterator[tuple[str, dict[str, object]]]:
        """The views that show it, each with its parameters."""
        one: dict[str, object] = {"collection": self.collection, "id": self.id}
        yield "items", {"collection": self.collection, "prefix": self.id}
        yield "item", one
        yield "edit", one
        yield "life", one
        yield "past", {**one, "at": datetime.now(UTC).isoformat()}
        yield "log", {"item": self.id}
        yield "try", {"method": "GET", "path": self.path}


def opened(explorer: Explorer, view: str, parameters: dict[str, object]) -> Page:
    """The view when all that it asks the store for has come."""
    page = explorer.open(view, **parameters)
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    return page
