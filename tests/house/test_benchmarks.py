"""The benchmarks: what they count, and what they say of it. They themselves are run by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import cores, marks, peers, scale_report
from benchmarks.contestant import Contestant, Running
from benchmarks.document import fill
from benchmarks.load import put_requests
from benchmarks.processes import ProcessorTime, family, processor_time
from benchmarks.report import markdown
from benchmarks.shapes import items
from benchmarks.workloads import BATCH_OF_10, PUT

BUSY = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"


def measured(workload: str, contestant: str, rate: float, server_us: float | None) -> Any:
    """One measurement of a round."""
    return {
        "round": 1,
        "workload": workload,
        "contestant": contestant,
        "rate": rate,
        "server_us": server_us,
        "engine_us": None,
        "p50": 100,
        "p99": 200,
        "others": 0.0,
    }


def record(*rates: float, server_us: tuple[float | None, float | None]) -> dict[str, Any]:
    """A run whose rounds gave ours these rates, and the two others 100 each."""
    theirs, ours = server_us
    rounds = [
        each
        for rate in rates
        for each in (
            measured("PUT", "tutorial", 100, theirs),
            measured("PUT", "by hand", 100, theirs),
            measured("PUT", "itemstore", rate, ours),
        )
    ]
    return {
        "when": "2026-01-01T00:00:00",
        "machine": {"processor": "one", "cores": 2, "system": "Linux", "pinned": "nothing"},
        "versions": {},
        "settings": {"rounds": len(rates), "seconds": 1, "ids": 1, "body": "{}"},
        "contestants": [
            {"name": name, "what": "", "fsync": ""} for name in ("tutorial", "by hand", "itemstore")
        ],
        "missing": {"etcd gateway": "`apt install etcd-server`"},
        "workloads": [{"name": "PUT", "what": "PUT of an item"}],
        "measured": rounds,
        "at_half": [
            {"contestant": "itemstore", "rate": 50, "p50": 1, "p99": p99, "p999": 50}
            for p99 in (40, 10, 4)
        ],
    }


def row(lines: list[str], name: str) -> list[str]:
    """The cells of a table's row, after its name."""
    [found] = [line for line in lines if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in found.split("|")[2:-1]]


def test_a_mark_is_met_by_the_median_and_shows_the_rounds() -> None:
    """The ratio of the medians decides; the lowest and the highest are of single rounds."""
    lines = marks.marks(record(230, 240, 300, server_us=(100.0, 40.0)))
    assert row(lines, "PUT, times the tutorial's") == [
        *("2.40", "2.30 to 3.00", "at least 2.4", "met"),
    ]
    assert row(lines, "PUT, processor time: the tutorial's ÷ ours")[3] == "MISSED"  # 2.5
    assert row(lines, "p99 ÷ p50 at half of the rate") == [
        *("10.00", "4.00 to 40.00", "at most 10", "met"),
    ]


def test_a_mark_just_below_is_missed() -> None:
    """No rounding helps."""
    lines = marks.marks(record(239.9, server_us=(281.0, 100.0)))
    assert row(lines, "PUT, times the tutorial's")[0] == "2.40"
    assert row(lines, "PUT, times the tutorial's")[3] == "MISSED"
    assert row(lines, "PUT, processor time: the tutorial's ÷ ours")[3] == "met"


def test_a_batch_is_measured_by_its_items() -> None:
    """Against the single PUTs of the same round; of a contestant that has batches."""
    run = record(200, 100, 300, server_us=(100.0, 50.0))
    run["measured"] += [
        {**measured("batch of 100 PUTs", "itemstore", rate, 1000.0), "round": number}
        for number, rate in enumerate((6, 5, 12))
    ]
    lines = markdown(run).splitlines()
    [title] = [line for line in lines if line.startswith("**Batches**")]
    assert title.endswith("of itemstore")
    assert row(lines, "batch of 100 PUTs") == [
        *("600", "500 to 1,200", "3.00", "3.00 to 5.00", "10.0 µs", "", "0.10 ms"),
    ]
    assert row(lines, "items/s in batches of 100, times those of single PUTs") == [
        *("3.00", "3.00 to 5.00", "at least 4", "MISSED"),
    ]
    assert "**Batches**" not in markdown(record(200, server_us=(1.0, 1.0)))


def test_who_has_no_batches_takes_no_part_in_them() -> None:
    """The others do all that they are not left out of."""
    tutorial, ours = Contestant("a", "", "", _nothing), Contestant("b", "", "", _nothing)
    ours = replace(ours, has_batches=True)
    assert [each.takes_part(BATCH_OF_10) for each in (tutorial, ours)] == [False, True]
    assert [each.takes_part(PUT) for each in (tutorial, replace(ours, left_out=(PUT,)))] == [
        True,
        False,
    ]
    assert not replace(ours, missing="`apt install it`").takes_part(PUT)


@contextmanager
def _nothing(_: cores.Cores, __: int) -> Iterator[Running]:
    yield Running(0, 0)


