"""What logs and traces cost: `python -m benchmarks.logs`, in under four minutes.

The same requests go to servers side by side, in turn: one without either, one that logs each
request, in JSON into a file, and two that send traces. Processor time is that of the server's
process, for each request; the ratios are by the server without, in the same round.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median

from benchmarks.contestants import serve_command
from benchmarks.cores import Cores, cores, on
from benchmarks.drive import NoLoadGenerator, check_wrk, drive
from benchmarks.measure import say
from benchmarks.noise import QUIET, Noise
from benchmarks.processes import family, processor_seconds
from benchmarks.shapes import items
from benchmarks.starting import HERE, answered, answering, free_port
from benchmarks.summaries import Spread
from benchmarks.tables import lowest_to_highest, table
from benchmarks.workloads import GET, PUT, Workload

OFF = "neither"

ROUNDS, SECONDS = 7, 3

PUT_OF_ITEM = items().put

IDS = 500
"""Items that are asked for, and stored beforehand."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a server logs and traces: options, and variables besides the receiver's address."""

    name: str
    options: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] | None = None


KINDS = (
    Kind(OFF),
    Kind("access log", ("--access-log", "--log-format", "json")),
    Kind(
        "traces, one in a hundred",
        environment=(
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.01"),
        ),
    ),
    Kind("traces, all", environment=()),
)

Times = dict[tuple[str, str], list[float]]
"""Microseconds of processor time a request, by workload and kind, of each round."""


def main() -> None:
    """Measures, and prints a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.logs", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="of each measurement")
    options = parser.parse_args()
    try:
        check_wrk()
    except NoLoadGenerator as error:
        sys.exit(str(error))
    noise = Noise()
    times = measure(options.rounds, options.seconds)
    print("\n".join(report(times, options.rounds)))
    if (others := noise.cores()) > QUIET:
        print(f"\nOther programs took {others:.2f} of a core meanwhile.")


def measure(rounds: int, seconds: int) -> Times:
    """The processor time of every kind in turn, in an order that is turned round each time."""
    where, times = cores(), Times()
    with ExitStack() as stack:
        receiver = stack.enter_context(_receiver())
        servers = [(kind, *stack.enter_context(_server(kind, where, receiver))) for kind in KINDS]
        for _, port, _ in servers:  # they warm up
            drive(port, PUT, where.load, seconds=1, shape=items(), ids=IDS)
        for number in range(rounds):
            for workload in (PUT, GET):
                for kind, port, pid in servers if number % 2 else servers[::-1]:
                    taken = _taken(port, pid, workload, where, seconds)
                    times.setdefault((workload.name, kind.name), []).append(taken)
            say(f"round {number + 1} of {rounds}")
    return times


def report(times: Times, rounds: int) -> list[str]:
    """The table: medians, and the spread of the ratios."""
    rows = []
    for (workload, name), own in times.items():
        ratios = [one / other for one, other in zip(own, times[workload, OFF], strict=True)]
        spread = Spread(median(ratios), min(ratios), max(ratios))
        rows.append(
            (
                f"{workload}, {name}",
                f"{median(own):.1f} µs",
                f"{spread.median:.2f}",
                lowest_to_highest(spread, 2),
            )
        )
    head = ("", "processor time", "÷ neither", f"lowest to highest of {rounds}")
    return table(head, sorted(rows, key=lambda row: row[0].startswith(GET.name)))


def _taken(port: int, pid: int, workload: Workload, where: Cores, seconds: int) -> float:
    before = _seconds_of(pid)
    run = drive(port, workload, where.load, seconds=seconds, shape=items(), ids=IDS)
    return (_seconds_of(pid) - before) * 1e6 / run.requests


def _seconds_of(pid: int) -> float:
    taken = processor_seconds(process for process in family(pid) if process.pid == pid)
    if taken is None:
        raise SystemExit("The processor time of a process is known on Linux only.")
    return taken


@contextmanager
def _server(kind: Kind, where: Cores, receiver: str) -> Iterator[tuple[int, int]]:
    """A server of this kind, with its log in a file; gives its port and its process."""
    port, environment = free_port(), {"OTEL_SDK_DISABLED": "true"}
    if kind.environment is not None:
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver, **dict(kind.environment)}
    with tempfile.TemporaryDirectory() as directory:
        places = ("--data-dir", directory, "--sql-url", "off", "--archive", "off")
        command = serve_command(HERE, port, 1, *places, *kind.options)
        log = Path(directory) / "log"
        into = ["sh", "-c", 'log=$1; shift; exec "$@" 2>"$log"', "sh", str(log)]
        process: subprocess.Popen[str]
        with answering([*into, *on(where.server, *command)], port, environment=environment) as (
            process
        ):
            for number in range(IDS):
                answered(port, PUT_OF_ITEM.path % number, PUT_OF_ITEM.method, PUT_OF_ITEM.body)
            yield port, process.pid


@contextmanager
def _receiver() -> Iterator[str]:
    """Takes whatever traces are sent to it; gives its address."""

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


if __name__ == "__main__":
    main()
