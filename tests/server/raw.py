"""A client that sends whatever bytes it likes, and takes them when it likes."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit


@dataclass
class Answer:
    """One answer: its status, its header fields in lower case, and its body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def problem(self, status: int, slug: str) -> dict[str, Any]:
        """The problem that it must be."""
        assert (self.status, self.headers["content-type"]) == (status, "application/problem+json")
        content: dict[str, Any] = json.loads(self.body)
        assert content["type"] == f"/problems/{slug}"
        assert content["detail"].endswith(".")
        return content


class Raw:
    """A connection to a server at a URL, closed at the end of the block."""

    def __init__(self, url: str, *, receive_buffer: int | None = None) -> None:
        where = urlsplit(url)
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(20)
        self.socket.connect((where.hostname, where.port))
        self._received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Sends the bytes."""
        self.socket.sendall(data)

    def send_until_refused(self, data: bytes, most: int) -> int:
        """Sends the bytes again and again; how many went out before the server closed."""
        sent = 0
        try:
            while sent < most:
                self.socket.sendall(data)
                sent += len(data)
        except OSError:
            pass
        return sent

    def answer(self, *, to_head: bool = False) -> Answer:
        """The next answer."""
        while b"\r\n\r\n" not in self._received:
            self._receive()
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}
        length = 0 if to_head else int(headers.get("content-length", 0))
        while len(self._received) < length:
            self._receive()
        body, self._received = self._received[:length], self._received[length:]
        return Answer(int(status.split()[1]), headers, body)

    def closed_after(self) -> float:
        """Seconds until the server closes the connection. Nothing more may come before."""
        start = time.monotonic()
        try:
            rest = self._received + self.socket.recv(1)
        except ConnectionResetError:
            rest = b""
        assert rest == b""
        return time.monotonic() - start

    def rest(self) -> bytes:
        """All that comes until the server closes the connection."""
        while data := self.socket.recv(65_536):
            self._received += data
        return self._received

    def _receive(self) -> None:
        data = self.socket.recv(65_536)
        assert data, f"closed after {self._received!r}"
        self._received += data


def put(item: str, body: bytes, *headers: str) -> bytes:
    """A PUT as it goes over the wire."""
    fields = ["Host: localhost", "Content-Type: application/json", *headers]
    fields.append(f"Content-Length: {len(body)}")
    head = f"PUT /items/{item} HTTP/1.1\r\n" + "\r\n".join(fields) + "\r\n\r\n"
    return head.encode() + body


def get(path: str, *headers: str) -> bytes:
    """A GET as it goes over the wire."""
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
