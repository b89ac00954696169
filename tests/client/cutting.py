"""A proxy that breaks connections off at chosen places, and keeps what went through."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class CuttingProxy:
    """Serves one connection after the other, each in a thread.

    `before` requests are still to be lost on their way, `after` answers on theirs, and connections
    are broken off after as many bytes of answers as `bytes_each` names, one each.
    """

    port: int
    before: int = 0
    after: int = 0
    bytes_each: list[int] = field(default_factory=list)
    connections: int = 0
    lost: int = 0
    url: str = ""

    def serve(self, listener: socket.socket) -> None:
        """Until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                self.connections += 1
                threading.Thread(target=self._connection, args=(client,), daemon=True).start()

    def _connection(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            if not (received := client.recv(65536)):
                return
            if self.before:
                self.before -= 1
                self.lost += 1
                return
            with socket.create_connection(("127.0.0.1", self.port)) as server:
                self._pass_on(client, server, received)

    def _pass_on(self, client: socket.socket, server: socket.socket, received: bytes) -> None:
        server.sendall(received)
        threading.Thread(target=_copy, args=(client, server), daemon=True).start()
        left = self.bytes_each.pop(0) if self.bytes_each else None
        while answered := server.recv(4096):
            if self.after:
                self.after -= 1
                self.lost += 1
                break
            client.sendall(answered[:left])
            if left is not None:
                left -= len(answered)
                if left <= 0:
                    self.lost += 1
                    break
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def cutting(url: str) -> Iterator[CuttingProxy]:
    """A proxy before a server, on a port of its own."""
    port = urlsplit(url).port
    assert port is not None
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = CuttingProxy(port)
        proxy.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=proxy.serve, args=(listener,), daemon=True)
        thread.start()
        yield proxy
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)
