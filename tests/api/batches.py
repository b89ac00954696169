"""Batches as the tests send them."""

from __future__ import annotations

import json
from typing import Any

import httpx

Requests = list[dict[str, Any]]


async def send(client: httpx.AsyncClient, *requests: Any, **headers: str) -> httpx.Response:
    """The answer to a batch of these requests."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    content = json.dumps({"requests": requests})
    return await client.post(
        "/batch", content=content, headers={"content-type": "application/json"} | named
    )


def put(item: str, body: Any, **headers: str) -> dict[str, Any]:
    """A PUT of an item."""
    return _request("PUT", f"/items/{item}", headers) | {"body": body}


def patch(item: str, body: Any, **headers: str) -> dict[str, Any]:
    """A PATCH of an item."""
    return _request("PATCH", f"/items/{item}", headers) | {"body": body}


def delete(item: str, **headers: str) -> dict[str, Any]:
    """A DELETE of an item."""
    return _request("DELETE", f"/items/{item}", headers)


def check(item: str, **headers: str) -> dict[str, Any]:
    """A HEAD of an item: a check."""
    return _request("HEAD", f"/items/{item}", headers)


def post(body: Any) -> dict[str, Any]:
    """A POST to the collection."""
    return {"method": "POST", "path": "/items", "body": body}


def responses(answer: httpx.Response) -> list[dict[str, Any]]:
    """The answers to the requests of a batch that was carried out."""
    assert answer.status_code == 200, answer.text
    content = answer.json()
    assert list(content) == ["responses"]
    listed: list[dict[str, Any]] = content["responses"]
    return listed


def statuses(answer: httpx.Response) -> list[int]:
    """Their statuses."""
    return [each["status"] for each in responses(answer)]


def _request(method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"method": method, "path": path} | ({"headers": named} if named else {})
