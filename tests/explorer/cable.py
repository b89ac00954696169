"""A cable between the browser and a server, which can be unplugged."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock, Thread
from urllib.parse import urlsplit


@dataclass
class Cable:
    """Carries bytes both ways, unless it is unplugged: then each connection is cut, old or new."""

    upstream: int
    listener: socket.socket
    _is_plugged: bool = True
    _ends: set[socket.socket] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    @property
    def url(self) -> str:
        """Where the server is, at this end of it."""
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def unplug(self) -> None:
        """Cuts all connections, and those that come."""
        with self._lock:
            self._is_plugged = False
            ends, self._ends = self._ends, set()
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def plug(self) -> None:
        """Lets connections through again."""
        with self._lock:
            self._is_plugged = True

    def accept(self) -> None:
        """Carries for each that connects, until the listener is shut down."""
        with suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(("127.0.0.1", self.upstream))
                with self._lock:
                    is_plugged = self._is_plugged
                    self._ends |= {near, far}
                if not is_plugged:
                    self.unplug()
                Thread(target=_carry, args=(near, far), daemon=True).start()


def _carry(near: socket.socket, far: socket.socket) -> None:
    back = Thread(target=_carry_one_way, args=(far, near), daemon=True)
    back.start()
    with near, far:
        _carry_one_way(near, far)
        back.join()


def _carry_one_way(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(1 << 16):
            other.sendall(data)
    with suppress(OSError):
        other.shutdown(socket.SHUT_RDWR)


@contextmanager
def cable(url: str) -> Iterator[Cable]:
    """A cable to the server at a URL, for the block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        carrying = Cable(urlsplit(url).port or 0, listener)
        thread = Thread(target=carrying.accept, daemon=True)
        thread.start()
        try:
            yield carrying
        finally:
            carrying.unplug()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
