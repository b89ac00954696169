"""An application run by uvicorn with our Protocol, in this process or in several."""

from __future__ import annotations

import gc
import multiprocessing
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from itemstore.server.ending import be_watched, bound_end, end_with
from itemstore.server.protocol import Protocol
from itemstore.server.supervisor import Supervisor
from itemstore.server.tls import Certificate, reloading_context
from itemstore.server.unix_socket import remove_file_of

OPTIONS: dict[str, Any] = {
    "factory": True,
    "lifespan": "on",
    "loop": "itemstore.server.event_loop:EventLoop",
    "http": Protocol,
    "ws": "none",
    "access_log": False,
    "server_header": False,
    "date_header": False,
    "proxy_headers": False,  # Protocol reads them
    "log_config": None,  # what it logs goes the way of all else
    "log_level": "warning",
    "timeout_graceful_shutdown": 2,
    "timeout_worker_healthcheck": 30,  # which a new worker has to start after SIGHUP
}
"""A factory is called once uvicorn's handlers of signals are in place."""

THRESHOLDS = (10_000, 10, 10)
"""See gc.set_threshold. A request leaves no garbage that only the collector finds, but under load
Python's own thresholds have it look for some every few requests (docs/decisions/0011)."""

App = TypeVar("App")


class DidNotStart(Exception):
    """The application could not start. Why is in the log."""


@dataclass(frozen=True)
class Entrance:
    """How requests come in, besides the socket.

    `root_path` is what stands in front of every path, `trusted_proxies` as Proxies takes them.
    Without a certificate it is HTTP.
    """

    root_path: str
    trusted_proxies: str
    certificate: Certificate | None = None

    @property
    def options(self) -> dict[str, Any]:
        """The same for uvicorn's Config."""
        options: dict[str, Any] = {
            "root_path": self.root_path,
            "forwarded_allow_ips": self.trusted_proxies,
        }
        if self.certificate is not None:
            options["ssl_context_factory"] = partial(reloading_context, self.certificate)
        return options


def run(listener: socket.socket, make_app: Callable[[], Any], entrance: Entrance) -> None:
    """Serves the application in this process until it is told to stop. Raises DidNotStart."""
    server = _WatchedServer(uvicorn.Config(make_app, **OPTIONS, **entrance.options))
    try:
        server.run([listener])
    except SystemExit as error:
        if error.code == STARTUP_FAILURE:
            raise DidNotStart from None
        raise


def run_several(listener: socket.socket, make_app: str, processes: int, entrance: Entrance) -> None:
    """Serves it in as many processes, each of which imports `make_app`, a `module:function`.

    Raises DidNotStart where none of them ever did.
    """
    config = uvicorn.Config(make_app, workers=processes, **OPTIONS, **entrance.options)
    supervisor = Supervisor(config, [listener])
    supervisor.run()
    if supervisor.has_failed:
        raise DidNotStart


def in_own_process(make_app: Callable[[], App]) -> App:
    """The application, for a process that does nothing else and that ends in bounded time."""
    bound_end()
    if parent := multiprocessing.parent_process():
        end_with(parent)
    app = make_app()
    gc.collect()
    gc.freeze()  # what is there now stays, and needs no looking at
    gc.set_threshold(*THRESHOLDS)
    return app


class _WatchedServer(uvicorn.Server):
    """A server without a parent that would end it."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Has the process watched, once all handlers of signals are set."""
        await super().startup(sockets)
        be_watched()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Takes the file of a unix socket away first: the signal ends the process after this."""
        for each in sockets or []:
            remove_file_of(each)
        await super().shutdown(sockets)
