"""A receiver of traces over OTLP, with what it was sent."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.conftest import PATIENCE


def attributes_of(of: Any) -> dict[str, Any]:
    """The attributes of a span or of a resource, as plain values."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in of.attributes}


class Receiver:
    """What was received: spans, and the resources that they are of. `url` is its endpoint."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.spans: list[Span] = []
        self.resources: list[dict[str, Any]] = []
        self.paths: set[str] = set()

    def take(self, path: str, body: bytes) -> None:
        """Keeps what one request brought."""
        self.paths.add(path)
        for each in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resources.append(attributes_of(each.resource))
            for scope in each.scope_spans:
                self.spans += scope.spans

    def named(self, name: str) -> list[Span]:
        """The spans with a name."""
        return [span for span in self.spans if span.name == name]

    def one(self, name: str) -> Span:
        """The only span with a name."""
        [span] = self.named(name)
        return span

    def wait_for(self, is_there: Callable[[], object]) -> None:
        """Waits until something is there: spans come when their process sends them."""
        until = time.monotonic() + PATIENCE
        while not is_there():
            assert time.monotonic() < until, [span.name for span in self.spans]
            time.sleep(0.02)


@contextlib.contextmanager
def receiving(seconds: float = 0.0) -> Iterator[Receiver]:
    """A receiver on a free port, which takes so long for each answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            time.sleep(seconds)
            receiver.take(self.path, body)
            answer = ExportTraceServiceResponse().SerializeToString()
            with contextlib.suppress(ConnectionError):
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        receiver = Receiver(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
