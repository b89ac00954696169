"""Servers that people would pick for the same job: to keep JSON under a name, over HTTP.

Each runs at its own defaults where they don't weaken it, and answers in a shape of its own. None
keeps a log from which its state can be built again. CouchDB and PouchDB Server don't take part:
their PUT has to name the revision that it replaces, so it is never one request alone.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from benchmarks.contestant import Contestant, Running
from benchmarks.cores import Cores, on
from benchmarks.shapes import Request, Shape
from benchmarks.starting import answered, answering, free_port
from benchmarks.workloads import BODY, CONDITIONAL, FREE, MIXED, TWO_WORKERS
from itemstore.engine.embedded import run

ELSEWHERE = (CONDITIONAL, MIXED, TWO_WORKERS)
"""Workloads that are left to those that answer as we do."""

RECORDS = "/v1/buckets/benchmark/collections/items/records"

KINTO = Shape(
    Request("PUT", f"{RECORDS}/item-%d", f'{{"data":{BODY.decode()}}}'),
    Request("GET", f"{RECORDS}/item-%d"),
)

# Eight digits are base64 too, of a key of six bytes.
ETCD = Shape(
    Request("POST", "/v3/kv/put", f'{{"key":"%08d","value":"{b64encode(BODY).decode()}"}}'),
    Request("POST", "/v3/kv/range", '{"key":"%08d"}'),
)

WEBDIS = Shape(
    Request("PUT", "/SET/item-%d", BODY.decode()),
    Request("GET", "/GET/item-%d?type=application/json"),
)


@contextmanager
def _kinto(cores: Cores, _: int) -> Iterator[Running]:
    port = free_port()
    settings = str(Path(__file__).parent / "apps" / "kinto.ini")
    # What `kinto start` does; `-m kinto` does nothing.
    command = [sys.executable, "-m", "pyramid.scripts.pserve", "-q", settings, f"http_port={port}"]
    with answering(on(cores.server, *command), port, is_silent=True) as process:
        for path in ("/v1/buckets/benchmark", "/v1/buckets/benchmark/collections/items"):
            answered(port, path, "PUT", json.dumps({}))
        yield Running(port, process.pid)


@contextmanager
def _etcd(cores: Cores, _: int) -> Iterator[Running]:
    port = free_port()
    clients, peers = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory() as directory:
        command = [
            *("etcd", "--data-dir", directory, "--logger", "zap", "--log-level", "error"),
            *("--listen-client-urls", clients, "--advertise-client-urls", clients),
            *("--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers),
            *("--initial-cluster", f"default={peers}"),
        ]
        with answering(on(cores.server, *command), port, is_silent=True) as process:
            yield Running(port, process.pid)


@contextmanager
def _webdis(cores: Cores, _: int) -> Iterator[Running]:
    port = free_port()
    with tempfile.TemporaryDirectory() as directory, run(Path(directory) / "engine") as engine:
        settings = Path(directory) / "webdis.json"
        content = {
            "redis_host": str(engine.socket),
            "redis_port": 0,
            "database": 0,
            "http_host": "127.0.0.1",
            "http_port": port,
            "threads": 1,
            "daemonize": False,
            "verbosity": 0,
            "logfile": str(Path(directory) / "webdis.log"),
        }
        settings.write_text(json.dumps(content))
        with answering(on(cores.server, "webdis", str(settings)), port, is_silent=True) as process:
            yield Running(port, process.pid, engine.pid)


PEERS = (
    Contestant(
        "Kinto, memory",
        "Kinto with its memory backend, as `kinto start` serves it (waitress), open to everyone",
        "nothing is stored",
        _kinto,
        left_out=(*ELSEWHERE, *FREE),
        shape=KINTO,
        missing=None if find_spec("kinto") else "`pip install kinto`",
    ),
    Contestant(
        "etcd gateway",
        "etcd's JSON gateway, one node: `POST /v3/kv/put` and `/v3/kv/range`, all in base64",
        "every batch",
        _etcd,
        left_out=(*ELSEWHERE, *FREE),
        shape=ETCD,
        missing=None if shutil.which("etcd") else "`apt install etcd-server`",
    ),
    Contestant(
        "webdis",
        "webdis, in C: SET and GET of JSON text, on the same engine; no event, no condition",
        "every command",
        _webdis,
        left_out=ELSEWHERE,
        shape=WEBDIS,
        missing=None if shutil.which("webdis") else "`apt install webdis`",
    ),
)
