"""The record of a run: what was measured, where, and with which versions."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Container, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.contestant import Contestant
from benchmarks.cores import UNPINNED
from benchmarks.measure import Plan
from benchmarks.workloads import BODY, IDS, Layout, Workload
from itemstore.engine.server_process import program

RESULTS = Path(__file__).with_name("results")

PACKAGES = (
    *("fastapi", "starlette", "pydantic", "uvicorn", "uvloop", "httptools"),
    *("redis", "hiredis", "eventsourcing", "kinto", "waitress"),
)

PROGRAMS = {
    "etcd": ("etcd", "--version"),
    "webdis": ("dpkg-query", "--show", "--showformat", "webdis ${Version}", "webdis"),
}
"""What says a version as the last word of its first line; webdis itself says none."""


def record(
    plan: Plan, measured: Sequence[dict[str, Any]], at_half: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Everything about a run, for the file of its results."""
    return where_and_when(plan.layouts[Layout.SHARED].sentence) | {
        "settings": {
            "rounds": plan.rounds,
            "seconds": plan.seconds,
            "ids": IDS,
            "body": BODY.decode(),
        },
        "layouts": {name.value: cores.sentence for name, cores in plan.layouts.items()},
        "contestants": [_contestant(each) for each in plan.contestants if not each.missing],
        "missing": {each.name: each.missing for each in plan.contestants if each.missing},
        "workloads": [_workload(each) for each in plan.workloads],
        "measured": list(measured),
        "at_half": list(at_half),
    }


def recorded(work: Mapping[str, Callable[[], Any]], wanted: Container[str]) -> dict[str, Any]:
    """What each wanted piece of work measured, on cores that are not pinned, and how long it took.

    They are done in their order.
    """
    begun = time.monotonic()
    found = where_and_when(UNPINNED.sentence)
    found |= {name: each() for name, each in work.items() if name in wanted}
    return found | {"took": round(time.monotonic() - begun)}


def where_and_when(pinned: str) -> dict[str, Any]:
    """When a run was, on which machine, and with which versions."""
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(pinned),
        "versions": versions(),
    }


def machine(pinned: str) -> dict[str, Any]:
    """The machine that the run was on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "pinned": pinned,
    }


def versions() -> dict[str, str]:
    """The versions of all that took part."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    # "Valkey server v=9.1.0 sha=…", "Redis server v=7.0.15 sha=…"
    name, _, number = _first_line(str(program()), "--version").split()[:3]
    found[name.lower()] = number.removeprefix("v=")
    for name, command in PROGRAMS.items():
        if shutil.which(name) and shutil.which(command[0]):
            found[name] = _first_line(*command).split()[-1]
    return found


def _first_line(*command: str) -> str:
    said = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    return said.partition("\n")[0] or "?"


def save(content: dict[str, Any], name: str) -> Path:
    """The new file of results; its name begins with the time of the run."""
    RESULTS.mkdir(exist_ok=True)
    time = content["when"][:19].replace(":", "").replace("-", "")
    file = RESULTS / f"{time}-{name}.json"
    file.write_text(json.dumps(content, indent=1) + "\n")
    return file


def _contestant(contestant: Contestant) -> dict[str, str]:
    return {"name": contestant.name, "what": contestant.what, "fsync": contestant.fsync}


def _workload(workload: Workload) -> dict[str, Any]:
    return {
        "name": workload.name,
        "what": workload.what,
        "connections": workload.connections,
        "workers": workload.workers,
        "layout": workload.layout.value,
        "items": workload.items,
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
