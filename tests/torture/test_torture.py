"""Each part of the suite for a few seconds; `make torture` runs them for minutes."""

from __future__ import annotations

import json

import pytest

from tests.torture.bounds import PATIENCE
from tests.torture.outcome import numbers
from tests.torture.parts import PARTS
from tests.torture.processes import Api
from tests.torture.report import tables
from tests.torture.starting import in_a_fork

SECONDS = {"file-cut": 4.5, "bank": 4.0, "races": 1.5, "batches": 1.5, "raw-http": 1.0,
           "import": 2.0, "fuzz": 2.0, "state-machine": 1.5}  # fmt: skip

FAULTY = [
    "engine-killed",
    "api-killed",
    "both-killed",
    "connections-broken",
    "clients-cut",
    "read-model",
    "bank",
    "failover",
    "failover-behind-proxy",
    "machine-gone",
    "object-store",
    "two-archivers",
    "file-cut",
    "silent-clients",
    "tokens-lost",
]


@pytest.fixture(autouse=True)
def _beside_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts get to something within their seconds, on a machine that has much else to do."""
    monkeypatch.setattr(Api, "starting", staticmethod(in_a_fork))
    monkeypatch.setenv(PATIENCE, "5")


@pytest.mark.parametrize("name", PARTS)
def test_nothing_is_violated(name: str) -> None:
    """And something was done: operations or inputs, and faults where the part has some."""
    outcome = PARTS[name].outcome(seed=1, seconds=SECONDS.get(name, 2.0))
    assert outcome.violations == []
    assert outcome.operations + outcome.inputs > 10  # a busy machine gets to some twenty
    assert bool(outcome.faults) == (name in {*FAULTY, "state-machine"})
    assert outcome.part in tables([outcome])
    assert json.loads(json.dumps(numbers(outcome)))["part"] == outcome.part