def test_without_processor_time_there_is_no_mark_of_it() -> None:
    """Where the system doesn't say it."""
    text = markdown(record(300, server_us=(None, None)))
    assert "processor time: the tutorial's" not in text
    assert "| itemstore | 300 |" in text


def test_what_is_not_installed_is_said() -> None:
    """With how to get it."""
    assert "etcd gateway did not take part, because it is not installed here: `apt" in markdown(
        record(300, server_us=(1.0, 1.0))
    )


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="Linux says it in /proc")
def test_processor_time_is_that_of_all_processes_but_the_engines() -> None:
    """A child counts for its parent, unless it is the engine."""
    with subprocess.Popen(
        [sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert child.pid in {process.pid for process in family(os.getpid())}
        alone = processor_time(os.getpid(), child.pid)
        together = processor_time(os.getpid(), None)
        assert alone.engine is not None
        assert alone.server is not None
        assert together.server is not None
        assert alone.engine >= 0.25
        assert together.server - alone.server >= 0.25
        assert together.engine is None
        child.communicate("\n")


def test_processor_time_a_request_is_in_microseconds() -> None:
    """Seconds that were taken in between, by the requests."""
    before, after = ProcessorTime(1.0, None), ProcessorTime(1.5, None)
    assert after.since(before, 10_000) == {"server_us": 50.0, "engine_us": None}


def test_the_engine_is_free_where_there_is_a_third_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """With two cores it isn't pinned, and the report says so."""
    monkeypatch.setattr(cores, "_available", lambda: ["0", "1", "2", "3"])
    assert cores.with_engine_free() == cores.Cores("0", "1", "2")
    monkeypatch.setattr(cores, "_available", lambda: ["0", "1"])
    assert cores.with_engine_free() == cores.Cores("0", None, "1")
    assert "no third for the engine" in cores.with_engine_free().sentence
    assert cores.cores() == cores.Cores("0", "1", "1")
    monkeypatch.setattr(cores, "_available", list)
    assert cores.with_engine_free() == cores.cores() == cores.UNPINNED


def test_each_shape_stores_the_same_item() -> None:
    """Ours by its path, Kinto's in an envelope, etcd's in base64."""
    head, _, body = next(put_requests()).partition(b"\r\n\r\n")
    assert head.startswith(b"PUT /items/item-0 HTTP/1.1\r\n")
    assert json.loads(body) == {"name": "Fighters", "size": 6}
    assert items("round-1-").put.encoded(7).startswith(b"PUT /items/round-1-7 ")
    kinto = peers.KINTO.put.encoded(7).partition(b"\r\n\r\n")
    assert kinto[0].startswith(b"PUT /v1/buckets/benchmark/collections/items/records/item-7 ")
    assert json.loads(kinto[2]) == {"data": {"name": "Fighters", "size": 6}}
    etcd = json.loads(peers.ETCD.put.encoded(7).partition(b"\r\n\r\n")[2])
    assert etcd["key"] == "00000007"
    assert peers.ETCD.get.encoded(7).endswith(b'{"key":"00000007"}')
    assert peers.WEBDIS.get.encoded(7).startswith(b"GET /GET/item-7?type=application/json ")


def test_the_scale_shows_rates_and_their_part_of_reading() -> None:
    """Rebuild and verify by what a loop over XRANGE reads; the starts below them."""
    size = {
        "items": 1000,
        "events": 1000,
        "api_megabytes": 65.0,
        "reads": {"a list": 10.0},
        "rates": {"PUT small": [2.0], "PUT large": [1.0], "GET small": [1.0], "GET large": [1.0]},
        "seconds": {"xrange": 1.0, "rebuild": 4.0, "verify": 2.0},
    }
    start = {"events": 1000, "bytes": 2_000_000, "ready": 1.25, "put": 1.5}
    lines = scale_report.markdown({"sizes": [size], "starts": [start], "memory": {"x": 1.0}})
    assert "| 1,000 | 1,000 | 1,000/s | 250/s | 0.25 | 500/s | 0.50 |" in lines
    assert "| 1,000 | 2 MB | 1.25 s | 1.50 s |" in lines


def test_the_readme_has_its_speed_within_a_paragraph(tmp_path: Path) -> None:
    """What is around the two comments stays."""
    page = tmp_path / "README.md"
    page.write_text("- **Fast.** <!-- speed -->old<!-- end of speed --> [How](x.md).\n")
    fill("speed", marks.speed(_with_get()), page, inline=True)
    text = page.read_text()
    assert text.startswith("- **Fast.** <!-- speed -->With its fsync, a PUT is answered at 3.0 ")
    assert text.endswith("a GET at 3.5 times.<!-- end of speed --> [How](x.md).\n")


def _with_get() -> dict[str, Any]:
    run = record(300, server_us=(1.0, 1.0))
    run["measured"] += [
        measured("GET", name, rate, 1.0)
        for name, rate in (("tutorial", 100), ("by hand", 100), ("itemstore", 350))
    ]
    return run
