"""Runs a cluster on this machine in the foreground, for trying: `make cluster`."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from itemstore.engine.local_cluster import LocalCluster, new_cluster
from itemstore.engine.server_process import EngineError, program

FORMED = "cluster.json"
"""The file in the data directory that says, once a cluster was formed there, which ports it has."""

NODES = 6
"""Three primaries, each with a replica."""

TO_BUS = 10_000
"""From a node's port to that by which the nodes talk to each other, as it is everywhere."""


def main(words: Sequence[str] | None = None) -> int:
    """Runs the cluster until it is interrupted; gives the exit code."""
    parser = argparse.ArgumentParser("make cluster OPTIONS=…", description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=Path("itemstore-cluster"))
    parser.add_argument("--port", type=int, help="the first of six in a row (7001)")
    options = parser.parse_args(words)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        cluster = _cluster(options.data_dir.absolute(), options.port)
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    try:
        _start(cluster, options.data_dir)
        _announce(cluster, options.data_dir)
        while True:
            signal.pause()
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        cluster.stop()


def _cluster(data_dir: Path, port: int | None) -> LocalCluster:
    """The one that was formed there, else a new one. Raises EngineError."""
    formed = data_dir / FORMED
    first = json.loads(formed.read_text())["port"] if formed.exists() else port or 7001
    if port not in {None, first}:
        message = f"The cluster in {data_dir} has the ports from {first} on: leave --port out."
        raise EngineError(message)
    ports = range(first, first + NODES)
    pairs = [each for port in ports for each in (port, port + TO_BUS)]
    return new_cluster(str(program()), data_dir, pairs)


def _start(cluster: LocalCluster, data_dir: Path) -> None:
    formed = data_dir / FORMED
    if formed.exists():
        cluster.start()
        cluster.wait_until_ok()
        return
    for node in cluster.nodes:  # what a start that was interrupted has left
        shutil.rmtree(node.directory, ignore_errors=True)
    cluster.start()
    cluster.form(NODES // 2)
    formed.write_text(json.dumps({"port": cluster.nodes[0].port}))


def _announce(cluster: LocalCluster, data_dir: Path) -> None:
    ports = [node.port for node in cluster.nodes]
    print(f"Cluster  {cluster.url}, ports {ports[0]} to {ports[-1]}, in {data_dir}")
    print(f"Serve    .venv/bin/itemstore serve --redis-url {cluster.url}")
    print("Look     kill a node, or stop it (kill -STOP), and see what is answered meanwhile:")
    for node in cluster.nodes:
        assert node.process is not None
        role = "primary" if node.ask("ROLE")[0] == "master" else "replica"
        print(f"         {node.address}  {role}  process {node.process.pid}")
    print("Ctrl-C ends it, and leaves its data for the next start.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
