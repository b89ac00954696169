"""Expected versions in the append script: it admits what `ExpectedVersion.admits` does."""

from __future__ import annotations

import asyncio

import pytest

from itemstore.domain.commands import DeleteItem, PutItem
from itemstore.domain.errors import UnexpectedVersion
from itemstore.domain.expected import ABSENT, ANY, PRESENT, ExpectedVersion, none_of, one_of
from itemstore.eventlog.log import EventLog
from tests.conftest import ENGINES_AND_A_CLUSTER

pytestmark = ENGINES_AND_A_CLUSTER


EXPECTED = [
    ANY,
    ExpectedVersion(absent=True, versions=frozenset(), others=True),
    ABSENT,
    PRESENT,
    one_of(),
    one_of(1),
    one_of(11),
    one_of(1, 11, 111),
    one_of(2, 12),
    one_of(10**30),
    none_of(1),
    none_of(11),
    none_of(1, 11, 111),
    none_of(12) & PRESENT,
    none_of(1) & PRESENT,
    ExpectedVersion(absent=True, versions=frozenset({1, 12}), others=False),
]


@pytest.mark.parametrize(
    ("versions", "exists"), [(0, False), (1, True), (11, True), (12, True), (1, False), (11, False)]
)
async def test_the_script_admits_what_the_domain_admits(
    log: EventLog, versions: int, *, exists: bool
) -> None:
    """Every kind, on items that are there, were there and never were; no digit is mixed up."""
    for index in range(len(EXPECTED)):
        await asyncio.gather(*(log.append(PutItem(f"item {index}", b"1")) for _ in range(versions)))
        if versions and not exists:
            await log.append(DeleteItem(f"item {index}"))
    outcomes = await asyncio.gather(
        *(
            log.append(PutItem(f"item {index}", b"2", expected))
            for index, expected in enumerate(EXPECTED)
        ),
        return_exceptions=True,
    )
    admitted = [not isinstance(outcome, UnexpectedVersion) for outcome in outcomes]
    current = versions if exists else None
    assert admitted == [expected.admits(current) for expected in EXPECTED]
