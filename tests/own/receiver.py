"""A receiver of webhooks, which answers as a test wants, and keeps what it has got."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answering = Callable[["Post"], tuple[int, Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class Post:
    """One post: its headers by their names in lower case, and its body."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The CloudEvent in it."""
        event: dict[str, Any] = json.loads(self.body)
        return event

    @property
    def id(self) -> str:
        """The id that it has in its head."""
        return self.headers["webhook-id"]

    @property
    def item(self) -> str:
        """The item that it is about."""
        return str(self.event["subject"])


def taken(_: Post) -> tuple[int, Mapping[str, str]]:
    """The answer of a receiver that is well."""
    return 204, {}


@dataclass
class Receiver:
    """Where it listens, what it has got and what of that it has taken, oldest first."""

    url: str = ""
    answer: Answering = taken
    posts: list[Post] = field(default_factory=list)
    taken: list[Post] = field(default_factory=list)

    def got(self, post: Post) -> tuple[int, Mapping[str, str]]:
        """The answer to a post."""
        self.posts.append(post)
        status, headers = self.answer(post)
        if status < 300:
            self.taken.append(post)
        return status, headers

    @property
    def items(self) -> list[str]:
        """The items of what was taken."""
        return [each.item for each in self.taken]


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """A receiver on a free port, or on this one, for the block."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if len(body) < int(self.headers["content-length"]):
                return  # who posted it was killed
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answered = receiver.got(Post(headers, body))
            self.send_response(status)
            for name, value in answered.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        yield receiver
        server.shutdown()
        thread.join()
