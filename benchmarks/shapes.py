"""How an item is put and got over HTTP: the same for most contestants, and different for peers."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.workloads import BODY


@dataclass(frozen=True, slots=True)
class Request:
    """A request for an item; its path or its body has `%d` (or `%08d`) for the item's number."""

    method: str
    path: str
    body: str = ""

    def encoded(self, number: int) -> bytes:
        """What is sent for the item of that number."""
        path, body = _numbered(self.path, number), _numbered(self.body, number).encode()
        head = f"{self.method} {path} HTTP/1.1\r\nHost: localhost\r\n"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + b"\r\n" + body


@dataclass(frozen=True, slots=True)
class Shape:
    """The request that stores an item, and the one that asks for it."""

    put: Request
    get: Request


def items(prefix: str = "item-") -> Shape:
    """Ours, and that of the applications here: PUT and GET of a path of its own."""
    path = f"/items/{prefix}%d"
    return Shape(Request("PUT", path, BODY.decode()), Request("GET", path))


def address(path: str) -> Shape:
    """GET of one address again and again."""
    return Shape(Request("PUT", path), Request("GET", path))


def _numbered(text: str, number: int) -> str:
    return text % number if "%" in text else text
