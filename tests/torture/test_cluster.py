"""All that befalls a cluster, for seconds; `make torture OPTIONS=--cluster` takes its time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.torture.bounds import PATIENCE
from tests.torture.cut_followers import Followed
from tests.torture.history import LogEntry
from tests.torture.stories import entry


def test_nothing_is_violated_on_a_cluster(tmp_path: Path) -> None:
    """Nodes are killed, hung, cut off where that can be done, and slots moved, under traffic."""
    report = tmp_path / "report.json"
    words = ["--cluster", "--only", "cluster-at-once", "--seconds", "2", "--seed", "2"]
    run = subprocess.run(
        [sys.executable, "-m", "tests.torture", *words, "--json", str(report)],
        cwd=ROOT,
        env=os.environ | {PATIENCE: "5"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    [outcome] = json.loads(report.read_text())
    assert outcome["violations"] == outcome["lost"] == []
    assert outcome["operations"] > 10
    assert outcome["acknowledged"] > 0
    assert {*outcome["faults"]} > {"slots moved"}


HERE = [entry(number, "ItemCreated", 1, f"t{number}", f"items/{number}") for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (HERE, ""),
        ([*HERE, entry(9, "ItemCreated", 1, "back", "items/9")], ""),
        (HERE[:2], "1 events were not shown"),
        ([HERE[0], *HERE], "1 events were shown again"),
        ([HERE[1], HERE[0], HERE[2]], "is not in the order"),
        ([*HERE[:2], entry(3, "ItemUpdated", 1, "t3", "items/3")], "1 events are other ones"),
    ],
)
def test_a_follower_that_was_shown_something_else_is_named(
    seen: list[LogEntry], sentence: str
) -> None:
    """Every event of the log once; what a failover took back is not counted."""
    found = Followed(seen=[seen]).wrong(HERE)
    assert sentence in "".join(found)
    assert bool(found) == bool(sentence)
